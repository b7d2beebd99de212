import type { Clock } from '../src/world/clock.ts';
import type { Random } from '../src/world/random.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Time that passes only when the simulation says so. */
export interface SimClock extends Clock {
  /** Lets time pass until `end` (milliseconds since 1970), running what is due in order. */
  passUntil(end: number): Promise<void>;
}

export function createClock(start: number): SimClock {
  let now = start;
  let order = 0;
  const heap: Timer[] = [];
  return {
    now: () => now,
    after(delayMs, run) {
      const timer: Timer = { at: now + Math.max(0, delayMs), order: order++, run, cancelled: false };
      push(heap, timer);
      return () => {
        timer.cancelled = true;
      };
    },
    async passUntil(end) {
      await settle();
      for (let timer = heap[0]; timer !== undefined && timer.at <= end; timer = heap[0]) {
        pop(heap);
        if (timer.cancelled) continue;
        now = timer.at;
        timer.run();
        await settle();
      }
      now = end;
    },
  };
}

/** The clock of one process: what is due while the process is stopped comes when it goes on, and what is due after its end never. */
export interface ProcessClock extends Clock {
  /** Stops the process for so long, as SIGSTOP and SIGCONT do. */
  freeze(forMs: number): void;
  readonly isFrozen: boolean;
  /** Ends it where it stands. */
  kill(): void;
}

export function createProcessClock(clock: Clock): ProcessClock {
  let isAlive = true;
  let frozenUntil = Number.NEGATIVE_INFINITY;
  const isFrozen = (): boolean => clock.now() < frozenUntil;
  return {
    now: clock.now,
    after(delayMs, run) {
      let cancel = (): void => {};
      const due = (): void => {
        if (!isAlive) return;
        if (isFrozen()) cancel = clock.after(frozenUntil - clock.now(), due);
        else run();
      };
      cancel = clock.after(delayMs, due);
      return () => cancel();
    },
    freeze(forMs) {
      frozenUntil = Math.max(frozenUntil, clock.now() + forMs);
    },
    get isFrozen() {
      return isFrozen();
    },
    kill() {
      isAlive = false;
    },
  };
}

/** Lets every promise that can go on go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Timer[], timer: Timer): void {
  heap.push(timer);
  for (let index = heap.length - 1; index > 0; ) {
    const parent = (index - 1) >> 1;
    if (!isBefore(heap[index]!, heap[parent]!)) return;
    [heap[index], heap[parent]] = [heap[parent]!, heap[index]!];
    index = parent;
  }
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  for (let index = 0; ; ) {
    const left = 2 * index + 1;
    const right = left + 1;
    let first = index;
    if (left < heap.length && isBefore(heap[left]!, heap[first]!)) first = left;
    if (right < heap.length && isBefore(heap[right]!, heap[first]!)) first = right;
    if (first === index) return;
    [heap[index], heap[first]] = [heap[first]!, heap[index]!];
    index = first;
  }
}

/** Randomness from one seed (mulberry32), with what a simulation asks of it. */
export interface SimRandom extends Random {
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

export function createRandom(seed: number): SimRandom {
  let state = (seed * 0x9e3779b1) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    id: () => between(0, 2 ** 32 - 1).toString(16),
    between,
    chance: (probability) => next() < probability,
    pick(items) {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new Error('there is nothing to pick from');
      return item;
    },
  };
}
