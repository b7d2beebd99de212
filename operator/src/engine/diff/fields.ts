import type { KubeObject, ManagedFieldsEntry } from '@mooring/renderer-contract';
import { isJsonObject, ownValue } from '../../model/json.ts';

/**
 * A set of fields as `metadata.managedFields` has it (`fieldsV1`): `f:name` is a field, `k:{…}` a list item by its keys, `v:…` an item of a set, `i:n` one
 * by its place, `.` the value itself; `{}` is a leaf (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
 */
export type FieldTree = Readonly<Record<string, unknown>>;

const ourManager = 'argocd-controller';

/** What our server-side apply owns of an object; undefined where it never was applied so, or in another version than it is shown in. */
export function ownedFields(live: KubeObject): FieldTree | undefined {
  return ownFields(live, 'Apply');
}

/** What we own of an object that we have put or created as a whole, by an Update; undefined as above. */
export function putFields(live: KubeObject): FieldTree | undefined {
  return ownFields(live, 'Update');
}

function ownFields(live: KubeObject, by: 'Apply' | 'Update'): FieldTree | undefined {
  return entriesOf(live).find(
    ({ manager, operation, apiVersion, subresource }) =>
      manager === ourManager && operation === by && apiVersion === live.apiVersion && (subresource ?? '') === '',
  )?.fieldsV1;
}

/** The fields of everybody, one tree a manager: from them it shows which lists have keys, and what is replaced only as a whole. */
export function everyonesFields(live: KubeObject): readonly FieldTree[] {
  return entriesOf(live).flatMap(({ apiVersion, fieldsV1 }) =>
    apiVersion === live.apiVersion && isJsonObject(fieldsV1) ? [fieldsV1] : [],
  );
}

/** What one manager owns, by any operation. */
export function fieldsOfManager(live: KubeObject, manager: string): readonly FieldTree[] {
  return entriesOf(live).flatMap((entry) =>
    entry.manager === manager && isJsonObject(entry.fieldsV1) ? [entry.fieldsV1] : [],
  );
}

function entriesOf(live: KubeObject): readonly ManagedFieldsEntry[] {
  return Array.isArray(live.metadata.managedFields) ? live.metadata.managedFields : [];
}

/** The part of a tree below one step; undefined where it doesn't have the step. */
export function below(tree: FieldTree | undefined, step: string): FieldTree | undefined {
  const part = tree === undefined ? undefined : ownValue(tree, step);
  return isJsonObject(part) ? part : undefined;
}

/** The parts of all trees below one step. */
export function allBelow(trees: readonly FieldTree[], step: string): readonly FieldTree[] {
  return trees.map((tree) => below(tree, step)).filter((part) => part !== undefined);
}

/** Whether the tree ends here: the value is owned as a whole. */
export function isLeaf(tree: FieldTree): boolean {
  return Object.keys(tree).length === 0;
}

/** The keys of an item step `k:{"name":"web"}`, or the value of a set step `v:"web"`; undefined for other steps. */
export function itemOf(step: string, kind: 'k:' | 'v:'): unknown {
  if (!step.startsWith(kind)) return undefined;
  try {
    return JSON.parse(step.slice(kind.length)) as unknown;
  } catch {
    return undefined;
  }
}
