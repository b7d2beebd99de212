import { numberAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

export const machineHealthCheck: HealthCheck = (object) => {
  const current = numberAt(object, 'status', 'currentHealthy');
  if (current === undefined) return progressing();
  return numberAt(object, 'status', 'expectedMachines') === current ? healthy() : degraded();
};
