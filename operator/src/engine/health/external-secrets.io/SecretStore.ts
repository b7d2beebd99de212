import { type HealthCheck, progressing } from '../check.ts';
import { byConditions, ready } from '../rules.ts';

export const secretStore: HealthCheck = byConditions([ready], progressing('Waiting for SecretStore'));
