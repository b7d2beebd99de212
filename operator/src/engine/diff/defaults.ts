import { isJsonObject, numberText, ownValue } from '../../model/json.ts';
import type { ResourceKey } from '../../model/resource-key.ts';
import { groupOf } from '../../model/resource-key.ts';

/** Groups whose types the API server itself defines: their empty fields are dropped when they are stored. */
const builtInGroups: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

export function isBuiltIn(apiVersion: string): boolean {
  return builtInGroups.has(groupOf(apiVersion));
}

/** Fields that are maps of the user's own keys: an entry that is empty is still an entry. */
const userMaps: ReadonlySet<string> = new Set([
  'annotations',
  'binaryData',
  'data',
  'labels',
  'limits',
  'matchLabels',
  'nodeSelector',
  'parameters',
  'requests',
  'selector',
  'stringData',
]);

/** Fields that say something by being there empty. */
const meaningfulWhenEmpty: ReadonlySet<string> = new Set([
  'emptyDir',
  'namespaceSelector',
  'objectSelector',
  'podSelector',
]);

/** Whether there is nothing in a value: `false`, `0`, `""`, an empty list or object, or an object of such. */
export function isEmptied(value: unknown, builtIn: boolean): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (isJsonObject(value)) return Object.values(value).every((inner) => isEmptied(inner, builtIn));
  return builtIn && isZero(value);
}

/** Whether the server is known to drop a value that is `isEmptied` from the field `name` of `parent` when it stores it; that of a custom resource it keeps. */
export function isDropped(value: unknown, name: string, parent: string, builtIn: boolean): boolean {
  if (value === null || value === undefined) return true;
  if (!builtIn || userMaps.has(parent) || meaningfulWhenEmpty.has(name)) return false;
  return !isJsonObject(value) || Object.entries(value).every(([key, inner]) => isDropped(inner, key, name, builtIn));
}

function isZero(value: unknown): boolean {
  return value === '' || value === false || numberText(value) === '0';
}

/**
 * What the API server fills in inside values that are replaced only as a whole (fields of API version 1.37, by the reference at
 * kubernetes.io/docs/reference/kubernetes-api). Leaving such a field out changes nothing, so it is never a difference.
 */
const filledIn: Readonly<Record<string, readonly unknown[]>> = {
  allocationMode: ['ExactCount'],
  apiGroup: ['rbac.authorization.k8s.io'],
  apiVersion: ['v1'],
  count: [1],
  defaultMode: [420],
  divisor: ['0'],
  dnsPolicy: ['ClusterFirst'],
  expirationSeconds: [3600],
  imagePullPolicy: ['Always', 'IfNotPresent'],
  kind: ['PersistentVolumeClaim'],
  matchPolicy: ['Equivalent'],
  phase: ['Pending'],
  protocol: ['TCP'],
  restartPolicy: ['Always'],
  scheme: ['HTTP'],
  scope: ['*', 'Cluster'],
  sessionAffinity: ['None'],
  // Of a Job's onPodConditions.
  status: ['True'],
  type: ['ClusterIP', 'RollingUpdate'],
  volumeMode: ['Filesystem'],
};

/** Whether the field `name` of `parent`, which nobody asked for, is one that the server fills in. */
export function isFilledIn(value: unknown, name: string, parent: string, key: ResourceKey): boolean {
  if (value === null || isZero(value) || ownValue(filledIn, name)?.includes(value) === true) return true;
  // The limits of a LimitRange follow from one another.
  if (key.kind === 'LimitRange' && ['default', 'defaultRequest'].some((map) => map === name || map === parent))
    return true;
  if (Array.isArray(value)) return value.length === 0;
  if (!isJsonObject(value)) return false;
  // An empty selector selects everything, so only where it is a default does leaving it out change nothing.
  if (meaningfulWhenEmpty.has(name) && key.group !== 'admissionregistration.k8s.io') return false;
  return Object.entries(value).every(([field, inner]) => isFilledIn(inner, field, name, key));
}

/** Whether a field with this name is one value, though it is an object: `selector`, `labelSelector`, `roleRef`. */
export function isOneValue(name: string): boolean {
  return /(?:^s|S)elector$|Ref$/.test(name);
}

/** Fields whose entries, or which themselves, are quantities: the server writes them in its own way. */
const quantityMaps: ReadonlySet<string> = new Set([
  'capacity',
  'default',
  'defaultRequest',
  'hard',
  'limits',
  'max',
  'maxLimitRequestRatio',
  'min',
  'podFixed',
  'requests',
]);
const quantityFields: ReadonlySet<string> = new Set(['averageValue', 'divisor', 'sizeLimit', 'value']);

/** Whether the field `name` of `parent` may be a quantity. */
export function mayBeQuantity(name: string, parent: string): boolean {
  if (quantityMaps.has(parent)) return true;
  return quantityFields.has(name) && (name !== 'value' || parent === 'target' || parent === 'metric');
}

/** The keys of lists whose items are merged, by the list's name; for objects that nobody's managed fields describe. */
const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  conditions: ['type'],
  containers: ['name'],
  env: ['name'],
  ephemeralContainers: ['name'],
  hostAliases: ['ip'],
  imagePullSecrets: ['name'],
  initContainers: ['name'],
  matchConditions: ['name'],
  ownerReferences: ['uid'],
  resourceClaims: ['name'],
  secrets: ['name'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  volumeDevices: ['devicePath'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
  webhooks: ['name'],
};

/** The keys by which items of a list are told apart; undefined where it is replaced as a whole. */
export function mergeKeysOf(name: string, items: readonly unknown[]): readonly string[] | undefined {
  if (name !== 'ports') return ownValue(mergeKeys, name);
  const isContainers = items.some((item) => isJsonObject(item) && item['containerPort'] !== undefined);
  return isContainers ? ['containerPort', 'protocol'] : ['port', 'protocol'];
}

/**
 * Whether the value at a JSON pointer asks for nothing: an empty list of a built-in kind whose items are merged, so that others may have theirs in it. No entry
 * of managed fields tells of it. Lists at the root of an object, such as a ServiceAccount's `imagePullSecrets`, are replaced as a whole.
 */
export function asksNothing(value: unknown, name: string, pointer: string): boolean {
  return (
    Array.isArray(value) && value.length === 0 && pointer.lastIndexOf('/') > 0 && mergeKeysOf(name, value) !== undefined
  );
}
