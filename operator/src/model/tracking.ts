import type { Application } from '@mooring/crds';
import type { ResourceKey } from './resource-key.ts';

/** The name that tracking ids give an Application: its own, with its namespace in front where that is not the control plane's. */
export function trackingName(app: Pick<Application, 'metadata'>, controlPlaneNamespace: string): string {
  const { name = '', namespace = '' } = app.metadata;
  return namespace === '' || namespace === controlPlaneNamespace ? name : `${namespace}_${name}`;
}

/** The namespace and name that `trackingName` made a name of. No name of Kubernetes holds `_`. */
export function trackedName(
  tracking: string,
  controlPlaneNamespace: string,
): { readonly namespace: string; readonly name: string } {
  const end = tracking.indexOf('_');
  return end < 0
    ? { namespace: controlPlaneNamespace, name: tracking }
    : { namespace: tracking.slice(0, end), name: tracking.slice(end + 1) };
}

/** `app:group/Kind:namespace/name`, as Argo CD writes it. Cluster-scoped objects carry the destination's namespace in it, so that a move from Argo CD changes no object. */
export function trackingId(app: string, key: ResourceKey, destinationNamespace: string): string {
  return `${app}:${key.group}/${key.kind}:${key.namespace || destinationNamespace}/${key.name}`;
}
