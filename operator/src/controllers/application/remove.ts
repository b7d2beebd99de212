import type { Application } from '@mooring/crds';
import { plan } from '../../engine/plan/plan.ts';
import { cut } from '../../engine/summarize/summarize.ts';
import { annotation } from '../../model/annotations.ts';
import { Fault } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import type { LiveRecord } from '../../model/live.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { timestamp } from '../../model/timestamp.ts';
import { trackingName } from '../../model/tracking.ts';
import type { Propagation } from '../../world/cluster.ts';
import type { World } from '../../world/world.ts';
import { type Action, awaitChange, requeueAfter } from '../action.ts';

const cascade = 'resources-finalizer.argocd.argoproj.io';

/** The cascade finalizers, and how each deletes. */
const finalizers: Readonly<Record<string, Propagation>> = {
  [cascade]: 'foreground',
  [`${cascade}/foreground`]: 'foreground',
  [`${cascade}/background`]: 'background',
};

/**
 * Deletes what an Application left behind, wave by wave from the last, as a plan whose desired set is empty; then lets the Application go.
 * Without a cascade finalizer there is nothing to do: its objects stay.
 */
export async function remove(app: Application, world: World): Promise<Action> {
  const mine = (app.metadata.finalizers ?? []).filter((finalizer) => finalizers[finalizer] !== undefined);
  const finalizer = mine[0];
  if (finalizer === undefined) return awaitChange;
  try {
    const cluster = await world.clusters.open(world.clusters.locate(app.spec.destination).server);
    const tracked = cluster.tracked(trackingName(app, world.store.namespace));
    const left = tracked.filter((record) => verdict(record, app) === 'delete');
    if (left.length === 0 && tracked.some((record) => verdict(record, app) === 'ask')) return awaitChange;
    if (left.length > 0) {
      const changes = left.map((live) => ({ action: 'prune' as const, key: live.key, live, ignored: false }));
      const request = { prune: true, pruneConfirmed: true, run: '', skipHooks: true };
      const { tasks } = plan({ objects: [], warnings: [] }, { changes }, new Map(), request);
      const wave = tasks.filter((task) => task.wave === tasks[0]?.wave);
      await Promise.all(
        wave.map(async ({ live }) => {
          if (live !== undefined && !live.deleting) await cluster.remove(live, finalizers[finalizer] ?? 'foreground');
        }),
      );
      return awaitChange;
    }
    const kept = (app.metadata.finalizers ?? []).filter((name) => !mine.includes(name));
    await world.store.patchApplication(app, {
      metadata: { finalizers: kept.length > 0 ? kept : null, resourceVersion: app.metadata.resourceVersion },
    });
    return awaitChange;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    await tellFault(app, world, thrown);
    return thrown.code === 'object-missing' ? awaitChange : requeueAfter(operatorLimits.clusterRetryMs);
  }
}

/**
 * `Delete=false` of the object, or of the Application where the object says nothing, keeps an object when its Application goes; `Delete=confirm` holds
 * the Application until a person approves.
 */
function verdict(record: LiveRecord, app: Application): 'delete' | 'keep' | 'ask' {
  const options = syncOptionsOf(app.spec.syncPolicy?.syncOptions ?? [], record.hints);
  if (options.delete === 'no') return 'keep';
  const approved = app.metadata.annotations?.[annotation.deletionApproved] !== undefined;
  return options.delete === 'confirm' && !approved ? 'ask' : 'delete';
}

async function tellFault(app: Application, world: World, fault: Fault): Promise<void> {
  const others = (app.status?.conditions ?? []).filter(({ type }) => type !== 'DeletionError');
  const before = (app.status?.conditions ?? []).find(({ type }) => type === 'DeletionError');
  const message = cut(fault.message, operatorLimits.messageLength);
  if (before?.message !== message && fault.code !== 'object-conflict' && fault.code !== 'object-missing') {
    const condition = { type: 'DeletionError' as const, message, lastTransitionTime: timestamp(world.clock.now()) };
    try {
      await world.store.patchApplication(app, { status: { conditions: [...others, condition] } });
    } catch (thrown) {
      // The next try tells it.
      if (!(thrown instanceof Fault)) throw thrown;
      world.telemetry.log.warn({ code: thrown.code }, thrown.message);
    }
  }
}
