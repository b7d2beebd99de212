import PQueue from 'p-queue';
import type { Clock } from '../../world/clock.ts';

/** Gives the renders of one engine their turns, so that none that takes long, or never ends, keeps the quick ones waiting. */
export interface Turns {
  /**
   * Runs a render when its turn has come; `run` is called with a signal that may ask it to stop, and then once more. `isSlow`: whether the last one like it was
   * ended by a limit; then it waits for the slow place from the start, behind those that were not.
   */
  take<T>(run: (signal: AbortSignal) => Promise<T>, isSlow: boolean): Promise<T>;
}

type Turn<T> =
  | { readonly end: 'done'; readonly result: T }
  /** It goes on in the slow place. */
  | { readonly end: 'moved'; readonly running: Promise<T> }
  /** It was stopped, and is to begin anew in the slow place. */
  | { readonly end: 'stopped' };

const priority = { slow: 0, stopped: 1 } as const;

/**
 * Each engine has a quick place, and all of them together a slow one. A render that is still under way after `sliceMs` moves to the slow place and leaves the quick
 * one to the next. Where the slow place is taken it goes on as long as nobody waits; else it is stopped, and begins anew when the slow place is free. No more than
 * `atOnce` renders run at the same time, whatever place they have: each may take all the memory that an engine may. The answer makes the turns of one engine.
 */
export function createTurns(clock: Clock, sliceMs: number, atOnce: number): () => Turns {
  const slow = new PQueue({ concurrency: 1 });
  const running = new PQueue({ concurrency: atOnce });
  const never = new AbortController().signal;

  /** Waits until one more may run; the answer is called when it has ended. */
  const begin = (): Promise<() => void> =>
    new Promise((begun) => void running.add(() => new Promise<void>((ended) => begun(ended))));

  const takeSlow = <T>(run: (signal: AbortSignal) => Promise<T>, rank: number): Promise<T> =>
    slow.add(
      async () => {
        const end = await begin();
        return run(never).finally(end);
      },
      { priority: rank },
    );

  async function quickTurn<T>(run: (signal: AbortSignal) => Promise<T>, quick: PQueue): Promise<Turn<T>> {
    const end = await begin();
    const stop = new AbortController();
    const rendering = run(stop.signal).finally(end);
    const done = rendering.then((result) => ({ end: 'done', result }) as const);
    // Whoever asked hears of a failure by the turn that it ends.
    done.catch(() => {});
    for (;;) {
      const slice = Promise.withResolvers<'over'>();
      const cancel = clock.after(sliceMs, () => slice.resolve('over'));
      const first = await Promise.race([done, slice.promise]).finally(cancel);
      if (first !== 'over') return first;
      if (slow.size + slow.pending === 0) {
        void slow.add(() =>
          rendering.then(
            () => {},
            () => {},
          ),
        );
        return { end: 'moved', running: rendering };
      }
      if (quick.size + running.size === 0) continue;
      stop.abort(new Error('others wait'));
      await rendering.catch(() => {});
      return { end: 'stopped' };
    }
  }

  return () => {
    const quick = new PQueue({ concurrency: 1 });
    return {
      async take(run, isSlow) {
        if (isSlow) return takeSlow(run, priority.slow);
        const turn = await quick.add(() => quickTurn(run, quick));
        if (turn.end === 'done') return turn.result;
        if (turn.end === 'moved') return turn.running;
        return takeSlow(run, priority.stopped);
      },
    };
  };
}
