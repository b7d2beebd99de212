import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

/** Of every kind that is one run: backups and hooks. */
export const astraRun: HealthCheck = (object) => {
  const state = textAt(object, 'status', 'state');
  if (state === undefined) return progressing('No status available');
  if (state === 'Completed') return healthy(`${object.kind} Completed`);
  return state === 'Running' ? progressing(`${object.kind} Running`) : degraded(state);
};
