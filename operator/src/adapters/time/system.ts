import { randomBytes } from 'node:crypto';
import type { Clock } from '../../world/clock.ts';
import type { Random } from '../../world/random.ts';

/** Longest delay of a timer in JavaScript. */
const timerMsMax = 2 ** 31 - 1;

/** The machine's clock. Timers don't keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, timerMsMax));
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomBytes(8).toString('hex'),
};
