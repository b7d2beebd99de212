import { type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionOf } from '../conditions.ts';

export const apiService: HealthCheck = (object) => {
  const available = conditionOf(object, 'Available');
  if (available === undefined) return progressing('Waiting to be processed');
  const message = `${available.reason}: ${available.message}`;
  return available.status === 'True' ? healthy(message) : progressing(message);
};
