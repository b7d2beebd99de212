import { isJsonObject, textAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';

/** Every kind of Gloo's has a state, as a name or a number: one a namespace, and formerly one in all. The first that is settled counts. */
export const glooState: HealthCheck = (object) => {
  const statuses = valueAt(object, 'status', 'statuses');
  const all = isJsonObject(statuses) ? Object.values(statuses) : Array.isArray(statuses) ? statuses : [];
  for (const status of [...all, valueAt(object, 'status')]) {
    const health = healthOfState(status);
    if (health !== undefined) return health;
  }
  return progressing('Update in progress');
};

function healthOfState(status: unknown): ReturnType<HealthCheck> {
  switch (valueAt(status, 'state')) {
    case 'Pending':
    case 0:
      return suspended('The resource has not yet been validated');
    case 'Accepted':
    case 1:
      return healthy('The resource has been validated');
    case 'Rejected':
    case 2:
    case 'Warning':
    case 3:
      return degraded(textAt(status, 'reason'));
    default:
      return undefined;
  }
}
