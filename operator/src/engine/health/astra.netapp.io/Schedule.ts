import { textAt } from '../../../model/json.ts';
import { type HealthCheck, healthy } from '../check.ts';

export const astraSchedule: HealthCheck = (object) => {
  const last = textAt(object, 'status', 'lastScheduleTime');
  return healthy(
    last === undefined ? 'Protection policy not yet executed' : `Protection policy lastScheduleTime: ${last}`,
  );
};
