import { annotation } from '../../model/annotations.ts';
import { messageOf } from '../../model/fault.ts';
import type { LiveRecord } from '../../model/live.ts';
import { trackedName, trackingName } from '../../model/tracking.ts';
import type { Cluster } from '../../world/cluster.ts';
import type { World } from '../../world/world.ts';
import { letGo } from './held.ts';
import { serverOf } from './wake.ts';

/** Milliseconds between two looks; what was left alone at two of them in a row is let go. */
const lookMs = 30_000;

/**
 * Lets hooks go that Mooring has made and that no Application looks after any more, so that neither they nor their namespace wait for a finalizer for ever. Those of
 * an Application that goes are let go at once. Of others, as of one that went while no operator ran or that has moved to another cluster, only those that are being
 * deleted: who else deploys to that cluster may have an Application of that name. Answers how to stop.
 */
export function letGoOrphans(world: World): () => void {
  const { store, clock, clusters, leadership } = world;
  /** Uids of what was left alone at the last look. */
  let before: ReadonlySet<string> = new Set();
  let cancel: (() => void) | undefined;

  const isAlone = ({ app, deleting }: LiveRecord, { server }: Cluster): boolean => {
    if (app === undefined || !deleting) return false;
    const name = trackedName(app, store.namespace);
    const owner = store.application(name);
    return name.namespace === store.namespace && (owner === undefined || serverOf(owner, world) !== server);
  };

  const letAllGo = async (test: (record: LiveRecord, cluster: Cluster) => boolean): Promise<void> => {
    if (!leadership.leads()) return;
    try {
      for (const cluster of clusters.followed()) {
        const made = cluster.held().filter(({ hints }) => hints?.[annotation.hookRun] !== undefined);
        await letGo(
          made.filter((record) => test(record, cluster)),
          cluster,
          world,
        );
      }
    } catch (thrown) {
      // Nobody waits for this: thrown on, it would end the process.
      world.telemetry.log.error({ error: messageOf(thrown) }, 'a bug kept hooks from being let go');
    }
  };

  const look = async (): Promise<void> => {
    const alone = new Set<string>();
    await letAllGo((record, cluster) => {
      if (!isAlone(record, cluster)) return false;
      alone.add(record.uid);
      return before.has(record.uid);
    });
    before = alone;
  };

  const wait = (): void => {
    cancel = clock.after(lookMs, () => {
      wait();
      void look();
    });
  };
  wait();
  const stop = store.subscribe((change) => {
    if (change.kind !== 'Application' || store.application(change.name) !== undefined) return;
    const tracking = trackingName({ metadata: change.name }, store.namespace);
    void letAllGo(({ app }) => app === tracking);
  });
  return () => {
    stop();
    cancel?.();
  };
}
