import { type HealthCheck, progressing } from '../check.ts';
import { byConditions, ready } from '../rules.ts';

export const certificate: HealthCheck = byConditions(
  [{ 'Issuing=True': 'Progressing' }, ready],
  progressing('Waiting for certificate'),
);
