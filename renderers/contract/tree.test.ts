import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RenderError, type RenderErrorCode } from './error.ts';
import { followLinks, joinPath, parentPath, treeOf } from './tree.ts';

function hasCode(code: RenderErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof RenderError && error.code === code;
}

describe('paths', () => {
  test('are joined as a file system would', () => {
    assert.equal(joinPath('a/b', '../c/./d'), 'a/c/d');
    assert.equal(joinPath('a', '/c'), 'c');
    assert.equal(joinPath('', ''), '');
    assert.equal(parentPath('a/b/c'), 'a/b');
    assert.equal(parentPath('a'), '');
  });

  test('cannot leave the root', () => {
    for (const path of ['..', '../x', 'b/../../..', '/..', 'x\0y']) {
      assert.throws(
        () => joinPath('a', path === '..' ? '../..' : path === '../x' ? '../../x' : path),
        hasCode('outside-tree'),
        path,
      );
    }
  });
});

describe('links', () => {
  const tree = treeOf({
    'a/file': 'content',
    'a/near': { link: 'file' },
    'b/up': { link: '../a' },
    chain: { link: 'b/up/near' },
    loop: { link: 'pool' },
    pool: { link: 'loop' },
    broken: { link: 'a/none' },
    out: { link: '../etc/passwd' },
    deep: { link: 'a/../../etc/passwd' },
    absolute: { link: '/etc/passwd' },
  });

  test('are followed inside the tree, over folders too', async () => {
    assert.equal(await followLinks(tree, 'chain'), 'a/file');
    assert.equal(new TextDecoder().decode(await tree.read('b/up/near')), 'content');
    assert.deepEqual(
      (await tree.list('b/up')).map(({ name }) => name),
      ['file', 'near'],
    );
    assert.equal((await tree.stat('chain'))?.type, 'symlink');
  });

  for (const [path, code] of [
    ['loop', 'invalid'],
    ['broken', 'not-found'],
    ['out', 'outside-tree'],
    ['deep', 'outside-tree'],
    ['absolute', 'outside-tree'],
    ['none', 'not-found'],
    ['a', 'not-found'],
  ] as const) {
    test(`${path} cannot be read: ${code}`, () => assert.rejects(tree.read(path), hasCode(code)));
  }
});
