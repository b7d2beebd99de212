import assert from 'node:assert/strict';
import test from 'node:test';
import type { RetryStrategy } from '@mooring/crds';
import { automatedRetry, errorWaitMs, retryWaitMs, selfHealWaitMs } from './retry.ts';

const waits: readonly [what: string, retry: RetryStrategy | undefined, waits: readonly (number | undefined)[]][] = [
  ['is not tried again without a policy', undefined, [undefined]],
  ['is not tried again without a limit', { backoff: { duration: '1s' } }, [undefined]],
  ['is tried five times where it is automated', automatedRetry, [5_000, 10_000, 20_000, 40_000, 80_000, undefined]],
  [
    'waits as long as it is told',
    { limit: 3, backoff: { duration: '3s', factor: 3 } },
    [3_000, 9_000, 27_000, undefined],
  ],
  [
    'waits no longer than the longest wait',
    { limit: 9, backoff: { duration: '1m', maxDuration: '90s' } },
    [60_000, 90_000, 90_000],
  ],
  ['waits no longer than three minutes otherwise', { limit: 9, backoff: { duration: '2m' } }, [120_000, 180_000]],
  ['reads a bare number as seconds', { limit: 1, backoff: { duration: '7' } }, [7_000]],
  ['takes what cannot be read as not said', { limit: 1, backoff: { duration: 'soon' } }, [5_000]],
  ['always waits a second', { limit: -1, backoff: { duration: '0s', factor: 0, maxDuration: '0s' } }, [1_000, 1_000]],
  [
    'never waits less because of its factor',
    { limit: 5, backoff: { duration: '4s', factor: -2 } },
    [4_000, 4_000, 4_000],
  ],
];
for (const [what, retry, expected] of waits) {
  test(`a sync ${what}`, () => {
    assert.deepEqual(
      expected.map((_, attempt) => retryWaitMs(retry, attempt)),
      expected,
    );
  });
}

test('without a limit the wait stays finite', () => {
  assert.equal(retryWaitMs({ limit: -1 }, 5_000), 180_000);
});

test('self-heal begins at once and slows down', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 100].map(selfHealWaitMs),
    [0, 2_000, 6_000, 18_000, 54_000, 162_000, 300_000, 300_000],
  );
});

test('the pauses after errors grow, up to half an hour', () => {
  const minutes = [1, 2, 3, 4, 5, 6, 7, 1_000].map((inRow) => errorWaitMs(inRow) / 60_000);
  assert.deepEqual(minutes, [1, 2, 4, 8, 16, 30, 30, 30]);
});
