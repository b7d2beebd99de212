import { degraded, type HealthCheck, healthy, unknown } from '../check.ts';
import { byConditions } from '../rules.ts';

export const shovel: HealthCheck = byConditions(
  [
    {
      'Ready=True/SuccessfulCreateOrUpdate': healthy('RabbitMQ shovel ready'),
      'Ready=False/FailedCreateOrUpdate': degraded('RabbitMQ shovel failed to be created or updated'),
    },
  ],
  unknown('RabbitMQ shovel status is unknown'),
);
