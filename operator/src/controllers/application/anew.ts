import { trackingName } from '../../model/tracking.ts';
import type { World } from '../../world/world.ts';
import { applicationKey, nameOf } from './wake.ts';

/** Shortest wait between two turns; where many are due, one turn takes several. */
const turnMs = 1_000;

/**
 * Has every Application looked at anew once in `timeout.reconciliation`, one after the other at even distances: those of which an object has changed since it was
 * compared, in whatever, are handed to `look`. Of the others the cluster holds the very objects that were compared, so that a look would find the same, and asking
 * costs no more than a few look-ups. Answers how to stop.
 */
export function lookAnew(world: World, look: (key: string) => void): () => void {
  const { store, clock, random, clusters } = world;
  /** Who comes first. */
  const turns = new Set(store.applications().map(applicationKey));
  let due = 0;
  let cancel: (() => void) | undefined;

  const turn = (): void => {
    cancel = undefined;
    for (const key of turns) {
      if (due < 1) break;
      due -= 1;
      turns.delete(key);
      turns.add(key);
      if (clusters.isOutdated(trackingName({ metadata: nameOf(key) }, store.namespace))) look(key);
    }
    wait();
  };

  const wait = (): void => {
    const { pollIntervalMs, pollJitterMs } = store.settings();
    if (cancel !== undefined || turns.size === 0 || pollIntervalMs <= 0) return;
    const eachMs = (pollIntervalMs + random.next() * pollJitterMs) / turns.size;
    const waitMs = Math.max(turnMs, eachMs);
    cancel = clock.after(waitMs, () => {
      due = Math.min(turns.size, due + waitMs / eachMs);
      turn();
    });
  };

  const stop = store.subscribe((change) => {
    if (change.kind === 'Application') {
      const key = `${change.name.namespace}/${change.name.name}`;
      if (store.application(change.name) === undefined) turns.delete(key);
      else turns.add(key);
    }
    wait();
  });
  wait();
  return () => {
    stop();
    cancel?.();
  };
}
