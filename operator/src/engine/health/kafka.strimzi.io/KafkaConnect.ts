import { type HealthCheck, healthy, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

export const kafkaConnect: HealthCheck = byConditions(
  [{ 'NotReady=True': 'Degraded', 'Ready=True': healthy() }],
  progressing('Waiting for Kafka Connect'),
);
