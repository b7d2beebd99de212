import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurns } from './turns.ts';

const sliceMs = 2_000;

/** Turns of two engines under a clock of their own. */
function stage() {
  let now = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  const turnsOfOne = createTurns(
    {
      now: () => now,
      after: (delayMs, run) => {
        const timer = { at: now + delayMs, run };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    sliceMs,
    2,
  );
  const turns = { helm: turnsOfOne(), kustomize: turnsOfOne() };
  let running = 0;
  let most = 0;
  const told: string[] = [];
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  };
  return {
    told,
    /** Most renders that ran at the same time. */
    most: () => most,
    async pass(ms: number): Promise<void> {
      await settle();
      for (const end = now + ms; now < end; ) {
        now += 500;
        for (const timer of [...timers]) {
          if (timer.at > now) continue;
          timers.delete(timer);
          timer.run();
        }
        await settle();
      }
    },
    /** A render that tells when it begins, and ends after a time or when it is stopped. */
    render(name: string, lastsMs: number, isSlow = false, engine: keyof typeof turns = 'helm'): void {
      const run = (signal: AbortSignal): Promise<string> => {
        told.push(`${name} begins`);
        running += 1;
        most = Math.max(most, running);
        return new Promise<string>((resolve, reject) => {
          timers.add({ at: now + lastsMs, run: () => resolve(name) });
          signal.addEventListener('abort', () => {
            told.push(`${name} is stopped`);
            reject(new Error('stopped'));
          });
        }).finally(() => {
          running -= 1;
        });
      };
      turns[engine].take(run, isSlow).then(
        () => told.push(`${name} is done at ${now}`),
        (thrown: unknown) => told.push(`${name} failed: ${String(thrown)}`),
      );
    },
  };
}

const endless = 1_000_000;

test('quick renders take turns, in order', async () => {
  const { told, render, pass } = stage();
  for (const name of ['a', 'b', 'c']) render(name, 1_000);
  await pass(4_000);
  assert.deepEqual(
    told.filter((line) => line.includes('done')),
    ['a is done at 1000', 'b is done at 2000', 'c is done at 3000'],
  );
});

test('one that takes long goes on in the slow place, and others do not wait for it', async () => {
  const { told, render, pass } = stage();
  render('long', 10_000);
  render('quick', 500);
  await pass(11_000);
  assert.deepEqual(told, ['long begins', 'quick begins', 'quick is done at 2500', 'long is done at 10000']);
});

test('of many that never end each has one slice, and then they wait for each other alone', async () => {
  const { told, render, pass } = stage();
  for (let index = 0; index < 10; index += 1) render(`endless-${index}`, endless);
  render('quick', 500);
  await pass(10 * sliceMs + 1_000);
  assert.ok(told.includes('quick is done at 20500'), told.join('\n'));
  told.length = 0;
  for (const name of ['a', 'b', 'c']) render(name, 500);
  await pass(2_000);
  assert.deepEqual(
    told.filter((line) => line.includes('done')).map((line) => line.slice(0, 9)),
    ['a is done', 'b is done', 'c is done'],
  );
});

test('one that takes long while the slow place is taken is not stopped where nobody waits', async () => {
  const { told, render, pass } = stage();
  render('endless', endless);
  await pass(3_000);
  render('long', 10_000);
  await pass(11_000);
  assert.deepEqual(told, ['endless begins', 'long begins', 'long is done at 13000']);
});

test('one that a limit ended the last time takes nothing of the quick place, and comes behind those that it did not end', async () => {
  const { told, render, pass } = stage();
  render('first', 30_000, true);
  await pass(500);
  render('again', 500, true);
  render('long', 10_000);
  await pass(1_000);
  render('quick', 500);
  await pass(45_000);
  assert.ok(told.includes('long is stopped'));
  assert.deepEqual(
    told.filter((line) => line.includes('done')),
    ['quick is done at 3000', 'first is done at 30000', 'long is done at 40000', 'again is done at 40500'],
  );
});

test('no more run at once than may, whatever their engine, and none waits for those that never end', async () => {
  const { told, render, pass, most } = stage();
  for (let index = 0; index < 3; index += 1) {
    render(`endless chart ${index}`, endless);
    render(`endless kustomization ${index}`, endless, false, 'kustomize');
  }
  render('a slow chart', endless, true);
  await pass(20_000);
  told.length = 0;
  for (let index = 0; index < 3; index += 1) {
    render(`chart ${index}`, 500);
    render(`kustomization ${index}`, 500, false, 'kustomize');
  }
  // The last that never ends went on, as nobody waited, and leaves at the end of its slice.
  await pass(sliceMs + 4_000);
  assert.equal(told.filter((line) => line.includes('done')).length, 6, told.join('\n'));
  assert.equal(most(), 2);
});

test('a failure is told as it is', async () => {
  const { told, render, pass } = stage();
  render('good', 500);
  await pass(500);
  const { take } = createTurns({ now: () => 0, after: () => () => {} }, sliceMs, 2)();
  await assert.rejects(
    take(() => Promise.reject(new Error('broken')), false),
    /broken/,
  );
  assert.equal(await take(async () => 'next', false), 'next');
  assert.deepEqual(told, ['good begins', 'good is done at 500']);
});
