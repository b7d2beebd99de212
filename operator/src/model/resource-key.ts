import type { KubeObject } from '@mooring/renderer-contract';
import { textAt } from './json.ts';

/** Names one object of one cluster, whatever its version. `namespace` is `''` for cluster-scoped objects, `group` is `''` for the core group. */
export interface ResourceKey {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The group of `apps/v1` is `apps`, that of `v1` is `''`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** The version of `apps/v1` and of `v1` is `v1`. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** Whether the object is a CustomResourceDefinition: instances of what it defines may follow it, and go with it. */
export function definesKinds(key: Pick<ResourceKey, 'group' | 'kind'>): boolean {
  return key.group === 'apiextensions.k8s.io' && key.kind === 'CustomResourceDefinition';
}

/** What a CustomResourceDefinition defines. */
export interface DefinedKind {
  readonly group: string;
  readonly kind: string;
  readonly scope: 'Namespaced' | 'Cluster';
}

/** The kind that an object defines, of whatever shape it is; undefined where it is no CustomResourceDefinition, or one that leaves anything of this open. */
export function definedKind(object: unknown): DefinedKind | undefined {
  const itself = { group: groupOf(textAt(object, 'apiVersion') ?? ''), kind: textAt(object, 'kind') ?? '' };
  if (!definesKinds(itself)) return undefined;
  const group = textAt(object, 'spec', 'group');
  const kind = textAt(object, 'spec', 'names', 'kind');
  const scope = textAt(object, 'spec', 'scope');
  if (!group || !kind || (scope !== 'Namespaced' && scope !== 'Cluster')) return undefined;
  return { group, kind, scope };
}

/** Whether the object is a Namespace: everything in it goes with it. */
export function isNamespace(key: Pick<ResourceKey, 'group' | 'kind'>): boolean {
  return key.group === '' && key.kind === 'Namespace';
}

export function keyOf(object: KubeObject): ResourceKey {
  return {
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
  };
}

/** `group/Kind/namespace/name`: unique per cluster, a map key and a log field. */
export function keyText(key: ResourceKey): string {
  return `${key.group}/${key.kind}/${key.namespace}/${key.name}`;
}

/** How Argo CD names an object to people: `Deployment/shop/cart`, `Namespace/shop`. */
export function keyForPeople(key: ResourceKey): string {
  return key.namespace === '' ? `${key.kind}/${key.name}` : `${key.kind}/${key.namespace}/${key.name}`;
}
