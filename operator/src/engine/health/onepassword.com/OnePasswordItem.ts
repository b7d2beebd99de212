import { type HealthCheck, progressing } from '../check.ts';
import { byConditions, ready } from '../rules.ts';

export const onePasswordItem: HealthCheck = byConditions(
  [ready],
  progressing('Waiting for controller to report status'),
);
