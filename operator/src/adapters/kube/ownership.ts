import type { KubeObject, ManagedFieldsEntry } from '@mooring/renderer-contract';
import { fieldManager } from './request.ts';

type FieldSet = { readonly [path: string]: unknown };

/** Whether fields of an object are owned by a client-side apply (kubectl's, or Argo CD's), so that leaving them out of a server-side apply would not remove them. */
export function hasClientSideOwner(managedFields: readonly ManagedFieldsEntry[] | undefined): boolean {
  return managedFields?.some(isClientSide) ?? false;
}

/**
 * The entries with everything that client-side applies own moved to our server-side apply entry, as client-go's `csaupgrade` does. The patch
 * only takes effect on the version that was read. undefined where there is nothing to move.
 */
export function takeOwnership(live: KubeObject): readonly Readonly<Record<string, unknown>>[] | undefined {
  const entries = live.metadata.managedFields ?? [];
  const clientSide = entries.filter(isClientSide);
  const first = clientSide[0];
  if (first === undefined) return undefined;
  const ours = entries.find((entry) => entry.manager === fieldManager && entry.operation === 'Apply' && isWhole(entry));
  // Sets of fields of different versions don't mix: entries of another version than ours are dropped, and the next apply owns what it sets.
  const version = ours?.apiVersion ?? live.apiVersion;
  const fields = clientSide
    .filter((entry) => entry.apiVersion === version)
    .reduce<FieldSet>((all, entry) => uniteFields(all, entry.fieldsV1 ?? {}), ours?.fieldsV1 ?? {});
  const upgraded: ManagedFieldsEntry = {
    ...(ours ?? first),
    manager: fieldManager,
    operation: 'Apply',
    apiVersion: version,
    fieldsType: 'FieldsV1',
    fieldsV1: { ...fields },
  };
  const others = entries.filter((entry) => entry !== ours && !isClientSide(entry));
  return [
    { op: 'replace', path: '/metadata/managedFields', value: [upgraded, ...others] },
    { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
  ];
}

/** Union of two `fieldsV1` sets (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management). */
export function uniteFields(a: FieldSet, b: FieldSet): FieldSet {
  const union: Record<string, unknown> = { ...a };
  for (const [path, inner] of Object.entries(b)) {
    const present = union[path];
    union[path] = isSet(present) && isSet(inner) ? uniteFields(present, inner) : (present ?? inner);
  }
  return union;
}

function isSet(value: unknown): value is FieldSet {
  return typeof value === 'object' && value !== null;
}

function isClientSide(entry: ManagedFieldsEntry): boolean {
  return (
    entry.operation === 'Update' &&
    isWhole(entry) &&
    (entry.manager === fieldManager || entry.manager === 'kubectl-client-side-apply')
  );
}

function isWhole(entry: ManagedFieldsEntry): boolean {
  return (entry.subresource ?? '') === '';
}
