import { randomBytes } from 'node:crypto';
import type { Clock } from '../../world/clock.ts';
import type { Random } from '../../world/random.ts';

/** Longest delay of a timer in JavaScript. */
const timerMsMax = 2 ** 31 - 1;

/**
 * A clock that is never set back: what waits for a time would wait that much longer, and what was asked of Git would stay the newest there is. Where the
 * machine's clock is set back this one goes at half its speed until they meet; where it is set forward they meet at once. All in milliseconds.
 */
export function steadyNow(machine: () => number, monotonic: () => number): () => number {
  let said = machine();
  let saidAt = monotonic();
  return () => {
    const tick = monotonic();
    said = Math.max(machine(), said + (tick - saidAt) / 2);
    saidAt = tick;
    return Math.floor(said);
  };
}

/** Milliseconds of a clock that nobody sets, and that goes on while the process is stopped. */
export const systemMonotonic = (): number => performance.now();

/** The machine's clock. */
export const systemClock: Clock = {
  now: steadyNow(Date.now, systemMonotonic),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, timerMsMax));
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomBytes(8).toString('hex'),
};
