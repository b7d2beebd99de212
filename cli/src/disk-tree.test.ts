import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileBytesMax, openDiskTree } from './disk-tree.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-tree-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'apps', 'web'), { recursive: true });
  mkdirSync(join(folder, '.git'));
  writeFileSync(join(folder, '.git', 'config'), 'secret');
  writeFileSync(join(folder, 'apps', 'web', 'a.yaml'), 'a: 1\n');
  symlinkSync('web', join(folder, 'apps', 'link'));
  symlinkSync('/etc', join(folder, 'apps', 'outside'));
  return folder;
}

test('a folder looks as a Git tree of it would', async (t) => {
  const tree = openDiskTree(folderOf(t));
  assert.deepEqual(await tree.list(''), [{ name: 'apps', path: 'apps', type: 'directory' }]);
  assert.deepEqual(await tree.list('apps'), [
    { name: 'link', path: 'apps/link', type: 'symlink', target: 'web' },
    { name: 'outside', path: 'apps/outside', type: 'symlink', target: '/etc' },
    { name: 'web', path: 'apps/web', type: 'directory' },
  ]);
  assert.deepEqual(await tree.stat('apps/web/a.yaml'), {
    name: 'a.yaml',
    path: 'apps/web/a.yaml',
    type: 'file',
    size: 5,
  });
  assert.equal(Buffer.from(await tree.read('apps/link/a.yaml')).toString(), 'a: 1\n');
  assert.equal(await tree.stat('apps/link/a.yaml'), undefined);
  assert.equal(await tree.stat('.git/config'), undefined);
  await assert.rejects(tree.read('.git/config'), { code: 'not-found' });
  await assert.rejects(tree.list('apps/web/a.yaml'), { code: 'not-found' });
});

test('nothing outside of the folder is reached', async (t) => {
  const tree = openDiskTree(folderOf(t));
  assert.equal(await tree.stat('apps/outside/hostname'), undefined);
  await assert.rejects(tree.read('apps/outside/hostname'), { code: 'outside-tree' });
  await assert.rejects(tree.list('apps/outside'), { code: 'outside-tree' });
  await assert.rejects(tree.read('../etc/hostname'), { code: 'outside-tree' });
});

test('a file that is too large is refused before it is read', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'large'), '');
  truncateSync(join(folder, 'large'), fileBytesMax + 1);
  await assert.rejects(openDiskTree(folder).read('large'), { code: 'limit', file: 'large' });
});
