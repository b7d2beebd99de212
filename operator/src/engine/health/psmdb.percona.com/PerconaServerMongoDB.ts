import type { HealthStatusCode } from '../../../model/health.ts';
import { numberAt, objectAt, ownValue, textAt } from '../../../model/json.ts';
import { type HealthCheck, unknown } from '../check.ts';

const statusByState: Readonly<Record<string, HealthStatusCode>> = {
  initializing: 'Progressing',
  ready: 'Healthy',
  error: 'Degraded',
  stopping: 'Progressing',
  paused: 'Suspended',
};

export const perconaServerMongoDb: HealthCheck = (object) => {
  if (objectAt(object, 'status') === undefined) return unknown('Cluster status is unknown');
  const ready = numberAt(object, 'status', 'ready') ?? 0;
  const size = numberAt(object, 'status', 'size') ?? 0;
  const state = textAt(object, 'status', 'state') ?? '';
  return { status: ownValue(statusByState, state) ?? 'Unknown', message: `${ready}/${size} node(s) are ready` };
};
