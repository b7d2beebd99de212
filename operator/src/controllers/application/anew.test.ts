import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application } from '@mooring/crds';
import { createClock, createRandom } from '../../../sim/clock.ts';
import type { World } from '../../world/world.ts';
import { lookAnew } from './anew.ts';

const minuteMs = 60_000;

/** So many Applications, of which the odd ones have something to look at, with `timeout.reconciliation` of two minutes and a jitter of one. */
function world(count: number, settings = { pollIntervalMs: 2 * minuteMs, pollJitterMs: minuteMs }) {
  const clock = createClock(0);
  const names = Array.from({ length: count }, (_, index) => `app-${index}`);
  const asked: string[] = [];
  const surroundings = {
    clock,
    random: createRandom(1),
    store: {
      namespace: 'argocd',
      applications: () => names.map((name) => ({ metadata: { name, namespace: 'argocd' } }) as Application),
      settings: () => settings,
      subscribe: () => () => {},
    },
    clusters: {
      isOutdated(app: string): boolean {
        asked.push(app);
        return Number(app.slice('app-'.length)) % 2 === 1;
      },
    },
  } as unknown as World;
  return { clock, surroundings, asked };
}

for (const count of [1, 7, 1_000]) {
  test(`of ${count} every one has its turn within three minutes, at even distances, and is looked at where there is something new`, async () => {
    const { clock, surroundings, asked } = world(count);
    const looks = new Map<string, number>();
    const stop = lookAnew(surroundings, (key) => looks.set(key, (looks.get(key) ?? 0) + 1));
    await clock.passUntil(30_000);
    assert.ok(asked.length <= Math.ceil(count * 0.27) + 1, `${asked.length} of ${count} in the first half minute`);
    await clock.passUntil(3 * minuteMs);
    assert.equal(new Set(asked).size, count);
    assert.ok(asked.length <= 1.5 * count + 1, `${asked.length} turns of ${count}`);
    const expected = Array.from({ length: count }, (_, index) => `argocd/app-${index}`).filter((_, at) => at % 2 === 1);
    assert.deepEqual([...looks.keys()].sort(), expected.sort());
    stop();
    const before = asked.length;
    await clock.passUntil(6 * minuteMs);
    assert.equal(asked.length, before);
  });
}

test('nothing is looked at anew where `timeout.reconciliation` is 0', async () => {
  const { clock, surroundings, asked } = world(3, { pollIntervalMs: 0, pollJitterMs: minuteMs });
  lookAnew(surroundings, () => {});
  await clock.passUntil(60 * minuteMs);
  assert.deepEqual(asked, []);
});
