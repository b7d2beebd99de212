import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, unknown } from '../check.ts';

export const persistentVolumeClaim: HealthCheck = (object) => {
  switch (textAt(object, 'status', 'phase')) {
    case 'Lost':
      return degraded();
    case 'Pending':
      return progressing();
    case 'Bound':
      return healthy();
    default:
      return unknown();
  }
};
