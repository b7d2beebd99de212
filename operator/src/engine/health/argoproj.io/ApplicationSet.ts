import { type HealthCheck, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

export const applicationSet: HealthCheck = byConditions(
  [
    { 'ErrorOccurred=True': 'Degraded' },
    { 'ResourcesUpToDate=False': 'Degraded' },
    { 'RolloutProgressing=True': 'Progressing' },
    { 'ResourcesUpToDate=True': 'Healthy' },
  ],
  progressing('Waiting for the status to be reported'),
);
