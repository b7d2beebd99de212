import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordReads } from './recording.ts';
import { treeOf } from './tree.ts';

test('every distinct look is remembered once, failed ones too', async () => {
  const { tree, reads } = recordReads(treeOf({ 'a/b.yaml': 'x' }));
  assert.deepEqual(reads(), []);
  assert.equal((await tree.read('a/b.yaml')).length, 1);
  await tree.read('a/b.yaml');
  assert.equal((await tree.list('a')).length, 1);
  assert.equal(await tree.stat('c'), undefined);
  await assert.rejects(tree.read('c'));
  assert.deepEqual(reads(), [
    { op: 'read', path: 'a/b.yaml' },
    { op: 'list', path: 'a' },
    { op: 'stat', path: 'c' },
    { op: 'read', path: 'c' },
  ]);
});
