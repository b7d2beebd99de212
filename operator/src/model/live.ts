import type { KubeObject } from '@mooring/renderer-contract';
import type { Health } from './health.ts';
import type { ResourceKey } from './resource-key.ts';

/** What is kept of a live object: about 0.3 KB where the object itself has many. */
export interface LiveRecord {
  readonly key: ResourceKey;
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Counts the changes of the content, besides metadata and status; absent where the kind does not. */
  readonly generation?: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly deleting: boolean;
  /** Uids of owner references. */
  readonly owners: readonly string[];
  /** Name of the Application in a tracking id that is really this object's own; undefined for copies and strangers. */
  readonly app: string | undefined;
  /** undefined where the kind has no health rule. */
  readonly health: Health | undefined;
  /** Hash of our own managedFields entry (fields and time); undefined where we own nothing. */
  readonly ownedHash: string | undefined;
  /** When we last changed what we own, milliseconds since 1970, by the API server's clock; 0 where we own nothing. */
  readonly ownedAt: number;
  /** The annotations that Mooring acts on (sync options, compare options, hooks, waves); undefined where there is none. */
  readonly hints: Readonly<Record<string, string>> | undefined;
  /** Whether a client-side apply still owns fields of it, so that leaving them out of an apply would not remove them. */
  readonly isClientSide?: boolean;
  /** Whether the finalizer of hooks holds it; absent where not. */
  readonly isHeld?: true;
  /** Addresses under which people reach what the object stands for, sorted; absent where there is none. */
  readonly links?: readonly string[];
  /** Images of the containers of what an Application tracks, sorted; absent where there is none. */
  readonly images?: readonly string[];
}

/** What was last found to be equal, and what tells that it still is. */
export interface AppliedMark {
  readonly desiredHash: string;
  /** The version that was compared. */
  readonly resourceVersion: string;
  /**
   * Hash of our managedFields entry in that version, where the entry holds every field that is asked for, so that it changes with each of them. Else
   * undefined: somebody may change a field that we do not own as often as they like, and the entry stays as it is. Then the mark is for this one version.
   */
  readonly ownedHash: string | undefined;
  /** Generation of that version, where `ownedHash` counts: no entry tells that items were put into another order. */
  readonly generation?: number | undefined;
  /** Whether only a dry run could tell, so that it depends on more than the object, such as an admission webhook. */
  readonly isAsked: boolean;
}

/** Whether a record is still of the object that the mark was set for, as far as what is asked for goes. */
export function isStillMarked(
  mark: AppliedMark,
  record: Pick<LiveRecord, 'ownedHash' | 'resourceVersion' | 'generation'>,
): boolean {
  return mark.ownedHash === undefined
    ? mark.resourceVersion === record.resourceVersion
    : mark.ownedHash === record.ownedHash && mark.generation === record.generation;
}

/** Whether a look may find something else than the last one did, whatever the mark vouches for. */
export function isOld(mark: AppliedMark | undefined, record: Pick<LiveRecord, 'resourceVersion'>): boolean {
  return mark === undefined || mark.isAsked || mark.resourceVersion !== record.resourceVersion;
}

/** What a cluster holds of one Application, at one moment. */
export interface LiveSet {
  /** Records of desired keys that exist, by `keyText`. */
  readonly desired: ReadonlyMap<string, LiveRecord>;
  /** Marks of desired keys, by `keyText`. */
  readonly marks: ReadonlyMap<string, AppliedMark>;
  /** Whole objects of those keys that the marks don't vouch for, by `keyText`. */
  readonly objects: ReadonlyMap<string, KubeObject>;
  /** Everything else tracked as this Application's. */
  readonly others: readonly LiveRecord[];
}
