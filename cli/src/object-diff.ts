import type { ResourceIgnoreDifferences } from '@mooring/crds';
import { withoutIgnored } from '@mooring/operator/engine/diff/ignore.ts';
import { stepsOf } from '@mooring/operator/engine/diff/pointer.ts';
import { annotation } from '@mooring/operator/model/annotations.ts';
import type { FieldDifference } from '@mooring/operator/model/change.ts';
import { copyJson, isJsonObject, setOwn } from '@mooring/operator/model/json.ts';
import { withPlainData } from '@mooring/operator/model/secret.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import { yamlOf } from './print.ts';
import { unifiedDiff } from './unified-diff.ts';

const mask = '++++++++';
const otherMask = '+++++++++';

/** An object that is asked for and not there, as a unified diff. */
export function createDiff(desired: KubeObject, name: string): string {
  const [shown] = masked(desired, desired);
  return unifiedDiff('', yamlOf(shown, { sorted: true }), name);
}

/** An object that is there and not asked for, as a unified diff; without what only the server writes. */
export function pruneDiff(live: KubeObject, name: string): string {
  const { status: _, ...rest } = live;
  const { managedFields, uid, resourceVersion, creationTimestamp, generation, ...metadata } = live.metadata;
  const object: KubeObject = { ...rest, apiVersion: live.apiVersion, kind: live.kind, metadata };
  const [, shown] = masked(object, object);
  return unifiedDiff(yamlOf(shown, { sorted: true }), '', name);
}

/**
 * What an apply changes, as a unified diff: the manifest, against the manifest with the live values of the fields that differ. Defaults, status and
 * fields of others are on neither side. Values of Secrets are masked.
 */
export function updateDiff(
  desired: KubeObject,
  live: KubeObject,
  differences: readonly FieldDifference[],
  ignore: readonly ResourceIgnoreDifferences[],
  name: string,
): string {
  const pair = withoutIgnored(desired, live, ignore);
  const [after, facts] = masked(pair.desired, pair.live);
  const valueAt = (object: KubeObject, pointer: string): unknown => at(object, stepsOf(pointer) ?? []);
  // Of Secrets a difference tells only where it is.
  const found = isSecret(desired)
    ? differences.map(({ pointer }) => ({ pointer, desired: valueAt(after, pointer), live: valueAt(facts, pointer) }))
    : differences;
  const before = copyJson(after);
  for (const difference of found) takeBack(before, difference);
  return unifiedDiff(yamlOf(withoutGaps(before), { sorted: true }), yamlOf(after, { sorted: true }), name);
}

/** Stands for what the live object doesn't have, so that the places of other list items stay as they are until the end. */
const gap: unique symbol = Symbol('gap');

/** Puts the live value of one field into the manifest. Steps into lists count the manifest's items, save for an item that only the live list has. */
function takeBack(root: unknown, { pointer, desired, live }: FieldDifference): void {
  const steps = stepsOf(pointer) ?? [];
  const last = steps.at(-1);
  const parent = at(root, steps.slice(0, -1));
  if (last === undefined) return;
  const value = live === undefined || live === null ? gap : copyJson(live);
  if (Array.isArray(parent)) {
    if (desired === undefined) parent.push(value);
    else parent[Number(last)] = value;
  } else if (isJsonObject(parent)) {
    setOwn(parent, last, value);
  }
}

function withoutGaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== gap).map(withoutGaps);
  if (!isJsonObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [field, item] of Object.entries(value)) if (item !== gap) setOwn(kept, field, withoutGaps(item));
  return kept;
}

function at(value: unknown, steps: readonly string[]): unknown {
  let current = value;
  for (const step of steps) {
    if (Array.isArray(current)) current = current[Number(step)];
    else if (isJsonObject(current) && Object.hasOwn(current, step)) current = current[step];
    else return undefined;
  }
  return current;
}

function isSecret({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'Secret';
}

/** Both sides of a Secret with masks for values, which are alike where the values are; other objects as they are. */
function masked(desired: KubeObject, live: KubeObject): [desired: KubeObject, live: KubeObject] {
  if (!isSecret(desired)) return [desired, live];
  const facts = dataOf(live);
  return [
    withData(desired, (name, value) => (Object.hasOwn(facts, name) && facts[name] !== value ? otherMask : mask)),
    withData(live, () => mask),
  ];
}

function dataOf(secret: KubeObject): Readonly<Record<string, unknown>> {
  const { data } = withPlainData(secret);
  return isJsonObject(data) ? data : {};
}

function withData(secret: KubeObject, maskOf: (name: string, value: unknown) => string): KubeObject {
  const shown: Record<string, unknown> = {};
  const data = dataOf(secret);
  for (const [name, value] of Object.entries(data)) setOwn(shown, name, maskOf(name, value));
  const { stringData: _, ...rest } = secret;
  // kubectl keeps a copy of the values in an annotation.
  const { [annotation.lastApplied]: __, ...annotations } = secret.metadata.annotations ?? {};
  const metadata = { ...secret.metadata, ...(secret.metadata.annotations && { annotations }) };
  return { ...rest, metadata, ...(Object.keys(data).length > 0 && { data: shown }) };
}
