import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { copyJson, isJsonObject, ownValue, setOwn } from '../../model/json.ts';
import { mergeKeysOf } from './defaults.ts';
import { type FieldTree, fieldsOfManager, isLeaf } from './fields.ts';
import { child, isAbout, meets, passes, pathsOf, placeOf, selects } from './ignore.ts';
import type { PathStep } from './jq-path.ts';

/**
 * The manifest as it is sent so that fields which `spec.ignoreDifferences` leaves alone stay as they are in the cluster
 * (`RespectIgnoreDifferences=true`): each has its live value, and those that the live object lacks are left out. `status` is never taken over. The very
 * same manifest where no rule is about it.
 */
export function keepIgnored(
  desired: KubeObject,
  live: KubeObject,
  rules: readonly ResourceIgnoreDifferences[],
): KubeObject {
  const about = rules.filter((rule) => isAbout(rule, desired));
  if (about.length === 0) return desired;
  const kept = copyJson(desired);
  const { status: _, ...facts } = live;
  for (const rule of about) {
    for (const path of pathsOf(rule)) keepPath(kept, facts, path, '');
    for (const manager of rule.managedFieldsManagers ?? []) {
      for (const tree of fieldsOfManager(live, manager)) keepTree(kept, facts, tree);
    }
  }
  return kept;
}

/** Where one child is on both sides; undefined on the side that lacks it. */
interface Match {
  readonly desired: string | number | undefined;
  readonly live: string | number | undefined;
}

function keepPath(desired: unknown, live: unknown, path: readonly PathStep[], name: string): void {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (step.to === 'where') {
    if (meets(desired, step) || meets(live, step)) keepPath(desired, live, rest, name);
    return;
  }
  const matches = matchesOf(desired, live, step, name);
  if (rest.every(({ to }) => to === 'where')) {
    const ends = matches.filter(
      (match) =>
        (match.desired !== undefined && passes(child(desired, match.desired), rest)) ||
        (match.live !== undefined && passes(child(live, match.live), rest)),
    );
    keepAll(desired, live, ends);
    return;
  }
  for (const match of matches) {
    const fact = match.live === undefined ? undefined : child(live, match.live);
    const below = step.to === 'field' ? step.name : name;
    if (match.desired !== undefined) keepPath(child(desired, match.desired), fact, rest, below);
    else withParent(desired, match.live, fact, (made) => keepPath(made, fact, rest, below));
  }
}

/** Makes a parent that the manifest lacks, such as `metadata.annotations`, where something below it is kept. */
function withParent(desired: unknown, name: unknown, fact: unknown, keep: (made: object) => void): void {
  if (!isJsonObject(desired) || !isJsonObject(fact) || typeof name !== 'string') return;
  const made = {};
  keep(made);
  if (Object.keys(made).length > 0) setOwn(desired, name, made);
}

function matchesOf(desired: unknown, live: unknown, step: PathStep, name: string): readonly Match[] {
  const ours = selects(desired, step);
  const theirs = selects(live, step);
  const pair = partnerIn(live, theirs, name);
  const pairs = ours.map((at): Match => ({ desired: at, live: pair(at, child(desired, at)) }));
  const taken = new Set(pairs.map((match) => match.live));
  return [...pairs, ...theirs.filter((at) => !taken.has(at)).map((at): Match => ({ desired: undefined, live: at }))];
}

/** Finds the live child that is the same as one of the manifest: items by the keys of their list, all else by name or place. */
function partnerIn(
  live: unknown,
  places: readonly (string | number)[],
  name: string,
): (at: string | number, item: unknown) => string | number | undefined {
  const keys = Array.isArray(live) ? mergeKeysOf(name, live) : undefined;
  return (at, item) => {
    const key = keys?.find((each) => isJsonObject(item) && item[each] !== undefined);
    if (key === undefined || !isJsonObject(item)) return places.includes(at) ? at : undefined;
    const wanted = item[key];
    return places.find((place) => {
      const fact = child(live, place);
      return isJsonObject(fact) && fact[key] === wanted;
    });
  };
}

/** Gives the manifest the live children; what only it has goes, from the end of a list, so that places keep naming the same items. */
function keepAll(desired: unknown, live: unknown, matches: readonly Match[]): void {
  for (const { desired: at, live: fact } of matches) {
    if (fact === undefined) continue;
    const value = copyJson(child(live, fact));
    if (Array.isArray(desired)) {
      if (at === undefined) desired.push(value);
      else desired[Number(at)] = value;
    } else if (isJsonObject(desired)) setOwn(desired, String(fact), value);
  }
  for (const { desired: at, live: fact } of matches.toReversed()) {
    if (fact !== undefined || at === undefined) continue;
    if (Array.isArray(desired)) desired.splice(Number(at), 1);
    else if (isJsonObject(desired)) delete desired[at];
  }
}

/** Keeps what a manager owns: its leaves, and the items that it has by their keys. */
function keepTree(desired: unknown, live: unknown, tree: FieldTree): void {
  for (const [step, below] of Object.entries(tree)) {
    if (!isJsonObject(below)) continue;
    if (step.startsWith('f:')) {
      const name = step.slice(2);
      if (!isJsonObject(desired) || !isJsonObject(live)) continue;
      const fact = ownValue(live, name);
      const wish = ownValue(desired, name);
      if (fact === undefined) continue;
      if (isLeaf(below)) setOwn(desired, name, copyJson(fact));
      else if (wish !== undefined) keepTree(wish, fact, below);
      else withParent(desired, name, fact, (made) => keepTree(made, fact, below));
    } else if (Array.isArray(desired) && Array.isArray(live)) {
      const fact = placeOf(step, live);
      if (fact < 0) continue;
      const place = placeOf(step, desired);
      if (place < 0) desired.push(copyJson(live[fact]));
      else if (!isLeaf(below)) keepTree(desired[place], live[fact], below);
    }
  }
}
