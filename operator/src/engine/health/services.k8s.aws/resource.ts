import { type HealthCheck, healthy, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

/** Every kind of the AWS Controllers for Kubernetes. */
export const awsResource: HealthCheck = byConditions(
  [{ 'ACK.Terminal=True': 'Degraded', 'Ready=False': 'Progressing', 'Ready=True': healthy() }],
  progressing('Waiting for resource to be ready'),
);
