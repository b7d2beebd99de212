import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../../world/clock.ts';

/** Milliseconds of rest after which memory is given back. */
const restMs = 5_000;

/**
 * Gives memory back once work is over. Node collects garbage only when something new is allocated: after a burst, a process at rest would keep
 * what the burst needed for hours. `workDone` counts up as work is done; the answer stops the watching.
 */
export function collectWhenIdle(workDone: () => number, clock: Clock): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'major'; execution: 'async' }) => Promise<void>;
  let seen = workDone();
  let collected = seen;
  let cancel: () => void;
  const look = (): void => {
    const now = workDone();
    if (now === seen && now !== collected) {
      collected = now;
      // It runs as a task of its own, so that no timer or request waits for the scheduling.
      void collect({ type: 'major', execution: 'async' });
    }
    seen = now;
    cancel = clock.after(restMs, look);
  };
  cancel = clock.after(restMs, look);
  return () => cancel();
}
