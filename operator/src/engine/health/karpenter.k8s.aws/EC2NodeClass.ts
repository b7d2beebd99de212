import { type HealthCheck, healthy, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

export const ec2NodeClass: HealthCheck = byConditions(
  [{ 'Ready=False': 'Degraded', 'Ready=True': healthy('EC2NodeClass is ready') }],
  progressing('Waiting for EC2NodeClass to be ready'),
);
