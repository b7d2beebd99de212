import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Fault, type FaultCode } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import type { Clock } from '../../world/clock.ts';
import type { GitTree, RepositoryAccess } from '../../world/git.ts';
import type { GitRequestFacts, Log } from '../../world/telemetry.ts';
import { createGit, everyTransport, type GitOptions, type OpenGit } from './git.ts';
import { everyHost, type Network, otherHosts } from './network.ts';

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
const opened: OpenGit[] = [];
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

function openGit(options: Partial<GitOptions> = {}): OpenGit & { readonly directory: string } {
  const directory = options.directory ?? mkdtempSync(join(home, 'cache-'));
  const made = createGit({
    clock,
    limits: operatorLimits,
    log,
    transports: everyTransport,
    network: everyHost,
    ...options,
    directory,
  });
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

  test('a folder with characters that mean something to a shell, to git and in a URL', async () => {
    const odd = `${origin}/it's 100%41 $(touch x)`;
    symlinkSync(join(origin, 'shop', '.git'), odd);
    for (const url of [odd, pathToFileURL(odd).href]) {
      assert.equal((await openGit().resolve({ url }, first.slice(0, 8), Date.now())).commit, first, url);
    }
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
      const committer = git(join(origin, 'shop'), 'show', '--no-patch', '--format=%ct', first);
      assert.equal(tree.committedAt, Number(committer) * 1000, 'the date of the committer, and not of the author');
      await fault(
        'revision-unknown',
        /'nope' to a commit SHA: .*: there is no such branch.*main, topic\/blue, v1\.0\.0/,
        resolve('nope'),
      );
      await fault('revision-unknown', /'\^9' to a commit SHA: .*: no tag is a version in this range/, resolve('^9'));
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
    const facts: GitRequestFacts[] = [];
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
      await fault('revision-unknown', /unable to resolve '/, one.resolve(access(), revision, Date.now()));
    }
    assert.deepEqual(facts, []);
  });
});

describe('trees', () => {
  test('files, links, directories and submodules', async () => {
    const odd = makeRepository('odd');
    mkdirSync(join(odd, 'app/base'), { recursive: true });
    symlinkSync('base/file.yaml', join(odd, 'app/link.yaml'));
    symlinkSync('base', join(odd, 'app/directory'));
    symlinkSync('/etc/passwd', join(odd, 'app/absolute'));
    symlinkSync('../../../etc/passwd', join(odd, 'app/outside'));
    symlinkSync('loop', join(odd, 'app/loop'));
    symlinkSync('nowhere', join(odd, 'app/broken'));
    commit(odd, {
      'app/base/file.yaml': 'content\n',
      'app/ünïcode name.yaml': 'u\n',
      'app/empty': '',
      'same-as-link': 'base',
    });
    git(odd, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},app/module`);
    git(odd, 'commit', '--quiet', '--message', 'a submodule');
    const one = openGit();
    const url = `file://${odd}`;
    const tree = await one.open({ url }, await one.resolve({ url }, 'HEAD', 0));
    const names = (await tree.list('app')).map(({ name, type, target }) =>
      [name, type, target].filter(Boolean).join(' '),
    );
    assert.deepEqual(names, [
      'absolute symlink /etc/passwd',
      'base directory',
      'broken symlink nowhere',
      'directory symlink base',
      'empty file',
      'link.yaml symlink base/file.yaml',
      'loop symlink loop',
      'outside symlink ../../../etc/passwd',
      'ünïcode name.yaml file',
    ]);
    assert.equal(await text(tree, 'app/link.yaml'), 'content\n');
    assert.equal(await text(tree, 'app/directory/file.yaml'), 'content\n');
    assert.equal(await text(tree, 'app/empty'), '');
    assert.equal((await tree.list('app/directory'))[0]?.path, 'app/base/file.yaml');
    assert.equal(await tree.stat('app/module'), undefined);
    assert.equal(tree.oid('app/module'), undefined);
    assert.equal(await tree.stat('app/directory/file.yaml'), undefined);
    assert.notEqual(tree.oid('app/directory'), tree.oid('same-as-link'));
    assert.equal(tree.oid('app'), git(odd, 'rev-parse', 'HEAD:app'));
    for (const [path, code] of [
      ['app/absolute', 'outside-tree'],
      ['app/outside', 'outside-tree'],
      ['app/loop', 'invalid'],
      ['app/broken', 'not-found'],
      ['app/module/x', 'not-found'],
      ['app/base', 'not-found'],
      ['nope', 'not-found'],
    ] as const) {
      await assert.rejects(tree.read(path), { name: 'RenderError', code }, path);
    }
    await assert.rejects(tree.list('app/empty'), { name: 'RenderError', code: 'not-found' });
  });

  test('limits name what is too large', async () => {
    const large = makeRepository('large');
    const id = commit(large, { 'a/one': '1', 'a/two': '2', 'a/large': 'x'.repeat(2_000), 'b/three': '3' });
    const url = `file://${large}`;
    const few = openGit({ limits: { ...operatorLimits, treeEntries: 5 } });
    await fault('limit-reached', /more than 5 files and folders.*treeEntries/, few.open({ url }, { commit: id }));
    const small = openGit({ limits: { ...operatorLimits, blobBytes: 1_000 } });
    const tree = await small.open({ url }, { commit: id });
    await fault('limit-reached', /a\/large in .* has 2000 bytes; at most 1000/, tree.read('a/large'));
    assert.equal(await text(tree, 'a/one'), '1');
  });

  test('a tree that holds itself many times over is refused without being unfolded', async () => {
    const bomb = makeRepository('bomb');
    commit(bomb, { x: 'x' });
    let tree = git(bomb, 'rev-parse', 'HEAD^{tree}');
    for (let depth = 0; depth < 10; depth += 1) {
      const names = Array.from({ length: 10 }, (_, index) => `040000 tree ${tree}\t${index}`);
      tree = execFileSync('git', ['-C', bomb, 'mktree'], { input: names.join('\n'), encoding: 'utf8' }).trim();
    }
    const id = git(bomb, 'commit-tree', '-m', 'bomb', tree);
    git(bomb, 'update-ref', 'refs/heads/main', id);
    await fault('limit-reached', /more than 1000000 files and folders/, openGit().open({ url: bomb }, { commit: id }));
  });

  test('names that no file system could hold are refused', async () => {
    const evil = makeRepository('evil');
    commit(evil, { x: 'x' });
    const blob = git(evil, 'rev-parse', 'HEAD:x');
    for (const name of ['..', '.git', '.']) {
      const raw = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]);
      const tree = execFileSync('git', ['-C', evil, 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
        input: raw,
        encoding: 'utf8',
      }).trim();
      const id = git(evil, 'commit-tree', '-m', 'evil', tree);
      git(evil, 'update-ref', 'refs/heads/main', id);
      const { url } = await serve();
      await assert.rejects(openGit().open({ url: `${url}/evil/.git` }, { commit: id }), Fault, name);
      await assert.rejects(openGit().open({ url: evil }, { commit: id }), Fault, name);
    }
  });
});

describe('movement', () => {
  test('a branch that moves on, is forced back, or goes', async () => {
    const moving = makeRepository('moving');
    const first = commit(moving, { a: '1' });
    const one = openGit();
    const { url: server } = await serve();
    const access = { url: `${server}/moving/.git` };
    const now = (): Promise<{ commit: string }> => one.resolve(access, 'main', Date.now());
    assert.equal((await now()).commit, first);
    await one.open(access, { commit: first });
    const second = commit(moving, { a: '2', b: '1' });
    assert.equal((await now()).commit, second);
    assert.equal(await text(await one.open(access, { commit: second }), 'a'), '2');
    git(moving, 'reset', '--quiet', '--hard', first);
    const other = commit(moving, { a: '3' });
    assert.equal((await now()).commit, other);
    assert.equal(await text(await one.open(access, { commit: other }), 'a'), '3');
    assert.equal(await text(await one.open(access, { commit: second }), 'a'), '2');
    git(moving, 'branch', '--quiet', '--move', 'main', 'trunk');
    await fault('revision-unknown', /'main' to a commit SHA: .*there are trunk/, now());
    assert.equal((await one.resolve(access, 'HEAD', Date.now())).commit, other);
    git(moving, 'symbolic-ref', 'HEAD', 'refs/heads/gone');
    await fault(
      'revision-unknown',
      /HEAD that points to refs\/heads\/gone, which does not exist.*there are trunk/,
      one.resolve(access, 'HEAD', Date.now()),
    );
  });

  test('an empty repository says so, until there is a commit', async () => {
    const empty = makeRepository('empty');
    const { url: server } = await serve();
    for (const url of [`${server}/empty/.git`, empty]) {
      await fault('revision-unknown', /is empty: push a first commit/, openGit().resolve({ url }, 'HEAD', Date.now()));
      await fault('revision-unknown', /is empty: push a first commit/, openGit().resolve({ url }, 'main', Date.now()));
    }
    const one = openGit();
    await fault('revision-unknown', /is empty/, one.resolve({ url: empty }, 'main', Date.now()));
    const first = commit(empty, { a: '1' });
    assert.equal((await one.resolve({ url: empty }, 'main', Date.now())).commit, first);
  });

  test('who asks at one time shares one request, over all revisions', async () => {
    const shared = makeRepository('shared');
    const id = commit(shared, { a: '1' });
    for (const branch of ['dev', 'staging', 'prod']) git(shared, 'branch', branch);
    const facts: GitRequestFacts[] = [];
    const { url: server } = await serve();
    for (const url of [`${server}/shared/.git`, shared]) {
      const one = openGit({ onRequest: (fact) => facts.push(fact) });
      facts.length = 0;
      const moment = Date.now();
      const revisions = Array.from(
        { length: 200 },
        (_, index) => ['main', 'dev', 'staging', 'prod'][index % 4] as string,
      );
      const found = await Promise.all(revisions.map((revision) => one.resolve({ url }, revision, moment)));
      assert.ok(found.every(({ commit: each }) => each === id));
      const asked = facts.length;
      assert.ok(asked <= 2, `${asked} requests`);
      await Promise.all(revisions.map((revision) => one.resolve({ url }, revision, moment)));
      assert.equal(facts.length, asked);
      const later = Date.now() + 1;
      while (Date.now() < later) await new Promise((resolve) => setTimeout(resolve, 1));
      await Promise.all(revisions.map((revision) => one.resolve({ url }, revision, later)));
      assert.equal(facts.length, asked + 1);
      await Promise.all(revisions.map(() => one.open({ url }, { commit: id })));
      assert.deepEqual(facts.map(({ kind, failed }) => `${kind} ${failed}`).slice(asked + 1), ['fetch false']);
    }
  });
});

describe('servers that refuse', () => {
  const credentials = Buffer.from('ada:s3cret-canary').toString('base64');
  let id = '';

  before(() => {
    id = commit(makeRepository('private'), { a: '1' });
  });

  const protect: Handle = (request, response) => {
    if (request.headers.authorization === `Basic ${credentials}`) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return true;
  };

  test('credentials: none, wrong, right, in the URL', async () => {
    const { url: server } = await serve(protect);
    const url = `${server}/private/.git`;
    const one = openGit();
    const resolve = (more: Partial<RepositoryAccess>): Promise<unknown> =>
      one.resolve({ url, ...more }, 'main', Date.now());
    await fault(
      'repository-refused',
      /authentication required: .* refused access \(HTTP 401\): give username and password.*repository Secret/,
      resolve({}),
    );
    const wrong = { username: 'ada', password: 'wrong-canary' };
    const error = await fault('repository-refused', /HTTP 401\): check the credentials/, resolve(wrong));
    assert.doesNotMatch(JSON.stringify([error.message, error.data, String(error.cause)]), /canary/);
    assert.deepEqual(await resolve({ username: 'ada', password: 's3cret-canary' }), { commit: id });
    const inUrl = url.replace('//', '//ada:s3cret-canary@');
    assert.deepEqual(await resolve({ url: inUrl }), { commit: id });
    const hidden = await fault('repository-refused', /HTTP 401/, resolve({ url: inUrl.replace('ada', 'bob') }));
    assert.doesNotMatch(hidden.message, /canary/);
  });

  const line = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;

  test('a server that repeats what it was asked with is not believed, nor repeated', async () => {
    const spellings: readonly ((header: string) => string)[] = [
      (header) => header,
      (header) => encodeURIComponent(header),
      (header) => Buffer.from(header.split(' ')[1] ?? '', 'base64').toString(),
      (header) => JSON.stringify(Buffer.from(header.split(' ')[1] ?? '', 'base64').toString()),
      (header) => header.slice(0, 26),
    ];
    for (const spell of spellings) {
      const say = (request: IncomingMessage): string => `denied for ${spell(request.headers.authorization ?? '')}!`;
      const answers: readonly Handle[] = [
        (request, response) => {
          response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
          response.end(line(`ERR ${say(request)}`));
          return true;
        },
        (request, response) => {
          response.writeHead(302, { location: `http://elsewhere.example/${encodeURI(say(request))}` }).end();
          return true;
        },
      ];
      for (const answer of answers) {
        const { url: server } = await serve(answer);
        const access = { url: `${server}/private/.git`, username: 'ada', password: 'p"s3cret c4n4ry' };
        const error = await openGit()
          .resolve(access, 'main', Date.now())
          .catch((thrown: Fault) => thrown);
        const told = JSON.stringify([(error as Fault).message, (error as Fault).data, String((error as Fault).cause)]);
        assert.match(told, /\+{8}/);
        assert.doesNotMatch(told, /s3cret|c4n4ry|YWRhOnAi/);
      }
    }
  });

  test('a server that says that it is broken is not told to be none', async () => {
    const { url: server } = await serve((_, response) => {
      response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
      response.end(line('ERR internal server error: no route to storage'));
      return true;
    });
    const { message } = await fault(
      'repository-unreachable',
      /the server says: internal server error: no route to storage; it is tried again$/,
      openGit().resolve({ url: `${server}/private/.git` }, 'main', Date.now()),
    );
    assert.doesNotMatch(message, /check that the URL/);
  });

  test('what one fetched is not shown to those whom the server refuses', async () => {
    const { url: server } = await serve(protect);
    const url = `${server}/private/.git`;
    const one = openGit();
    const tree = await one.open({ url, username: 'ada', password: 's3cret-canary' }, { commit: id });
    assert.equal(await text(tree, 'a'), '1');
    await fault('repository-refused', /HTTP 401/, one.open({ url }, { commit: id }));
    await fault('repository-refused', /HTTP 401/, one.open({ url, username: 'ada', password: 'x' }, { commit: id }));
  });

  test('a server that refuses for a while is not asked by everyone, and then answers again', async () => {
    let down = true;
    const { url: server, requests } = await serve((_request, response) => {
      if (!down) return false;
      response.writeHead(503).end();
      return true;
    });
    const access = { url: `${server}/private/.git` };
    const one = openGit({ limits: { ...operatorLimits, failureHoldMs: 200 } });
    for (let asked = 0; asked < 50; asked += 1) {
      await fault('repository-unreachable', /answered HTTP 503/, one.resolve(access, 'main', Date.now()));
    }
    assert.equal(requests.length, 1);
    down = false;
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal((await one.resolve(access, 'main', Date.now())).commit, id);
  });

  test('a redirection is followed on the same host only', async () => {
    const heard: (string | undefined)[] = [];
    const thief = await serve((request, response) => {
      heard.push(request.headers.authorization);
      response.writeHead(404).end();
      return true;
    });
    const { url: server } = await serve((request, response) => {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      if (path.startsWith('/moved/'))
        response.writeHead(301, { location: `${path.replace('/moved/', '/private/.git/')}?${query}` });
      else if (path.startsWith('/away/'))
        response.writeHead(302, { location: `${thief.url}/private/info/refs?${query}` });
      else if (path.startsWith('/loop/')) response.writeHead(302, { location: `${path}?${query}` });
      else return protect(request, response);
      response.end();
      return true;
    });
    const one = openGit();
    const access = (path: string): RepositoryAccess => ({
      url: `${server}/${path}`,
      username: 'ada',
      password: 's3cret-canary',
    });
    const { commit: found } = await one.resolve(access('moved'), 'main', Date.now());
    assert.equal(await text(await one.open(access('moved'), { commit: found }), 'a'), '1');
    await fault(
      'repository-refused',
      /redirects to http:\/\/127\.0\.0\.1:\d+\/private\/info\/refs; credentials are not taken/,
      one.resolve(access('away'), 'main', Date.now()),
    );
    await fault('repository-refused', /redirects to/, one.resolve(access('loop'), 'main', Date.now()));
    await fault('repository-refused', /redirects to/, one.open(access('away'), { commit: id }));
    assert.deepEqual(heard, []);
  });

  test('servers that are down, missing, or no Git servers', async () => {
    const { url: server, server: listening } = await serve((request, response) => {
      if (!request.url?.startsWith('/page')) return false;
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
      return true;
    });
    const resolve = (url: string): Promise<unknown> => openGit().resolve({ url }, 'main', Date.now());
    await fault(
      'repository-refused',
      /repository not found: .* \(HTTP 404\): check repoURL/,
      resolve(`${server}/nowhere`),
    );
    await fault('repository-unreachable', /does not speak Git's smart HTTP/, resolve(`${server}/page`));
    await fault('repository-refused', /repository not found: .*check repoURL/, resolve(`file://${origin}/nowhere`));
    await fault(
      'repository-unreachable',
      /cannot reach http:\/\/no-such-host\.invalid\/x: the host name is not known/,
      resolve('http://no-such-host.invalid/x'),
    );
    listening.closeAllConnections();
    await new Promise((closed) => listening.close(closed));
    await fault('repository-unreachable', /cannot reach .*ECONNREFUSED/, resolve(`${server}/private/.git`));
  });

  test('a server that says nothing is given up on', async () => {
    const { url: server } = await serve(() => true);
    const one = openGit({ limits: { ...operatorLimits, gitTimeoutMs: 100 } });
    await fault(
      'repository-unreachable',
      /it took longer than 0\.1 s/,
      one.resolve({ url: `${server}/private/.git` }, 'main', 0),
    );
  });

  test('while one asks a server that said nothing whether it is back, nobody else waits', async () => {
    let silent = true;
    const { url: server, requests } = await serve(() => silent);
    const limits = { ...operatorLimits, gitTimeoutMs: 2_000, listTimeoutMs: 2_000, failureHoldMs: 50 };
    const one = openGit({ limits });
    const access = { url: `${server}/private/.git` };
    await fault('repository-unreachable', /longer than 2 s/, one.resolve(access, 'main', Date.now()));
    await new Promise((resolve) => setTimeout(resolve, 60));
    const first = fault('repository-unreachable', /longer than 2 s/, one.resolve(access, 'main', Date.now()));
    const startedAt = performance.now();
    for (let asked = 0; asked < 20; asked += 1)
      await fault('repository-unreachable', /longer than 2 s/, one.resolve(access, 'main', Date.now()));
    assert.ok(performance.now() - startedAt < 500, 'they waited');
    await first;
    assert.equal(requests.length, 2);
    silent = false;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal((await one.resolve(access, 'main', Date.now())).commit, id);
    assert.equal(await text(await one.open(access, { commit: id }), 'a'), '1');
  });

  test('answers cut short, and answers of other kinds', async () => {
    let body = '';
    const { url: server } = await serve((request, response) => {
      if (request.method === 'GET') return false;
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).end(body);
      return true;
    });
    for (body of [
      '',
      '00',
      '0009pack',
      'zzzz',
      '000dpackfile\n',
      '0011ERR go away\n\n',
      '000dpackfile\n0009\u0001PACK',
      `000dpackfile\n000c\u0003lost\n\n\n0000`,
    ]) {
      await fault(
        'repository-unreachable',
        /\/private\/\.git/,
        openGit().open({ url: `${server}/private/.git` }, { commit: id }),
      );
    }
  });

  test('protocol 0 works too', async () => {
    const { url: server } = await serve(() => false, false);
    const one = openGit();
    const access = { url: `${server}/private/.git` };
    assert.equal((await one.resolve(access, 'main', Date.now())).commit, id);
    assert.equal((await one.resolve(access, 'HEAD', Date.now())).commit, id);
    assert.equal(await text(await one.open(access, { commit: id }), 'a'), '1');
    const later = commit(join(origin, 'private'), { a: '2' });
    git(join(origin, 'private'), 'commit', '--quiet', '--allow-empty', '--message', 'on top');
    // It is no tip, so this server does not give it out by its id.
    assert.equal(await text(await one.open(access, { commit: later }), 'a'), '2');
    await fault(
      'revision-unknown',
      /no branch or tag holds|has no such commit/,
      one.open(access, { commit: '0'.repeat(39).concat('1') }),
    );
    git(join(origin, 'private'), 'reset', '--quiet', '--hard', id);
  });
});

describe('the copy on disk', () => {
  test('is found again after a restart, and after a kill that left locks and half a pack', async () => {
    const kept = makeRepository('kept');
    const first = commit(kept, { a: '1' });
    const facts: GitRequestFacts[] = [];
    const { url: server } = await serve();
    const access = { url: `${server}/kept/.git` };
    const before = openGit();
    await before.open(access, { commit: first });
    await before.close();
    const [name = ''] = readdirSync(join(before.directory, 'repositories'));
    const folder = join(before.directory, 'repositories', name);
    for (const file of ['shallow.lock', 'packed-refs.lock', 'objects/pack/tmp_pack_x'])
      writeFileSync(join(folder, file), '');
    const next = openGit({ directory: before.directory, onRequest: (fact) => facts.push(fact) });
    assert.equal(await text(await next.open(access, { commit: first }), 'a'), '1');
    assert.deepEqual(
      facts.map(({ kind }) => kind),
      ['ls-remote'],
    );
    const second = commit(kept, { a: '2' });
    assert.equal(await text(await next.open(access, { commit: second }), 'a'), '2');
    assert.deepEqual(
      readdirSync(join(folder, 'objects/pack')).filter((file) => file.startsWith('tmp_')),
      [],
    );
  });

  test('is cloned anew where it is damaged: packs cut short, gone, or the folder emptied', async () => {
    const fragile = makeRepository('fragile');
    const id = commit(fragile, { a: '1', 'b/c': '2' });
    const { url: server } = await serve();
    const damages: ((folder: string) => void)[] = [
      (folder) => {
        for (const file of readdirSync(join(folder, 'objects/pack'))) {
          chmodSync(join(folder, 'objects/pack', file), 0o600);
          if (file.endsWith('.pack')) truncateSync(join(folder, 'objects/pack', file), 40);
        }
      },
      (folder) => rmSync(join(folder, 'objects/pack'), { recursive: true }),
      (folder) => writeFileSync(join(folder, 'HEAD'), 'nonsense'),
      (folder) => writeFileSync(join(folder, 'config'), '[core'),
      (folder) => rmSync(folder, { recursive: true }),
    ];
    for (const url of [`${server}/fragile/.git`, fragile]) {
      for (const [index, damage] of damages.entries()) {
        const before = openGit();
        await before.open({ url }, { commit: id });
        await before.close();
        const [name = ''] = readdirSync(join(before.directory, 'repositories'));
        damage(join(before.directory, 'repositories', name));
        const next = openGit({ directory: before.directory });
        const tree = await next.open({ url }, { commit: id });
        assert.equal(await text(tree, 'b/c'), '2', `damage ${index} of ${url}`);
      }
    }
  });

  test('heals while a tree is in use', async () => {
    const used = makeRepository('used');
    const id = commit(used, { a: '1' });
    const one = openGit({ limits: { ...operatorLimits, readerIdleMs: 20 } });
    const tree = await one.open({ url: used }, { commit: id });
    const [name = ''] = readdirSync(join(one.directory, 'repositories'));
    const packs = join(one.directory, 'repositories', name, 'objects/pack');
    for (const file of readdirSync(packs)) rmSync(join(packs, file));
    // The process that reads objects holds the pack open until it rests.
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await text(tree, 'a'), '1');
    assert.match(lines.join('\n'), /damaged; cloning it anew/);
  });

  test('does not grow with the number of commits', async () => {
    const busy = makeRepository('busy');
    const { url: server } = await serve();
    const access = { url: `${server}/busy/.git` };
    const one = openGit({ limits: { ...operatorLimits, packsKept: 10, commitsKept: 4, treesKept: 2 } });
    let id = '';
    for (let index = 0; index < 40; index += 1) {
      id = commit(busy, { a: `${index}`, [`d/${index % 5}`]: `${index}` });
      assert.equal(await text(await one.open(access, { commit: id }), 'a'), `${index}`);
    }
    const [name = ''] = readdirSync(join(one.directory, 'repositories'));
    const packs = (): number =>
      readdirSync(join(one.directory, 'repositories', name, 'objects/pack')).filter((file) => file.endsWith('.pack'))
        .length;
    for (let waited = 0; packs() > 20 && waited < 5_000; waited += 50)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(packs() <= 20, `${packs()} packs`);
    assert.equal(await text(await one.open(access, { commit: id }), 'd/4'), '39');
  });

  test('may be removed while it is in use, whole or the settings alone', async () => {
    const removed = makeRepository('removed');
    const first = commit(removed, { a: '1' });
    const timers: { delayMs: number; run: () => void }[] = [];
    const watched: Clock = {
      now: clock.now,
      after(delayMs, run) {
        timers.push({ delayMs, run });
        return clock.after(delayMs, run);
      },
    };
    const one = openGit({ clock: watched });
    await one.open({ url: removed }, { commit: first });
    for (const gone of [one.directory, join(one.directory, 'gitconfig')]) {
      rmSync(gone, { recursive: true });
      for (const { run } of timers.filter(({ delayMs }) => delayMs >= 3_600_000)) run();
      const next = commit(removed, { a: gone });
      assert.equal(await text(await one.open({ url: removed }, { commit: next }), 'a'), gone);
      assert.match(readFileSync(join(one.directory, 'gitconfig'), 'utf8'), /hooksPath = \/dev\/null/);
      assert.equal(await isFree(one.directory), false, 'it is still ours');
    }
  });

  test('two processes never share one, though both have the id 1, and what a killed one leaves is taken over', async () => {
    const directory = mkdtempSync(join(home, 'claimed-'));
    const first = openGit({ directory });
    const second = openGit({ directory });
    assert.ok(readdirSync(`${directory}-2`).includes('repositories'));
    await first.close();
    await second.close();
    const other = await claimElsewhere(directory);
    assert.equal(other.directory, directory);
    const third = openGit({ directory });
    assert.ok(readdirSync(`${directory}-2`).includes('claim'));
    await third.close();
    other.kill();
    await other.ended;
    assert.equal(await isFree(directory), true);
  });
});

/** A process that claims a folder; where that may be had, one with the id 1, as in a container. */
async function claimElsewhere(
  directory: string,
): Promise<{ directory: string; kill(): void; ended: Promise<unknown> }> {
  const code = `
    import { claimFolder } from ${JSON.stringify(new URL('claim.ts', import.meta.url).href)};
    console.log(claimFolder(${JSON.stringify(directory)}).directory);
    setTimeout(() => {}, 60_000);`;
  const node = [process.execPath, '--input-type=module', '-e', code];
  const alone = ['unshare', '--pid', '--fork', '--kill-child'];
  const mayBeAlone = spawnSync('unshare', [...alone.slice(1), 'true']).status === 0;
  const [program = '', ...args] = mayBeAlone ? [...alone, ...node] : node;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { directory: said.toString('utf8').trim(), kill: () => child.kill('SIGKILL'), ended };
}

async function isFree(directory: string): Promise<boolean> {
  const other = await claimElsewhere(directory);
  other.kill();
  await other.ended;
  return other.directory === directory;
}

describe('what is kept', () => {
  test('is told with its size, in memory and on disk', { timeout: 20_000 }, async () => {
    const big = makeRepository('big');
    const id = commit(big, { 'a/b': randomBytes(50_000).toString('hex'), c: '2' });
    const { url: server } = await serve();
    const one = openGit();
    const sizes = (): Record<string, readonly [bytes: number, entries: number]> =>
      Object.fromEntries(one.caches().map(({ cache, bytes, entries }) => [cache, [bytes, entries]]));
    const tree = await one.open({ url: `${server}/big/.git` }, { commit: id });
    await text(tree, 'a/b');
    const { blobs, trees, git: _ } = sizes();
    assert.deepEqual(blobs, [100_000, 1]);
    assert.equal(trees?.[1], 2);
    assert.ok((trees?.[0] ?? 0) > 50, 'two tree objects of about 30 bytes an entry');
    while (sizes()['git']?.[1] !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok((sizes()['git']?.[0] ?? 0) > 50_000);
  });
});

describe('hostile input', () => {
  test('URLs that are none, options, helpers and other transports start nothing', async () => {
    const marker = join(home, 'pwned');
    const one = openGit({ transports: ['https', 'ssh'] });
    for (const url of [
      '',
      `--upload-pack=touch ${marker}`,
      `-oProxyCommand=touch ${marker}`,
      `ext::sh -c "touch ${marker}"`,
      `fd::17/foo`,
      `ssh://-oProxyCommand=touch%20${marker}/x`,
      `ssh://$(touch ${marker})@host/x`,
      `ssh://host/x%0Atouch%20${marker}`,
      `ssh://host;touch ${marker}/x`,
      `-x@host:path`,
      `git@-oProxyCommand=touch:x`,
      `git@host:--upload-pack=touch`,
      `https://example.com/x\n--upload-pack=touch`,
      'https://example.com/x?y',
      'https:///x',
      'gopher://example.com/x',
      'git://example.com/x',
      'relative/path',
      `file://${origin}/shop`,
      `${origin}/shop`,
      'http://example.com/x',
      'https://user:pa%zz@example.com/x',
      `https://example.com/${'x'.repeat(3_000)}`,
    ]) {
      await fault('repository-refused', /is not valid/, one.resolve({ url }, 'main', Date.now()));
    }
    assert.deepEqual(readdirSync(home).includes('pwned'), false);
  });

  test('a folder of this machine is read where that is allowed, and never one of the operator’s own', async () => {
    const bare = join(home, 'data', 'git', 'repositories', 'of-somebody');
    mkdirSync(bare, { recursive: true });
    git(bare, 'clone', '--quiet', '--bare', `${origin}/shop`, '.');
    const own = join(home, 'data');
    symlinkSync(bare, join(origin, 'link'));
    symlinkSync(bare, join(origin, 'ending.git'));
    const closed = createGit({ clock, limits: operatorLimits, log, directory: join(own, 'git') });
    opened.push(closed);
    for (const url of [`file://${origin}/shop`, `${origin}/shop`])
      await fault('repository-refused', /switched off.*--allow-file-repositories/, closed.resolve({ url }, 'main', 0));
    const one = openGit({ directory: join(own, 'git'), ownDirectory: own });
    for (const path of [bare, own, join(own, 'git'), join(origin, 'link'), join(origin, 'ending')]) {
      for (const url of [path, `file://${path}`])
        await fault('repository-refused', /own folder of data/, one.resolve({ url }, 'main', 0));
    }
    const { commit: id } = await one.resolve({ url: `${origin}/shop` }, 'main', 0);
    await fault('repository-refused', /own folder of data/, one.open({ url: bare }, { commit: id }));
  });

  test('a user in the address does not choose what stored credentials are used with', async () => {
    const { url: server, requests } = await serve();
    const url = `${server.replace('://', '://ada@')}/shop/.git`;
    for (const stored of [{ password: 'canary' }, { username: 'u', password: 'canary' }, { bearerToken: 'canary' }])
      await fault('repository-refused', /take those out of repoURL/, openGit().resolve({ url, ...stored }, 'main', 0));
    assert.deepEqual(requests, []);
    await openGit().resolve({ url }, 'main', 0);
    assert.equal(requests.length, 2);
  });

  test('hooks, filters and settings of a repository, a user or a machine do nothing', async () => {
    const marker = join(home, 'ran');
    const trap = makeRepository('trap');
    commit(trap, {
      '.gitattributes': '* filter=evil diff=evil merge=evil\n',
      '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ./shop\n`,
      '.lfsconfig': `[lfs]\n\turl = http://127.0.0.1:1/\n`,
      a: 'version https://git-lfs.github.com/spec/v1\n',
    });
    const userHome = mkdtempSync(join(home, 'user-'));
    writeFileSync(
      join(userHome, '.gitconfig'),
      `[core]\n\tsshCommand = touch ${marker}\n\thooksPath = ${userHome}\n[filter "evil"]\n\tsmudge = touch ${marker}\n[url "https://evil.invalid/"]\n\tinsteadOf = file://\n[credential]\n\thelper = !touch ${marker}\n`,
    );
    for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change']) {
      writeFileSync(join(userHome, hook), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
    }
    const environment = {
      PATH: process.env['PATH'],
      HOME: userHome,
      GIT_CONFIG_GLOBAL: join(userHome, '.gitconfig'),
      GIT_TRACE: marker,
    };
    const { url: server } = await serve();
    for (const url of [`file://${trap}`, `${server}/trap/.git`]) {
      const one = openGit({ environment });
      const tree = await one.open({ url }, await one.resolve({ url }, 'main', 0));
      assert.match(await text(tree, 'a'), /git-lfs/);
    }
    assert.equal(readdirSync(home).includes('ran'), false);
  });

  test('servers on this machine and its link are asked nothing, by whatever name and way', async () => {
    const { url: server, requests } = await serve();
    const port = new URL(server).port;
    const programs = mkdtempSync(join(home, 'bin-'));
    const called = join(home, 'ssh-called');
    writeFileSync(join(programs, 'ssh'), `#!/bin/sh\ntouch ${called}\nexit 1\n`, { mode: 0o755 });
    const environment = { ...process.env, PATH: `${programs}:${process.env['PATH']}` };
    const network = otherHosts((host, _options, answer) => {
      if (host === 'rebound.example.com') answer(null, [{ address: '127.0.0.1', family: 4 }]);
      else answer(Object.assign(new Error(`unknown: ${host}`), { code: 'ENOTFOUND' }), '');
    });
    const one = openGit({ network, environment });
    const hosts = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      'localhost',
      'LocalHost.',
      '0.0.0.0',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::]',
      'rebound.example.com',
      '169.254.169.254',
      '[fd00:ec2::254]',
    ];
    for (const host of hosts) {
      for (const url of [
        `http://${host}:${port}/shop/.git`,
        `https://${host}:${port}/shop/.git`,
        `ssh://git@${host}:${port}/shop`,
        `git@${host}:shop`,
      ])
        await fault(
          'repository-refused',
          /is not asked: .*--allow-node-local-repositories/,
          one.resolve({ url }, 'main', 0),
        );
    }
    await fault(
      'repository-unreachable',
      /host name is not known/,
      one.resolve({ url: 'ssh://git@no.example.com/x' }, 'main', 0),
    );
    const url = 'http://git.example.com/shop/.git';
    for (const proxy of [
      server,
      `http://localhost:${port}`,
      `http://0x7f.1:${port}`,
      `http://rebound.example.com:${port}`,
    ])
      await fault('repository-refused', /is not asked/, one.resolve({ url, proxy }, 'main', 0));
    const proxied = openGit({ network, environment: { ...environment, http_proxy: server, https_proxy: server } });
    for (const host of ['169.254.169.254', 'metadata.google.internal', 'rebound.example.com'])
      await fault(
        'repository-refused',
        /is not asked/,
        proxied.resolve({ url: `http://${host}/shop/.git` }, 'main', 0),
      );
    assert.deepEqual(requests, []);
    assert.equal(readdirSync(home).includes('ssh-called'), false);
    // Whoever runs the operator chooses its own proxy; it knows more names than we do.
    await fault(
      'repository-unreachable',
      /HTTP 500/,
      proxied.resolve({ url: 'http://unknown.example.com/no' }, 'main', 0),
    );
    assert.equal(requests.length, 1);
  });

  test('a redirect leads to no other place', async () => {
    let to = '';
    const { url: server, requests } = await serve((_request, response) => {
      response.writeHead(302, { location: to }).end();
      return true;
    });
    for (to of [
      'http://169.254.169.254/x/info/refs',
      'file:///etc/info/refs',
      'gopher://127.0.0.1/x/info/refs',
      '//localhost/x/info/refs',
    ])
      await fault('repository-refused', /redirects to/, openGit().resolve({ url: `${server}/x` }, 'main', 0));
    assert.equal(requests.length, 4);
  });

  test('all programs connect to the very address that was looked at', async () => {
    const network: Network = {
      refuse: () => {},
      lookup: (_host, { all }, answer) =>
        all === true ? answer(null, [{ address: '127.0.0.1', family: 4 }]) : answer(null, '127.0.0.1', 4),
      pin: async () => '127.0.0.1',
    };
    const modern = (await serve()).url;
    const old = (await serve(() => false, false)).url;
    for (const server of [modern, old]) {
      // Nobody else knows this name.
      const url = `${server.replace('127.0.0.1', 'git.example.com')}/shop/.git`;
      const one = openGit({ network });
      const found = await one.resolve({ url }, 'main', 0);
      assert.ok((await one.open({ url }, found)).commit);
    }
    const programs = mkdtempSync(join(home, 'bin-'));
    const seen = join(home, 'ssh-pinned');
    writeFileSync(join(programs, 'ssh'), `#!/bin/sh\necho "$@" >> ${seen}\nexit 1\n`, { mode: 0o755 });
    const one = openGit({ network, environment: { ...process.env, PATH: `${programs}:${process.env['PATH']}` } });
    for (const url of ['git@git.example.com:a', 'ssh://git@git.example.com:2222/a'])
      await fault('repository-unreachable', /cannot reach/, one.resolve({ url }, 'main', 0));
    assert.match(readFileSync(seen, 'utf8'), / -oHostName=127\.0\.0\.1 -oHostKeyAlias=git\.example\.com git@git/);
    assert.match(
      readFileSync(seen, 'utf8'),
      / -oHostName=127\.0\.0\.1 -oHostKeyAlias=\[git\.example\.com\]:2222 -p 2222 git@git/,
    );
  });

  test('ssh is given its key in a file, and nothing secret in an argument', async () => {
    const secure = makeRepository('secure');
    const id = commit(secure, { a: '1' });
    const programs = mkdtempSync(join(home, 'bin with space-'));
    const seen = join(home, 'ssh-arguments');
    // Stands for the program at the other end of the connection: notes how it was called, then answers as the server would.
    writeFileSync(
      join(programs, 'ssh'),
      `#!/bin/sh\necho "$@" >> ${seen}\nwhile [ $# -gt 1 ]; do case "$1" in -oIdentityFile=*) f=\${1#*\\"}; f=\${f%\\"}; cat "$f" >> ${seen}.key; stat -c %a "$f" >> ${seen}.mode;; esac; shift; done\neval "$1"\n`,
      { mode: 0o755 },
    );
    const one = openGit({
      environment: { ...process.env, PATH: `${programs}:${process.env['PATH']}` },
      knownHosts: '/etc/known hosts',
    });
    const access = { url: `ssh://git@git.example.com:2222${secure}`, sshPrivateKey: 'key-canary', insecure: false };
    const found = await one.resolve(access, 'main', 0);
    assert.equal(found.commit, id);
    assert.equal(await text(await one.open(access, found), 'a'), '1');
    const called = readFileSync(seen, 'utf8');
    assert.match(called, /-oStrictHostKeyChecking=yes -oUserKnownHostsFile="\/etc\/known hosts"/);
    assert.match(called, /-p 2222 git@git\.example\.com git-upload-pack/);
    assert.doesNotMatch(called, /canary/);
    assert.match(readFileSync(`${seen}.key`, 'utf8'), /^key-canary\n/);
    assert.match(readFileSync(`${seen}.mode`, 'utf8'), /^600\n/);
    assert.deepEqual(readdirSync(join(one.directory, 'keys')), []);
    const colon = { url: `git@git.example.com:${secure}`, insecure: true };
    assert.equal((await one.resolve(colon, 'main', 0)).commit, id);
    assert.match(readFileSync(seen, 'utf8'), /StrictHostKeyChecking=no/);
  });

  test('nothing secret was logged', () => {
    assert.doesNotMatch(lines.join('\n'), /canary/);
  });
});

test('a repository whose Secret says how to ask in a way that is not supported is not asked as by anybody', async () => {
  const git = openGit();
  const access = { url: 'https://git.example.com/shop.git', refusal: 'its Secret has githubAppPrivateKey' };
  const message = /is not asked: its Secret has githubAppPrivateKey/;
  await fault('repository-refused', message, git.resolve(access, 'main', 0));
  await fault('repository-refused', message, git.open(access, { commit: 'a'.repeat(40) }));
});
