import { listAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing } from '../check.ts';

export const ingress: HealthCheck = (object) =>
  listAt(object, 'status', 'loadBalancer', 'ingress').length > 0 ? healthy() : progressing();
