import { degraded, type HealthCheck, healthy, progressing } from '../check.ts';
import { byPhase } from '../rules.ts';

export const experiment: HealthCheck = byPhase(
  'phase',
  {
    Pending: progressing('Experiment is pending'),
    Running: progressing('Experiment is running'),
    Successful: healthy('Experiment is successful'),
    Failed: degraded('Experiment has failed'),
    Error: degraded('Experiment had an error'),
  },
  progressing('Waiting for experiment to finish: status has not been reconciled.'),
);
