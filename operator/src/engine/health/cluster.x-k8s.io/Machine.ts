import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

export const machine: HealthCheck = (object) => {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Running') return healthy('Machine is running');
  const unready = conditionsOf(object).find(({ type, status }) => type === 'Ready' && status === 'False');
  const message = unready?.message ?? 'Condition is unknown';
  return phase === 'Failed' ? degraded(message) : progressing(message);
};
