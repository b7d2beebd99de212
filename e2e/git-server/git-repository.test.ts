import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runGit } from './git-command.ts';
import { type GitRepository, NO_COMMIT, openRepository } from './git-repository.ts';

let root: string;
let count = 0;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'mooring-git-repository-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function newRepository(): Promise<GitRepository> {
  count += 1;
  const name = `repository-${count}`;
  return openRepository({ name, url: `file://${root}/${name}`, path: join(root, name) });
}

async function list(repository: GitRepository, revision: string): Promise<string[]> {
  const output = await runGit(['ls-tree', '-r', '-z', revision], { cwd: repository.path });
  const entries = output.toString('utf8').split('\0').filter(Boolean);
  return entries.map((entry) => entry.replace(/ blob [0-9a-f]{40}\t/, ' '));
}

test('a commit adds, changes and removes files and folders', async () => {
  const repository = await newRepository();
  const first = await repository.commit({
    files: { 'a.yaml': 'a: 1\n', 'dir/b.yaml': 'b', 'dir/c.yaml': 'c', 'with space "and" \\ é.txt': 'x', empty: '' },
    message: 'first',
    author: { name: 'Ada', email: 'ada@example.com', date: new Date('2026-01-02T03:04:05Z') },
  });
  const second = await repository.commit({
    files: { 'a.yaml': 'a: 2\n', dir: null, 'new/deep/d.yaml': 'd' },
    message: 'second\n\nwith a body',
  });
  assert.deepEqual(await list(repository, second), [
    '100644 a.yaml',
    '100644 empty',
    '100644 new/deep/d.yaml',
    '100644 with space "and" \\ é.txt',
  ]);
  assert.equal(await repository.read('a.yaml'), 'a: 2\n');
  assert.equal(await repository.read('a.yaml', first), 'a: 1\n');
  assert.deepEqual(await repository.changes(first, second), {
    added: ['new/deep/d.yaml'],
    modified: ['a.yaml'],
    removed: ['dir/b.yaml', 'dir/c.yaml'],
  });
  assert.equal((await repository.changes(NO_COMMIT, first)).added.length, 5);
  const log = await runGit(['log', '--format=%H %an <%ae> %aI %s %b'], { cwd: repository.path });
  assert.match(log.toString('utf8'), new RegExp(`^${second} Mooring <mooring@example.com> .* second with a body\n`));
  assert.match(log.toString('utf8'), new RegExp(`${first} Ada <ada@example.com> 2026-01-02T03:04:05.* first`));
  await runGit(['fsck', '--strict'], { cwd: repository.path });
});

test('a commit lays a folder over the branch, modes and links kept', async () => {
  const folder = join(root, 'folder');
  await mkdir(join(folder, 'bin'), { recursive: true });
  await mkdir(join(folder, '.git'));
  await writeFile(join(folder, '.git', 'config'), 'not content');
  await writeFile(join(folder, 'README.md'), 'hello');
  await writeFile(join(folder, 'bin', 'run'), '#!/bin/sh\n');
  await chmod(join(folder, 'bin', 'run'), 0o755);
  await symlink('README.md', join(folder, 'link'));

  const repository = await newRepository();
  await repository.commit({ files: { 'kept.txt': 'kept', 'README.md': 'old' }, message: 'before' });
  const id = await repository.commit({ from: folder, files: { 'extra.txt': 'x' }, message: 'folder' });
  assert.deepEqual(await list(repository, id), [
    '100644 README.md',
    '100755 bin/run',
    '100644 extra.txt',
    '100644 kept.txt',
    '120000 link',
  ]);
  assert.equal(await repository.read('README.md'), 'hello');
});

test('a refused commit says why and changes nothing', async () => {
  const repository = await newRepository();
  const id = await repository.commit({ files: { 'a.yaml': 'a' }, message: 'first' });
  for (const path of ['../x', '/x', 'a//b', './x', '.git/config', 'x/.GIT/hooks', 'a\nb', '']) {
    await assert.rejects(repository.commit({ files: { [path]: 'x' }, message: 'bad' }), /not a plain relative path/);
  }
  await assert.rejects(
    repository.commit({ files: { 'a.yaml': 'b', 'gone.yaml': null }, message: 'bad' }),
    /cannot remove what main does not have: gone\.yaml/,
  );
  await assert.rejects(repository.commit({ files: { b: 'b' }, message: 'bad', branch: 'a..b' }), /check-ref-format/);
  await assert.rejects(repository.resolve('nothing'), /rev-parse/);
  assert.equal(await repository.resolve('main'), id);
});

test('branches and tags are made, moved and deleted', async () => {
  const repository = await newRepository();
  const first = await repository.commit({ files: { a: '1' }, message: 'first' });
  const topic = await repository.commit({ files: { a: '2' }, message: 'topic', branch: 'topic/x' });
  assert.deepEqual(await repository.branches(), { main: first, 'topic/x': topic });
  await repository.setBranch('main', topic);
  await repository.tag('v1', { at: first });
  await repository.tag('v2', { message: 'release 2' });
  assert.equal(await repository.resolve('v1'), first);
  assert.equal(await repository.resolve('v2'), topic);
  assert.equal((await runGit(['cat-file', '-t', 'v2'], { cwd: repository.path })).toString('utf8'), 'tag\n');
  await repository.setBranch('main', first);
  await repository.deleteBranch('topic/x');
  assert.deepEqual(await repository.branches(), { main: first });
  await assert.rejects(repository.deleteBranch('main'), /default branch/);
  await assert.rejects(repository.deleteBranch('topic/x'), /rev-parse/);
});

test('commits asked for at once are made one after the other', async () => {
  const repository = await newRepository();
  const asked = Array.from({ length: 20 }, (_, index) =>
    repository.commit({ files: { [`file-${index}`]: `${index}` }, message: `commit ${index}` }),
  );
  const ids = await Promise.all(asked);
  assert.equal(new Set(ids).size, 20);
  assert.equal((await list(repository, 'main')).length, 20);
  const log = await runGit(['rev-list', '--count', 'main'], { cwd: repository.path });
  assert.equal(log.toString('utf8').trim(), '20');
});

test('a repository is opened again as it was', async () => {
  const repository = await newRepository();
  const id = await repository.commit({ files: { a: '1' }, message: 'first' });
  const { name, url, path } = repository;
  const again = await openRepository({ name, url, path });
  assert.equal(await again.resolve('HEAD'), id);
  assert.equal(again.defaultBranch, 'main');
});

test('a commit of 200 files among 2,000 takes less than 200 ms', async (context) => {
  const repository = await newRepository();
  const path = (index: number): string => `apps/app-${Math.floor(index / 10)}/object-${index % 10}.yaml`;
  const all = Array.from({ length: 2000 }, (_, index) => [path(index), `index: ${index}\n`.repeat(20)]);
  await repository.commit({ files: Object.fromEntries(all), message: 'all' });
  const took: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const some = Array.from({ length: 200 }, (_, app) => [path(app * 10), `round: ${round}\napp: ${app}\n`]);
    const start = performance.now();
    await repository.commit({ files: Object.fromEntries(some), message: `round ${round}` });
    took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  const median = took[2] ?? Number.POSITIVE_INFINITY;
  context.diagnostic(`median of 5: ${median.toFixed(0)} ms`);
  assert.ok(median < 200, `${median} ms`);
  assert.equal((await list(repository, 'main')).length, 2000);
});
