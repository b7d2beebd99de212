import { numberAt, textAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing } from '../check.ts';

export const daemonSet: HealthCheck = (object) => {
  if ((object.metadata.generation ?? 0) > (numberAt(object, 'status', 'observedGeneration') ?? 0)) {
    return progressing('Waiting for rollout to finish: observed daemon set generation less than desired generation');
  }
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled') ?? 0;
  const updated = numberAt(object, 'status', 'updatedNumberScheduled') ?? 0;
  const available = numberAt(object, 'status', 'numberAvailable') ?? 0;
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return healthy(`daemon set ${updated} out of ${wanted} new pods have been updated`);
  }
  const waiting = `Waiting for daemon set "${object.metadata.name}" rollout to finish:`;
  if (updated < wanted) return progressing(`${waiting} ${updated} out of ${wanted} new pods have been updated...`);
  if (available < wanted) return progressing(`${waiting} ${available} of ${wanted} updated pods are available...`);
  return healthy();
};
