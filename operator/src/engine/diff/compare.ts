import type { KubeObject } from '@mooring/renderer-contract';
import type { FieldDifference } from '../../model/change.ts';
import { canonicalJson, isJsonObject, numberText, ownValue } from '../../model/json.ts';
import { sameQuantity } from '../../model/quantity.ts';
import { keyOf, type ResourceKey } from '../../model/resource-key.ts';
import { withPlainData } from '../../model/secret.ts';
import {
  asksNothing,
  isBuiltIn,
  isDropped,
  isEmptied,
  isFilledIn,
  isOneValue,
  mayBeQuantity,
  mergeKeysOf,
} from './defaults.ts';
import { allBelow, below, everyonesFields, type FieldTree, isLeaf, itemOf, ownedFields, putFields } from './fields.ts';
import { lastApplied, removedSince } from './last-applied.ts';
import { pointerTo } from './pointer.ts';

/** What differs between a manifest and the object in the cluster. */
export interface Comparison {
  /** Values of Secrets are left out. */
  readonly differences: readonly FieldDifference[];
  /**
   * Of how many it is certain that an apply would change them. The others may be what the API server makes of this very manifest: we own the fields, or, of an
   * object that we never applied, they are empty ones. Only a dry run tells.
   */
  readonly certain: number;
}

/**
 * The fields that a server-side apply of `desired` would change in `live`: values that differ, and values that we own and no longer ask for. What the
 * server or others fill in is no difference. `gitChanged`: whether `desired` may be another one than was synced last, so that an empty value which is not there,
 * and which we do not own, was never applied.
 */
export function compare(
  desired: KubeObject,
  live: KubeObject,
  options: { readonly gitChanged: boolean } = { gitChanged: true },
): Comparison {
  const found = differencesOf(desired, live, options.gitChanged);
  const certain = found.filter(({ doubtful }) => !doubtful).length;
  return { differences: found.map(shown(desired)), certain };
}

/** Those of the differences that an apply would settle; `answer` is what the API server has answered to one in a dry run, with the owners of `live`. */
export function settledBy(
  answer: KubeObject,
  desired: KubeObject,
  live: KubeObject,
  options: { readonly gitChanged: boolean },
): readonly FieldDifference[] {
  // What the apply leaves as it is is told again in the same words.
  const left = new Set(differencesOf(desired, answer, options.gitChanged).map(wordsOf));
  return differencesOf(desired, live, options.gitChanged)
    .filter((difference) => !left.has(wordsOf(difference)))
    .map(shown(desired));
}

interface Difference extends FieldDifference {
  readonly doubtful: boolean;
}

function wordsOf({ pointer, desired, live }: Difference): string {
  return canonicalJson([pointer, desired, live]);
}

function shown(desired: KubeObject): (difference: Difference) => FieldDifference {
  const isHidden = isSecret(keyOf(desired));
  return ({ pointer, desired: wish, live: fact }) => {
    if (isHidden) return { pointer };
    return { pointer, ...(wish !== undefined && { desired: wish }), ...(fact !== undefined && { live: fact }) };
  };
}

function differencesOf(desired: KubeObject, live: KubeObject, gitChanged: boolean): readonly Difference[] {
  const key = keyOf(desired);
  const wanted = withPlainData(desired);
  const owned = ownedFields(live);
  const found: Difference[] = [];
  const walk: Walk = {
    key,
    builtIn: isBuiltIn(desired.apiVersion),
    applied: owned !== undefined,
    gitChanged,
    unsettled: unsettledFields(desired),
    report: (pointer, wish, fact, doubtful = false) => found.push({ pointer, desired: wish, live: fact, doubtful }),
  };
  compareFields(wanted, live, walk, {
    own: owned,
    held: owned ?? putFields(live),
    shapes: everyonesFields(live),
    pointer: '',
    name: '',
    parent: '',
    isBare: false,
    whole: undefined,
  });
  if (owned === undefined) removedSince(lastApplied(live), wanted, live, walk.unsettled, walk.report);
  return found;
}

interface Walk {
  readonly key: ResourceKey;
  readonly builtIn: boolean;
  /** Whether the object was ever applied by us. */
  readonly applied: boolean;
  readonly gitChanged: boolean;
  /** Pointers of fields that are not compared. */
  readonly unsettled: ReadonlySet<string>;
  readonly report: (pointer: string, desired: unknown, live: unknown, doubtful?: boolean) => void;
}

/** Where the walk is. */
interface Place {
  /** What our apply owns from here on. */
  readonly own: FieldTree | undefined;
  /** The same, or what we own of an object that was put as a whole. */
  readonly held: FieldTree | undefined;
  /** What anybody owns from here on. */
  readonly shapes: readonly FieldTree[];
  readonly pointer: string;
  /** Name of the field, and of the field that holds it; list items have those of their list. */
  readonly name: string;
  readonly parent: string;
  /** Whether what holds the field is there, empty and ours: then no entry tells what was asked for in it. */
  readonly isBare: boolean;
  /** Set inside a value that is replaced only as a whole: whether it is ours. */
  readonly whole: { readonly isHeld: boolean } | undefined;
}

/**
 * Fields that an apply does not settle: names are those of the key, status is the business of controllers (Argo CD's
 * `ignoreResourceStatusField: all`), a Secret's `stringData` is stored as `data`, and a controller fills the rules of an aggregated role.
 */
export function unsettledFields(desired: KubeObject): ReadonlySet<string> {
  const fields = ['/apiVersion', '/kind', '/status', '/metadata/name', '/metadata/namespace'];
  if (isSecret(keyOf(desired))) fields.push('/stringData');
  if (desired['aggregationRule'] !== undefined) fields.push('/rules');
  return new Set(fields);
}

function compareValue(desired: unknown, live: unknown, walk: Walk, place: Place): void {
  if (live === undefined || live === null) {
    compareAbsent(desired, live, walk, place);
  } else if (isJsonObject(desired)) {
    if (isJsonObject(live)) compareFields(desired, live, walk, place);
    else walk.report(place.pointer, desired, live, isHeld(place));
  } else if (Array.isArray(desired)) {
    if (Array.isArray(live)) compareLists(desired, live, walk, place);
    else walk.report(place.pointer, desired, live, isHeld(place));
  } else if (!sameLeaf(desired, live, place) && !isStoredAs(desired, live, walk, place)) {
    walk.report(place.pointer, desired, live, isHeld(place));
  }
}

/** Whether the value is ours, so that it may be what the server, or an admission webhook, has made of what we applied: whoever else changes it takes it from us. */
function isHeld({ held, whole }: Place): boolean {
  return whole === undefined ? held !== undefined : whole.isHeld;
}

/**
 * An empty value that is not there: where our own entry has the field we applied it, and the server has dropped it. Where the entry lacks it, it is yet to be
 * applied, or somebody has had the field in between; but a list or an object that is empty may leave no trace in an entry, nor does what was dropped from an object
 * that is empty then. Where we have no entry, or one of the whole that it is in, only the server knows.
 */
function compareAbsent(desired: unknown, live: unknown, walk: Walk, place: Place): void {
  const { own, name, parent, whole, pointer, isBare } = place;
  if (isAbsent(desired)) return;
  const isEmpty = isEmptied(desired, walk.builtIn);
  if (isEmpty && whole === undefined) {
    if (holdsAll(own, desired) && isDropped(desired, name, parent, walk.builtIn)) return;
    if (walk.builtIn && asksNothing(desired, name, pointer)) return;
  }
  const isUntold = isEmpty && (typeof desired === 'object' || isBare || !walk.applied || !walk.gitChanged);
  walk.report(pointer, desired, live, isHeld(place) || isUntold);
}

/** Whether every value inside is ours. */
function holdsAll(own: FieldTree | undefined, value: unknown): boolean {
  if (own === undefined) return false;
  if (!isJsonObject(value)) return true;
  return Object.entries(value).every(([field, inner]) => isAbsent(inner) || holdsAll(below(own, `f:${field}`), inner));
}

/** Whether the server stores the text another way: base64 without blanks, or a default in the place of an empty text. */
function isStoredAs(desired: unknown, live: unknown, walk: Walk, place: Place): boolean {
  const isBytes = place.parent === 'binaryData' || (place.parent === 'data' && isSecret(walk.key));
  if (isBytes) return typeof desired === 'string' && desired.replace(/\s/g, '') === live;
  return desired === '' && walk.builtIn && isFilledIn(live, place.name, place.parent, walk.key);
}

function compareFields(
  desired: Readonly<Record<string, unknown>>,
  live: Readonly<Record<string, unknown>>,
  walk: Walk,
  outer: Place,
): void {
  // Managed fields end at an empty object too, and then what is in it was filled in.
  const isWhole = Object.keys(desired).length > 0 || isOneValue(outer.name);
  const place = isWhole ? enter(outer, live) : outer;
  const isBare = place.held !== undefined && isLeaf(place.held) && Object.keys(live).length === 0;
  for (const [field, wish] of Object.entries(desired)) {
    const pointer = pointerTo(place.pointer, field);
    // null asks for nothing: an apply leaves such a field to others.
    if (isAbsent(wish) || walk.unsettled.has(pointer)) continue;
    const step = `f:${field}`;
    compareValue(wish, ownValue(live, field), walk, {
      own: below(place.own, step),
      held: below(place.held, step),
      shapes: allBelow(place.shapes, step),
      pointer,
      name: field,
      parent: place.name,
      isBare,
      whole: place.whole,
    });
  }
  if (place.whole !== undefined) {
    for (const [field, fact] of Object.entries(live)) {
      if (Object.hasOwn(desired, field) || isFilledIn(fact, field, place.name, walk.key)) continue;
      walk.report(pointerTo(place.pointer, field), undefined, fact, isHeld(place) || !walk.applied);
    }
  }
  for (const step of Object.keys(place.own ?? {})) {
    if (!step.startsWith('f:')) continue;
    const field = step.slice(2);
    const fact = ownValue(live, field);
    // A null in a map of texts is stored as an empty one.
    const given = Object.hasOwn(desired, field) && (!isAbsent(ownValue(desired, field)) || fact === '');
    const pointer = pointerTo(place.pointer, field);
    if (!given && !isAbsent(fact) && !walk.unsettled.has(pointer)) walk.report(pointer, undefined, fact);
  }
}

/** Steps into a value: notes where one begins that is replaced only as a whole. */
function enter(place: Place, live: object): Place {
  if (place.whole !== undefined || place.shapes.length === 0 || Object.keys(live).length === 0) return place;
  if (!place.shapes.every(isLeaf)) return place;
  return { ...place, whole: { isHeld: place.held !== undefined } };
}

function compareLists(desired: readonly unknown[], live: readonly unknown[], walk: Walk, outer: Place): void {
  const place = enter(outer, live);
  const rule = place.whole === undefined ? mergeRule(desired, live, place) : 'whole';
  if (rule === 'set') compareSets(desired, live, walk, place);
  else if (rule !== 'whole') compareItems(desired, live, rule, walk, place);
  // An empty list that the server fills leaves no trace in an entry.
  else if (desired.length !== live.length)
    walk.report(place.pointer, desired, live, isHeld(place) || desired.length === 0);
  else
    for (const [index, wish] of desired.entries())
      compareValue(wish, live[index], walk, itemPlace(place, index, undefined));
}

/** How a list is merged: as a set, by the keys of its items, or replaced as a whole. */
export function mergeRule(
  desired: readonly unknown[],
  live: readonly unknown[],
  place: Pick<Place, 'shapes' | 'name'>,
): 'set' | 'whole' | readonly string[] {
  const steps = place.shapes.flatMap(Object.keys);
  if (steps.some((step) => step.startsWith('v:'))) return 'set';
  const keyed = steps.find((step) => step.startsWith('k:'));
  if (keyed !== undefined) return keysOf(keyed);
  // No managed fields describe the list.
  const items = [...desired, ...live];
  const keys = mergeKeysOf(place.name, items);
  const first = keys?.[0];
  if (keys === undefined || first === undefined) return 'whole';
  return items.every((item) => isJsonObject(item) && item[first] !== undefined) ? keys : 'whole';
}

function keysOf(step: string): readonly string[] {
  const keys = itemOf(step, 'k:');
  return isJsonObject(keys) ? Object.keys(keys) : [];
}

/** A set: its order means nothing, and others may add to it. */
function compareSets(desired: readonly unknown[], live: readonly unknown[], walk: Walk, place: Place): void {
  for (const [index, wish] of desired.entries()) {
    if (live.some((fact) => sameLeaf(wish, fact, place))) continue;
    const isOurs = Object.keys(place.held ?? {}).some((step) => itemOf(step, 'v:') === wish);
    walk.report(`${place.pointer}/${index}`, wish, undefined, isOurs);
  }
  for (const step of Object.keys(place.own ?? {})) {
    const value = itemOf(step, 'v:');
    if (value === undefined || desired.some((wish) => sameLeaf(wish, value, place))) continue;
    const index = live.findIndex((fact) => sameLeaf(fact, value, place));
    if (index >= 0) walk.report(`${place.pointer}/${index}`, undefined, value);
  }
}

/**
 * A list whose items have keys: others may add to it, in between too. Those that are asked for keep their order, which init containers run in and variables may
 * refer to; whether an apply brings it about, only the server knows.
 */
function compareItems(
  desired: readonly unknown[],
  live: readonly unknown[],
  keys: readonly string[],
  walk: Walk,
  place: Place,
): void {
  // Of items with the same keys, which only a PUT can write, the second is held against the second, and so on.
  const met = new Set<unknown>();
  const order: unknown[] = [];
  for (const [index, wish] of desired.entries()) {
    const fact = live.find((item) => !met.has(item) && isSameItem(wish, item, keys, walk.key));
    met.add(fact);
    if (fact !== undefined) order.push(fact);
    if (fact === undefined) {
      const isOurs = Object.keys(place.held ?? {}).some((step) => isKeyOf(step, wish));
      walk.report(`${place.pointer}/${index}`, wish, undefined, isOurs);
      continue;
    }
    const step = place.shapes.flatMap(Object.keys).find((each) => isKeyOf(each, fact));
    compareValue(wish, fact, walk, itemPlace(place, index, step));
  }
  const there = live.filter((fact) => met.has(fact));
  if (there.some((fact, index) => fact !== order[index])) {
    const named = (items: readonly unknown[]): unknown => items.map((item) => keysIn(item, keys));
    walk.report(place.pointer, named(order), named(there), true);
  }
  for (const [index, fact] of live.entries()) {
    const isSurplus = !met.has(fact) && desired.some((wish) => isSameItem(wish, fact, keys, walk.key));
    if (isSurplus) walk.report(`${place.pointer}/${index}`, undefined, fact, true);
  }
  for (const step of Object.keys(place.own ?? {})) {
    const index = live.findIndex((item) => isKeyOf(step, item));
    if (index < 0 || desired.some((wish) => isSameItem(wish, live[index], keys, walk.key))) continue;
    walk.report(`${place.pointer}/${index}`, undefined, live[index]);
  }
}

/** What an item is known by: the value of its key, or of several. */
function keysIn(item: unknown, keys: readonly string[]): unknown {
  if (!isJsonObject(item)) return item;
  const [first = '', ...more] = keys;
  return more.length === 0 ? item[first] : Object.fromEntries(keys.map((key) => [key, item[key]]));
}

function itemPlace(place: Place, index: number, step: string | undefined): Place {
  return {
    own: step === undefined ? undefined : below(place.own, step),
    held: step === undefined ? undefined : below(place.held, step),
    shapes: step === undefined ? [] : allBelow(place.shapes, step),
    pointer: `${place.pointer}/${index}`,
    name: place.name,
    parent: place.parent,
    isBare: false,
    whole: place.whole,
  };
}

/** Whether two items have the same keys; one that isn't asked for may be filled in, such as `protocol: TCP`. */
function isSameItem(desired: unknown, live: unknown, keys: readonly string[], key: ResourceKey): boolean {
  if (!isJsonObject(desired) || !isJsonObject(live)) return false;
  return keys.every((name) => {
    const wish = desired[name];
    return isAbsent(wish) || wish === ''
      ? isAbsent(live[name]) || isFilledIn(live[name], name, '', key)
      : wish === live[name];
  });
}

/** Whether the step is that of the item. A key that is empty is not stored: the item of `k:{"name":""}` is `{}`. */
function isKeyOf(step: string, item: unknown): boolean {
  const keys = itemOf(step, 'k:');
  if (!isJsonObject(keys) || !isJsonObject(item)) return false;
  return Object.entries(keys).every(([name, value]) => (item[name] ?? '') === value);
}

function sameLeaf(desired: unknown, live: unknown, place: Pick<Place, 'name' | 'parent'>): boolean {
  if (desired === live) return true;
  if (mayBeQuantity(place.name, place.parent) && sameQuantity(desired, live)) return true;
  const number = numberText(desired);
  return number !== undefined && number === numberText(live);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isSecret(key: ResourceKey): boolean {
  return key.group === '' && key.kind === 'Secret';
}
