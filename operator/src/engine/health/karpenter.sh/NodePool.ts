import { type HealthCheck, progressing } from '../check.ts';
import { byConditions, ready } from '../rules.ts';

export const nodePool: HealthCheck = byConditions([ready], progressing('Waiting for NodePool to be ready'));
