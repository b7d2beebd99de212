import { setImmediate as nextTurn } from 'node:timers/promises';

/** Characters that are worked through before other work has its turn: some milliseconds. Counted and not timed, so that the same work pauses at the same places. */
const sliceLength = 100_000;

/** Lets other work have its turn where what was just done, or is about to be, is as long as a slice. */
export async function pauseFor(length: number): Promise<void> {
  if (length >= sliceLength) await nextTurn();
}

/**
 * Does work that pauses by itself, and lets other work have its turn in between. At each pause it says how many characters it has worked through since the last;
 * what costs time whatever its length says a few hundred more.
 */
export async function inSlices<T>(work: Generator<number, T>): Promise<T> {
  let length = 0;
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    length += value;
    if (length < sliceLength) continue;
    length = 0;
    await nextTurn();
  }
}
