import { isJsonObject, listAt, textAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';

export const cluster: HealthCheck = (object) => {
  if (valueAt(object, 'spec', 'paused') === true) return suspended('Cluster is paused');
  const unready = listAt(object, 'status', 'conditions')
    .filter(isJsonObject)
    .findLast(({ type, status, severity }) => type === 'Ready' && status === 'False' && severity !== 'Info');
  if (unready !== undefined) return degraded(textAt(unready, 'message'));
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Provisioned') return healthy('Cluster is running');
  return phase === 'Failed' ? degraded() : progressing('Waiting for clusters');
};
