import type { KubeObject } from '@mooring/renderer-contract';
import { hookOfRun } from '../../engine/plan/plan.ts';
import { hookRefusal } from '../../engine/plan/recreate.ts';
import { annotation } from '../../model/annotations.ts';
import type { DeletionPhase, DesiredSet } from '../../model/desired.ts';
import { Fault } from '../../model/fault.ts';
import type { Guard } from '../../model/guard.ts';
import { hookRole } from '../../model/hooks.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyForPeople, type ResourceKey } from '../../model/resource-key.ts';
import type { Cluster } from '../../world/cluster.ts';

/**
 * Creates the hooks of one phase that are not there yet. Answers whether all are done; a kind without a health rule is done when it is created. Throws
 * `Fault` `object-refused` where one failed: it is deleted, so that the next try creates it anew, as in Argo CD.
 */
export async function runDeletionHooks(
  phase: DeletionPhase,
  desired: DesiredSet,
  cluster: Cluster,
  { guard, tracking }: { readonly guard: Guard; readonly tracking: string },
  run: string,
): Promise<boolean> {
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
  await Promise.all(
    hooks.map(async ({ key, object, options }) => {
      const record = cluster.record(key) ?? doneOf(key, object, cluster);
      // One that a sync has left behind did not run for this deletion.
      if (record?.hints?.[annotation.hookRun] === object.metadata.annotations?.[annotation.hookRun]) return;
      const { validate } = options;
      if (record === undefined) await cluster.apply(object, { how: 'create', validate, guard });
      else await cluster.apply(object, { how: 'recreate', validate, guard, uid: record.uid });
    }),
  );
  const records = hooks
    .map(({ key, object }) => cluster.record(key) ?? doneOf(key, object, cluster))
    .filter((record) => record !== undefined);
  const failed = records.filter(({ health }) => health?.status === 'Degraded');
  if (failed.length > 0) {
    await Promise.all(failed.map((record) => cluster.remove(record, { propagation: 'background', guard })));
    const reasons = failed.map(({ key, health }) => `${keyForPeople(key)}: ${health?.message ?? ''}`);
    throw new Fault('object-refused', `${phase} hook(s) failed: ${reasons.join('; ')}`);
  }
  return records.length === hooks.length && records.every(({ health }) => (health?.status ?? 'Healthy') === 'Healthy');
}

/** A hook of this very deletion that has gone by itself when it was done; one that failed is made anew. */
function doneOf(key: ResourceKey, { metadata }: KubeObject, cluster: Cluster): LiveRecord | undefined {
  const last = cluster.lastOf(key);
  const isOfRun = last?.hints?.[annotation.hookRun] === metadata.annotations?.[annotation.hookRun];
  return isOfRun && last?.health?.status === 'Healthy' ? last : undefined;
}

/** Deletes the hooks of one phase whose delete policies say so. Answers whether they are gone. */
export async function removeDeletionHooks(
  phase: DeletionPhase,
  tracked: readonly LiveRecord[],
  cluster: Cluster,
  guard: Guard,
): Promise<boolean> {
  const doomed = tracked.filter(({ hints, health }) => {
    const found = hookRole(hints);
    if (found.role !== 'hook' || !found.hook.phases.includes(phase)) return false;
    const succeeded = (health?.status ?? 'Healthy') === 'Healthy';
    return found.hook.deletePolicies.includes(succeeded ? 'HookSucceeded' : 'HookFailed');
  });
  await Promise.all(
    doomed.map(async (record) => {
      if (!record.deleting) await cluster.remove(record, { propagation: 'background', guard });
    }),
  );
  return doomed.every(({ key }) => cluster.record(key) === undefined);
}
