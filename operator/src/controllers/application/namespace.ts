import type { Application } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../model/annotations.ts';
import type { DesiredObject, DesiredSet } from '../../model/desired.ts';
import type { Guard } from '../../model/guard.ts';
import { hashOf } from '../../model/hash.ts';
import { keyText, type ResourceKey } from '../../model/resource-key.ts';
import { defaultSyncOptions } from '../../model/sync-options.ts';
import { trackingId } from '../../model/tracking.ts';
import type { Cluster } from '../../world/cluster.ts';

/** The namespace that a sync with these options makes where it is missing (`CreateNamespace=true`); undefined where it makes none. */
export function createdNamespace({ spec }: Application, syncOptions: readonly string[]): ResourceKey | undefined {
  const { namespace: name } = spec.destination;
  if (!name || !syncOptions.includes('CreateNamespace=true')) return undefined;
  return { group: '', kind: 'Namespace', namespace: '', name };
}

/** What a sync knows of the destination's namespace. */
export interface NamespaceContext {
  readonly syncOptions: readonly string[];
  /** The Application's name in tracking ids. */
  readonly tracking: string;
  readonly guard: Guard;
}

/**
 * The destination's namespace, where the sync has to create it (`CreateNamespace=true`), to give it its metadata, or to take it over from a source that had it and
 * has it no more. It is not tracked, as in Argo CD, so that it outlives the Application. The project must permit it like any other Namespace.
 */
export function namespaceOf(
  app: Application,
  desired: DesiredSet,
  cluster: Pick<Cluster, 'record' | 'covers'>,
  { syncOptions, tracking, guard }: NamespaceContext,
): DesiredObject | undefined {
  const key = createdNamespace(app, syncOptions);
  if (key === undefined || desired.objects.some((object) => keyText(object.key) === keyText(key))) return undefined;
  const { name } = key;
  const managed = app.spec.syncPolicy?.managedNamespaceMetadata;
  const record = cluster.record(key);
  const isLeft = record?.app === tracking && guard({ key, scope: 'Cluster' }) === undefined;
  // Who looks after single namespaces was given them, and may neither see nor create any.
  if (managed === undefined && !isLeft && (record !== undefined || !cluster.covers(key))) return undefined;
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      ...(managed?.labels && { labels: { ...managed.labels } }),
      ...(managed?.annotations && { annotations: { ...managed.annotations } }),
    },
  };
  const why = guard({ key, scope: 'Cluster' });
  const asker = managed === undefined ? 'CreateNamespace=true' : 'managedNamespaceMetadata';
  const forbidden = why === undefined ? foreignTracking(object, tracking) : `${why}; ${asker} asks for it`;
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
