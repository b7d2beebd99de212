import { leases } from '../kube/lease.ts';
import type { ServedKind } from '../kube/served-kind.ts';

/** The kinds that Mooring keeps its own objects in. */
export const kinds: Readonly<
  Record<'applications' | 'projects' | 'secrets' | 'configMaps' | 'events' | 'leases', ServedKind>
> = {
  applications: kind('argoproj.io', 'v1alpha1', 'Application', 'applications'),
  projects: kind('argoproj.io', 'v1alpha1', 'AppProject', 'appprojects'),
  secrets: kind('', 'v1', 'Secret', 'secrets'),
  configMaps: kind('', 'v1', 'ConfigMap', 'configmaps'),
  events: kind('', 'v1', 'Event', 'events'),
  leases,
};

function kind(group: string, version: string, name: string, plural: string): ServedKind {
  return { group, version, kind: name, plural, scope: 'Namespaced', verbs: [] };
}

/** `applications.argoproj.io`, `secrets`: how kubectl and RBAC call a kind. */
export function resourceName({ plural, group }: Pick<ServedKind, 'plural' | 'group'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}
