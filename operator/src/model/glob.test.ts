import assert from 'node:assert/strict';
import test from 'node:test';
import { globMatches, pathMatches, pathMatchesFrom } from './glob.ts';

const globs: readonly [pattern: string, text: string, expected: boolean, separators?: string][] = [
  ['', '', true],
  ['', 'a', false],
  ['shop', 'shop', true],
  ['shop', 'shops', false],
  ['*', '', true],
  ['*', 'a/b', true],
  ['*', 'a/b', false, '/'],
  ['**', 'a/b', true, '/'],
  ['shop-*', 'shop-dev', true],
  ['shop-*', 'shop', false],
  ['*-prod', 'a/b-prod', true],
  ['https://github.com/*', 'https://github.com/shop', true, '/'],
  ['https://github.com/*', 'https://github.com/shop/deploy', false, '/'],
  ['https://github.com/**', 'https://github.com/shop/deploy', true, '/'],
  ['https://*.example.com/*/deploy', 'https://git.eu.example.com/shop/deploy', true, '/'],
  ['shop-?', 'shop-1', true],
  ['shop-?', 'shop-12', false],
  ['a?b', 'a/b', false, '/'],
  ['shop-[0-9]', 'shop-7', true],
  ['shop-[!0-9]', 'shop-7', false],
  ['shop-[!0-9]', 'shop-x', true],
  ['shop-[ab-]', 'shop--', true],
  ['{dev,staging}', 'staging', true],
  ['{dev,staging}', 'prod', false],
  ['shop-{dev,pr-*}', 'shop-pr-12', true],
  ['shop-{dev,pr-{1,2}}-x', 'shop-pr-2-x', true],
  ['{,shop-}dev', 'dev', true],
  ['a,b}', 'a,b}', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['[', '[', false],
  ['{dev', '{dev', false],
  ['shop\\', 'shop\\', false],
  ['ü?', 'ü😀', true],
];

for (const [pattern, text, expected, separators] of globs) {
  test(`glob '${pattern}' on '${text}'${separators ? ` with separators ${separators}` : ''}`, () => {
    assert.equal(globMatches(pattern, text, separators), expected);
  });
}

const paths: readonly [pattern: string, text: string, expected: boolean][] = [
  ['*', 'apps', true],
  ['*', '', true],
  ['*', 'a/b', false],
  ['*.k8s.io', 'networking.k8s.io', true],
  ['Cluster*', 'ClusterRole', true],
  ['[^A]*', 'Role', true],
  ['[^R]*', 'Role', false],
  ['{a,b}', '{a,b}', true],
  ['**', 'apps', true],
  ['[', '[', false],
];

for (const [pattern, text, expected] of paths) {
  test(`path pattern '${pattern}' on '${text}'`, () => {
    assert.equal(pathMatches(pattern, text), expected);
  });
}

test('no pattern stalls', () => {
  assert.equal(globMatches(`${'*a'.repeat(200)}b`, 'a'.repeat(2000)), false);
  assert.equal(globMatches(`${'{a,aa}'.repeat(100)}b`, 'a'.repeat(200)), false);
});

const starts: readonly [pattern: string, start: string, expected: 'all' | 'some' | 'none'][] = [
  ['*', 'kube-', 'all'],
  ['kube-*', 'kube-', 'all'],
  ['kube-**', 'kube-', 'all'],
  ['kube-*', 'kube-a', 'all'],
  ['kube-*', 'ku', 'some'],
  ['kube-system', 'kube-', 'some'],
  ['kube-system', 'kube-system', 'none'],
  ['*-system', 'kube-', 'some'],
  ['kube-?', 'kube-', 'some'],
  ['kube-[a-c]*', 'kube-', 'some'],
  ['kube-[a-c]*', 'kube-b', 'all'],
  ['kube-[a-c]*', 'kube-d', 'none'],
  ['shop-*', 'kube-', 'none'],
  ['', 'kube-', 'none'],
  ['[', 'kube-', 'none'],
];

for (const [pattern, start, expected] of starts) {
  test(`path '${pattern}' matches ${expected} of what begins with '${start}'`, () => {
    assert.equal(pathMatchesFrom(pattern, start), expected);
  });
}
