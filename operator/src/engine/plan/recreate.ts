import type { LiveRecord } from '../../model/live.ts';
import type { Task } from '../../model/plan.ts';
import { definesKinds, isNamespace, keyForPeople } from '../../model/resource-key.ts';

/**
 * Why an object may not be deleted to be created anew: a Namespace goes with everything in it, a definition with every object of its kind, and what another
 * Application tracks is not this one's to delete. undefined where it may. `tracking` names the Application in tracking ids.
 */
export function recreationRefusal({ key, app }: LiveRecord, tracking: string): string | undefined {
  const way = `Force=true with Replace=true would delete ${keyForPeople(key)}`;
  const advice = 'set Replace=false in its argocd.argoproj.io/sync-options, or sync without force';
  if (isNamespace(key)) return `${way} and everything in it; ${advice}`;
  if (definesKinds(key)) return `${way} and every object of its kind; ${advice}`;
  if (app === undefined || app === tracking) return undefined;
  return `${way}, which is part of application ${app.replaceAll('_', '/')}; ${advice}, or take it out of one of the two`;
}

/**
 * Refuses what a sync with `Force` and `Replace` must not delete, so that nothing of it is begun. `force` is that of the operation; definitions are written in
 * place instead, as in Argo CD.
 */
export function withoutRecreation(tasks: readonly Task[], tracking: string, force: boolean): Task[] {
  return tasks.map((task) => {
    const { action, desired, isHook, live } = task;
    if (action !== 'apply' || isHook || live === undefined || desired === undefined) return task;
    if (!desired.options.replace || !(force || desired.options.force) || definesKinds(task.key)) return task;
    const refusal = recreationRefusal(live, tracking);
    return refusal === undefined ? task : { ...task, action: 'refuse', refusal };
  });
}
