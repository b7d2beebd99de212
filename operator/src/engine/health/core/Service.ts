import { listAt, textAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing } from '../check.ts';

export const service: HealthCheck = (object) => {
  if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return healthy();
  return listAt(object, 'status', 'loadBalancer', 'ingress').length > 0 ? healthy() : progressing();
};
