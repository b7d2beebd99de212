import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { request } from 'undici';
import { sourcePermitted } from '../../engine/desire/project.ts';
import { findRepositoryAddress } from '../../model/repository-url.ts';

const run = promisify(execFile);
let server: Server;
let port: number;
let asked: { readonly path: string; readonly host: string }[] = [];

before(async () => {
  server = createServer(({ url = '', headers }: IncomingMessage, response) => {
    asked.push({ path: url.split('?')[0] ?? '', host: headers.host ?? '' });
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
after(() => server.close());

const loopback = fc.constantFrom('127.0.0.1', '127.1', '0x7f.0.0.1', '2130706433', '0177.0.0.1', '127.0.0.1.');
const part = fc.constantFrom(
  ...[
    '/',
    '//',
    '/team-a',
    '/team-b',
    '/secret',
    '/%73ecret',
    '/SECRET',
    '/repo',
    '.git',
    '/.git',
    '/..',
    '/.',
    '/%2e%2e',
    '/..%2f',
    '\\\\',
  ],
  ...[
    '%20',
    ' ',
    'é',
    '%C3%A9',
    '%2B',
    '+',
    '%40',
    '@',
    ':',
    '%252e',
    '%',
    ';x',
    '?',
    '#',
    '*',
    "'",
    '(',
    '[',
    '|',
    '~',
  ],
);
const spelling = fc
  .tuple(
    fc.constantFrom('', 'u@', 'git.example.com:x@', 'a@b@'),
    loopback,
    fc.array(part, { minLength: 1, maxLength: 6 }),
  )
  .map(([user, host, parts]) => ({ user, host, path: `/${parts.join('')}` }));

/** What the server was asked for, in the words of the check: the path in the form of keys. */
function keysAsked(): (string | undefined)[] {
  return asked.map(({ path, host }) => {
    // The server knows nothing of our reading: it decodes once, as servers do.
    const decoded = decodeURIComponent(path).replace(/\/info\/refs$/, '');
    assert.doesNotMatch(decoded, /\\|\p{Cc}|\/\.{1,2}(?:\/|$)|\/\//u);
    return `http://${host}${decoded.toLowerCase().replace(/(?:\/?\.git)+$/, '')}`;
  });
}

test('Node and undici ask for what was checked, however it was spelled', async () => {
  await fc.assert(
    fc.asyncProperty(spelling, async ({ user, host, path }) => {
      const address = findRepositoryAddress(`http://${user}${host}:${port}${path}`);
      if (address === undefined) return;
      assert.equal(new URL(`${address.url}/info/refs`).href, `${address.url}/info/refs`);
      asked = [];
      await (await request(`${address.url}/info/refs`)).body.dump();
      assert.deepEqual(keysAsked(), [address.key]);
    }),
    { numRuns: 400 },
  );
});

test('git asks for what was checked, however it was spelled', async () => {
  const environment = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
  await fc.assert(
    fc.asyncProperty(spelling, async ({ user, host, path }) => {
      const address = findRepositoryAddress(`http://${user}${host}:${port}${path}`);
      if (address === undefined) return;
      asked = [];
      await assert.rejects(run('git', ['ls-remote', '--', address.url], { env: environment }));
      assert.deepEqual([...new Set(keysAsked())], [address.key]);
    }),
    { numRuns: 40 },
  );
});

test('no spelling of a path leads out of what is permitted, or into what is denied', async () => {
  const permits = { sourceRepos: [`http://127.0.0.1:${port}/team-a/**`] };
  const denies = { sourceRepos: ['*', `!http://127.0.0.1:${port}/secret/**`] };
  const projectOf = (spec: { sourceRepos: string[] }) => ({
    apiVersion: 'argoproj.io/v1alpha1' as const,
    kind: 'AppProject' as const,
    metadata: { name: 'shop' },
    spec,
  });
  let permitted = 0;
  await fc.assert(
    fc.asyncProperty(spelling, fc.boolean(), async ({ user, host, path }, isPermit) => {
      const url = `http://${user}${host}:${port}${isPermit ? '/team-a' : ''}${path}`;
      if (!sourcePermitted(projectOf(isPermit ? permits : denies), url)) return;
      permitted += 1;
      asked = [];
      await (await request(`${findRepositoryAddress(url)?.url}/info/refs`)).body.dump();
      const [key = ''] = keysAsked();
      assert.equal(key.startsWith(`http://127.0.0.1:${port}/${isPermit ? 'team-a' : 'secret'}/`), isPermit, key);
    }),
    { numRuns: 400 },
  );
  assert.ok(permitted > 20, 'hardly anything was permitted');
});
