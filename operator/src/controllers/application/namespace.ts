import type { Application } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import type { Target } from '../../engine/policy/target.ts';
import { annotation } from '../../model/annotations.ts';
import type { DesiredObject, DesiredSet } from '../../model/desired.ts';
import type { Guard } from '../../model/guard.ts';
import { hashOf } from '../../model/hash.ts';
import { defaultSyncOptions } from '../../model/sync-options.ts';
import { trackingId } from '../../model/tracking.ts';
import type { Cluster } from '../../world/cluster.ts';

/**
 * The destination's namespace, where the sync has to create it (`CreateNamespace=true`) or to give it its metadata; it is not tracked, as in Argo CD. The project
 * must permit it like any other Namespace.
 */
export function namespaceOf(
  app: Application,
  target: Target,
  desired: DesiredSet,
  tracking: string,
  cluster: Pick<Cluster, 'record' | 'covers'>,
  guard: Guard,
): DesiredObject | undefined {
  const name = app.spec.destination.namespace;
  if (!name || !target.syncOptions.includes('CreateNamespace=true')) return undefined;
  const key = { group: '', kind: 'Namespace', namespace: '', name };
  if (
    desired.objects.some(
      (object) => object.key.kind === 'Namespace' && object.key.group === '' && object.key.name === name,
    )
  )
    return undefined;
  const managed = app.spec.syncPolicy?.managedNamespaceMetadata;
  // Who looks after single namespaces was given them, and may neither see nor create any.
  if (managed === undefined && (cluster.record(key) !== undefined || !cluster.covers(key))) return undefined;
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      ...(managed?.labels && { labels: { ...managed.labels } }),
      ...(managed?.annotations && { annotations: { ...managed.annotations } }),
    },
  };
  const forbidden = guard({ key, scope: 'Cluster' }) ?? foreignTracking(object, tracking);
  return {
    key,
    object,
    ...(forbidden !== undefined && { forbidden }),
    hash: hashOf(object),
    origin: { path: 'spec.syncPolicy.syncOptions' },
    wave: 0,
    options: { ...defaultSyncOptions, prune: 'no', delete: 'no' },
  };
}

/** Why the namespace may not say whose it is: of another Application, that one's next sync would prune it with everything in it. */
function foreignTracking({ metadata }: KubeObject, tracking: string): string | undefined {
  const id = metadata.annotations?.[annotation.trackingId];
  const name = metadata.name ?? '';
  const own = trackingId(tracking, { group: '', kind: 'Namespace', namespace: '', name }, name);
  if (id === undefined || id === own) return undefined;
  return `managedNamespaceMetadata makes the Namespace ${name} part of another Application; take the annotation ${annotation.trackingId} out of spec.syncPolicy.managedNamespaceMetadata`;
}
