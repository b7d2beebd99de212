import { degraded, type HealthCheck, healthy, unknown } from '../check.ts';
import { byConditions } from '../rules.ts';

export const binding: HealthCheck = byConditions(
  [
    {
      'Ready=True/SuccessfulCreateOrUpdate': healthy('RabbitMQ binding ready'),
      'Ready=False/FailedCreateOrUpdate': degraded('RabbitMQ binding failed to be created or updated'),
    },
  ],
  unknown('RabbitMQ binding status is unknown'),
);
