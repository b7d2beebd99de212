import assert from 'node:assert/strict';
import test from 'node:test';
import { createRefusals } from './refusals.ts';

test('each refusal is counted; the log has the first of its kind, and then one a minute with how many there were', () => {
  let now = 0;
  let counted = 0;
  const lines: unknown[] = [];
  const refused = createRefusals(
    { now: () => now, after: () => () => {} },
    {
      log: { warn: (fields, message) => lines.push([fields, message]) },
      metrics: {
        webhookRefused: () => {
          counted += 1;
        },
      },
    },
  );
  const wrong = { host: 'github', reason: 'wrong-secret' } as const;
  for (let second = 0; second < 100; second += 1) {
    now = second * 1_000;
    refused(wrong, 'no');
  }
  refused({ ...wrong, host: 'gitlab' }, 'no');
  assert.equal(counted, 101);
  assert.deepEqual(lines, [
    [wrong, 'a webhook was refused: no'],
    [{ ...wrong, more: 59 }, 'a webhook was refused: no'],
    [{ ...wrong, host: 'gitlab' }, 'a webhook was refused: no'],
  ]);
});
