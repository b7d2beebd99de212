import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { byPhase } from '../rules.ts';

export const jaeger: HealthCheck = byPhase(
  'phase',
  { Running: healthy('Jaeger is Running'), Failed: degraded('Jaeger Failed For Some Reason') },
  progressing('Waiting for Jaeger'),
);
