import { numberAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { conditionOf } from '../conditions.ts';

export const deployment: HealthCheck = (object) => {
  if (valueAt(object, 'spec', 'paused') === true) return suspended('Deployment is paused');
  if ((object.metadata.generation ?? 0) > (numberAt(object, 'status', 'observedGeneration') ?? 0)) {
    return progressing('Waiting for rollout to finish: observed deployment generation less than desired generation');
  }
  if (conditionOf(object, 'Progressing')?.reason === 'ProgressDeadlineExceeded') {
    return degraded(`Deployment "${object.metadata.name}" exceeded its progress deadline`);
  }
  const wanted = numberAt(object, 'spec', 'replicas');
  const total = numberAt(object, 'status', 'replicas') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  if (wanted !== undefined && updated < wanted) {
    return progressing(`Waiting for rollout to finish: ${updated} out of ${wanted} new replicas have been updated...`);
  }
  if (total > updated) {
    return progressing(`Waiting for rollout to finish: ${total - updated} old replicas are pending termination...`);
  }
  if (available < updated) {
    return progressing(`Waiting for rollout to finish: ${available} of ${updated} updated replicas are available...`);
  }
  return healthy();
};
