import type { ResourceKey } from './resource-key.ts';

/** Whether the objects of a kind are in namespaces. */
export type Scope = 'Namespaced' | 'Cluster';

/** An object that an Application wants to have, to write or to delete, as the rules of its project see it. */
export interface Claim {
  /** Its name is `''` where it is yet to be made of `generateName`. */
  readonly key: ResourceKey;
  /** That of its kind, as the cluster serves it. */
  readonly scope: Scope;
  /** How the name begins that is yet to be made. */
  readonly generateName?: string;
}

/** Says, in words for people, why an Application may not have an object in its cluster; undefined where it may. */
export type Guard = (claim: Claim) => string | undefined;
