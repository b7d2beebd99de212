import { hookOfRun, isOfRun } from '../../engine/plan/hook-run.ts';
import { hookRefusal } from '../../engine/plan/recreate.ts';
import type { DeletionPhase, DesiredObject, DesiredSet } from '../../model/desired.ts';
import { Fault } from '../../model/fault.ts';
import type { Guard } from '../../model/guard.ts';
import { hookRole } from '../../model/hooks.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyForPeople } from '../../model/resource-key.ts';
import type { Cluster } from '../../world/cluster.ts';
import { heldBy, isHeldByOthers } from './held.ts';

/** How far the hooks of a phase have come: `leaving` where those of an earlier run must go first. */
export type HookProgress = 'done' | 'running' | 'leaving';

/**
 * Creates the hooks of one phase that are not there yet, once what an earlier run has left of them is gone. A kind without a health rule is done when it is created.
 * Throws `Fault` `object-refused` where one failed: it is deleted, so that the next try creates it anew, as in Argo CD; and where somebody holds one of an earlier run.
 */
export async function runDeletionHooks(
  phase: DeletionPhase,
  desired: DesiredSet,
  cluster: Cluster,
  { guard, tracking }: { readonly guard: Guard; readonly tracking: string },
  run: string,
): Promise<HookProgress> {
  const hooks = desired.objects
    .filter(({ hook }) => hook?.phases.includes(phase))
    .map((hook) => hookOfRun(hook, phase, run));
  const forbidden = hooks.find((hook) => hook.forbidden !== undefined)?.forbidden;
  if (forbidden !== undefined) throw new Fault('object-refused', `${phase} hook: ${forbidden}`);
  const refusals = hooks.map(({ key }) => {
    const record = cluster.record(key);
    return record && hookRefusal(record, tracking);
  });
  const refused = refusals.find((refusal) => refusal !== undefined);
  if (refused !== undefined) throw new Fault('object-refused', `${phase} hook: ${refused}`);
  if (await makeWay(phase, hooks, cluster, guard)) return 'leaving';
  await Promise.all(
    hooks.map(async (hook) => {
      if (recordOf(hook, cluster) === undefined)
        await cluster.apply(hook.object, { how: 'create', validate: hook.options.validate, guard });
    }),
  );
  const records = hooks.map((hook) => recordOf(hook, cluster)).filter((record) => record !== undefined);
  const failed = records.filter(hasFailed);
  if (failed.length > 0) {
    await Promise.all(failed.map((record) => cluster.remove(record, { propagation: 'background', guard })));
    const reasons = failed.map(
      ({ key, health, deleting }) =>
        `${keyForPeople(key)}: ${deleting && health?.status !== 'Degraded' ? 'it was deleted before it was done' : (health?.message ?? '')}`,
    );
    throw new Fault('object-refused', `${phase} hook(s) failed: ${reasons.join('; ')}`);
  }
  return records.length === hooks.length && records.every(isDone) ? 'done' : 'running';
}

/** Deletes what did not run for this deletion: what a sync has left behind, and hooks of an earlier deletion. Answers whether something is still on its way. */
async function makeWay(
  phase: DeletionPhase,
  hooks: readonly DesiredObject[],
  cluster: Cluster,
  guard: Guard,
): Promise<boolean> {
  const earlier = hooks.flatMap((hook) => {
    const record = cluster.record(hook.key);
    return record === undefined || isOfRun(record, hook) ? [] : [record];
  });
  const held = earlier.filter(({ deleting }) => deleting);
  await Promise.all(
    earlier.map(async (record) => {
      if (!record.deleting || record.isHeld) await cluster.remove(record, { propagation: 'foreground', guard });
    }),
  );
  const left = held.filter(({ key }) => cluster.record(key) !== undefined);
  // What only takes its moment is nothing to tell of.
  if (left.length > 0 && (await isHeldByOthers(left, cluster)))
    throw new Fault('object-refused', `${phase} hook: ${await heldBy(left, cluster)}`);
  return earlier.some(({ key }) => cluster.record(key) !== undefined);
}

/** The hook of this very deletion, also one that nothing held and that has gone by itself when it was done; one that failed is made anew. */
function recordOf(hook: DesiredObject, cluster: Cluster): LiveRecord | undefined {
  const record = cluster.record(hook.key);
  if (record !== undefined) return record;
  const last = cluster.lastOf(hook.key);
  return isOfRun(last, hook) && last?.health?.status === 'Healthy' ? last : undefined;
}

function isDone({ health }: LiveRecord): boolean {
  return (health?.status ?? 'Healthy') === 'Healthy';
}

/** One that is being deleted may never come to an end. */
function hasFailed(record: LiveRecord): boolean {
  return record.health?.status === 'Degraded' || (record.deleting && !isDone(record));
}

/** Deletes the hooks of one phase whose delete policies say so. Answers whether they are gone. */
export async function removeDeletionHooks(
  phase: DeletionPhase,
  tracked: readonly LiveRecord[],
  cluster: Cluster,
  guard: Guard,
): Promise<boolean> {
  const doomed = tracked.filter((record) => {
    const found = hookRole(record.hints);
    if (found.role !== 'hook' || !found.hook.phases.includes(phase)) return false;
    return found.hook.deletePolicies.includes(isDone(record) ? 'HookSucceeded' : 'HookFailed');
  });
  await Promise.all(
    doomed.map(async (record) => {
      if (!record.deleting) await cluster.remove(record, { propagation: 'background', guard });
    }),
  );
  return doomed.every(({ key }) => cluster.record(key) === undefined);
}
