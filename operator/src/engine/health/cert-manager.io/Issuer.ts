import { type HealthCheck, progressing } from '../check.ts';
import { byConditions, ready } from '../rules.ts';

export const issuer: HealthCheck = byConditions([ready], progressing('Initializing issuer'));
