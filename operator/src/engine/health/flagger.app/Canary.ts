import type { HealthStatusCode } from '../../../model/health.ts';
import { objectAt, ownValue, textAt, valueAt } from '../../../model/json.ts';
import { type HealthCheck, unknown } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

const statusByPhase: Readonly<Record<string, HealthStatusCode>> = {
  Failed: 'Degraded',
  Progressing: 'Progressing',
  Finalising: 'Progressing',
  Promoting: 'Progressing',
  Succeeded: 'Healthy',
  Initialized: 'Healthy',
};

export const canary: HealthCheck = (object) => {
  if (objectAt(object, 'status') === undefined) return unknown('No status');
  const weight = Number(valueAt(object, 'status', 'canaryWeight') ?? 0);
  const phase = textAt(object, 'status', 'phase') ?? '';
  const parts = [
    ...(weight > 0 ? [`Canary Weight: ${weight} %`] : []),
    ...conditionsOf(object).map(({ message }) => message),
  ];
  return { status: ownValue(statusByPhase, phase) ?? 'Unknown', message: [phase, parts.join(' --- ')].join(' --- ') };
};
