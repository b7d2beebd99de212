import { valueAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing, suspended } from '../check.ts';

export const execHook: HealthCheck = (object) => {
  const enabled = valueAt(object, 'spec', 'enabled');
  if (enabled === true) return healthy('ExecHook enabled');
  return enabled === false ? suspended('ExecHook disabled') : progressing('No status available');
};
