import { array, boolean, integer, object, required, type Schema, string } from './schema.ts';
import { type ApplicationSource, applicationSourceSchema, type NameValue, nameValueSchema } from './source.ts';

/** A request to do something to an Application now; who sets the field asks for it, the controller takes it away when it starts. */
export interface Operation {
  readonly sync?: SyncOperation;
  readonly initiatedBy?: OperationInitiator;
  readonly info?: readonly NameValue[];
  readonly retry?: RetryStrategy;
}

/** Who asked for an operation. */
export interface OperationInitiator {
  readonly username?: string;
  /** The controller itself, by the automated sync policy. */
  readonly automated?: boolean;
}

/** How often, and how long after a failure, a sync is tried again. */
export interface RetryStrategy {
  /** Tries after the first; below zero there is no limit. */
  readonly limit?: number;
  readonly backoff?: Backoff;
  /** Every try looks up the newest revision rather than using that of the first. */
  readonly refresh?: boolean;
}

/** The wait before try n is `duration * factor^n`, but at most `maxDuration`. */
export interface Backoff {
  /** Seconds, or a duration such as `2m` or `1h30m`. */
  readonly duration?: string;
  readonly factor?: number;
  /** Seconds, or a duration such as `2m` or `1h30m`. */
  readonly maxDuration?: string;
}

/** What is to be synced, and how. */
export interface SyncOperation {
  /** Revision to sync to; the source's `targetRevision` where absent. */
  readonly revision?: string;
  /** One per source of an Application with several. */
  readonly revisions?: readonly string[];
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly syncStrategy?: SyncStrategy;
  /** Only these; all where absent. */
  readonly resources?: readonly SyncOperationResource[];
  /** Used in place of the Application's own source, as a rollback does. */
  readonly source?: ApplicationSource;
  /** Used in place of the Application's own sources, as a rollback does. */
  readonly sources?: readonly ApplicationSource[];
  /** Manifests as text, used in place of the source: for development. */
  readonly manifests?: readonly string[];
  /** Such as `CreateNamespace=true`. */
  readonly syncOptions?: readonly string[];
  /** How many times in a row the same revision has been synced to heal drift. */
  readonly autoHealAttemptsCount?: number;
}

/** One object of a partial sync. */
export interface SyncOperationResource {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** `apply` ignores hooks, `hook` runs them; `hook` where both are absent. */
export interface SyncStrategy {
  readonly apply?: SyncStrategyForce;
  readonly hook?: SyncStrategyForce;
}

export interface SyncStrategyForce {
  /** Deletes and creates again what cannot be changed in place. */
  readonly force?: boolean;
}

export const operationInitiatorSchema: Schema<OperationInitiator> = object<OperationInitiator>(
  'Who asked for an operation.',
  {
    username: string(),
    automated: boolean(),
  },
);

export const retryStrategySchema: Schema<RetryStrategy> = object<RetryStrategy>('When a failed sync is tried again.', {
  limit: integer(),
  backoff: object<Backoff>('How long to wait between tries.', {
    duration: string(),
    factor: integer(),
    maxDuration: string(),
  }),
  refresh: boolean(),
});

const syncStrategyForceSchema = object<SyncStrategyForce>('What to do with what cannot be changed in place.', {
  force: boolean(),
});

export const operationSchema: Schema<Operation> = object<Operation>(
  'A request to do something to the Application now.',
  {
    sync: object<SyncOperation>('What is to be synced, and how.', {
      revision: string(),
      revisions: array(string()),
      prune: boolean(),
      dryRun: boolean(),
      syncStrategy: object<SyncStrategy>('Whether hooks are run.', {
        apply: syncStrategyForceSchema,
        hook: syncStrategyForceSchema,
      }),
      resources: array(
        object<SyncOperationResource>('One object of a partial sync.', {
          group: string(),
          kind: required(string()),
          name: required(string()),
          namespace: string(),
        }),
      ),
      source: applicationSourceSchema,
      sources: array(applicationSourceSchema),
      manifests: array(string()),
      syncOptions: array(string()),
      autoHealAttemptsCount: integer(),
    }),
    initiatedBy: operationInitiatorSchema,
    info: array(nameValueSchema),
    retry: retryStrategySchema,
  },
);
