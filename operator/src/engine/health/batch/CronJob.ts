import { listAt, objectAt, textAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

/** A CronJob that has not failed for sure is Healthy: its status does not tell a missed run from one that was never due. */
export const cronJob: HealthCheck = (object) => {
  if (valueAt(object, 'spec', 'suspend') === true) return healthy('CronJob is Suspended');
  if (objectAt(object, 'status') === undefined) return progressing('Waiting for CronJob');
  const scheduled = textAt(object, 'status', 'lastScheduleTime');
  const succeeded = textAt(object, 'status', 'lastSuccessfulTime');
  if (scheduled === undefined) return healthy('CronJob has not been scheduled yet');
  if (succeeded === undefined) return healthy('The CronJob never completed successfully. It may not be healthy');
  if (listAt(object, 'status', 'active').length > 0) {
    return healthy('The job is running. Its last execution may not have been successful');
  }
  if (succeeded < scheduled) return degraded('CronJob has not completed its last execution successfully');
  return healthy('CronJob has completed its last execution successfully');
};
