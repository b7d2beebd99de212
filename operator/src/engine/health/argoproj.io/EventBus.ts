import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionOf } from '../conditions.ts';

export const eventBus: HealthCheck = (object) => {
  const deployed = conditionOf(object, 'Deployed');
  if (deployed?.status === 'False') return degraded(deployed.message || deployed.reason);
  if (deployed?.status === 'True') return healthy(deployed.message || deployed.reason);
  return progressing('Waiting for initialization');
};
