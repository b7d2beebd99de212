import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

/** The last condition is the one that counts. */
export const clusterExternalSecret: HealthCheck = (object) => {
  const last = conditionsOf(object).at(-1);
  if (last?.status === 'True' && last.type === 'Ready') return healthy(last.message);
  if (last?.status === 'True' && ['PartiallyReady', 'NotReady'].includes(last.type)) return degraded(last.message);
  return progressing('Waiting for ClusterExternalSecret');
};
