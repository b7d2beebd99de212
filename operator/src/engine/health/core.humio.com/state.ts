import { degraded, type HealthCheck, healthy, progressing, unknown } from '../check.ts';
import { byPhase } from '../rules.ts';

/** Every kind of Humio's has the same states. */
export const humioState: HealthCheck = byPhase(
  'state',
  {
    Exists: healthy('Component state: Exists.'),
    NotFound: { status: 'Missing', message: 'Component state: NotFound.' },
    ConfigError: degraded('Component state: ConfigError.'),
    Unknown: unknown('Component state: Unknown.'),
  },
  progressing('Update in progress'),
);
