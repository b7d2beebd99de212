import { type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

export const kyvernoPolicy: HealthCheck = (object) => {
  const isReady = conditionsOf(object).some(
    ({ type, status, reason, message }) =>
      type === 'Ready' && status === 'True' && reason === 'Succeeded' && message === 'Ready',
  );
  return isReady ? healthy('Policy is ready') : progressing('Waiting for Policy to be ready');
};
