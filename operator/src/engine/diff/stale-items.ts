import { isJsonObject, ownValue } from '../../model/json.ts';
import { allBelow, type FieldTree, itemOf } from './fields.ts';

/** The steps of managed fields that lead to a list item. */
export type ItemPath = readonly string[];

/**
 * The items of keyed lists that keep a manifest from being applied: they are live, the manifest sets their list and lacks them, and they clash with an item of its
 * own. `clashes` are what the API server has refused: `FieldValueDuplicate spec.ports[2].name` (an item with the same name, such as a port whose number somebody has
 * changed), or `FieldValueRequired spec.ports[0].name` (only where the manifest's list has a single item, which needs no name). The places in them are those of
 * what was refused, and so tell only which lists are meant. `trees` are the fields of everybody.
 */
export function staleItems(
  desired: unknown,
  live: unknown,
  trees: readonly FieldTree[],
  clashes: readonly string[],
): readonly ItemPath[] {
  const found = new Map<string, ItemPath>();
  for (const clash of clashes) {
    const [reason = '', field = ''] = clash.split(' ');
    const names = field.replace(/\[\d+\]/g, '.[]').split('.');
    search(desired, live, trees, names, [], reason, (path) => found.set(JSON.stringify(path), path));
  }
  return [...found.values()];
}

function search(
  desired: unknown,
  live: unknown,
  trees: readonly FieldTree[],
  names: readonly string[],
  path: ItemPath,
  reason: string,
  report: (path: ItemPath) => void,
): void {
  const [name = '', ...rest] = names;
  if (name !== '[]') {
    if (!isJsonObject(desired) || !isJsonObject(live) || rest.length === 0) return;
    const step = `f:${name}`;
    const inner = allBelow(trees, step);
    search(ownValue(desired, name), ownValue(live, name), inner, rest, [...path, step], reason, report);
    return;
  }
  if (!Array.isArray(desired) || !Array.isArray(live)) return;
  const steps = new Set(trees.flatMap(Object.keys).filter((step) => step.startsWith('k:')));
  for (const step of steps) {
    const fact = live.find((item) => isAt(step, item));
    const wish = desired.find((item) => isAt(step, item));
    if (fact === undefined) continue;
    if (wish !== undefined) search(wish, fact, allBelow(trees, step), rest, [...path, step], reason, report);
    else if (rest.length === 1 && isClash(rest[0] ?? '', desired, fact, reason)) report([...path, step]);
  }
}

function isClash(field: string, desired: readonly unknown[], fact: unknown, reason: string): boolean {
  const at = (item: unknown): unknown => (isJsonObject(item) ? ownValue(item, field) : undefined);
  if (reason === 'FieldValueRequired') return desired.length === 1 && at(desired[0]) === undefined;
  const value = at(fact);
  return value !== undefined && desired.some((item) => at(item) === value);
}

/** Whether an item has the keys of a step; a protocol that is left out is TCP. */
function isAt(step: string, item: unknown): boolean {
  const keys = itemOf(step, 'k:');
  if (!isJsonObject(keys) || !isJsonObject(item)) return false;
  return Object.entries(keys).every(
    ([name, value]) => (item[name] ?? (name === 'protocol' ? 'TCP' : undefined)) === value,
  );
}
