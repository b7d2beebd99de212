import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../../model/annotations.ts';
import { type HealthStatusCode, healthOrder } from '../../../model/health.ts';
import { listAt, objectAt, textAt, valueAt } from '../../../model/json.ts';
import { equalJson } from '../../../model/merge-patch.ts';
import { type HealthCheck, progressing } from '../check.ts';

/**
 * A child Application says nothing about its parent's health, as in Argo CD, unless it has a wave of its own: then it is as healthy as it says, so that the
 * waves of its parent wait for it. What it says is of the spec that it was compared with: it counts once that is the spec it has, which its generation cannot tell
 * (Application has no status subresource). One that syncs by itself and has not done so once is Progressing; a manual one may rest unsynced for good.
 */
export const application: HealthCheck = (object) => {
  if (object.metadata.annotations?.[annotation.syncWave] === undefined) return undefined;
  const status = textAt(object, 'status', 'health', 'status') ?? '';
  if (!isHealthStatus(status)) return progressing('Waiting for the Application to be reconciled');
  if (!isOfSpec(object)) return progressing('Waiting for the Application to be compared with its spec');
  const failed = status === 'Degraded' || status === 'Unknown';
  if (!failed && textAt(object, 'status', 'sync', 'status') === 'Unknown') {
    return progressing('Waiting until the Application can be compared');
  }
  if (!failed && syncsByItself(object) && !hasSynced(object)) {
    return progressing('Waiting for the first sync of the Application');
  }
  const message = textAt(object, 'status', 'health', 'message');
  return message === undefined || message === '' ? { status } : { status, message };
};

function isOfSpec(object: KubeObject): boolean {
  const compared = objectAt(object, 'status', 'sync', 'comparedTo');
  const part = (of: Readonly<Record<string, unknown>> | undefined) => ({
    sources: valueAt(of, 'sources') ?? [valueAt(of, 'source')],
    destination: valueAt(of, 'destination'),
  });
  return compared !== undefined && equalJson(part(compared), part(objectAt(object, 'spec')));
}

function isHealthStatus(text: string): text is HealthStatusCode {
  return (healthOrder as readonly string[]).includes(text);
}

function syncsByItself(object: KubeObject): boolean {
  const automated = objectAt(object, 'spec', 'syncPolicy', 'automated');
  return automated !== undefined && valueAt(automated, 'enabled') !== false;
}

function hasSynced(object: KubeObject): boolean {
  return (
    textAt(object, 'status', 'sync', 'status') === 'Synced' ||
    textAt(object, 'status', 'operationState', 'phase') === 'Succeeded' ||
    listAt(object, 'status', 'history').length > 0
  );
}
