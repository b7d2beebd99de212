import { numberAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

/** Every kind of Google's Config Connector. */
export const googleResource: HealthCheck = (object) => {
  const observed = numberAt(object, 'status', 'observedGeneration');
  if (observed !== undefined && observed !== object.metadata.generation) return progressing('Update in progress');
  const isWell = valueAt(object, 'status', 'healthy');
  if (isWell !== undefined && (object.kind === 'ConfigConnector' || object.kind === 'ConfigConnectorContext')) {
    return isWell === true ? healthy(`${object.kind} is healthy`) : degraded(`${object.kind} is not healthy`);
  }
  for (const { status, reason, message } of conditionsOf(object)) {
    if (reason === 'UpToDate' && status === 'True') return healthy(message);
    if (reason === 'UpdateFailed' || reason === 'DependencyNotFound') return degraded(message);
    if (reason === 'DependencyNotReady') return suspended(message);
  }
  return progressing('Update in progress');
};
