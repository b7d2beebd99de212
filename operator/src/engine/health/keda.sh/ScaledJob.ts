import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { conditionOf, conditionsOf } from '../conditions.ts';

export const scaledJob: HealthCheck = (object) => {
  const ready = conditionOf(object, 'Ready');
  if (ready === undefined || ready.status === '') return progressing('Waiting for ScaledJob');
  const counted = conditionsOf(object).filter(
    ({ type, status }) => type === 'Ready' || (type === 'Paused' && status === 'True'),
  );
  // The last of them has the word, as in Argo CD.
  const message = counted.at(-1)?.message;
  if (ready.status !== 'True') return degraded(message);
  return counted.some(({ type }) => type === 'Paused') ? suspended(message) : healthy(message);
};
