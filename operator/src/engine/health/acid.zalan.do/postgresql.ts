import { textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';

export const postgresql: HealthCheck = (object) => {
  const status = textAt(object, 'status', 'PostgresClusterStatus');
  if (status === undefined) return progressing('Waiting for postgres cluster status...');
  if (status === 'Running') return healthy(status);
  return status === 'Creating' || status === 'Updating' ? progressing(status) : degraded(status);
};
