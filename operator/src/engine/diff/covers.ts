import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { isJsonObject } from '../../model/json.ts';
import { withPlainData } from '../../model/secret.ts';
import { unsettledFields } from './compare.ts';
import { asksNothing, isBuiltIn } from './defaults.ts';
import { allBelow, below, everyonesFields, type FieldTree, isLeaf, itemOf, ownedFields, putFields } from './fields.ts';
import { isAbout, pathsOf, withoutIgnored } from './ignore.ts';
import { lastApplied } from './last-applied.ts';
import { pointerTo } from './pointer.ts';

/**
 * Whether our own managedFields entry holds every field that the manifest asks for and that is compared. Only then each change of one of them takes it out of
 * the entry, and so shows in it: a field that somebody else has come to own may change again and again while our entry stays as it is. The order of items
 * shows in no entry, but in the generation of those objects that have one.
 */
export function coversAll(desired: KubeObject, live: KubeObject, rules: readonly ResourceIgnoreDifferences[]): boolean {
  const about = rules.filter((rule) => isAbout(rule, desired));
  // What such a rule ignores depends on values and owners that are not ours.
  if (about.some(({ managedFieldsManagers = [] }) => managedFieldsManagers.length > 0)) return false;
  if (about.some((rule) => pathsOf(rule).some((path) => path.some(({ to }) => to === 'where')))) return false;
  const applied = ownedFields(live);
  if (applied === undefined && lastApplied(live) !== undefined) return false;
  const own = applied ?? putFields(live);
  if (own === undefined) return false;
  const pair = withoutIgnored(desired, live, about);
  const fixed = {
    unsettled: unsettledFields(desired),
    builtIn: isBuiltIn(desired.apiVersion),
    isCounted: live.metadata.generation !== undefined,
  };
  return holds(withPlainData(pair.desired), { own, shapes: everyonesFields(live), pointer: '' }, fixed);
}

/** What holds of the whole object. */
interface Fixed {
  /** Pointers of fields that are not compared. */
  readonly unsettled: ReadonlySet<string>;
  readonly builtIn: boolean;
  /** Whether each change of the content has a generation of its own. */
  readonly isCounted: boolean;
}

/** Where the walk is: what we own and what anybody owns from here on. */
interface Place {
  readonly own: FieldTree | undefined;
  readonly shapes: readonly FieldTree[];
  readonly pointer: string;
}

function holds(wish: unknown, place: Place, fixed: Fixed): boolean {
  const { own, shapes, pointer } = place;
  const isEmpty = typeof wish !== 'object' || wish === null || Object.keys(wish).length === 0;
  if (isEmpty) return own !== undefined;
  // A leaf is a value that changes hands as a whole, unless others own parts of it: then it was empty when we applied it.
  if (pointer !== '' && own !== undefined && isLeaf(own)) return shapes.every(isLeaf);
  if (isJsonObject(wish)) {
    return Object.entries(wish).every(([field, value]) => {
      const inner = pointerTo(pointer, field);
      if (value === undefined || value === null || fixed.unsettled.has(inner)) return true;
      const step = `f:${field}`;
      if (fixed.builtIn && asksNothing(value, field, inner)) return true;
      return holds(value, { own: below(own, step), shapes: allBelow(shapes, step), pointer: inner }, fixed);
    });
  }
  if (!Array.isArray(wish)) return own !== undefined;
  if (!fixed.isCounted && wish.length > 1 && wish.some(isJsonObject)) return false;
  return wish.every((item, index) => {
    const step = stepOf(own, item);
    if (step === undefined) return false;
    const inner = `${pointer}/${index}`;
    return holds(item, { own: below(own, step), shapes: allBelow(shapes, step), pointer: inner }, fixed);
  });
}

/** The step of one item of a list among what we own; undefined where we don't own it, or where it can't be told which one it is. */
function stepOf(own: FieldTree | undefined, item: unknown): string | undefined {
  const steps = Object.keys(own ?? {}).filter((step) => {
    if (!isJsonObject(item)) return itemOf(step, 'v:') === item;
    const keys = itemOf(step, 'k:');
    if (!isJsonObject(keys)) return false;
    // A key that isn't asked for is filled in, such as the protocol of a port.
    return Object.entries(keys).every(([name, key]) => item[name] === undefined || item[name] === key);
  });
  return steps.length === 1 ? steps[0] : undefined;
}
