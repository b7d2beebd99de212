import type { DesiredObject, DesiredWarning } from '../../model/desired.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyText } from '../../model/resource-key.ts';

/** An Application by its two names. */
export interface Owner {
  /** In tracking ids; see `trackingName`. */
  readonly tracking: string;
  /** `namespace/name`, for people. */
  readonly qualified: string;
}

/** Warns of every object that another Application tracks, in Argo CD's words. Both would write it, each undoing what the other did. */
export function sharedObjects(
  desired: readonly DesiredObject[],
  live: ReadonlyMap<string, LiveRecord>,
  { tracking, qualified }: Owner,
): readonly DesiredWarning[] {
  const warnings: DesiredWarning[] = [];
  for (const { key } of desired) {
    const other = live.get(keyText(key))?.app;
    if (other === undefined || other === tracking) continue;
    const message = `${key.kind}/${key.name} is part of applications ${qualified} and ${other.replaceAll('_', '/')}`;
    warnings.push({ type: 'SharedResourceWarning', message });
  }
  return warnings;
}
