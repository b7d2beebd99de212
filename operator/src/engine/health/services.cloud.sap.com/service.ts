import { isJsonObject, listAt, numberAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionFrom } from '../conditions.ts';

/** Of a service instance and of its binding. */
export const sapService: HealthCheck = (object) => {
  const { generation, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined) return progressing('Resource is being deleted');
  if (valueAt(object, 'status', 'conditions') === undefined) return progressing('Waiting for status');
  for (const entry of listAt(object, 'status', 'conditions').filter(isJsonObject)) {
    const observed = numberAt(entry, 'observedGeneration');
    if (observed !== undefined && generation !== undefined && observed !== generation) {
      return progressing('Waiting for spec update to be observed');
    }
    const { type, status, message } = conditionFrom(entry);
    const hasFailed = (type === 'Succeeded' && status === 'False') || (type === 'Failed' && status === 'True');
    if (hasFailed) return degraded(message);
  }
  return healthy('Ready to use');
};
