import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

/** Every kind of Keptn's that is carried out once. */
export const keptnLifecycle: HealthCheck = (object) => {
  switch (textAt(object, 'status', 'status')) {
    case 'Succeeded':
      return healthy(`${object.kind} is healthy`);
    case 'Failed':
      return degraded(`${object.kind} is degraded`);
    default:
      return progressing(`${object.kind} is progressing`);
  }
};
