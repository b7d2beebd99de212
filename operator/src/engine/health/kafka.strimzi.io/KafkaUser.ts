import { type HealthCheck, healthy, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

export const kafkaUser: HealthCheck = byConditions(
  [{ 'NotReady=True': 'Degraded', 'Ready=True': healthy() }],
  progressing('Waiting for Kafka User'),
);
