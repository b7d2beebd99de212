import type { DesiredObject } from './desired.ts';
import type { LiveRecord } from './live.ts';
import type { ResourceKey } from './resource-key.ts';

/** One field that differs, as a JSON pointer (RFC 6901). Values of Secrets are not kept. */
export interface FieldDifference {
  readonly pointer: string;
  readonly desired?: unknown;
  readonly live?: unknown;
}

/** What stands between Git and the cluster for one key. */
export type Change =
  | { readonly action: 'create'; readonly key: ResourceKey; readonly desired: DesiredObject }
  | {
      readonly action: 'update';
      readonly key: ResourceKey;
      readonly desired: DesiredObject;
      readonly live: LiveRecord;
      readonly differences: readonly FieldDifference[];
      /** Of how many it is certain, or settled by a dry run, that an apply would change them; the others may be what the API server makes of this very manifest. */
      readonly certain: number;
    }
  | { readonly action: 'none'; readonly key: ResourceKey; readonly desired: DesiredObject; readonly live: LiveRecord }
  | { readonly action: 'prune'; readonly key: ResourceKey; readonly live: LiveRecord; readonly ignored: boolean };

/** Every change, one entry a key: desired ones in the order of the desired set, then what is to be pruned, by key. Hooks are not in it. */
export interface ChangeSet {
  readonly changes: readonly Change[];
}

/**
 * Whether nobody has proven yet that an apply would change the object: every difference of it may be what the API server makes of this very manifest, and it has
 * not been asked.
 */
export function isUnproven(change: Change): boolean {
  return change.action === 'update' && change.certain === 0 && change.desired.forbidden === undefined;
}

/** Whether a change keeps the Application from being Synced. */
export function isOutOfSync(change: Change): boolean {
  return change.action === 'prune' ? !change.ignored : change.action !== 'none';
}
