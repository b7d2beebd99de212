import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../../model/annotations.ts';
import { hookRole } from '../../../model/hooks.ts';
import { listAt, numberAt, objectAt, textAt } from '../../../model/json.ts';
import { degraded, type HealthCheck, healthy, progressing, unknown } from '../check.ts';
import { conditionOf } from '../conditions.ts';

export const pod: HealthCheck = (object) => {
  const stays = staysUp(object);
  const failing = stays ? listAt(object, 'status', 'containerStatuses').filter(waitsAfterError) : [];
  if (failing.length > 0) {
    return degraded(failing.map((container) => textAt(container, 'state', 'waiting', 'message') ?? '').join(', '));
  }
  const message = textAt(object, 'status', 'message') ?? '';
  switch (textAt(object, 'status', 'phase')) {
    case 'Pending':
      return progressing(message);
    case 'Succeeded':
      return healthy(message);
    case 'Failed':
      return degraded(message || firstFailure(object));
    case 'Running':
      if (stays) return runningHealth(object, message);
      return restartPolicy(object) === '' ? unknown(message) : progressing(message);
    default:
      return unknown(message);
  }
};

function restartPolicy(object: KubeObject): string {
  return textAt(object, 'spec', 'restartPolicy') ?? '';
}

/** Whether the pod is meant to run on, so that its end or restart is a failure. */
function staysUp(object: KubeObject): boolean {
  if (restartPolicy(object) === 'Always') return true;
  const annotations = object.metadata.annotations;
  return annotations?.[annotation.ignoreRestartPolicy] === 'true' && hookRole(annotations).role === 'none';
}

function waitsAfterError(container: unknown): boolean {
  const reason = textAt(container, 'state', 'waiting', 'reason') ?? '';
  return reason.startsWith('Err') || reason.endsWith('Error') || reason.endsWith('BackOff');
}

function runningHealth(object: KubeObject, message: string): ReturnType<HealthCheck> {
  if (conditionOf(object, 'Ready')?.status === 'True') return healthy(message);
  const restarted = listAt(object, 'status', 'containerStatuses').some(
    (container) => objectAt(container, 'lastState', 'terminated') !== undefined,
  );
  return restarted ? degraded(message) : progressing(message);
}

function firstFailure(object: KubeObject): string {
  const containers = [
    ...listAt(object, 'status', 'initContainerStatuses'),
    ...listAt(object, 'status', 'containerStatuses'),
  ];
  return containers.map(failureOf).find((text) => text !== '') ?? '';
}

function failureOf(container: unknown): string {
  const terminated = objectAt(container, 'state', 'terminated');
  if (terminated === undefined) return '';
  const message = textAt(terminated, 'message') ?? '';
  if (message !== '') return message;
  const reason = textAt(terminated, 'reason') ?? '';
  if (reason === 'OOMKilled') return reason;
  const code = numberAt(terminated, 'exitCode') ?? 0;
  return code === 0 ? '' : `container "${textAt(container, 'name') ?? ''}" failed with exit code ${code}`;
}
