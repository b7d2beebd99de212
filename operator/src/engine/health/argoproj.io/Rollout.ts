import type { KubeObject } from '@mooring/renderer-contract';
import type { Health, HealthStatusCode } from '../../../model/health.ts';
import { isJsonObject, listAt, numberAt, objectAt, textAt, valueAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, suspended } from '../check.ts';
import { conditionsOf } from '../conditions.ts';

/** Rollouts since v1.0 say their phase; older ones are judged by their fields. */
export const rollout: HealthCheck = (object) => {
  if (!isObserved(object)) return progressing('Waiting for rollout spec update to be observed');
  const phase = textAt(object, 'status', 'phase');
  if (phase === undefined) return healthByFields(object);
  const message = textAt(object, 'status', 'message');
  const status = (phase === 'Paused' ? 'Suspended' : phase) as HealthStatusCode;
  return message === undefined || message === '' ? { status } : { status, message };
};

/** Versions up to v0.9 have a hash as their observed generation, which tells nothing. */
function isObserved(object: KubeObject): boolean {
  if (objectAt(object, 'status') === undefined) return false;
  const generation = object.metadata.generation ?? 0;
  const observed = asNumber(valueAt(object, 'status', 'observedGeneration'));
  if (observed !== undefined && observed < generation) return false;
  const annotations = object.metadata.annotations;
  if (valueAt(object, 'spec', 'workloadRef') === undefined || annotations === undefined) return true;
  const wanted = asNumber(annotations['rollout.argoproj.io/workload-generation']);
  return wanted === asNumber(valueAt(object, 'status', 'workloadObservedGeneration'));
}

function asNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function healthByFields(object: KubeObject): Health {
  const failed = conditionsOf(object).find(
    ({ type, reason }) =>
      type === 'InvalidSpec' ||
      (type === 'Progressing' && (reason === 'RolloutAborted' || reason === 'ProgressDeadlineExceeded')),
  );
  if (failed !== undefined) return degraded(failed.message);
  if (listAt(object, 'status', 'pauseConditions').length > 0 || valueAt(object, 'spec', 'paused') === true) {
    return suspended('Rollout is paused');
  }
  const current = textAt(object, 'status', 'currentPodHash');
  if (current === undefined) {
    return progressing('Waiting for rollout to finish: status has not been reconciled.');
  }
  return replicasHealth(object) ?? strategyHealth(object, current) ?? healthy();
}

function replicasHealth(object: KubeObject): Health | undefined {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  if (updated < wanted) return progressing('Waiting for roll out to finish: More replicas need to be updated');
  if (available < updated) {
    return progressing('Waiting for roll out to finish: updated replicas are still becoming available');
  }
  return undefined;
}

function strategyHealth(object: KubeObject, current: string): Health | undefined {
  const strategy = valueAt(object, 'spec', 'strategy');
  const stable = textAt(object, 'status', 'stableRS') ?? textAt(object, 'status', 'canary', 'stableRS') ?? '';
  if (!isJsonObject(strategy)) return undefined;
  if (strategy['blueGreen'] !== undefined) {
    if (textAt(object, 'status', 'blueGreen', 'activeSelector') !== current) {
      return progressing('active service cutover pending');
    }
    return stable !== '' && stable !== current ? progressing('waiting for analysis to complete') : undefined;
  }
  if (strategy['canary'] === undefined) return undefined;
  const total = numberAt(object, 'status', 'replicas') ?? 0;
  if (total > (numberAt(object, 'status', 'updatedReplicas') ?? 0)) {
    return progressing('Waiting for roll out to finish: old replicas are pending termination');
  }
  return stable === current ? undefined : progressing('Waiting for rollout to finish steps');
}
