import { objectAt, textAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

/** Of a snapshot and of its content. */
export const volumeSnapshot: HealthCheck = (object) => {
  if (valueAt(object, 'status', 'readyToUse') === true) return healthy('Ready to use');
  const failed = objectAt(object, 'status', 'error') !== undefined;
  return failed ? degraded(textAt(object, 'status', 'error', 'message')) : progressing('Waiting for status');
};
