import { type HealthCheck, progressing } from '../check.ts';
import { byConditions, ready } from '../rules.ts';

export const pushSecret: HealthCheck = byConditions([ready], progressing('Waiting for PushSecret'));
