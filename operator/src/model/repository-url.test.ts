import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBelowRepository, isSameRepository } from './repository-url.ts';

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
