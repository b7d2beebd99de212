import { numberAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionOf } from '../conditions.ts';

export const replicaSet: HealthCheck = (object) => {
  if ((object.metadata.generation ?? 0) > (numberAt(object, 'status', 'observedGeneration') ?? 0)) {
    return progressing('Waiting for rollout to finish: observed replica set generation less than desired generation');
  }
  const failure = conditionOf(object, 'ReplicaFailure');
  if (failure?.status === 'True') return degraded(failure.message);
  const wanted = numberAt(object, 'spec', 'replicas');
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  if (wanted !== undefined && available < wanted) {
    return progressing(`Waiting for rollout to finish: ${available} out of ${wanted} new replicas are available...`);
  }
  return healthy();
};
