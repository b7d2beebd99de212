import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { annotation, itemsOf } from '../../model/annotations.ts';
import type { Change, ChangeSet } from '../../model/change.ts';
import type { DesiredObject, DesiredSet } from '../../model/desired.ts';
import { hookRole } from '../../model/hooks.ts';
import { inOneGo } from '../../model/in-one-go.ts';
import { type AppliedMark, isStillMarked, type LiveRecord, type LiveSet } from '../../model/live.ts';
import { keyText } from '../../model/resource-key.ts';
import { type Comparison, compare, settledBy } from './compare.ts';
import { withoutIgnored } from './ignore.ts';

/** What else a comparison goes by. */
export interface DiffRules {
  /** `spec.ignoreDifferences`, and those of the settings. */
  readonly ignoreDifferences: readonly ResourceIgnoreDifferences[];
  /** Whether the revision may be another one than that of the last sync; undefined where it isn't known. */
  readonly revisionChanged?: boolean;
}

/** Characters of JSON that cost as much as a look at a mark does, and a comparison field by field of an object of the usual length. */
const markLength = 300;
const comparisonLength = 3_000;

/**
 * Compares what a revision asks for with what a cluster holds. Of every object that exists `live.objects` must hold the object itself, unless its mark says
 * that it still is as it was applied. Pure.
 */
export function diff(desired: DesiredSet, live: LiveSet, rules: DiffRules): ChangeSet {
  return inOneGo(diffing(desired, live, rules));
}

/** As `diff`, with a pause after each object: it says about how many characters it has worked through. */
export function* diffing(desired: DesiredSet, live: LiveSet, rules: DiffRules): Generator<number, ChangeSet> {
  const changes: Change[] = [];
  const wanted = new Set<string>();
  for (const object of desired.objects) {
    const text = keyText(object.key);
    wanted.add(text);
    if (object.hook === undefined) changes.push(changeOf(object, live, rules));
    yield live.objects.has(text) ? comparisonLength : markLength;
  }
  const leftovers = live.others.filter((record) => !wanted.has(keyText(record.key)) && isPrunable(record));
  const sorted = leftovers.map((record) => [keyText(record.key), record] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, record] of sorted) changes.push(pruneOf(record));
  return { changes };
}

function changeOf(desired: DesiredObject, live: LiveSet, rules: DiffRules): Change {
  const { key } = desired;
  const text = keyText(key);
  const record = live.desired.get(text);
  if (record === undefined) return { action: 'create', key, desired };
  const mark = live.marks.get(text);
  const object = live.objects.get(text);
  if (object === undefined) {
    if (isVouchedFor(desired, record, mark)) return { action: 'none', key, desired, live: record };
    throw new Error(`the live object ${text} was not observed, and its mark does not vouch for it`);
  }
  const { differences, certain } = compareWith(desired, object, rules);
  if (differences.length === 0) return { action: 'none', key, desired, live: record };
  return { action: 'update', key, desired, live: record, differences, certain };
}

function compareWith(desired: DesiredObject, object: KubeObject, rules: DiffRules): Comparison {
  const pair = withoutIgnored(desired.object, object, rules.ignoreDifferences);
  return compare(pair.desired, pair.live, { gitChanged: rules.revisionChanged !== false });
}

/** Whether an object that the API server has just stored is as it was asked for. Where it isn't, something has rewritten it on its way. */
export function isAsWished(
  desired: DesiredObject,
  stored: KubeObject,
  ignoreDifferences: readonly ResourceIgnoreDifferences[],
): boolean {
  return compareWith(desired, stored, { ignoreDifferences }).differences.length === 0;
}

/** The change as it is by what the API server has answered to a dry run of it: what an apply leaves as it is, is none. */
export function answered(
  { key, desired, live: record }: Extract<Change, { readonly action: 'update' }>,
  object: KubeObject,
  answer: KubeObject,
  rules: DiffRules,
): Change {
  const { managedFields } = object.metadata;
  const after = { ...answer, metadata: { ...answer.metadata, ...(managedFields && { managedFields }) } };
  const pair = withoutIgnored(desired.object, object, rules.ignoreDifferences);
  const settled = withoutIgnored(desired.object, after, rules.ignoreDifferences);
  const gitChanged = rules.revisionChanged !== false;
  const differences = settledBy(settled.live, pair.desired, pair.live, { gitChanged });
  if (differences.length === 0) return { action: 'none', key, desired, live: record };
  return { action: 'update', key, desired, live: record, differences, certain: differences.length };
}

/** Whether nothing can have changed: the object was equal to the same manifest, and nobody has touched what is asked for since. */
export function isVouchedFor(desired: DesiredObject, record: LiveRecord, mark: AppliedMark | undefined): boolean {
  return mark?.desiredHash === desired.hash && isStillMarked(mark, record);
}

/** Objects that are going, that belong to other objects, and hooks of earlier syncs are nothing that a sync prunes. */
function isPrunable(record: LiveRecord): boolean {
  if (record.deleting || record.owners.length > 0) return false;
  const { role } = hookRole(record.hints);
  return role === 'none' || role === 'skip';
}

function pruneOf(record: LiveRecord): Change {
  const ignored = itemsOf(record.hints, annotation.compareOptions).includes('IgnoreExtraneous');
  return { action: 'prune', key: record.key, live: record, ignored };
}
