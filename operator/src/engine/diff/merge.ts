import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../model/annotations.ts';
import { isJsonObject, ownValue } from '../../model/json.ts';
import { mergeRule } from './compare.ts';
import { mergeKeysOf } from './defaults.ts';
import { allBelow, below, everyonesFields, type FieldTree, isLeaf, itemOf, ownedFields } from './fields.ts';
import { lastApplied } from './last-applied.ts';

/**
 * The whole object to put in the place of `live`, as a client-side apply makes it: what the manifest sets, without what we applied last and it lacks, and all
 * that others set beside it. For manifests that server-side apply does not take. What we applied last is noted in it, and read from the note or from our apply entry.
 */
export function mergedOver(desired: KubeObject, live: KubeObject): KubeObject {
  const own = ownedFields(live);
  const earlier = [lastApplied(live), own && heldOf(live, own, everyonesFields(live))];
  const kept = earlier.reduce<unknown>((rest, last) => withoutGone(rest, last, desired), live);
  return laidOver(withNote(desired), kept, { shapes: everyonesFields(live), name: '' }) as KubeObject;
}

/** The manifest with itself in the annotation that client-side applies note it in. */
export function withNote(desired: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = desired.metadata;
  const note = JSON.stringify({ ...desired, metadata });
  return {
    ...desired,
    metadata: { ...metadata, annotations: { [annotation.lastApplied]: note, ...metadata.annotations } },
  };
}

/** Whether a list whose items are merged by keys, as far as kinds of Kubernetes itself are known, has two items with the same. */
export function repeatsKeys(value: unknown, name = ''): boolean {
  if (isJsonObject(value)) return Object.entries(value).some(([field, inner]) => repeatsKeys(inner, field));
  if (!Array.isArray(value)) return false;
  const keys = mergeKeysOf(name, value);
  const isRepeated = (item: unknown, index: number): boolean =>
    keys !== undefined && value.findIndex((other) => isSame(item, other, keys)) < index && isJsonObject(item);
  return value.some((item, index) => isRepeated(item, index) || repeatsKeys(item));
}

/** What of a value a tree of fields owns; `shapes` are the trees of everybody. */
function heldOf(value: unknown, tree: FieldTree, shapes: readonly FieldTree[]): unknown {
  // A leaf is the whole value, unless others own parts of it: then nothing in it is ours.
  if (isLeaf(tree) && shapes.every(isLeaf)) return value;
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const step = Object.keys(tree).find((each) => isItemAt(each, item) || itemOf(each, 'v:') === item);
      return step === undefined ? [] : [heldItem(item, step, below(tree, step) ?? {}, allBelow(shapes, step))];
    });
  }
  if (!isJsonObject(value)) return value;
  const held = Object.entries(value).flatMap(([field, inner]) => {
    const step = `f:${field}`;
    const part = below(tree, step);
    return part === undefined ? [] : [[field, heldOf(inner, part, allBelow(shapes, step))] as const];
  });
  return Object.fromEntries(held);
}

// The keys tell which item it is, also where somebody else has them.
function heldItem(item: unknown, step: string, tree: FieldTree, shapes: readonly FieldTree[]): unknown {
  const held = heldOf(item, tree, shapes);
  const keys = itemOf(step, 'k:');
  return isJsonObject(held) && isJsonObject(keys) ? { ...held, ...keys } : held;
}

function isItemAt(step: string, item: unknown): boolean {
  const keys = itemOf(step, 'k:');
  if (!isJsonObject(keys) || !isJsonObject(item)) return false;
  return Object.entries(keys).every(([name, value]) => item[name] === value);
}

/** `live` without what `last` has and the manifest lacks. Lists are compared item by item only where they are merged so. */
function withoutGone(live: unknown, last: unknown, desired: unknown, name = ''): unknown {
  if (Array.isArray(live) && Array.isArray(last) && Array.isArray(desired)) {
    const rule = mergeRule([...desired, ...last], live, { shapes: [], name });
    if (typeof rule === 'string') return live.filter((fact) => !last.includes(fact) || desired.includes(fact));
    return live.flatMap((fact) => {
      const before = last.find((item) => isSame(item, fact, rule));
      const wish = desired.find((item) => isSame(item, fact, rule));
      if (before === undefined) return [fact];
      return wish === undefined ? [] : [withoutGone(fact, before, wish, name)];
    });
  }
  if (!isJsonObject(live) || !isJsonObject(last) || !isJsonObject(desired)) return live;
  const left = Object.entries(live).flatMap(([field, fact]) => {
    const before = ownValue(last, field);
    const wish = ownValue(desired, field);
    if (before === undefined || before === null) return [[field, fact] as const];
    if (wish === undefined || wish === null) return [];
    return [[field, withoutGone(fact, before, wish, field)] as const];
  });
  return Object.fromEntries(left);
}

interface Place {
  readonly shapes: readonly FieldTree[];
  readonly name: string;
}

/** The manifest's value over the live one; what only the live one has stays, but in a value that is replaced only as a whole. */
function laidOver(desired: unknown, live: unknown, place: Place): unknown {
  if (desired === undefined || desired === null) return live;
  if (live === undefined || live === null) return desired;
  const { shapes } = place;
  if (shapes.length > 0 && shapes.every(isLeaf)) return desired;
  if (isJsonObject(desired) && isJsonObject(live)) {
    const over = Object.entries(desired).map(([field, wish]) => {
      const inner = { shapes: allBelow(shapes, `f:${field}`), name: field };
      return [field, laidOver(wish, ownValue(live, field), inner)] as const;
    });
    return { ...live, ...Object.fromEntries(over.filter(([, value]) => value !== undefined)) };
  }
  if (Array.isArray(desired) && Array.isArray(live)) return listLaidOver(desired, live, place);
  return desired;
}

function listLaidOver(desired: readonly unknown[], live: readonly unknown[], place: Place): readonly unknown[] {
  const rule = mergeRule(desired, live, place);
  if (rule === 'whole') return desired;
  if (rule === 'set') return [...desired, ...live.filter((fact) => !desired.includes(fact))];
  const items = desired.map((wish) => {
    // Which of several items with the same keys is which nobody can tell: they are as Git has them.
    const isAlone = desired.filter((item) => isSame(item, wish, rule)).length === 1;
    const fact = isAlone ? live.find((item) => isSame(wish, item, rule)) : undefined;
    const step = place.shapes.flatMap(Object.keys).find((each) => isItemAt(each, fact));
    const shapes = step === undefined ? [] : allBelow(place.shapes, step);
    return fact === undefined ? wish : laidOver(wish, fact, { shapes, name: place.name });
  });
  return [...items, ...live.filter((fact) => !desired.some((wish) => isSame(wish, fact, rule)))];
}

/** Whether two items have the same keys; a protocol that is left out is TCP. */
function isSame(a: unknown, b: unknown, keys: readonly string[]): boolean {
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keyOf = (item: Readonly<Record<string, unknown>>, key: string) =>
    item[key] ?? (key === 'protocol' ? 'TCP' : undefined);
  return keys.every((key) => keyOf(a, key) === keyOf(b, key));
}
