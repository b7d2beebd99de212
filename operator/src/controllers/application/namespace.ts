import type { Application } from '@mooring/crds';
import type { Target } from '../../engine/policy/target.ts';
import type { DesiredObject, DesiredSet } from '../../model/desired.ts';
import { hashOf } from '../../model/hash.ts';
import { defaultSyncOptions } from '../../model/sync-options.ts';
import type { Cluster } from '../../world/cluster.ts';

/** The destination's namespace, where the sync has to create it (`CreateNamespace=true`); it is not tracked, as in Argo CD. */
export function namespaceOf(
  app: Application,
  target: Target,
  desired: DesiredSet,
  cluster: Cluster,
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
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      ...(managed?.labels && { labels: { ...managed.labels } }),
      ...(managed?.annotations && { annotations: { ...managed.annotations } }),
    },
  };
  return {
    key,
    object,
    hash: hashOf(object),
    origin: { path: 'spec.syncPolicy.syncOptions' },
    wave: 0,
    options: { ...defaultSyncOptions, prune: 'no', delete: 'no' },
  };
}
