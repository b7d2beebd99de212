import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTree } from './fields.ts';
import { staleItems } from './stale-items.ts';

const step = (port: number, protocol = 'TCP') => `k:{"port":${port},"protocol":"${protocol}"}`;
const service = (...ports: unknown[]) => ({ spec: { ports } });
const ownerOf = (...steps: string[]): FieldTree => ({
  'f:spec': { 'f:ports': Object.fromEntries(steps.map((each) => [each, { '.': {} }])) },
});
const named = 'FieldValueDuplicate spec.ports[2].name';

test('an item that Git lacks and that has the name of one of its own is stale, others are not', () => {
  const wish = service({ name: 'dns', port: 53 }, { name: 'metrics', port: 9153 });
  const live = service(
    { name: 'dns', port: 53, protocol: 'TCP' },
    { name: 'metrics', port: 9999, protocol: 'TCP' },
    { name: 'others', port: 7000, protocol: 'TCP' },
  );
  const trees = [ownerOf(step(53)), ownerOf(step(9999), step(7000))];
  assert.deepEqual(staleItems(wish, live, trees, [named, named]), [['f:spec', 'f:ports', step(9999)]]);
  assert.deepEqual(staleItems(wish, live, trees, ['FieldValueDuplicate spec.other[0].name']), []);
  assert.deepEqual(staleItems(wish, live, trees, ['FieldValueRequired spec.ports[0].name']), []);
});

test('a protocol that is left out is TCP', () => {
  const live = service({ name: 'dns', port: 53, protocol: 'UDP' });
  const trees = [ownerOf(step(53, 'UDP'))];
  const stale = [['f:spec', 'f:ports', step(53, 'UDP')]];
  assert.deepEqual(staleItems(service({ name: 'dns', port: 53 }), live, trees, [named]), stale);
});

test('a single item without a name does away with all that would need one', () => {
  const live = service({ port: 8080, protocol: 'TCP' });
  const clash = ['FieldValueRequired spec.ports[0].name'];
  const trees = [ownerOf(step(8080))];
  assert.deepEqual(staleItems(service({ port: 80 }), live, trees, clash), [['f:spec', 'f:ports', step(8080)]]);
  assert.deepEqual(staleItems(service({ port: 80 }, { port: 81 }), live, trees, clash), []);
});
