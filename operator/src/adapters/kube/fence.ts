import { Fault } from '../../model/fault.ts';
import type { Clock } from '../../world/clock.ts';

/** Stands before every write to every cluster. */
export interface Fence {
  /**
   * Called when the bytes of a write are about to be handed to their socket. Throws `Fault` `not-leading` where this replica must not write any more;
   * else the answer is to be called when the write has come to its end.
   */
  begin(): () => void;
}

/** A fence of which the owner can tell whether writes are under way. */
export interface WatchedFence extends Fence {
  /** Waits until no write is under way, at most `withinMs`. */
  idle(withinMs: number): Promise<void>;
}

/** A fence that lets writes through while `leads` says so. */
export function createFence(leads: () => boolean, clock: Clock): WatchedFence {
  let underWay = 0;
  const waiting = new Set<() => void>();
  return {
    begin() {
      if (!leads())
        throw new Fault('not-leading', 'this replica does not lead: what it was about to write is left out');
      underWay += 1;
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        underWay -= 1;
        if (underWay > 0) return;
        for (const resolve of waiting) resolve();
        waiting.clear();
      };
    },
    async idle(withinMs) {
      if (underWay === 0) return;
      const ended = Promise.withResolvers<void>();
      waiting.add(ended.resolve);
      const cancel = clock.after(withinMs, ended.resolve);
      await ended.promise;
      cancel();
    },
  };
}
