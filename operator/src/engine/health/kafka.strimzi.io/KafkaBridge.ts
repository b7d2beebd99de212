import { type HealthCheck, healthy, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

export const kafkaBridge: HealthCheck = byConditions(
  [{ 'NotReady=True': 'Degraded', 'Ready=True': healthy() }],
  progressing('Waiting for KafkaBridge'),
);
