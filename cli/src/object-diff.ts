import type { ResourceIgnoreDifferences } from '@mooring/crds';
import { withoutIgnored } from '@mooring/operator/engine/diff/ignore.ts';
import { stepsOf } from '@mooring/operator/engine/diff/pointer.ts';
import type { FieldDifference } from '@mooring/operator/model/change.ts';
import { canonicalJson, copyJson, isJsonObject, setOwn } from '@mooring/operator/model/json.ts';
import { mask } from '@mooring/operator/model/mask.ts';
import { isSecretLike, isShownOfSecret, withPlainData } from '@mooring/operator/model/secret.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import { unifiedDiff } from './unified-diff.ts';
import { yamlOf } from './yaml.ts';

/** Of a value that is not the one on the other side. */
const otherMask = `${mask}+`;

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
  const found = isSecretLike(desired)
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

/** Both sides of anything like a Secret with masks for values, which are alike where the values are; other objects as they are. */
function masked(desired: KubeObject, live: KubeObject): [desired: KubeObject, live: KubeObject] {
  if (!isSecretLike(desired) && !isSecretLike(live)) return [desired, live];
  const facts = withPlainData(live);
  const isOther = (path: readonly string[], value: unknown): boolean => {
    const fact = at(facts, path);
    return fact !== undefined && canonicalJson(fact) !== canonicalJson(value);
  };
  return [
    withMasks(withPlainData(desired), [], (path, value) => (isOther(path, value) ? otherMask : mask)) as KubeObject,
    withMasks(facts, [], () => mask) as KubeObject,
  ];
}

function withMasks(
  value: unknown,
  path: readonly string[],
  maskOf: (path: readonly string[], value: unknown) => string,
): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withMasks(item, [...path, String(index)], maskOf));
  if (isJsonObject(value)) {
    const shown: Record<string, unknown> = {};
    for (const [field, inner] of Object.entries(value))
      setOwn(shown, field, withMasks(inner, [...path, field], maskOf));
    return shown;
  }
  return value === null || value === undefined || isShownOfSecret(path) ? value : maskOf(path, value);
}
