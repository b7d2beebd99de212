import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';

const cases: readonly (readonly [string, number | undefined])[] = [
  ['120s', 120_000],
  ['3m', 180_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['1.s', 1_000],
  ['250ms', 250],
  ['1us', 0.001],
  ['1µs', 0.001],
  ['1m1s1ms', 61_001],
  ['-5s', -5_000],
  ['+5s', 5_000],
  ['0', 0],
  ['0s', 0],
  ['', undefined],
  ['5', undefined],
  ['s', undefined],
  ['.s', undefined],
  ['1 s', undefined],
  ['1d', undefined],
  ['1h30', undefined],
  ['1e3s', undefined],
  ['--1s', undefined],
  ['1S', undefined],
  ['9999999999h', undefined],
];

for (const [text, ms] of cases) {
  test(`"${text}" is ${ms === undefined ? 'no duration' : `${ms} ms`}`, () => assert.equal(parseDuration(text), ms));
}
