import PQueue from 'p-queue';
import type { Clock } from '../world/clock.ts';
import type { Log, Metrics } from '../world/telemetry.ts';
import { type Action, awaitChange } from './action.ts';
import { createPlace, type Place } from './place.ts';
import { createQueue, type Priority, priority, type QueueEntry, urgencyOf } from './queue.ts';

/** What one kind of work needs; keys are opaque to the runner. */
export interface Work {
  readonly kind: string;
  /** Group whose members share `perGroup` places, such as the destination cluster. */
  groupOf(key: string): string;
  /** Does the work once. It handles its own expected failures; what it throws is a bug, and is tried again later and later. */
  run(key: string, place: Place): Promise<Action>;
}

export interface RunnerBounds {
  readonly queueLength: number;
  readonly atOnce: number;
  readonly perGroup: number;
  /** Runs that have given their place to others while they wait; those beyond it keep theirs. */
  readonly waitingAtOnce: number;
  /** Milliseconds of waiting for which a run keeps its place. */
  readonly placeKeptMs: number;
  readonly backoffFirstMs: number;
  readonly backoffLastMs: number;
}

export interface RunnerWorld {
  readonly clock: Clock;
  readonly log: Log;
  /** Called with what was thrown, and the key whose run it ended. */
  onCrash(thrown: unknown, key: string): void;
  readonly metrics: Pick<Metrics, 'queued' | 'began' | 'ended'>;
}

/** One run of a key, from when it is handed to p-queue to its end. */
interface Run {
  /** Set where another run was asked for after this one began. */
  again: Priority | undefined;
  started: boolean;
  urgency: Priority;
  /** When it was to begin; milliseconds since 1970. */
  readonly dueAt: number;
}

/** Calls `work.run` for keys: each key at most once at a time, within the bounds, the most urgent first. A place is held for work, and not for waiting: see `Place`. */
export interface Runner {
  /** Asks for a run of `key`, after `delayMs`. A key that runs now runs again afterwards. */
  wake(key: string, urgency: Priority, delayMs?: number): void;
  /** Has a key that runs now run once more afterwards; one that does not run is left alone. */
  repeat(key: string, urgency: Priority): void;
  forget(key: string): void;
  /** Runs that are due and have not begun. */
  readonly due: number;
  readonly running: number;
  /** Runs that have ended; counts up. */
  readonly runs: number;
  /** Takes no more work and waits for what is under way, at most `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

export function createRunner(work: Work, bounds: RunnerBounds, world: RunnerWorld): Runner {
  const waiting = createQueue(bounds.queueLength);
  const overall = new PQueue({ concurrency: bounds.atOnce });
  const groups = new Map<string, PQueue>();
  /** Keys handed to p-queue or running. */
  const active = new Map<string, Run>();
  const failures = new Map<string, number>();
  let timer: { at: number; cancel: () => void } | undefined;
  let stopped = false;
  let running = 0;
  let waitingOutside = 0;
  let runs = 0;
  let idle = Promise.withResolvers<void>();

  const arm = (at: number | undefined): void => {
    if (stopped || at === undefined || (timer !== undefined && timer.at <= at)) return;
    timer?.cancel();
    timer = { at, cancel: world.clock.after(Math.max(0, at - world.clock.now()), pump) };
  };

  const pump = (): void => {
    timer = undefined;
    if (stopped) return;
    for (const entry of waiting.takeDue(world.clock.now())) launch(entry);
    arm(waiting.nextAt());
  };

  const groupQueue = (name: string): PQueue => {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const made = new PQueue({ concurrency: bounds.perGroup });
    groups.set(name, made);
    return made;
  };

  const launch = ({ key, at, priority: urgency }: QueueEntry): void => {
    const known = active.get(key);
    if (known !== undefined) {
      askAgain(key, known, urgency);
      return;
    }
    const run: Run = { again: undefined, started: false, urgency, dueAt: at };
    active.set(key, run);
    world.metrics.queued(work.kind);
    enqueue(key, run);
  };

  const askAgain = (key: string, run: Run, urgency: Priority): void => {
    if (run.started) {
      if (run.again === undefined || run.again < urgency) run.again = urgency;
    } else if (urgency > run.urgency) {
      // It waits behind others that are more urgent than it was: whichever of its places in the queue comes first is the one that counts.
      run.urgency = urgency;
      enqueue(key, run);
    }
  };

  /** Calls `use` once there is a place for the key, which is held until `free` is called. */
  const occupy = (key: string, { dueAt: at, urgency }: Run, use: (free: () => void) => void): void => {
    const options = { priority: urgencyOf({ at, priority: urgency }) };
    const group = work.groupOf(key);
    const queue = groupQueue(group);
    queue
      .add(() => overall.add(() => new Promise<void>(use), options), options)
      .catch((thrown: unknown) => world.onCrash(thrown, key))
      .finally(() => {
        // Repositories and clusters come and go.
        if (queue.size + queue.pending === 0 && groups.get(group) === queue) groups.delete(group);
      });
  };

  const enqueue = (key: string, run: Run): void =>
    occupy(key, run, (free) => {
      if (run.started) free();
      else void once(key, run, free);
    });

  const placeOf = (key: string, run: Run, free: () => void): Place & { leave(): void } =>
    createPlace(free, {
      clock: world.clock,
      keptMs: bounds.placeKeptMs,
      mayGive: () => waitingOutside < bounds.waitingAtOnce,
      given: () => {
        waitingOutside += 1;
      },
      takeAgain: () =>
        new Promise((resolve) => {
          waitingOutside -= 1;
          occupy(key, run, resolve);
        }),
    });

  const once = async (key: string, state: Run, free: () => void): Promise<void> => {
    let action = awaitChange;
    state.started = true;
    if (running === 0) idle = Promise.withResolvers<void>();
    running += 1;
    const startedAt = world.clock.now();
    world.metrics.began(work.kind, startedAt - state.dueAt);
    const place = placeOf(key, state, free);
    if (!stopped) {
      try {
        action = await work.run(key, place);
        failures.delete(key);
      } catch (thrown) {
        world.onCrash(thrown, key);
        const count = failures.get(key) ?? 0;
        failures.set(key, count + 1);
        action = { do: 'again', afterMs: Math.min(bounds.backoffLastMs, bounds.backoffFirstMs * 2 ** count) };
      }
    }
    active.delete(key);
    running -= 1;
    runs += 1;
    world.metrics.ended(work.kind, world.clock.now() - startedAt);
    if (state.again !== undefined) put(key, state.again, 0);
    if (action.do === 'again') put(key, priority.poll, action.afterMs);
    place.leave();
    if (running === 0) idle.resolve();
  };

  const put = (key: string, urgency: Priority, delayMs: number): void => {
    if (stopped) return;
    const at = world.clock.now() + delayMs;
    if (!waiting.put({ key, at, priority: urgency })) {
      world.log.error({ kind: work.kind, key, length: bounds.queueLength }, 'the queue is full; this run is dropped');
    }
    arm(at);
  };

  return {
    wake(key, urgency, delayMs = 0) {
      const state = active.get(key);
      if (state === undefined || delayMs > 0) return put(key, urgency, delayMs);
      // One that has not begun yet sees what this call is about.
      askAgain(key, state, urgency);
    },
    repeat(key, urgency) {
      const state = active.get(key);
      if (state?.started) askAgain(key, state, urgency);
    },
    forget(key) {
      waiting.drop(key);
      failures.delete(key);
    },
    get due() {
      return active.size - running;
    },
    get running() {
      return running;
    },
    get runs() {
      return runs;
    },
    async stop(withinMs) {
      stopped = true;
      timer?.cancel();
      if (running === 0) return;
      await Promise.race([idle.promise, new Promise<void>((resolve) => world.clock.after(withinMs, resolve))]);
    },
  };
}
