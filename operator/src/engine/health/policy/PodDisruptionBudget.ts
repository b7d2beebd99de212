import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

/** Too few pods is no failure: budgets of single-pod workloads rest there by intent (argo-cd issue 20171). */
export const podDisruptionBudget: HealthCheck = (object) => {
  const conditions = conditionsOf(object);
  const failed = conditions.find(({ status, reason }) => status === 'False' && reason !== 'InsufficientPods');
  if (failed !== undefined) return degraded(`PodDisruptionBudget has ${failed.reason}`);
  const last = conditions.at(-1);
  return last === undefined ? progressing('Waiting for status') : healthy(`PodDisruptionBudget has ${last.reason}`);
};
