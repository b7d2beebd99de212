import { isJsonObject, listAt, numberAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionFrom } from '../conditions.ts';

export const gatewayClass: HealthCheck = (object) => {
  const { generation } = object.metadata;
  for (const entry of listAt(object, 'status', 'conditions').filter(isJsonObject)) {
    const { type, status, message } = conditionFrom(entry);
    const observed = numberAt(entry, 'observedGeneration');
    const isOld = generation !== undefined && observed !== undefined && observed !== generation;
    if (type !== 'Accepted' || isOld) continue;
    if (status === 'True') return healthy(message || 'GatewayClass is accepted');
    if (status === 'False') return degraded(message || 'GatewayClass is not accepted');
    return progressing(message || 'Waiting for GatewayClass status');
  }
  return progressing('Waiting for GatewayClass status');
};
