import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Fault, type FaultCode } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import type { Clock } from '../../world/clock.ts';
import type { Git, GitTree, RepositoryAccess } from '../../world/git.ts';
import type { Log } from '../../world/telemetry.ts';
import { createGit, type GitOptions } from './git.ts';
import type { GitRequestFact } from './repository.ts';

const clock: Clock = {
  now: Date.now,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

const lines: string[] = [];
const say = (fields: object, message: string): number => lines.push(JSON.stringify({ ...fields, message }));
const log: Log = { debug: say, info: say, warn: say, error: say };

const home = mkdtempSync(join(tmpdir(), 'mooring-git-'));
const origin = join(home, 'origin');
const opened: (Git & { close(): Promise<void> })[] = [];
const servers: Server[] = [];

function git(directory: string, ...args: string[]): string {
  return execFileSync('git', ['-C', directory, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.com',
      GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.com',
    },
  }).trim();
}

function makeRepository(name: string, branch = 'main'): string {
  const directory = join(origin, name);
  mkdirSync(directory, { recursive: true });
  git(directory, 'init', '--quiet', `--initial-branch=${branch}`);
  return directory;
}

function commit(directory: string, files: Record<string, string>, message = 'change'): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '--allow-empty', '--message', message);
  return git(directory, 'rev-parse', 'HEAD');
}

function openGit(options: Partial<GitOptions> = {}): Git & { close(): Promise<void>; readonly directory: string } {
  const directory = options.directory ?? mkdtempSync(join(home, 'cache-'));
  const made = createGit({ clock, limits: operatorLimits, log, ...options, directory });
  opened.push(made);
  return { ...made, directory };
}

async function text(tree: GitTree, path: string): Promise<string> {
  return Buffer.from(await tree.read(path)).toString('utf8');
}

async function fault(code: FaultCode, message: RegExp, run: Promise<unknown>): Promise<Fault> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return error;
  }
  throw new assert.AssertionError({ message: `no fault ${code}` });
}

type Handle = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Serves `origin` over smart HTTP by `git http-backend`, after `first` had its say. */
async function serve(
  first: Handle = () => false,
  version2 = true,
): Promise<{ url: string; requests: string[]; server: Server }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (first(request, response)) return;
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: origin,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'],
        GIT_PROTOCOL: version2 ? String(request.headers['git-protocol'] ?? '') : '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      },
    });
    request.pipe(backend.stdin);
    backend.stdin.on('error', () => {});
    let head = Buffer.alloc(0);
    const onHead = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      backend.stdout.off('data', onHead);
      for (const line of head.toString('latin1', 0, end).split('\r\n')) {
        const [name = '', value = ''] = line.split(': ');
        if (name === 'Status') response.statusCode = Number(value.slice(0, 3));
        else response.setHeader(name, value);
      }
      response.write(head.subarray(end + 4));
      backend.stdout.pipe(response);
    };
    backend.stdout.on('data', onHead);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, server };
}

after(async () => {
  await Promise.all(opened.map((one) => one.close()));
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(home, { recursive: true, force: true });
});

describe('revisions', () => {
  const access = (): RepositoryAccess => ({ url: `${origin}/shop` });
  let first = '';
  let second = '';
  let onTopic = '';
  let server = '';

  before(async () => {
    const shop = makeRepository('shop');
    first = commit(shop, { 'app/deployment.yaml': 'one\n', 'README.md': 'shop\n' }, 'first\n\nwith a body');
    git(shop, 'tag', 'v1.0.0');
    second = commit(shop, { 'app/deployment.yaml': 'two\n' }, 'second');
    git(shop, 'tag', '--annotate', '--message', 'two', 'v1.2.0');
    git(shop, 'switch', '--quiet', '--create', 'topic/blue');
    onTopic = commit(shop, { 'app/deployment.yaml': 'blue\n' }, 'blue');
    git(shop, 'tag', 'v2.0.0-rc.1');
    git(shop, 'switch', '--quiet', 'main');
    server = (await serve()).url;
  });

  for (const [transport, url] of [
    ['file', () => `file://${origin}/shop`],
    ['path', () => `${origin}/shop`],
    ['http', () => `${server}/shop/.git`],
  ] as const) {
    test(`branches, tags, ids and ranges over ${transport}`, async () => {
      const one = openGit();
      const resolve = async (revision: string): Promise<string> =>
        (await one.resolve({ url: url() }, revision, Date.now())).commit;
      assert.equal(await resolve('HEAD'), second);
      assert.equal(await resolve(''), second);
      assert.equal(await resolve('main'), second);
      assert.equal(await resolve('refs/heads/main'), second);
      assert.equal(await resolve('topic/blue'), onTopic);
      assert.equal(await resolve('v1.0.0'), first);
      assert.equal(await resolve('v1.2.0'), second);
      assert.equal(await resolve('refs/tags/v1.2.0'), second);
      assert.equal(await resolve('tags/v1.2.0'), second);
      assert.equal(await resolve('1.*'), second);
      assert.equal(await resolve('~1.0'), first);
      assert.equal(await resolve('>=1.0.0-0'), onTopic);
      assert.equal(await resolve(first), first);
      assert.equal(await resolve(second.slice(0, 8)), second);
      assert.equal(await resolve(first.slice(0, 7).toUpperCase()), first);
      const tree = await one.open({ url: url() }, { commit: first });
      assert.equal(await text(tree, 'app/deployment.yaml'), 'one\n');
      assert.equal(await text(await one.open({ url: url() }, { commit: onTopic }), 'app/deployment.yaml'), 'blue\n');
      assert.deepEqual(await one.describe({ url: url() }, { commit: first }), {
        author: 'Ada <ada@example.com>',
        date: '2026-01-02T03:04:05.000Z',
        message: 'first\n\nwith a body',
      });
      await fault(
        'revision-unknown',
        /"nope" of .*: there is no such branch.*main, topic\/blue, v1\.0\.0/,
        resolve('nope'),
      );
      await fault('revision-unknown', /"\^9" of .*: no tag is a version in this range/, resolve('^9'));
      await fault('revision-unknown', /no branch, tag or commit/, resolve('0123456789'));
      await fault(
        'revision-unknown',
        /has no such commit/,
        one.open({ url: url() }, { commit: '0'.repeat(39).concat('1') }),
      );
    });
  }

  test('an annotated tag that is asked for by its own id is the commit it stands for', async () => {
    const tag = git(join(origin, 'shop'), 'rev-parse', 'v1.2.0');
    assert.notEqual(tag, second);
    const tree = await openGit().open(access(), { commit: tag });
    assert.equal(await text(tree, 'app/deployment.yaml'), 'two\n');
  });

  test('hostile revisions are refused before anything is asked', async () => {
    const facts: GitRequestFact[] = [];
    const one = openGit({ onRequest: (fact) => facts.push(fact) });
    for (const revision of [
      '--upload-pack=touch /tmp/pwn',
      '-h',
      'a\nref-prefix refs/',
      'a\u0000b',
      'main..x',
      'a:b',
      '@{upstream}',
      'x'.repeat(300),
    ]) {
      await fault('revision-unknown', /revision "/, one.resolve(access(), revision, Date.now()));
    }
    assert.deepEqual(facts, []);
  });
});
