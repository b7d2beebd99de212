import { degraded, type HealthCheck, healthy, unknown } from '../check.ts';
import { byConditions } from '../rules.ts';

export const exchange: HealthCheck = byConditions(
  [
    {
      'Ready=True/SuccessfulCreateOrUpdate': healthy('RabbitMQ exchange ready'),
      'Ready=False/FailedCreateOrUpdate': degraded('RabbitMQ exchange failed to be created or updated'),
    },
  ],
  unknown('RabbitMQ exchange status is unknown'),
);
