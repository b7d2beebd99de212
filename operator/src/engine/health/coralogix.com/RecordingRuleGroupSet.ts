import { type HealthCheck, healthy, progressing } from '../check.ts';
import { byConditions } from '../rules.ts';

export const recordingRuleGroupSet: HealthCheck = byConditions(
  [{ 'RemoteSynced=True': healthy('Resource is ready'), 'RemoteSynced=False': 'Degraded' }],
  progressing('Waiting for status to be updated'),
);
