import type { Application } from '@mooring/crds';
import type { ResourceKey } from './resource-key.ts';

/** The name that tracking ids give an Application: its own, with its namespace in front where that is not the control plane's. */
export function trackingName(app: Pick<Application, 'metadata'>, controlPlaneNamespace: string): string {
  const { name = '', namespace = '' } = app.metadata;
  return namespace === '' || namespace === controlPlaneNamespace ? name : `${namespace}_${name}`;
}

/** What `argocd.argoproj.io/tracking-id` says: `app:group/Kind:namespace/name`. */
export interface TrackingId {
  /** See `trackingName`. */
  readonly app: string;
  readonly key: ResourceKey;
}

/** Argo CD's form. Cluster-scoped objects carry the destination's namespace in it, so that a move from Argo CD changes no object. */
export function trackingId(app: string, key: ResourceKey, destinationNamespace: string): string {
  return `${app}:${key.group}/${key.kind}:${key.namespace || destinationNamespace}/${key.name}`;
}

/** Reads a tracking id; undefined where it isn't one. Names of RBAC objects may hold colons. */
export function parseTrackingId(text: string): TrackingId | undefined {
  const parts = /^([^:]*):([^/:]*)\/([^/:]*):([^/]*)\/([^/]*)$/.exec(text);
  if (parts === null) return undefined;
  const [, app = '', group = '', kind = '', namespace = '', name = ''] = parts;
  return { app, key: { group, kind, namespace, name } };
}

/**
 * The Application that an object belongs to by its tracking id; undefined where it has none, or carries that of another object
 * (controllers copy annotations from owners to what they make). Of cluster-scoped objects the namespace is not compared.
 */
export function trackedBy(key: ResourceKey, text: string | undefined): string | undefined {
  const id = text === undefined ? undefined : parseTrackingId(text);
  if (id === undefined || id.app === '') return undefined;
  const own =
    id.key.group === key.group &&
    id.key.kind === key.kind &&
    id.key.name === key.name &&
    (key.namespace === '' || id.key.namespace === key.namespace);
  return own ? id.app : undefined;
}
