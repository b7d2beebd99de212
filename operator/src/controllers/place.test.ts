import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { createClock } from '../../sim/clock.ts';
import type { ApplyOptions, Cluster } from '../world/cluster.ts';
import type { World } from '../world/world.ts';
import { createPlace, outsideOf } from './place.ts';

function bench() {
  const clock = createClock(0);
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(`${what}@${clock.now()}`);
  const place = createPlace(tell('free'), {
    clock,
    keptMs: 20,
    mayGive: () => true,
    given: tell('given'),
    takeAgain: () => new Promise((resolve) => clock.after(10, () => resolve(tell('free again')))),
  });
  const after = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  return { clock, told, tell, place, after };
}

test('a place is kept for a short wait, and given away in a long one', async () => {
  const { clock, told, tell, place, after } = bench();
  void place.outside(after(20)).then(tell('short'));
  await clock.passUntil(50);
  void place.outside(after(100)).then(tell('long'));
  await clock.passUntil(500);
  place.leave();
  assert.deepEqual(told, ['short@20', 'given@70', 'free@70', 'long@160', 'free again@500']);
});

test('of several waits at once all go on with one place when the last is over', async () => {
  const { clock, told, tell, place, after } = bench();
  void place.outside(after(50)).then(tell('first'));
  void place.outside(after(200)).then(tell('second'));
  await clock.passUntil(205);
  // It begins while the place is being taken again.
  void place.outside(after(2)).then(tell('third'));
  await clock.passUntil(500);
  place.leave();
  assert.deepEqual(told.slice(0, 2), ['given@20', 'free@20']);
  assert.deepEqual(told.slice(2, 5).sort(), ['first@210', 'second@210', 'third@210']);
  assert.deepEqual(told.slice(5), ['free again@500']);
});

test('a wait that fails is over, too, and one that nobody waited for keeps no place', async () => {
  const { clock, told, tell, place, after } = bench();
  place.outside(after(30).then(() => Promise.reject(new Error('hung')))).catch(tell('failed'));
  await clock.passUntil(100);
  void place.outside(after(200));
  await clock.passUntil(150);
  place.leave();
  await clock.passUntil(1_000);
  assert.deepEqual(told, ['given@20', 'free@20', 'failed@40', 'given@120', 'free again@120', 'free again@310']);
});

test('an object that is made anew is waited for without a place, since somebody may hold the one that is to go', async () => {
  const object: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' } };
  for (const how of ['recreate', 'server-side'] as const) {
    const { clock, told, tell, place, after } = bench();
    const cluster: Partial<Cluster> = { apply: () => after(100).then(() => object) };
    const world = { git: {}, renderers: {}, clusters: { open: async () => cluster } } as unknown as World;
    const options: ApplyOptions = { how, validate: true, guard: () => undefined };
    void outsideOf(world, place, 1_000)
      .clusters.open('https://kubernetes.default.svc')
      .then(({ apply }) => apply(object, options))
      .then(tell('written'));
    await clock.passUntil(500);
    const outside = ['given@20', 'free@20', 'written@110'];
    assert.deepEqual(told, how === 'recreate' ? outside : ['written@100']);
  }
});

test('what a cluster serves is told as it is when it is asked for', async () => {
  const { place } = bench();
  let apiVersions = ['v1'];
  const cluster: Partial<Cluster> = {
    get apiVersions() {
      return apiVersions;
    },
  };
  const world = { git: {}, renderers: {}, clusters: { open: async () => cluster } } as unknown as World;
  const opened = await outsideOf(world, place, 1_000).clusters.open('https://kubernetes.default.svc');
  apiVersions = ['v1', 'apps/v1'];
  assert.deepEqual(opened.apiVersions, ['v1', 'apps/v1']);
});
