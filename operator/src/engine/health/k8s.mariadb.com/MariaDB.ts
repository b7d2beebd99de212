import { valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

export const mariaDb: HealthCheck = (object) => {
  if (valueAt(object, 'status', 'conditions') === undefined) return progressing('No status info available');
  const conditions = conditionsOf(object);
  const unmet = conditions.find(({ status }) => status === 'False');
  if (unmet === undefined) return healthy(conditions.at(-1)?.message);
  return unmet.reason === 'Failed' ? degraded(unmet.message) : progressing(unmet.message);
};
