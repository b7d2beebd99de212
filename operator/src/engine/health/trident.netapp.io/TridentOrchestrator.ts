import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { statusMessage } from '../rules.ts';

export const tridentOrchestrator: HealthCheck = (object) => {
  const status = textAt(object, 'status', 'status');
  if (status === 'Installed') return healthy(statusMessage(object, ''));
  if (status === 'Failed' || status === 'Error') return degraded(statusMessage(object, ''));
  return progressing('Waiting for trident installation');
};
