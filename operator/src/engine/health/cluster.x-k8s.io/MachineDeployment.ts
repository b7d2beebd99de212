import { valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { byPhase } from '../rules.ts';

const running: HealthCheck = byPhase(
  'phase',
  {
    Running: healthy('Machines are running under this deployment'),
    ScalingUp: progressing('Cluster is spawning machines'),
    ScalingDown: progressing('Cluster is stopping machines'),
    Failed: degraded('MachineDeployment is failed'),
  },
  progressing('Waiting for machines'),
);

export const machineDeployment: HealthCheck = (object) =>
  valueAt(object, 'spec', 'paused') === true ? suspended('MachineDeployment is paused') : running(object);
