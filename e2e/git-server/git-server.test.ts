import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runGit } from './git-command.ts';
import { NO_COMMIT } from './git-repository.ts';
import { type AnsweredRequest, type GitServer, startGitServer } from './git-server.ts';

let server: GitServer;
let work: string;
let count = 0;
let answered: AnsweredRequest[] = [];

before(async () => {
  work = await mkdtemp(join(tmpdir(), 'mooring-git-client-'));
  server = await startGitServer({ maxBodyBytes: 2 * 1024 * 1024, onRequest: (request) => answered.push(request) });
});
beforeEach(() => {
  answered = [];
});
after(async () => {
  await server.close();
  await rm(work, { recursive: true, force: true });
});

async function git(cwd: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  return (await runGit([...identity, ...args], { cwd })).toString('utf8').trim();
}

async function clone(url: string, ...options: string[]): Promise<string> {
  count += 1;
  const folder = join(work, `clone-${count}`);
  await git(work, 'clone', '--quiet', ...options, '--', url, folder);
  return folder;
}

function withUser(url: string, user: string, password: string): string {
  return url.replace('http://', `http://${user}:${password}@`);
}

/** One request as it is, without the cleaning a client would do; the answer's first line. */
function rawRequest(head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('end', () => resolve(answer.split('\r\n', 1)[0] ?? ''));
    socket.on('error', reject);
    socket.write(`${head}\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  });
}

test('git clones, fetches and pushes', async () => {
  const repository = await server.createRepository('team/shop');
  const first = await repository.commit({ files: { 'a.yaml': 'a: 1\n' }, message: 'first' });
  const folder = await clone(repository.url);
  assert.equal(await git(folder, 'rev-parse', 'HEAD'), first);
  assert.equal(await readFile(join(folder, 'a.yaml'), 'utf8'), 'a: 1\n');

  const second = await repository.commit({ files: { 'a.yaml': 'a: 2\n' }, message: 'second' });
  await git(folder, 'pull', '--quiet');
  assert.equal(await git(folder, 'rev-parse', 'HEAD'), second);

  await writeFile(join(folder, 'b.yaml'), 'b: 1\n');
  await git(folder, 'add', 'b.yaml');
  await git(folder, 'commit', '--quiet', '--message', 'third');
  await git(folder, 'push', '--quiet');
  assert.equal(await repository.resolve('main'), await git(folder, 'rev-parse', 'HEAD'));
  assert.equal(await repository.read('b.yaml'), 'b: 1\n');
  assert.deepEqual(await repository.changes(second, 'main'), { added: ['b.yaml'], modified: [], removed: [] });
  assert.ok(answered.some(({ service, status }) => service === 'git-receive-pack' && status === 200));
});

test('a commit is fetched by its id, shallow and without blobs, by protocols 0 and 2', async () => {
  const repository = await server.createRepository('ids');
  const first = await repository.commit({ files: { a: '1' }, message: 'first' });
  await repository.commit({ files: { a: '2' }, message: 'second' });
  for (const version of ['0', '2']) {
    const folder = await clone(
      repository.url,
      '--bare',
      '--depth=1',
      '--filter=blob:none',
      '-c',
      `protocol.version=${version}`,
    );
    await git(folder, 'fetch', '--quiet', '--depth=1', 'origin', first);
    assert.equal(await git(folder, 'rev-parse', 'FETCH_HEAD'), first);
  }
});

test('an empty repository is cloned and takes a first push', async () => {
  const repository = await server.createRepository('empty', { defaultBranch: 'trunk' });
  const folder = await clone(repository.url);
  await git(folder, 'checkout', '--quiet', '-B', 'trunk');
  await git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'first');
  await git(folder, 'push', '--quiet', 'origin', 'trunk');
  assert.equal(await repository.resolve('HEAD'), await git(folder, 'rev-parse', 'HEAD'));
});

test('a repository with users lets nobody else in', async () => {
  const repository = await server.createRepository('private', { users: { ada: 'se:cret' } });
  const id = await repository.commit({ files: { a: '1' }, message: 'first' });
  const right = withUser(repository.url, 'ada', 'se%3Acret');
  assert.match(await git(work, 'ls-remote', right, 'refs/heads/main'), new RegExp(id));
  assert.equal(answered.at(-1)?.user, 'ada');
  for (const url of [
    repository.url,
    withUser(repository.url, 'ada', 'wrong'),
    withUser(repository.url, '__proto__', 'x'),
    withUser(repository.url, 'eve', 'se%3Acret'),
  ]) {
    await assert.rejects(git(work, 'ls-remote', url), /Authentication failed|could not read Username/);
    assert.equal(answered.at(-1)?.status, 401);
  }
  const folder = await clone(right);
  await git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'second');
  await assert.rejects(git(folder, 'push', '--quiet', repository.url, 'main'), /could not read Username/);
  await git(folder, 'push', '--quiet');
  assert.notEqual(await repository.resolve('main'), id);

  const answer = await fetch(`${repository.url}/info/refs?service=git-upload-pack`);
  assert.equal(answer.status, 401);
  assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="git"');
});

test('each fault is what a client sees until it ends', async () => {
  const repository = await server.createRepository('faults');
  const id = await repository.commit({ files: { a: '1' }, message: 'first' });
  const see = (): Promise<string> => git(work, 'ls-remote', repository.url, 'refs/heads/main');

  await server.setFault({ kind: 'down' });
  await assert.rejects(see(), /Failed to connect|Connection refused|Couldn't connect/);
  await server.setFault({ kind: 'reset' });
  await assert.rejects(see(), /Connection reset|Recv failure/);
  await server.setFault({ kind: 'status', status: 500 });
  await assert.rejects(see(), /error: 500/);
  await server.setFault({ kind: 'unauthorized' });
  await assert.rejects(see(), /could not read Username/);
  await server.setFault({ kind: 'slow', delayMs: 300 });
  const start = performance.now();
  assert.match(await see(), new RegExp(id));
  assert.ok(performance.now() - start >= 300);

  await server.setFault({ kind: 'slow', delayMs: 600_000 });
  const waiting = assert.rejects(see());
  await sleep(200);
  await server.setFault({ kind: 'down' });
  await waiting;
  await server.setFault(undefined);
  assert.match(await see(), new RegExp(id));
});

test('forty clients fetch at once while commits are made', async () => {
  const repository = await server.createRepository('busy');
  await repository.commit({ files: { a: '1' }, message: 'first' });
  const clients = Array.from({ length: 40 }, async () => {
    const folder = await clone(repository.url, '--bare');
    await git(folder, 'fsck', '--strict');
  });
  for (let round = 0; round < 10; round += 1) {
    await repository.commit({ files: { [`file-${round}`]: 'x' }, message: `round ${round}` });
  }
  await Promise.all(clients);
  assert.deepEqual(
    answered.filter(({ status }) => status !== 200),
    [],
  );
});

test('nothing but repositories over smart HTTP is answered', async () => {
  const repository = await server.createRepository('paths');
  await repository.commit({ files: { a: '1' }, message: 'first' });
  const refs = 'info/refs?service=git-upload-pack';
  for (const target of [
    '/',
    '/paths.git/HEAD',
    '/paths.git/config',
    '/paths.git/info/refs',
    '/paths.git/info/refs?service=git-upload-archive',
    `/absent.git/${refs}`,
    `/../paths.git/${refs}`,
    `/x/../paths.git/${refs}`,
    `/%2e%2e/paths.git/${refs}`,
    `//paths.git/${refs}`,
    `/paths.git/../paths.git/${refs}`,
    `/paths%00.git/${refs}`,
    '/paths.git/git-upload-pack',
  ]) {
    assert.equal(await rawRequest(`GET ${target} HTTP/1.1`), 'HTTP/1.1 404 Not Found', target);
  }
  assert.equal(await rawRequest(`GET /paths.git/${refs} HTTP/1.1`), 'HTTP/1.1 200 OK');
  for (const name of ['../x', 'a/../b', '', 'a.git', 'a b', '-x', '.hidden', 'a/b/c/d/e']) {
    await assert.rejects(server.createRepository(name), /no name for a repository/);
  }
});

test('a body over the limit is refused', async () => {
  const repository = await server.createRepository('large');
  await repository.commit({ files: { a: '1' }, message: 'first' });
  const folder = await clone(repository.url);
  await writeFile(join(folder, 'noise'), randomBytes(3 * 1024 * 1024));
  await git(folder, 'add', 'noise');
  await git(folder, 'commit', '--quiet', '--message', 'noise');
  await assert.rejects(git(folder, '-c', 'http.postBuffer=8388608', 'push', '--quiet'), /error: 413/);
  await assert.rejects(git(folder, '-c', 'http.postBuffer=65536', 'push', '--quiet'));
  const refused = answered.filter(({ error }) => error === 'the request is longer than 2097152 bytes');
  assert.equal(refused.length, 2);
  assert.equal((await repository.changes(NO_COMMIT, 'main')).added.length, 1);
});

test('an answer carries the id of its request', async () => {
  const repository = await server.createRepository('request-ids');
  const url = `${repository.url}/info/refs?service=git-upload-pack`;
  const own = await fetch(url, { headers: { 'x-request-id': 'demo-1' } });
  await own.text();
  assert.equal(own.headers.get('x-request-id'), 'demo-1');
  const unfit = await fetch(url, { headers: { 'x-request-id': 'a b"c' } });
  await unfit.text();
  assert.match(unfit.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    answered.map(({ id }) => id),
    [own.headers.get('x-request-id'), unfit.headers.get('x-request-id')],
  );
});

test('a client that goes away in the middle of an answer leaves nothing behind', async () => {
  const requests: AnsweredRequest[] = [];
  const own = await startGitServer({ onRequest: (request) => requests.push(request) });
  const repository = await own.createRepository('noise');
  const content = randomBytes(8 * 1024 * 1024);
  const id = await repository.commit({ files: { noise: content }, message: 'noise' });
  const gone = new AbortController();
  const answer = await fetch(`${repository.url}/git-upload-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-upload-pack-request' },
    body: `0032want ${id}\n00000009done\n`,
    signal: gone.signal,
  });
  assert.equal(answer.status, 200);
  gone.abort();
  await own.close();
  assert.equal(requests.length, 1);
  assert.match(requests[0]?.error ?? '', /aborted|Premature close/);
});

test('a server started on the same root and port goes on with its repositories', async () => {
  const root = join(work, 'kept');
  const first = await startGitServer({ root });
  const repository = await first.createRepository('kept');
  const id = await repository.commit({ files: { a: '1' }, message: 'first' });
  await first.close();
  const second = await startGitServer({ root, port: Number(new URL(first.url).port) });
  assert.equal(second.url, first.url);
  await second.createRepository('kept');
  assert.match(await git(work, 'ls-remote', repository.url), new RegExp(id));
  await second.close();
});

test('close removes a temporary root; an open address needs users', async () => {
  const temporary = await startGitServer();
  await temporary.createRepository('x');
  assert.ok(existsSync(temporary.root));
  await temporary.close();
  assert.ok(!existsSync(temporary.root));
  await assert.rejects(startGitServer({ host: '0.0.0.0' }), /needs users/);
});
