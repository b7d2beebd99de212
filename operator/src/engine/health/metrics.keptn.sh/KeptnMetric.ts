import { textAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

export const keptnMetric: HealthCheck = (object) => {
  if ((textAt(object, 'status', 'errMsg') ?? '') !== '') return degraded('KeptnMetric is degraded');
  const measured = valueAt(object, 'status', 'value') !== undefined;
  return measured ? healthy('KeptnMetric is healthy') : progressing('KeptnMetric is progressing');
};
