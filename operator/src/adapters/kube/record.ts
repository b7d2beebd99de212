import { hash } from 'node:crypto';
import type { KubeObject, ManagedFieldsEntry } from '@mooring/renderer-contract';
import { imagesOf } from '../../engine/summarize/images.ts';
import { linksOf } from '../../engine/summarize/links.ts';
import { annotation } from '../../model/annotations.ts';
import { messageOf } from '../../model/fault.ts';
import { hookHold } from '../../model/finalizers.ts';
import type { Health } from '../../model/health.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyOf, type ResourceKey } from '../../model/resource-key.ts';
import { hasClientSideOwner } from './ownership.ts';
import { fieldManager } from './request.ts';

/** Health of an object; undefined where its kind has no rule. */
export type HealthOf = (object: KubeObject) => Health | undefined;

const hintPrefixes = ['argocd.argoproj.io/', 'helm.sh/'];

/** What is kept of a live object. */
export function recordOf(object: KubeObject, healthOf: HealthOf, isWhole: boolean = true): LiveRecord {
  const { metadata } = object;
  const key = keyOf(object);
  const app = appOf(metadata.annotations?.[annotation.trackingId], key);
  const images = app === undefined || !isWhole ? [] : imagesOf([object]);
  const links = linksOf(object);
  return {
    key,
    apiVersion: object.apiVersion,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    ...(metadata.generation !== undefined && { generation: metadata.generation }),
    createdAt: metadata.creationTimestamp === undefined ? 0 : Date.parse(metadata.creationTimestamp),
    deleting: metadata.deletionTimestamp !== undefined,
    owners: metadata.ownerReferences === undefined ? none : metadata.ownerReferences.map((owner) => owner.uid),
    app,
    health: safely(object, healthOf),
    ownedHash: ownedHash(metadata.managedFields),
    ownedAt: Date.parse(ownEntry(metadata.managedFields)?.time ?? '') || 0,
    hints: hintsOf(metadata.annotations),
    ...(hasClientSideOwner(metadata.managedFields) && { isClientSide: true }),
    ...(metadata.finalizers?.includes(hookHold) && { isHeld: true }),
    ...(links && { links }),
    ...(images.length > 0 && { images }),
  };
}

// A status that no rule expects must not stop the view of its whole kind.
function safely(object: KubeObject, healthOf: HealthOf): Health | undefined {
  try {
    return healthOf(object);
  } catch (thrown) {
    return { status: 'Unknown', message: `its health cannot be told: ${messageOf(thrown)}` };
  }
}

const none: readonly string[] = [];

/**
 * Application named by a tracking id `app:group/Kind:namespace/name`, if the id is really this object's own: a copy carries the id of
 * its original. The group may be another one, since a kind that moved (`extensions/Ingress`) keeps the id that it was first applied with.
 */
export function appOf(trackingId: string | undefined, key: ResourceKey): string | undefined {
  if (trackingId === undefined) return undefined;
  // Names of ClusterRoles and the like may hold colons: the first two are the ones that count.
  const first = trackingId.indexOf(':');
  const second = trackingId.indexOf(':', first + 1);
  if (first <= 0 || second < 0) return undefined;
  const groupKind = trackingId.slice(first + 1, second);
  const kind = groupKind.slice(groupKind.indexOf('/') + 1);
  const group = groupKind.slice(0, groupKind.indexOf('/'));
  const place = trackingId.slice(second + 1);
  const slash = place.indexOf('/');
  if (slash < 0 || kind !== key.kind || place.slice(slash + 1) !== key.name) return undefined;
  if (group !== key.group && !isFormerGroup(group, key)) return undefined;
  // Argo CD puts the destination's namespace into the id of a cluster-scoped object.
  if (key.namespace !== '' && place.slice(0, slash) !== key.namespace) return undefined;
  return trackingId.slice(0, first);
}

/** Groups that kinds have left (https://kubernetes.io/docs/reference/using-api/deprecation-guide/). */
const formerGroups: Readonly<Record<string, readonly string[]>> = {
  'apps/DaemonSet': ['extensions'],
  'apps/Deployment': ['extensions'],
  'apps/ReplicaSet': ['extensions'],
  'networking.k8s.io/Ingress': ['extensions'],
  'networking.k8s.io/NetworkPolicy': ['extensions'],
  'policy/PodSecurityPolicy': ['extensions'],
  'events.k8s.io/Event': [''],
};

function isFormerGroup(group: string, key: ResourceKey): boolean {
  return formerGroups[`${key.group}/${key.kind}`]?.includes(group) ?? false;
}

/**
 * Hash of what we own of an object, and since when: it changes whenever somebody changes or takes a value that we set, and on nothing else.
 * What was never applied server-side (Replace, create) is owned through an Update entry instead.
 */
export function ownedHash(managedFields: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  const entry = ownEntry(managedFields);
  if (entry === undefined) return undefined;
  const text = `${entry.operation} ${entry.apiVersion} ${entry.time} ${JSON.stringify(entry.fieldsV1)}`;
  return hash('sha256', text, 'base64url').slice(0, 22);
}

function ownEntry(managedFields: readonly ManagedFieldsEntry[] | undefined): ManagedFieldsEntry | undefined {
  return entryOf(managedFields, 'Apply') ?? entryOf(managedFields, 'Update');
}

function entryOf(
  managedFields: readonly ManagedFieldsEntry[] | undefined,
  operation: 'Apply' | 'Update',
): ManagedFieldsEntry | undefined {
  return managedFields?.find(
    (entry) => entry.manager === fieldManager && entry.operation === operation && (entry.subresource ?? '') === '',
  );
}

function hintsOf(
  annotations: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (annotations === undefined) return undefined;
  let hints: Record<string, string> | undefined;
  for (const [name, value] of Object.entries(annotations)) {
    if (name === annotation.trackingId || !hintPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    hints ??= {};
    hints[name] = value;
  }
  return hints;
}
