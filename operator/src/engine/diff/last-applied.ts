import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../model/annotations.ts';
import { isJsonObject, ownValue } from '../../model/json.ts';
import { mergeKeysOf } from './defaults.ts';
import { pointerTo, type Report } from './pointer.ts';

/** What a client-side apply (kubectl's, Argo CD's) has noted as its last manifest; undefined where there is none. */
export function lastApplied(live: KubeObject): unknown {
  const text = live.metadata.annotations?.[annotation.lastApplied];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Reports what the last manifest had, the desired one lacks, and the live object still has: for objects that were applied client-side and never by us.
 * The first server-side apply takes over what client-side applies own, and so removes these fields.
 */
export function removedSince(
  last: unknown,
  desired: unknown,
  live: unknown,
  unsettled: ReadonlySet<string>,
  report: Report,
): void {
  removed(last, desired, live, '', '', (pointer, wish, fact) => {
    if (!unsettled.has(pointer)) report(pointer, wish, fact);
  });
}

function removed(last: unknown, desired: unknown, live: unknown, name: string, pointer: string, report: Report): void {
  if (isJsonObject(last)) removedFields(last, desired, live, pointer, report);
  else if (Array.isArray(last)) removedItems(last, desired, live, name, pointer, report);
}

function removedFields(
  last: Readonly<Record<string, unknown>>,
  desired: unknown,
  live: unknown,
  pointer: string,
  report: Report,
): void {
  if (!isJsonObject(desired) || !isJsonObject(live)) return;
  for (const field of Object.keys(last)) {
    const fact = ownValue(live, field);
    const wish = ownValue(desired, field);
    if (isEmpty(last[field]) || fact === undefined) continue;
    const next = pointerTo(pointer, field);
    if (wish === undefined || wish === null) report(next, undefined, fact);
    else removed(last[field], wish, fact, field, next, report);
  }
}

/** Only lists whose items have keys: others are compared as a whole anyway. */
function removedItems(
  last: readonly unknown[],
  desired: unknown,
  live: unknown,
  name: string,
  pointer: string,
  report: Report,
): void {
  const keys = mergeKeysOf(name, last);
  if (keys === undefined || !Array.isArray(desired) || !Array.isArray(live)) return;
  const same = (a: unknown, b: unknown) =>
    isJsonObject(a) && isJsonObject(b) && keys.every((key) => (a[key] ?? 'TCP') === (b[key] ?? 'TCP'));
  for (const item of last) {
    const index = live.findIndex((fact) => same(item, fact));
    if (index < 0) continue;
    const wish = desired.find((each) => same(item, each));
    if (wish === undefined) report(`${pointer}/${index}`, undefined, live[index]);
    else removed(item, wish, live[index], name, `${pointer}/${index}`, report);
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value as object).length === 0);
}
