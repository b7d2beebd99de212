import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

export const job: HealthCheck = (object) => {
  const conditions = conditionsOf(object);
  const failed = conditions.findLast(({ type }) => type === 'Failed');
  if (failed !== undefined) return degraded(failed.message);
  const settled = conditions.findLast(({ type }) => type === 'Complete' || type === 'Suspended');
  if (settled === undefined) return progressing();
  const isSuspended = conditions.some(({ type, status }) => type === 'Suspended' && status === 'True');
  return isSuspended ? suspended(settled.message) : healthy(settled.message);
};
