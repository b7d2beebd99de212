import type { Application } from '@mooring/crds';
import { isAwaited } from '../../engine/plan/hook-run.ts';
import { referencesTo } from '../../engine/plan/next.ts';
import { Fault, faultRules } from '../../model/fault.ts';
import { hookHold } from '../../model/finalizers.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyForPeople } from '../../model/resource-key.ts';
import { trackingName } from '../../model/tracking.ts';
import type { Cluster } from '../../world/cluster.ts';
import type { World } from '../../world/world.ts';
import { guardOf, permittedBy } from './admit.ts';
import { serverOf } from './wake.ts';

/** Milliseconds after which hooks that are held are looked at again, also where nobody has told of a change. */
export const heldLookMs = 5_000;

/** Finalizers of Kubernetes itself, which are gone in a moment. */
const passing: ReadonlySet<string> = new Set(['foregroundDeletion', 'orphan']);

/** What is said where hooks of an earlier run must go, and of whoever holds them. */
export async function heldBy(hooks: readonly LiveRecord[], cluster: Cluster): Promise<string> {
  const finalizers = (await finalizersOf(hooks[0], cluster)).filter((name) => !passing.has(name));
  const by = finalizers.length === 0 ? '' : `, held by ${finalizers.join(', ')},`;
  const names = referencesTo(
    hooks.map(({ key }) => key),
    'hooks',
  );
  return `waiting for deletion of an earlier run's hook${by} to run it anew: ${names}`;
}

/** Whether somebody's finalizer holds any of the hooks that are to go. */
export async function isHeldByOthers(hooks: readonly LiveRecord[], cluster: Cluster): Promise<boolean> {
  const all = await Promise.all(hooks.map((hook) => finalizersOf(hook, cluster)));
  return all.flat().some((name) => !passing.has(name));
}

async function finalizersOf(hook: LiveRecord | undefined, cluster: Cluster): Promise<readonly string[]> {
  const object = hook && (await cluster.get(hook.key, hook.apiVersion));
  return object?.metadata.finalizers ?? [];
}

/**
 * Lets those hooks of an Application go that are held and need not be: `app` is as it is stored, so that a restart at any moment knows what became of a hook that
 * went. What the project forbids is left alone, until it is being deleted: nothing is to wait for a finalizer of Mooring's. Answers whether that could be done.
 */
export async function letGoHooks(app: Application, world: World): Promise<boolean> {
  const server = serverOf(app, world);
  const cluster = world.clusters.followed().find((each) => each.server === server);
  if (cluster === undefined || !world.leadership.leads()) return true;
  const tracking = trackingName(app, world.store.namespace);
  const held = cluster.held().filter((record) => record.app === tracking && !isAwaited(record, app));
  if (held.length === 0) return true;
  const isPermitted = permittedBy(guardOf(app, world.clusters.locate(app.spec.destination), world));
  return letGo(
    held.filter(({ key, deleting }) => deleting || isPermitted(key)),
    cluster,
    world,
  );
}

/** Lets hooks go one after the other, and tells of those that could not be. Answers whether all could. */
export async function letGo(hooks: readonly LiveRecord[], cluster: Cluster, world: World): Promise<boolean> {
  let isDone = true;
  for (const hook of hooks) {
    try {
      await cluster.letGo(hook);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      if (faultRules[thrown.code].retry === 'lead') return true;
      isDone = false;
      const fields = { code: thrown.code, server: cluster.server, error: thrown.message };
      world.telemetry.log.warn(fields, `${keyForPeople(hook.key)} keeps the finalizer ${hookHold} for now`);
    }
  }
  return isDone;
}
