import { type HealthCheck, healthy } from '../check.ts';
import { byConditions } from '../rules.ts';

export const cronWorkflow: HealthCheck = byConditions(
  [{ 'SpecError=True': 'Degraded', 'SubmissionError=True': 'Degraded', 'Completed=True': 'Healthy' }],
  healthy('CronWorkflow is healthy.'),
);
