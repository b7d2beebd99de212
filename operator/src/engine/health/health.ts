import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../model/annotations.ts';
import { hookHold } from '../../model/finalizers.ts';
import type { Health } from '../../model/health.ts';
import { groupOf } from '../../model/resource-key.ts';
import type { HealthCheck } from './check.ts';
import { checks, groupChecks } from './checks.ts';

/**
 * The health of a live object, as Argo CD 3.6 says it; undefined where its kind has no rule. One that is being deleted is Progressing, whatever its kind; but
 * a hook still says how it ended, since it may be deleted by itself when it is done (`ttlSecondsAfterFinished` of a Job).
 */
export function healthOf(object: KubeObject): Health | undefined {
  const { annotations, deletionTimestamp, finalizers } = object.metadata;
  const isHook = annotations?.[annotation.hookRun] !== undefined || finalizers?.includes(hookHold) === true;
  if (deletionTimestamp !== undefined && !isHook) {
    return { status: 'Progressing', message: 'Pending deletion' };
  }
  return checkFor(groupOf(object.apiVersion), object.kind)?.(object);
}

/** The rule of one kind alone, which doesn't look at deletion unless the kind's meaning depends on it. */
export function checkFor(group: string, kind: string): HealthCheck | undefined {
  const own = checks.get(`${group}/${kind}`);
  if (own !== undefined) return own;
  for (const [ending, check] of groupChecks) if (group.endsWith(ending)) return check;
  return undefined;
}

/** Whether objects of the kind say anything about their health: of others no status needs to be watched. */
export function hasHealthRule(group: string, kind: string): boolean {
  return checkFor(group, kind) !== undefined;
}
