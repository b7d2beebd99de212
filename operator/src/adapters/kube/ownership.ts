import type { KubeObject, ManagedFieldsEntry } from '@mooring/renderer-contract';
import { staleItems } from '../../engine/diff/stale-items.ts';
import { fieldManager } from './request.ts';

type FieldSet = { readonly [path: string]: unknown };

/** Whether fields of an object are owned by a client-side apply (kubectl's, or Argo CD's), so that leaving them out of a server-side apply would not remove them. */
export function hasClientSideOwner(managedFields: readonly ManagedFieldsEntry[] | undefined): boolean {
  return managedFields?.some(isClientSide) ?? false;
}

/**
 * The entries with everything that client-side applies own moved to our server-side apply entry, as client-go's `csaupgrade` does, as a patch; undefined where there is nothing to move.
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
  return ownersPatch(live, [upgraded, ...others]);
}

/**
 * The entries with the list items that stand in the way of the manifest moved to our server-side apply entry, whoever owns them, so that the next apply removes
 * them: items of lists that the manifest sets, which it lacks, and which clash with one of its own by what the API server said (`clashes` of a refusal's data).
 * undefined where there are none.
 */
export function ownersWithoutStale(
  desired: KubeObject,
  live: KubeObject,
  clashes: string,
): ManagedFieldsEntry[] | undefined {
  const entries = live.metadata.managedFields ?? [];
  const isMeant = (entry: ManagedFieldsEntry): boolean => isWhole(entry) && entry.apiVersion === live.apiVersion;
  const meant = entries.filter(isMeant);
  const stale = staleItems(
    desired,
    live,
    meant.map(({ fieldsV1 }) => fieldsV1 ?? {}),
    clashes.split('\n'),
  );
  const first = meant[0];
  if (stale.length === 0 || first === undefined) return undefined;
  const ours = meant.find((entry) => entry.manager === fieldManager && entry.operation === 'Apply');
  const taken = stale.flatMap((path) => meant.map(({ fieldsV1 }) => partAt(fieldsV1 ?? {}, path)));
  const fieldsV1 = taken.reduce<FieldSet>((all, part) => uniteFields(all, part ?? {}), ours?.fieldsV1 ?? {});
  const upgraded = { ...(ours ?? first), manager: fieldManager, operation: 'Apply', fieldsV1 } as ManagedFieldsEntry;
  const others = entries.flatMap((entry) => {
    if (entry === ours) return [];
    if (!isMeant(entry)) return [entry];
    const left = stale.reduce<FieldSet | undefined>((fields, path) => fields && without(fields, path), entry.fieldsV1);
    return left === undefined ? [] : [{ ...entry, fieldsV1: { ...left } }];
  });
  return [upgraded, ...others];
}

/** The entries with all that is ours in one Update entry, as if we had never applied but by PUT: what an object is put with that server-side apply does not take. */
export function ownersAsPut(live: KubeObject): ManagedFieldsEntry[] {
  const entries = live.metadata.managedFields ?? [];
  const ours = entries.filter(
    (entry) => entry.manager === fieldManager && isWhole(entry) && entry.apiVersion === live.apiVersion,
  );
  const [first] = ours;
  if (first === undefined) return entries;
  const fieldsV1 = ours.reduce<FieldSet>((all, entry) => uniteFields(all, entry.fieldsV1 ?? {}), {});
  const put: ManagedFieldsEntry = { ...first, operation: 'Update', fieldsV1: { ...fieldsV1 } };
  return [put, ...entries.filter((entry) => !ours.includes(entry))];
}

/** A JSON patch of who owns the fields, which only takes effect on the version that was read. */
export function ownersPatch(
  live: KubeObject,
  entries: readonly ManagedFieldsEntry[],
): readonly Readonly<Record<string, unknown>>[] {
  return [
    { op: 'replace', path: '/metadata/managedFields', value: entries },
    { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
  ];
}

/** The set with nothing but what is at a path, or undefined. */
function partAt(fields: FieldSet, path: readonly string[]): FieldSet | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return fields;
  const inner = fields[step];
  const part = isSet(inner) ? partAt(inner, rest) : undefined;
  return part && { [step]: part };
}

/** The set without what is at a path; undefined where nothing is left, as a set that is empty means the whole value. */
function without(fields: FieldSet, path: readonly string[]): FieldSet | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return undefined;
  const inner = fields[step];
  if (!isSet(inner)) return fields;
  const { [step]: _, ...others } = fields;
  const left = without(inner, rest);
  if (left !== undefined) return { ...others, [step]: left };
  return Object.keys(others).length === 0 ? undefined : others;
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
