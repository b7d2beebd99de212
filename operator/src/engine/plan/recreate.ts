import type { DesiredObject } from '../../model/desired.ts';
import { hookRole } from '../../model/hooks.ts';
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
 * Why a hook may not be made anew in the place of a live object: another Application has that as a plain object. undefined where it may: hooks of one name, as of a
 * chart that is installed twice, take each other's place, as in Argo CD.
 */
export function hookRefusal({ key, app, hints }: LiveRecord, tracking: string): string | undefined {
  if (app === undefined || app === tracking || hookRole(hints).role === 'hook') return undefined;
  return `the hook ${keyForPeople(key)} would take the place of an object that is part of application ${app.replaceAll('_', '/')}; give the hook another name`;
}

/** Whether a hook is deleted before it is created. */
export function isMadeAnew({ hook }: DesiredObject): boolean {
  return hook?.deletePolicies.includes('BeforeHookCreation') === true;
}

/**
 * Refuses what a sync must not delete to create it anew, so that nothing of it is begun. `force` is that of the operation; definitions are written in place
 * instead, as in Argo CD.
 */
export function withoutRecreation(tasks: readonly Task[], tracking: string, force: boolean): Task[] {
  return tasks.map((task) => {
    const { action, desired, live } = task;
    if (action !== 'apply' || live === undefined || desired === undefined) return task;
    const { options } = desired;
    const isReplaced = options.replace && (force || options.force) && !definesKinds(task.key);
    const refusal = isMadeAnew(desired)
      ? hookRefusal(live, tracking)
      : isReplaced
        ? recreationRefusal(live, tracking)
        : undefined;
    return refusal === undefined ? task : { ...task, action: 'refuse', refusal };
  });
}
