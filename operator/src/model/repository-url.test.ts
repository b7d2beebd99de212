import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { findRepositoryAddress, isBelowRepository, isSameRepository, readRepositoryAddress } from './repository-url.ts';

describe('one form', () => {
  const forms: readonly (readonly [text: string, url: string, key: string])[] = [
    [
      'HTTPS://Git.Example.com.:443//Team//App.git/',
      'https://git.example.com/Team/App.git',
      'https://git.example.com/team/app',
    ],
    ['http://x:0080/a/.git', 'http://x/a/.git', 'http://x/a'],
    ['https://x/%73ecret/%C3%A9t%c3%a9', 'https://x/secret/%C3%A9t%C3%A9', 'https://x/secret/été'],
    ['https://x/été', 'https://x/%C3%A9t%C3%A9', 'https://x/été'],
    ['https://x/a b', 'https://x/a%20b', 'https://x/a b'],
    ['https://0x7f.1/a', 'https://127.0.0.1/a', 'https://127.0.0.1/a'],
    ['https://2130706433/a', 'https://127.0.0.1/a', 'https://127.0.0.1/a'],
    ['https://[0:0::1]:8443/a', 'https://[::1]:8443/a', 'https://[::1]:8443/a'],
    ['https://bücher.example/a', 'https://xn--bcher-kva.example/a', 'https://xn--bcher-kva.example/a'],
    ['http://git.example.com:x@127.0.0.1:3000/repo', 'http://127.0.0.1:3000/repo', 'http://127.0.0.1:3000/repo'],
    ['https://u@evil@x/a', 'https://x/a', 'https://x/a'],
    ['git@HOST:Team/app.git', 'git@host:Team/app.git', 'git@host/team/app'],
    ['ssh://git@host:22/team//app/', 'ssh://git@host/team/app', 'git@host/team/app'],
    ['git+ssh://git@host:2222/~/a%20b', 'ssh://git@host:2222/~/a%20b', 'git@host:2222/a b'],
    ['git@host:~git/a', 'git@host:~git/a', 'git@host/a'],
    ['git@host:/srv/a%41', 'ssh://git@host/srv/a%2541', 'git@host/srv/a%41'],
    ['/srv//it%41s', 'file:///srv/it%2541s', 'file:///srv/it%41s'],
    ['file:///srv/a%20b/', 'file:///srv/a%20b', 'file:///srv/a b'],
    ['\thttps://x/a\n', 'https://x/a', 'https://x/a'],
  ];
  for (const [text, url, key] of forms) {
    test(JSON.stringify(text), () => {
      const address = readRepositoryAddress(text);
      assert.deepEqual([address.url, address.key], [url, key]);
      assert.deepEqual(
        { ...readRepositoryAddress(url), username: 0, password: 0 },
        { ...address, username: 0, password: 0 },
      );
    });
  }

  test('user information is apart from it', () => {
    const { username, password, url } = readRepositoryAddress('https://ada:p%40ss:w@git.example.com/a');
    assert.deepEqual([username, password, url], ['ada', 'p@ss:w', 'https://git.example.com/a']);
  });

  const refused: readonly (readonly [text: string, why: RegExp])[] = [
    ['https://x/team-a/..\\team-b\\secret', /backslash/],
    ['https://evil.example\\x.example.com/repo', /backslash/],
    ['https://x/team-a/../team-b', /\. or \.\./],
    ['https://x/./a', /\. or \.\./],
    ['https://x/team-a/%2e%2e/team-b', /encoded dot/],
    ['https://x/team-a/.%2E/team-b', /encoded dot/],
    ['https://x/team-a%2fteam-b', /encoded dot, slash/],
    ['ssh://git@x/team-a/..%2fteam-b', /encoded dot, slash/],
    ['git@x:team-a/..%2fteam-b', /encoded dot, slash/],
    ['git@x:../a', /\. or \.\./],
    ['file:///srv/../etc', /\. or \.\./],
    ['https://x/a%5cb', /encoded dot, slash or backslash/],
    ['https://x/a%0ab', /control character/],
    ['https://x/a\nb', /control character/],
    ['https://x/a%252e', /encoded twice/],
    ['https://x/a%2573', /encoded twice/],
    ['https://x/a%zz', /not percent-encoded/],
    ['https://x/a%ff', /not percent-encoded/],
    ['https://x/a;b/c', /semicolon/],
    ['https://x/a?b', /query/],
    ['https://x?a@y/b', /query/],
    ['https:///a', /host name/],
    ['https://x:0/a', /port/],
    ['https://x:65536/a', /port/],
    ['https://x:1:2/a', /host name/],
    ['https://a%2eb/c', /host name/],
    ['https://a b/c', /host name/],
    ['https://a..b/c', /host name/],
    ['https://[fe80::1%25eth0]/c', /host name/],
    ['https://1.2.3.999/c', /host name/],
    ['ssh://git:secret@x/a', /password/],
    ['ssh://git@x:team/a', /host name/],
    ['ftp://x/a', /scheme ftp/],
    ['constructor://x/a', /scheme constructor/],
    ['https://x/\ud800', /half a character/],
    [`https://x/${'/'.repeat(50_000)}`, /longer than 2048/],
  ];
  for (const [text, why] of refused) {
    test(`${JSON.stringify(text.slice(0, 60))} is none`, () =>
      assert.throws(() => readRepositoryAddress(text), { code: 'repository-refused', message: why }));
  }

  test('what is read is read again as the same, whatever was written', () => {
    const part = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          '/',
          '//',
          '@',
          ':',
          '.git',
          '%73',
          '%2B',
          '%20',
          'a',
          'Team',
          '~',
          '~git',
          ';',
          ' ',
          '\\',
          '..',
          '.',
          '%2f',
          '%',
          '[::1]',
          'é',
          '443',
          '22',
          '+',
          '*',
          '?',
          '#',
        ),
      },
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    const text = fc
      .tuple(
        fc.constantFrom('', 'https://', 'http://', 'ssh://', 'file://', '/', 'git@'),
        fc.constantFrom('x', 'Git.Example.com', '0x7f.1', ''),
        fc.array(part, { maxLength: 8 }),
      )
      .map(([scheme, host, parts]) => scheme + host + parts.join(''));
    fc.assert(
      fc.property(text, (written) => {
        const address = findRepositoryAddress(written);
        if (address === undefined) return;
        const { username: _, password: __, ...there } = address;
        assert.deepEqual(findRepositoryAddress(address.url), there);
        if (address.transport === 'http' || address.transport === 'https') {
          const { href, username } = new URL(address.url);
          assert.equal(href.replace(/\/$/, ''), address.url);
          assert.equal(username, '');
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the same repository', () => {
  const same: readonly (readonly [string, string])[] = [
    ['https://git.example.com/team/app', 'https://git.example.com/team/app.git'],
    ['https://git.example.com/team/app', 'https://GIT.example.com/Team/App'],
    ['https://git.example.com/team/app/', ' https://git.example.com/team/app '],
    ['git@git.example.com:team/app.git', 'ssh://git@git.example.com/team/app'],
    ['git.example.com:team/app', 'ssh://git.example.com/team/app.git'],
    ['ssh://git@git.example.com:2222/team/app', 'ssh://git@git.example.com:2222/team/app.git'],
  ];
  for (const [a, b] of same) test(`${a} and ${b}`, () => assert.ok(isSameRepository(a, b) && isSameRepository(b, a)));
});

describe('different repositories', () => {
  const different: readonly (readonly [string, string])[] = [
    ['https://git.example.com/team/app', 'http://git.example.com/team/app'],
    ['https://git.example.com/team/app', 'https://git.example.com/team/app2'],
    ['https://git.example.com/team/app', 'git@git.example.com:team/app'],
    ['https://git.example.com:8443/app', 'https://git.example.com/app'],
    ['ssh://git@git.example.com/app', 'ssh://ada@git.example.com/app'],
    ['https://git.example.com/../app', 'https://git.example.com/../app'],
    ['', ''],
  ];
  for (const [a, b] of different) test(`${a} and ${b}`, () => assert.ok(!isSameRepository(a, b)));
});

describe('credentials for a prefix', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['https://git.example.com', 'https://git.example.com/team/app', true],
    ['https://git.example.com/', 'https://git.example.com/team/app', true],
    ['https://git.example.com/team', 'https://git.example.com/team/app.git', true],
    ['https://git.example.com/te', 'https://git.example.com/team/app', true],
    ['https://git.example.com/team/app.git', 'https://git.example.com/team/app', true],
    ['git@git.example.com:team', 'git@git.example.com:team/app.git', true],
    ['git@git.example.com', 'ssh://git@git.example.com/team/app.git', true],
    ['git@git.example.com:', 'git@git.example.com:team/app.git', true],
    ['ssh://git@git.example.com:2222', 'ssh://git@git.example.com:2222/team/app', true],
    ['https://ada@git.example.com:443', 'https://git.example.com/team/app', true],
    ['https://git.example.com/team/', 'https://git.example.com/team/app', true],
    ['https://git.example.com/team/', 'https://git.example.com/team-b/app', false],
    ['http://git.example.com', 'http://git.example.com:x@127.0.0.1:3000/repo', false],
    ['https://git.example.com', 'https://git.example.com@evil.example/team/app', false],
    ['https://git.example.com', 'https://git.example.com:8443/team/app', false],
    ['https://git.example.com', 'http://git.example.com/team/app', false],
    ['https://git.example.com/team', 'https://git.example.com/team/../other/app', false],
    ['https://git.example.com', 'https://git.example.com.evil.net/team/app', false],
    ['https://git.example', 'https://git.example.com/team/app', false],
    ['git@git.example.com', 'git@git.example.com.evil.net:team/app', false],
    ['https://git.example.com/other', 'https://git.example.com/team/app', false],
    ['', 'https://git.example.com/team/app', false],
  ];
  for (const [prefix, url, isBelow] of cases) {
    test(`${prefix || 'an empty prefix'} ${isBelow ? 'counts' : 'does not count'} for ${url}`, () =>
      assert.equal(isBelowRepository(prefix, url), isBelow));
  }
});
