/** What must be so for the operator to be ready, in the order in which `/readyz` tells it. */
export type Check =
  | 'api-server'
  | 'permissions'
  | 'crds'
  | 'settings'
  | 'default-project'
  | 'other-controllers'
  | 'controllers'
  | 'caches';

/** An object that an Event can be about. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** Something that keeps the operator from being ready. */
export interface Problem {
  /** One word for it, which is the reason of its Event: `APIServerUnreachable`. */
  readonly reason: string;
  /** What is wrong and what to do, for people; the same text as long as it is the same problem. Never a secret. */
  readonly message: string;
  /** What it is about, where that is not the operator as a whole. */
  readonly about?: ObjectReference;
}

/**
 * Takes all that is wrong in one respect just now; nothing where all is well. It may be called as often as one likes: only news are told. `notes` are no
 * problems, but worth to know for who asks for everything.
 */
export type Report = (check: Check, problems: readonly Problem[], notes?: readonly string[]) => void;
