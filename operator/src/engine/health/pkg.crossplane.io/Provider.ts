import { valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionOf } from '../conditions.ts';

export const crossplaneProvider: HealthCheck = (object) => {
  if (valueAt(object, 'status', 'conditions') === undefined) return progressing('Waiting for provider to be installed');
  const installed = conditionOf(object, 'Installed');
  const well = conditionOf(object, 'Healthy');
  const message = `${installed?.reason ?? ''} ${well?.reason ?? ''}`;
  return installed?.status === 'True' && well?.status === 'True' ? healthy(message) : degraded(message);
};
