import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestVersion, isVersionRange } from './version-range.ts';

const tags = [
  'v0.9.0',
  '1.0.0',
  'v1.2.0',
  '1.2.3',
  '1.10.0',
  '2.0.0-rc.1',
  '2.0.0-rc.10',
  '2.0.0',
  '2.1',
  'nightly',
  '3.0.0-alpha',
];

for (const [range, best] of [
  ['*', '2.1'],
  ['1.*', '1.10.0'],
  ['1.x', '1.10.0'],
  ['1.2.*', '1.2.3'],
  ['^1.0.0', '1.10.0'],
  ['^0.9.0', 'v0.9.0'],
  ['~1.2', '1.2.3'],
  ['~1.2.0', '1.2.3'],
  ['>=1.0.0 <1.3.0', '1.2.3'],
  ['>=1.0.0, <1.3.0', '1.2.3'],
  ['>= 1.0, < 2', '1.10.0'],
  ['1.0.0 - 1.2.0', 'v1.2.0'],
  ['>1', '2.1'],
  ['>1.2', '2.1'],
  ['<=1', '1.10.0'],
  ['!=2.1, >=1', '2.0.0'],
  ['^0.9.0 || 1.2.x', '1.2.3'],
  ['>=2.0.0-rc.1 <2.0.0', '2.0.0-rc.10'],
  ['^3', undefined],
  ['>=3.0.0-0', '3.0.0-alpha'],
  ['^9', undefined],
] as const) {
  test(`${range} is ${best}`, () => {
    assert.equal(isVersionRange(range), true);
    assert.equal(bestVersion(tags, range), best);
  });
}

test('versions, names and ids are no ranges', () => {
  for (const text of [
    '',
    'main',
    'v1.2.3',
    '1.2',
    'HEAD',
    'release/1.x',
    'deadbeef',
    '1.2.3-rc.1',
    'refs/tags/v1',
    '>',
    '1..2',
  ]) {
    assert.equal(isVersionRange(text), false, text);
  }
});
