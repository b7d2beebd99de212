import { type HealthCheck, healthy, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

export const clusterResourceSet: HealthCheck = byConditions(
  [{ 'ResourcesApplied=True': healthy('cluster resource set is applied'), 'ResourcesApplied=False': 'Degraded' }],
  progressing('Initializing cluster resource set'),
);
