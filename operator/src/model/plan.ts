import type { DesiredObject, SyncPhase } from './desired.ts';
import type { LiveRecord } from './live.ts';
import type { ResourceKey } from './resource-key.ts';

/** One object's part in a sync. */
export interface Task {
  /** `phase group/Kind/namespace/name`: a hook of two phases is two tasks. */
  readonly id: string;
  readonly key: ResourceKey;
  readonly apiVersion: string;
  readonly phase: SyncPhase;
  /** The phase that its id and its result name, where that is another one. */
  readonly shownPhase?: SyncPhase;
  readonly wave: number;
  /** Order inside a wave: 0 prunes, 1 namespaces, 2 definitions of kinds, 3 and up the rest. Tasks of one rank run at once. */
  readonly rank: number;
  /** `skip` is a prune that the sync is not allowed to do; `confirm` one that waits for a person. */
  readonly action: 'apply' | 'prune' | 'skip' | 'confirm' | 'refuse';
  /** Why it is refused, before anything is written; set where `action` is `refuse`. */
  readonly refusal?: string;
  /** Whether the live object already equals the desired one, so that nothing is written. */
  readonly unchanged: boolean;
  readonly isHook: boolean;
  /** Set where something is applied. */
  readonly desired?: DesiredObject;
  readonly live?: LiveRecord;
}

/** Everything one sync does, in order. */
export interface SyncPlan {
  readonly tasks: readonly Task[];
  /** Whether there is more than one wave or phase, so that the sync waits for health between them. */
  readonly multiStep: boolean;
  /** The last step, but for the hooks of a failure; undefined where there is nothing to do. */
  readonly end: { readonly phase: SyncPhase; readonly wave: number; readonly hasHooks: boolean } | undefined;
}

/** How far one task has come; the words are those of `status.operationState.syncResult.resources`. */
export interface TaskResult {
  readonly status: 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped';
  readonly message: string;
  readonly hookPhase: 'Running' | 'Succeeded' | 'Failed' | 'Error' | 'Terminating';
}

/** Results by task id. It holds nothing that the status of the Application does not, so a restart loses nothing. */
export type Progress = ReadonlyMap<string, TaskResult>;

/** What came of running one task. */
export interface Outcome {
  readonly task: Task;
  readonly result: TaskResult;
}

/** What a sync does next. */
export type Next =
  | { readonly do: 'run'; readonly tasks: readonly Task[] }
  | { readonly do: 'wait'; readonly reason: string; readonly forMs?: number }
  | { readonly do: 'finish'; readonly phase: 'Succeeded' | 'Failed'; readonly message: string };
