import assert from 'node:assert/strict';
import test from 'node:test';
import { createClock, type SimClock } from '../../sim/clock.ts';
import { noMetrics } from '../world/telemetry.ts';
import { type Action, awaitChange, requeueAfter } from './action.ts';
import type { Place } from './place.ts';
import { priority } from './queue.ts';
import { createRunner, type Runner } from './runner.ts';

interface Bench {
  readonly clock: SimClock;
  readonly runner: Runner;
  /** `key@time` of every run that began. */
  readonly began: readonly string[];
  /** Milliseconds that each of them waited. */
  readonly waits: readonly number[];
  readonly crashes: readonly unknown[];
  readonly errors: readonly string[];
  /** Runs under way at most at once, overall and in one group. */
  readonly most: { overall: number; group: number };
}

interface BenchOptions {
  /** Milliseconds that a run takes. */
  readonly takesMs?: number;
  readonly atOnce?: number;
  readonly perGroup?: number;
  readonly queueLength?: number;
  readonly run?: (key: string, count: number) => Action;
  /** Milliseconds that a run waits outside before it works; none where undefined. */
  readonly waitsMs?: (key: string) => number | undefined;
  readonly waitingAtOnce?: number;
}

/** A runner on a clock of its own; the group of a key is what is in front of its slash. */
function bench(options: BenchOptions = {}): Bench {
  const { takesMs = 10, atOnce = 4, perGroup = 2, queueLength = 100, run, waitsMs, waitingAtOnce = 50 } = options;
  const clock = createClock(0);
  const began: string[] = [];
  const crashes: unknown[] = [];
  const errors: string[] = [];
  const most = { overall: 0, group: 0 };
  const groupOf = (key: string): string => key.split('/')[0] ?? '';
  const running: string[] = [];
  const work = {
    kind: 'Test',
    groupOf,
    async run(key: string, place: Place): Promise<Action> {
      const waits = waitsMs?.(key);
      if (waits !== undefined) await place.outside(new Promise<void>((resolve) => clock.after(waits, resolve)));
      assert.ok(!running.includes(key), `${key} runs already`);
      running.push(key);
      began.push(`${key}@${clock.now()}`);
      most.overall = Math.max(most.overall, running.length);
      most.group = Math.max(most.group, running.filter((other) => groupOf(other) === groupOf(key)).length);
      await new Promise<void>((resolve) => clock.after(takesMs, resolve));
      running.splice(running.indexOf(key), 1);
      const count = began.filter((each) => each.startsWith(`${key}@`)).length;
      return run === undefined ? awaitChange : run(key, count);
    },
  };
  const silent = () => {};
  const log = {
    debug: silent,
    info: silent,
    warn: silent,
    error: (_: unknown, message: string) => errors.push(message),
  };
  const bounds = {
    queueLength,
    atOnce,
    perGroup,
    waitingAtOnce,
    placeKeptMs: 20,
    backoffFirstMs: 1_000,
    backoffLastMs: 5_000,
  };
  const waits: number[] = [];
  const metrics = { ...noMetrics, began: (_: string, waitedMs: number) => waits.push(waitedMs) };
  const runner = createRunner(work, bounds, { clock, log, metrics, onCrash: (thrown) => crashes.push(thrown) });
  return { clock, runner, began, waits, crashes, errors, most };
}

test('a key that is woken many times runs once', async () => {
  const { clock, runner, began } = bench();
  for (let count = 0; count < 5; count += 1) runner.wake('a', priority.poll);
  await clock.passUntil(1_000);
  assert.deepEqual(began, ['a@0']);
  assert.deepEqual([runner.due, runner.running], [0, 0]);
});

test('who asks for a key that waits its turn brings it forward', async () => {
  const { clock, runner, began } = bench({ atOnce: 2, perGroup: 1 });
  for (const key of ['a/1', 'b/1', 'c/1', 'a/2', 'a/3', 'c/2', 'a/4', 'c/3']) runner.wake(key, priority.poll);
  await clock.passUntil(1);
  runner.wake('a/4', priority.webhook);
  runner.wake('a/4', priority.person);
  runner.wake('c/3', priority.person);
  await clock.passUntil(1_000);
  const order = began.map((each) => each.split('@')[0]);
  assert.deepEqual(order.slice(0, 5).sort(), ['a/1', 'a/4', 'b/1', 'c/1', 'c/3'].sort(), order.join(' '));
  assert.equal(order.length, 8, 'each runs once');
  assert.deepEqual([runner.due, runner.running], [0, 0]);
});

test('a key that is woken while it runs runs once more afterwards', async () => {
  const { clock, runner, began } = bench();
  runner.wake('a', priority.poll);
  await clock.passUntil(5);
  runner.wake('a', priority.person);
  runner.wake('a', priority.poll);
  await clock.passUntil(1_000);
  assert.deepEqual(began, ['a@0', 'a@10']);
});

test('a key that is to repeat does so only where it runs', async () => {
  const { clock, runner, began } = bench();
  runner.repeat('a', priority.poll);
  await clock.passUntil(5);
  assert.deepEqual(began, []);
  runner.wake('a', priority.poll);
  await clock.passUntil(10);
  runner.repeat('a', priority.poll);
  await clock.passUntil(1_000);
  assert.deepEqual(began, ['a@5', 'a@15']);
});

test('a wake with a delay waits, and the earlier one wins', async () => {
  const { clock, runner, began } = bench();
  runner.wake('a', priority.poll, 500);
  runner.wake('a', priority.poll, 200);
  runner.wake('b', priority.poll, 300);
  await clock.passUntil(1_000);
  assert.deepEqual(began, ['a@200', 'b@300']);
});

test('a delay that ends while the key runs is not forgotten', async () => {
  const { clock, runner, began } = bench({ takesMs: 100 });
  runner.wake('a', priority.poll);
  await clock.passUntil(10);
  runner.wake('a', priority.poll, 50);
  await clock.passUntil(1_000);
  assert.deepEqual(began, ['a@0', 'a@100']);
});

test('what a run asks for comes to pass', async () => {
  const { clock, runner, began } = bench({ run: (_, count) => (count < 3 ? requeueAfter(100) : awaitChange) });
  runner.wake('a', priority.poll);
  await clock.passUntil(1_000);
  assert.deepEqual(began, ['a@0', 'a@110', 'a@220']);
});

test('no more runs are under way than the bounds allow', async () => {
  const { clock, runner, began, most } = bench({ atOnce: 3, perGroup: 2 });
  for (let index = 0; index < 30; index += 1) runner.wake(`cluster-${index % 2}/${index}`, priority.poll);
  await clock.passUntil(5_000);
  assert.equal(began.length, 30);
  assert.deepEqual(most, { overall: 3, group: 2 });
});

test('the most urgent goes first', async () => {
  const { clock, runner, began } = bench({ atOnce: 1, perGroup: 1 });
  runner.wake('g/first', priority.poll);
  runner.wake('g/poll', priority.poll);
  runner.wake('g/drift', priority.drift);
  runner.wake('g/person', priority.person);
  runner.wake('g/webhook', priority.webhook);
  await clock.passUntil(1_000);
  assert.deepEqual(
    began.map((each) => each.split('@')[0]),
    ['g/person', 'g/webhook', 'g/drift', 'g/first', 'g/poll'],
  );
});

test('a crash is told, tried again later and later, and forgotten by a success', async () => {
  const failing = new Set([1, 2, 3, 4, 5, 7]);
  const { clock, runner, began, crashes } = bench({
    takesMs: 0,
    run(_, count) {
      if (failing.has(count)) throw new Error('a bug');
      return count < 8 ? requeueAfter(10) : awaitChange;
    },
  });
  runner.wake('a', priority.poll);
  await clock.passUntil(60_000);
  assert.deepEqual(began, ['a@0', 'a@1000', 'a@3000', 'a@7000', 'a@12000', 'a@17000', 'a@17010', 'a@18010']);
  assert.equal(crashes.length, 6);
});

test('one that crashes does not hold up others', async () => {
  const { clock, runner, began } = bench({
    atOnce: 1,
    run(key) {
      if (key === 'bad') throw new Error('a bug');
      return awaitChange;
    },
  });
  runner.wake('bad', priority.person);
  runner.wake('good', priority.poll);
  await clock.passUntil(500);
  assert.deepEqual(began, ['bad@0', 'good@10']);
});

test('a full queue says so and goes on', async () => {
  const { clock, runner, began, errors } = bench({ queueLength: 2 });
  for (const key of ['a', 'b', 'c']) runner.wake(key, priority.poll);
  await clock.passUntil(100);
  assert.deepEqual(began, ['a@0', 'b@0']);
  assert.equal(errors.length, 1);
});

test('a forgotten key does not run', async () => {
  const { clock, runner, began } = bench();
  runner.wake('a', priority.poll, 100);
  runner.forget('a');
  await clock.passUntil(1_000);
  assert.deepEqual(began, []);
});

test('a stop waits for what runs, and begins nothing more', async () => {
  const { clock, runner, began } = bench({ atOnce: 1, takesMs: 100, run: () => requeueAfter(0) });
  for (const key of ['a', 'b', 'c']) runner.wake(key, priority.poll);
  await clock.passUntil(50);
  let stopped = -1;
  runner.stop(10_000).then(() => {
    stopped = clock.now();
  });
  runner.wake('d', priority.person);
  await clock.passUntil(20_000);
  assert.deepEqual(began, ['a@0']);
  assert.equal(stopped, 100);
});

test('a stop does not wait longer than it may', async () => {
  const { clock, runner } = bench({ takesMs: 60_000 });
  runner.wake('a', priority.poll);
  await clock.passUntil(1);
  let stopped = -1;
  runner.stop(500).then(() => {
    stopped = clock.now();
  });
  await clock.passUntil(2_000);
  assert.equal(stopped, 501);
});

test('a run waits from when it is due, and not from when somebody asked for it later', async () => {
  const { clock, runner, waits } = bench({ atOnce: 1, perGroup: 1, takesMs: 10 });
  runner.wake('a', priority.poll);
  runner.wake('b', priority.poll);
  await clock.passUntil(5);
  assert.deepEqual([runner.due, runner.running], [1, 1]);
  runner.wake('c', priority.poll, 500);
  assert.deepEqual([runner.due, runner.running], [1, 1], 'what is to come later is not due');
  await clock.passUntil(1_000);
  assert.deepEqual(waits, [0, 10, 0]);
});

test('ten that wait for something outside do not keep the others of their group from working', async () => {
  const waitsMs = (key: string): number | undefined => (key.includes('hung') ? 90_000 : undefined);
  const { clock, runner, began, most } = bench({ atOnce: 3, perGroup: 2, waitsMs });
  for (let index = 0; index < 10; index += 1) runner.wake(`g/hung-${index}`, priority.person);
  for (let index = 0; index < 10; index += 1) runner.wake(`g/good-${index}`, priority.poll);
  await clock.passUntil(1_000);
  assert.equal(began.length, 10, began.join(' '));
  assert.deepEqual([runner.running, runner.due], [10, 0]);
  await clock.passUntil(100_000);
  assert.equal(began.length, 20, 'each goes on when its wait is over');
  assert.ok(most.group <= 2 && most.overall <= 3, JSON.stringify(most));
  assert.equal(runner.running, 0);
  runner.wake('g/late', priority.poll);
  runner.wake('g/later', priority.poll);
  await clock.passUntil(100_011);
  assert.deepEqual(began.slice(20), ['g/late@100000', 'g/later@100000'], 'no place was lost');
});

test('a wait that is over in a moment costs no place, and waits beyond the bound keep theirs', async () => {
  const waitsMs = (key: string): number => (key.includes('hung') ? 1_000 : 5);
  const { clock, runner, began } = bench({ atOnce: 1, perGroup: 1, waitingAtOnce: 2, waitsMs });
  for (const key of ['a', 'b']) runner.wake(key, priority.poll);
  await clock.passUntil(100);
  assert.deepEqual(began, ['a@5', 'b@20']);
  for (const key of ['hung-1', 'hung-2', 'hung-3']) runner.wake(key, priority.person);
  await clock.passUntil(200);
  runner.wake('c', priority.person);
  await clock.passUntil(5_000);
  assert.ok(began.indexOf(began.find((each) => each.startsWith('c@')) ?? '') > 2, began.join(' '));
  assert.equal(began.length, 6);
});

test('a stop waits for what waits outside, too', async () => {
  const { clock, runner } = bench({ waitsMs: () => 500 });
  runner.wake('a', priority.poll);
  await clock.passUntil(100);
  let stopped = -1;
  runner.stop(10_000).then(() => {
    stopped = clock.now();
  });
  await clock.passUntil(5_000);
  assert.equal(stopped, 510);
});

test('a poll has its turn though drift never ends', async () => {
  const { clock, runner, began } = bench({ atOnce: 1, perGroup: 1, takesMs: 100 });
  runner.wake('poll', priority.poll);
  const drift = (): void => {
    for (let index = 0; index < 100; index += 1) runner.wake(`drift-${index}`, priority.drift);
    clock.after(1_000, drift);
  };
  drift();
  await clock.passUntil(120_000);
  const at = Number(began.find((each) => each.startsWith('poll@'))?.split('@')[1]);
  assert.ok(at <= 30_000, `${at}`);
});
