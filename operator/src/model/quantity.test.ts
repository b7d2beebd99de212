import assert from 'node:assert/strict';
import test from 'node:test';
import { sameQuantity } from './quantity.ts';

const cases: readonly [a: unknown, b: unknown, expected: boolean][] = [
  ['1000m', '1', true],
  [0.5, '500m', true],
  [1, '1', true],
  ['1Gi', '1024Mi', true],
  ['1G', '1000M', true],
  ['1G', '1Gi', false],
  ['1e3', '1k', true],
  ['1E', '1000P', true],
  ['.5', '500m', true],
  ['5.', '5', true],
  ['-1', '1', false],
  ['100u', '0.1m', true],
  ['', '0', false],
  ['.', '0', false],
  ['1x', '1x', false],
  [undefined, undefined, false],
  [JSON.rawJSON('12345678901234567890'), '12345678901234567890', true],
];

for (const [a, b, expected] of cases) {
  test(`${JSON.stringify(a)} and ${JSON.stringify(b)} are ${expected ? '' : 'not '}the same`, () => {
    assert.equal(sameQuantity(a, b), expected);
  });
}
