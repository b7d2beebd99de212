import type { Application, ApplicationCondition } from '@mooring/crds';
import { runOfDeletion } from '../../engine/plan/hook-run.ts';
import { referencesTo } from '../../engine/plan/next.ts';
import { plan } from '../../engine/plan/plan.ts';
import { holdsOf } from '../../engine/policy/holds.ts';
import { conditionNotices } from '../../engine/summarize/notices.ts';
import { cut } from '../../engine/summarize/summarize.ts';
import { annotation, isDeletionApproved } from '../../model/annotations.ts';
import type { DeletionPhase } from '../../model/desired.ts';
import { Fault, faultRules } from '../../model/fault.ts';
import { cascadeFinalizers, hookFinalizers, ownFinalizers } from '../../model/finalizers.ts';
import { operatorLimits } from '../../model/limits.ts';
import type { LiveRecord } from '../../model/live.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { timestamp } from '../../model/timestamp.ts';
import { trackingName } from '../../model/tracking.ts';
import type { Cluster, ClusterIdentity, RemoveOptions } from '../../world/cluster.ts';
import type { World } from '../../world/world.ts';
import { type Action, awaitChange, requeueAfter } from '../action.ts';
import { guardOf, permittedBy, projectOf } from './admit.ts';
import { removeDeletionHooks, runDeletionHooks } from './deletion-hooks.ts';
import { heldLookMs, letGoHooks } from './held.ts';
import type { Memory } from './memory.ts';
import { want } from './see.ts';
import { requireSeen } from './unseen.ts';

/**
 * Brings a deletion one step further, as its finalizers say: the PreDelete hooks, then everything that the Application tracks, wave by wave from the last, then
 * the PostDelete hooks, then what the hooks' delete policies say. Each finalizer goes when its part is done; without any there is nothing to do, and the
 * objects stay. Where each step begins shows in the cluster alone, so that a restart is no special case.
 */
export async function remove(app: Application, world: World, memory: Memory): Promise<Action> {
  const mine = (app.metadata.finalizers ?? []).filter((name) => ownFinalizers.has(name));
  if (!world.leadership.leads()) return awaitChange;
  const isLetGo = await letGoHooks(app, world);
  if (mine.length === 0) return isLetGo ? awaitChange : requeueAfter(operatorLimits.clusterRetryMs);
  try {
    return await nextStep(app, mine, world, memory);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    if (faultRules[thrown.code].retry === 'lead') return awaitChange;
    await tellFault(app, world, thrown);
    return thrown.code === 'object-missing' ? awaitChange : requeueAfter(operatorLimits.clusterRetryMs);
  }
}

async function nextStep(app: Application, mine: readonly string[], world: World, memory: Memory): Promise<Action> {
  const place = locate(app, world);
  if (place === undefined) return release(app, mine, world);
  const cluster = await world.clusters.open(place.server);
  const project = projectOf(app, world);
  const held = holdsOf({ project, server: place.server, unread: world.store.settings().unread });
  if (held.length > 0) throw new Fault('write-held', held.join('; '));
  const guard = guardOf(app, place, world);
  const isPermitted = permittedBy(guard);
  const tracking = trackingName(app, world.store.namespace);
  const tracked = cluster.tracked(tracking).filter(({ key }) => isPermitted(key));
  requireSeen(
    app,
    tracked.map(({ key }) => key),
    cluster,
  );
  const runHooks = async (phase: DeletionPhase): Promise<Action> => {
    const { desired } = await want(app, world, memory);
    const come = await runDeletionHooks(phase, desired, cluster, { guard, tracking }, runOfDeletion(app));
    if (come === 'done') return release(app, [hookFinalizers[phase].run], world);
    // Nobody is told of the end of what no Application tracked.
    return come === 'leaving' ? requeueAfter(heldLookMs) : awaitChange;
  };
  if (mine.includes(hookFinalizers.PreDelete.run)) return runHooks('PreDelete');
  const cascade = mine.find((name) => cascadeFinalizers[name] !== undefined);
  if (cascade !== undefined) {
    const done = await cascadeTo(tracked, app, cluster, {
      propagation: cascadeFinalizers[cascade] ?? 'foreground',
      guard,
    });
    return done ? release(app, Object.keys(cascadeFinalizers), world) : awaitChange;
  }
  if (mine.includes(hookFinalizers.PostDelete.run)) return runHooks('PostDelete');
  for (const phase of ['PreDelete', 'PostDelete'] as const) {
    if (!mine.includes(hookFinalizers[phase].cleanUp)) continue;
    const done = await removeDeletionHooks(phase, tracked, cluster, guard);
    return done ? release(app, [hookFinalizers[phase].cleanUp], world) : awaitChange;
  }
  return awaitChange;
}

/**
 * The destination, or undefined for a cluster that nobody knows any more: as in Argo CD its Applications go then, and leave what they have there. One that is not
 * known for less than `clusterRetryMs` may be about to get another Secret.
 */
function locate(app: Application, world: World): ClusterIdentity | undefined {
  try {
    return world.clusters.locate(app.spec.destination);
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'cluster-unknown' || thrown.data['found'] !== 0) throw thrown;
    const told = deletionError(app);
    const since = world.clock.now() - Date.parse(told?.lastTransitionTime ?? '');
    if (told?.message !== cut(thrown.message, operatorLimits.messageLength)) throw thrown;
    if (since < operatorLimits.clusterRetryMs) throw thrown;
    world.telemetry.log.warn({}, `${thrown.message}; the Application goes, and leaves there what it has`);
    return undefined;
  }
}

function deletionError(app: Application): ApplicationCondition | undefined {
  return app.status?.conditions?.find(({ type }) => type === 'DeletionError');
}

/** Deletes the last wave of what is left, as a plan whose desired set is empty. Answers whether nothing is left. */
async function cascadeTo(
  tracked: readonly LiveRecord[],
  app: Application,
  cluster: Cluster,
  how: RemoveOptions,
): Promise<boolean> {
  // An Application that manages itself is gone when this is done: it cannot wait for itself.
  const others = tracked.filter(({ uid }) => uid !== app.metadata.uid);
  const left = others.filter((record) => isToGo(record, app));
  if (left.length === 0) return true;
  const asking = left.filter((record) => !record.deleting && asksFirst(record, app));
  if (asking.length > 0) throw unapproved(asking);
  const changes = left.map((live) => ({ action: 'prune' as const, key: live.key, live, ignored: false }));
  const request = { prune: true, pruneConfirmed: true, run: '', skipHooks: true };
  const { tasks } = plan({ objects: [], warnings: [] }, { changes }, new Map(), request);
  const wave = tasks.filter((task) => task.wave === tasks[0]?.wave);
  await Promise.all(
    wave.map(async ({ live }) => {
      if (live !== undefined && !live.deleting) await cluster.remove(live, how);
    }),
  );
  return false;
}

/** Takes finalizers away; looks again at once where others of Mooring's are left. */
async function release(app: Application, done: readonly string[], world: World): Promise<Action> {
  const kept = (app.metadata.finalizers ?? []).filter((name) => !done.includes(name));
  await world.store.patchApplication(app, {
    metadata: { finalizers: kept.length > 0 ? kept : null },
  });
  return kept.some((name) => ownFinalizers.has(name)) ? requeueAfter(0) : awaitChange;
}

/** `Delete=false` of the object, or of the Application where the object says nothing, keeps an object when its Application goes. */
function isToGo(record: LiveRecord, app: Application): boolean {
  return syncOptionsOf(app.spec.syncPolicy?.syncOptions ?? [], record.hints).delete !== 'no';
}

/** `Delete=confirm` holds an object until a person has approved this very deletion. */
function asksFirst(record: LiveRecord, app: Application): boolean {
  const options = syncOptionsOf(app.spec.syncPolicy?.syncOptions ?? [], record.hints);
  const since = Date.parse(app.metadata.deletionTimestamp ?? '');
  return options.delete === 'confirm' && !isDeletionApproved(app.metadata.annotations, since);
}

/** As in Argo CD nothing at all is deleted while one object asks. */
function unapproved(asking: readonly LiveRecord[]): Fault {
  const names = referencesTo(asking.map(({ key }) => key));
  return new Fault(
    'object-refused',
    `nothing is deleted before a person approves, since Delete=confirm asks for that at ${names}; to approve, annotate the Application with ${annotation.deletionApproved}, the time now in RFC 3339`,
  );
}

/** Shows what stands in the way of a deletion, and tells it each time that it does: the same Event is counted. */
async function tellFault(app: Application, world: World, fault: Fault): Promise<void> {
  if (fault.code === 'object-conflict' || fault.code === 'object-missing') return;
  const others = (app.status?.conditions ?? []).filter(({ type }) => type !== 'DeletionError');
  const message = cut(fault.message, operatorLimits.messageLength);
  const condition = { type: 'DeletionError' as const, message, lastTransitionTime: timestamp(world.clock.now()) };
  try {
    if (deletionError(app)?.message !== message)
      await world.store.patchApplication(app, { status: { conditions: [...others, condition] } });
  } catch (thrown) {
    // The next try tells it.
    if (!(thrown instanceof Fault)) throw thrown;
    world.telemetry.log.warn({ code: thrown.code }, thrown.message);
    return;
  }
  for (const notice of conditionNotices([condition])) world.notifier.notify(app, notice);
}
