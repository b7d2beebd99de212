import type { KubeObject, Origin } from '@mooring/renderer-contract';
import type { ResourceKey } from './resource-key.ts';

/** When an object of a sync is applied. `Sync` is where everything goes that is no hook. */
export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail' | 'PreDelete' | 'PostDelete';

/** The phases of a deletion. */
export type DeletionPhase = Extract<SyncPhase, 'PreDelete' | 'PostDelete'>;

export type HookDeletePolicy = 'HookSucceeded' | 'HookFailed' | 'BeforeHookCreation';

/** What makes an object a hook. */
export interface Hook {
  readonly phases: readonly SyncPhase[];
  readonly deletePolicies: readonly HookDeletePolicy[];
}

/** Sync options in force for one object: those of the Application, overruled by the object's own annotation. */
export interface SyncOptions {
  readonly prune: 'yes' | 'no' | 'confirm';
  readonly pruneLast: boolean;
  readonly prunePropagation: 'foreground' | 'background' | 'orphan';
  readonly delete: 'yes' | 'no' | 'confirm';
  readonly validate: boolean;
  readonly replace: boolean;
  readonly force: boolean;
  readonly respectIgnoreDifferences: boolean;
  /** Whether a sync begins although the cluster does not serve the object's kind. */
  readonly skipDryRunOnMissingResource: boolean;
}

/** One object that a revision asks for, ready to be applied: its namespace is set and it carries the tracking id. */
export interface DesiredObject {
  readonly key: ResourceKey;
  readonly object: KubeObject;
  /** 64 hexadecimal digits. Equal hash, equal object. */
  readonly hash: string;
  readonly origin: Origin;
  readonly wave: number;
  readonly options: SyncOptions;
  /** Left out of the Application's sync status (`argocd.argoproj.io/compare-options: IgnoreExtraneous` does not do this to desired objects). */
  readonly hook?: Hook;
  /** Why the project forbids it; the status of such an object is shown as Unknown, and a sync refuses it. */
  readonly forbidden?: string;
}

/** A warning about the desired set, shown as a condition (Argo CD's names). */
export interface DesiredWarning {
  readonly type:
    | 'RepeatedResourceWarning'
    | 'ExcludedResourceWarning'
    | 'SharedResourceWarning'
    | 'UnreadSettingWarning'
    | 'InvalidSpecError'
    | 'SyncError';
  readonly message: string;
}

/** Everything that one revision asks for, each key once. */
export interface DesiredSet {
  readonly objects: readonly DesiredObject[];
  readonly warnings: readonly DesiredWarning[];
}
