import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { globMatches } from '../../model/glob.ts';
import { copyJson, isJsonObject, ownValue } from '../../model/json.ts';
import { groupOf } from '../../model/resource-key.ts';
import { type FieldTree, fieldsOfManager, isLeaf, itemOf } from './fields.ts';
import { type PathStep, parsePath } from './jq-path.ts';
import { stepsOf } from './pointer.ts';

export interface Pair {
  readonly desired: KubeObject;
  readonly live: KubeObject;
}

/** Both objects without the fields that `spec.ignoreDifferences` leaves alone; the very same objects where no rule is about them. */
export function withoutIgnored(
  desired: KubeObject,
  live: KubeObject,
  rules: readonly ResourceIgnoreDifferences[],
): Pair {
  const about = rules.filter((rule) => isAbout(rule, desired));
  if (about.length === 0) return { desired, live };
  const pair = { desired: copyJson(desired), live: copyJson(live) };
  for (const rule of about) {
    for (const path of pathsOf(rule)) {
      removePath(pair.desired, path);
      removePath(pair.live, path);
    }
    for (const manager of rule.managedFieldsManagers ?? []) {
      for (const tree of fieldsOfManager(live, manager)) {
        removeTree(pair.desired, tree);
        removeTree(pair.live, tree);
      }
    }
  }
  return pair;
}

/** What is wrong with rules, for people: pointers that are none, and expressions that are more than a path. Such a rule ignores nothing. */
export function ignoreProblems(rules: readonly ResourceIgnoreDifferences[]): readonly string[] {
  return rules.flatMap((rule) => [
    ...(rule.jsonPointers ?? [])
      .filter((pointer) => stepsOf(pointer) === undefined)
      .map((pointer) => `ignoreDifferences of ${rule.kind}: '${pointer}' is no JSON pointer; begin it with /`),
    ...(rule.jqPathExpressions ?? [])
      .filter((expression) => parsePath(expression) === undefined)
      .map(
        (expression) =>
          `ignoreDifferences of ${rule.kind}: the jq expression '${expression}' is not supported yet; use a path such as .spec.a[] | select(.name == "x") | .b, or jsonPointers`,
      ),
  ]);
}

/** Whether a rule is about an object. */
export function isAbout(rule: ResourceIgnoreDifferences, object: KubeObject): boolean {
  return (
    globMatches(rule.group ?? '', groupOf(object.apiVersion)) &&
    globMatches(rule.kind, object.kind) &&
    (!rule.name || rule.name === object.metadata.name) &&
    (!rule.namespace || rule.namespace === object.metadata.namespace)
  );
}

/** The paths that a rule names, by pointers and by expressions. */
export function pathsOf(rule: ResourceIgnoreDifferences): readonly (readonly PathStep[])[] {
  const pointers = (rule.jsonPointers ?? []).flatMap((pointer) => {
    const steps = stepsOf(pointer);
    return steps === undefined ? [] : [steps.map((name): PathStep => ({ to: 'field', name }))];
  });
  return [...pointers, ...(rule.jqPathExpressions ?? []).flatMap((expression) => [parsePath(expression) ?? []])];
}

/** Removes what a path names from a value; what isn't there is fine. */
function removePath(value: unknown, path: readonly PathStep[]): void {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (step.to === 'where') {
    if (meets(value, step)) removePath(value, rest);
    return;
  }
  const matches = selects(value, step);
  if (rest.every(({ to }) => to === 'where'))
    removeAt(
      value,
      matches.filter((at) => passes(child(value, at), rest)),
    );
  else for (const at of matches) removePath(child(value, at), rest);
}

type Where = Extract<PathStep, { readonly to: 'where' }>;

/** Whether a value that the path ends at meets the conditions behind it. */
export function passes(value: unknown, conditions: readonly PathStep[]): boolean {
  return conditions.every((step) => step.to === 'where' && meets(value, step));
}

/** Whether a value meets one condition. */
export function meets(value: unknown, { path, equal, value: wanted }: Where): boolean {
  let current: unknown = value;
  for (const step of path) {
    const [at] = selects(current, step);
    current = at === undefined ? null : child(current, at);
  }
  return ((current ?? null) === wanted) === equal;
}

/** Names or places of the children that a step leads to. */
export function selects(value: unknown, step: PathStep): readonly (string | number)[] {
  if (Array.isArray(value)) {
    if (step.to === 'all') return value.map((_, index) => index);
    const index =
      step.to === 'item' ? step.index : step.to === 'field' && /^\d{1,6}$/.test(step.name) ? Number(step.name) : -1;
    return index >= 0 && index < value.length ? [index] : [];
  }
  if (!isJsonObject(value)) return [];
  if (step.to === 'all') return Object.keys(value);
  return step.to === 'field' && Object.hasOwn(value, step.name) ? [step.name] : [];
}

/** The child of that name, or at that place. */
export function child(value: unknown, at: string | number): unknown {
  return (value as Record<string | number, unknown>)[at];
}

/** Removes children; places in a list go from the end, so that they keep naming the same items. */
function removeAt(value: unknown, places: readonly (string | number)[]): void {
  for (const at of places.toReversed()) {
    if (Array.isArray(value)) value.splice(Number(at), 1);
    else delete (value as Record<string, unknown>)[at];
  }
}

/** Removes what a manager owns: leaves, and the items that only it has. */
function removeTree(value: unknown, tree: FieldTree): void {
  for (const [step, below] of Object.entries(tree)) {
    if (!isJsonObject(below)) continue;
    if (step.startsWith('f:') && isJsonObject(value)) {
      const name = step.slice(2);
      if (isLeaf(below)) delete value[name];
      else removeTree(ownValue(value, name), below);
    } else if (Array.isArray(value)) {
      const index = placeOf(step, value);
      if (index < 0) continue;
      if (isLeaf(below)) value.splice(index, 1);
      else removeTree(value[index], below);
    }
  }
}

/** Place of the list item that a step of managed fields names; -1 where it isn't there. */
export function placeOf(step: string, list: readonly unknown[]): number {
  const keys = itemOf(step, 'k:');
  if (isJsonObject(keys)) {
    return list.findIndex(
      (item) => isJsonObject(item) && Object.entries(keys).every(([name, key]) => item[name] === key),
    );
  }
  const value = itemOf(step, 'v:');
  return value === undefined ? -1 : list.indexOf(value);
}
