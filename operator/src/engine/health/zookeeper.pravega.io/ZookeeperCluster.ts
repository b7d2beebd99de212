import { numberAt } from '../../../model/json.ts';
import { type HealthCheck, healthy, progressing } from '../check.ts';

export const zookeeperCluster: HealthCheck = (object) => {
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  const complete = ready !== 0 && ready === numberAt(object, 'status', 'replicas');
  return complete
    ? healthy('All ZK Nodes have joined the ensemble')
    : progressing('Waiting for ZK Nodes to join the ensemble');
};
