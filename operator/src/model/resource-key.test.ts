import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definesKinds } from './resource-key.ts';

test('only CustomResourceDefinitions of the API server define kinds', () => {
  assert.equal(definesKinds({ group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' }), true);
  assert.equal(definesKinds({ group: 'example.com', kind: 'CustomResourceDefinition' }), false);
  assert.equal(definesKinds({ group: '', kind: 'Namespace' }), false);
});
