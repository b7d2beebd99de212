import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

export const appVault: HealthCheck = (object) => {
  switch (textAt(object, 'status', 'state')) {
    case 'available':
    case 'Available':
      return healthy('AppVault Available');
    case 'failed':
    case 'Failed':
      return degraded('AppVault Failed');
    default:
      return progressing('No status available');
  }
};
