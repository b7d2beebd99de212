import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RenderError } from '@mooring/renderer-contract';
import { manifestsOf } from './manifests.ts';

const origin = { path: 'app/a.yaml' };
const names = (objects: unknown[]): (string | undefined)[] =>
  manifestsOf(objects, () => origin).map(({ object }) => object.metadata.name);
const item = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

test('lists of any kind become their items', () => {
  assert.deepEqual(
    names([
      { apiVersion: 'v1', kind: 'List', items: [item('a'), { apiVersion: 'v1', kind: 'List', items: [item('b')] }] },
    ]),
    ['a', 'b'],
  );
  const [manifest] = manifestsOf(
    [{ apiVersion: 'v1', kind: 'ConfigMapList', items: [{ metadata: { name: 'c' } }] }],
    () => origin,
  );
  assert.deepEqual(manifest, { object: item('c'), origin });
  assert.deepEqual(names([{ apiVersion: 'v1', kind: 'List', items: null }]), []);
});

test('what is no object is refused by the name of its file', () => {
  for (const [object, message] of [
    [[], /no apiVersion/],
    ['text', /no mapping/],
    [{ apiVersion: 'v1' }, /has no kind/],
    [{ kind: 'A' }, /has no apiVersion/],
    [{ apiVersion: 'v1', kind: 'A', metadata: 'x' }, /metadata that is no mapping/],
  ] as const) {
    assert.throws(
      () => manifestsOf([object], () => origin),
      (error) => {
        assert.ok(error instanceof RenderError && error.code === 'invalid' && error.file === origin.path);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});
