import { numberAt, objectAt, textAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing } from '../check.ts';

export const statefulSet: HealthCheck = (object) => {
  const observed = numberAt(object, 'status', 'observedGeneration') ?? 0;
  if (observed === 0 || (object.metadata.generation ?? 0) > observed) {
    return progressing('Waiting for statefulset spec update to be observed...');
  }
  const wanted = numberAt(object, 'spec', 'replicas');
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const current = numberAt(object, 'status', 'currentReplicas') ?? 0;
  const updateRevision = textAt(object, 'status', 'updateRevision') ?? '';
  const currentRevision = textAt(object, 'status', 'currentRevision') ?? '';
  if (wanted !== undefined && ready < wanted) return progressing(`Waiting for ${wanted - ready} pods to be ready...`);
  const strategy = textAt(object, 'spec', 'updateStrategy', 'type');
  const rolling = objectAt(object, 'spec', 'updateStrategy', 'rollingUpdate');
  if (strategy === 'RollingUpdate' && rolling !== undefined) {
    const partition = numberAt(rolling, 'partition');
    if (wanted !== undefined && partition !== undefined && updated < wanted - partition) {
      return progressing(
        `Waiting for partitioned roll out to finish: ${updated} out of ${wanted - partition} new pods have been updated...`,
      );
    }
    return healthy(`partitioned roll out complete: ${updated} new pods have been updated...`);
  }
  if (strategy === 'OnDelete') return healthy(`statefulset has ${ready} ready pods`);
  if (updateRevision !== currentRevision) {
    return progressing(
      `waiting for statefulset rolling update to complete ${updated} pods at revision ${updateRevision}...`,
    );
  }
  return healthy(`statefulset rolling update complete ${current} pods at revision ${currentRevision}...`);
};
