import assert from 'node:assert/strict';
import test from 'node:test';
import { kindRank } from './order.ts';
import { keyOf } from './testdata/objects.ts';

test('kinds are applied in the order in which they need each other, custom resources last', () => {
  const kinds = ['Widget', 'Ingress', 'Deployment', 'Service', 'CustomResourceDefinition', 'ConfigMap', 'Namespace'];
  const sorted = kinds.toSorted((a, b) => kindRank(keyOf(a, 'x')) - kindRank(keyOf(b, 'x')));
  assert.deepEqual(sorted, kinds.toReversed());
});

test('rank 0 is kept for prunes', () => {
  assert.equal(kindRank(keyOf('Namespace', 'x')), 1);
});
