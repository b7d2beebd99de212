import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, unknown } from '../check.ts';

export const workflow: HealthCheck = (object) => {
  const message = textAt(object, 'status', 'message');
  switch (textAt(object, 'status', 'phase') ?? '') {
    case '':
    case 'Pending':
    case 'Running':
      return progressing(message);
    case 'Succeeded':
      return healthy(message);
    case 'Failed':
    case 'Error':
      return degraded(message);
    default:
      return unknown(message);
  }
};
