import { listAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing } from '../check.ts';
import { conditionFrom } from '../conditions.ts';

export const clusterStackInstall: HealthCheck = (object) => {
  const conditions = listAt(object, 'status', 'conditionedStatus', 'conditions').map(conditionFrom);
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined) return progressing('Waiting for stack to be installed');
  return ready.status === 'True' ? healthy(ready.reason) : progressing(ready.reason);
};
