import { type Operation, type OperationInitiator, operationInitiatorSchema, operationSchema } from './operation.ts';
import { array, boolean, integer, object, oneOf, required, type Schema, string, time } from './schema.ts';
import {
  type ApplicationSource,
  applicationSourceSchema,
  type SourceHydrator,
  sourceHydratorSchema,
} from './source.ts';
import {
  type ApplicationDestination,
  applicationDestinationSchema,
  type ManagedNamespaceMetadata,
  managedNamespaceMetadataSchema,
  type ResourceIgnoreDifferences,
  resourceIgnoreDifferencesSchema,
} from './spec.ts';

/** Whether the cluster holds what the source says. */
export type SyncStatusCode = 'Synced' | 'OutOfSync' | 'Unknown';

/** Whether what the cluster holds works, from best to worst but for the last. */
export type HealthStatusCode = 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown';

/** Where an operation, or one hook of it, has got to. */
export type OperationPhase = 'Running' | 'Terminating' | 'Failed' | 'Error' | 'Succeeded';

/** The stage of a sync or a deletion that an object belongs to. */
export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail' | 'PreDelete' | 'PostDelete';

/** What the annotation `argocd.argoproj.io/hook` may say. */
export type HookType = SyncPhase | 'Skip';

/** What became of one object in a sync. */
export type ResultCode = 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped';

/** What renders a source. */
export type ApplicationSourceType = 'Helm' | 'Kustomize' | 'Directory' | 'Plugin';

/** Those that end in `Error` mean that the Application is not up to date; the others only tell. Those of `mooring.dev` are Mooring's own, beside Argo CD's. */
export type ApplicationConditionType =
  | `mooring.dev/${string}`
  | 'DeletionError'
  | 'InvalidSpecError'
  | 'ComparisonError'
  | 'SyncError'
  | 'UnknownError'
  | 'SharedResourceWarning'
  | 'RepeatedResourceWarning'
  | 'ExcludedResourceWarning'
  | 'OrphanedResourceWarning'
  /** Mooring's own: an automated sync waits for a sync window. */
  | 'SyncWindowWarning'
  /** Mooring's own: a setting that is not read, and that others than Mooring would follow. */
  | 'UnreadSettingWarning'
  /** Mooring's own: objects or results are left out of a status that cannot hold them all. */
  | 'StatusTooLargeWarning';

/** What is known of an Application. Written by the controller alone. */
export interface ApplicationStatus {
  readonly sync?: SyncStatus;
  readonly health?: HealthStatus;
  /** Every object of the Application. */
  readonly resources?: readonly ResourceStatus[];
  /** Successful syncs, oldest first. */
  readonly history?: readonly RevisionHistory[];
  /** The running operation, else the last. */
  readonly operationState?: OperationState;
  readonly conditions?: readonly ApplicationCondition[];
  readonly summary?: ApplicationSummary;
  /** When sync status and health were last computed from Git, RFC 3339. */
  readonly reconciledAt?: string;
  /** RFC 3339. Nothing writes it any more. */
  readonly observedAt?: string;
  readonly sourceType?: ApplicationSourceType;
  /** One per source of an Application with several. */
  readonly sourceTypes?: readonly ApplicationSourceType[];
  /** Namespace of the controller that writes this status. */
  readonly controllerNamespace?: string;
  /** `appTree` where `resources` carry no health of their own. */
  readonly resourceHealthSource?: string;
  readonly sourceHydrator?: SourceHydratorStatus;
}

/** Sync status, and of what. */
export interface SyncStatus {
  readonly status: SyncStatusCode;
  readonly comparedTo?: ComparedTo;
  /** Commit, or version of the chart, that was compared. */
  readonly revision?: string;
  /** One per source of an Application with several. */
  readonly revisions?: readonly string[];
}

/** The part of the spec that a sync status is of. */
export interface ComparedTo {
  readonly source?: ApplicationSource;
  readonly sources?: readonly ApplicationSource[];
  readonly destination: ApplicationDestination;
  readonly ignoreDifferences?: readonly ResourceIgnoreDifferences[];
}

/** Health of an Application or of one object. */
export interface HealthStatus {
  readonly status?: HealthStatusCode;
  readonly message?: string;
  /** RFC 3339. */
  readonly lastTransitionTime?: string;
}

/** One object of an Application. */
export interface ResourceStatus {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Absent for hooks. */
  readonly status?: SyncStatusCode;
  readonly health?: HealthStatus;
  readonly hook?: boolean;
  /** The source no longer has it. */
  readonly requiresPruning?: boolean;
  /** It is deleted only once somebody has confirmed it. */
  readonly requiresDeletionConfirmation?: boolean;
  readonly syncWave?: number;
}

/** One successful sync. */
export interface RevisionHistory {
  /** Counts up; what a rollback names. */
  readonly id: number;
  readonly revision?: string;
  readonly revisions?: readonly string[];
  readonly source?: ApplicationSource;
  readonly sources?: readonly ApplicationSource[];
  /** RFC 3339. */
  readonly deployStartedAt?: string;
  /** RFC 3339. */
  readonly deployedAt: string;
  readonly initiatedBy?: OperationInitiator;
}

/** An operation and where it has got to. */
export interface OperationState {
  readonly operation: Operation;
  readonly phase: OperationPhase;
  readonly message?: string;
  readonly syncResult?: SyncOperationResult;
  /** RFC 3339. */
  readonly startedAt: string;
  /** RFC 3339. */
  readonly finishedAt?: string;
  readonly retryCount?: number;
}

/** What a sync has done. */
export interface SyncOperationResult {
  readonly revision: string;
  readonly revisions?: readonly string[];
  readonly source?: ApplicationSource;
  readonly sources?: readonly ApplicationSource[];
  readonly resources?: readonly ResourceResult[];
  readonly managedNamespaceMetadata?: ManagedNamespaceMetadata;
}

/** What a sync has done to one object. */
export interface ResourceResult {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly status?: ResultCode;
  readonly message?: string;
  /** Absent for what is no hook. */
  readonly hookType?: HookType;
  readonly hookPhase?: OperationPhase;
  readonly syncPhase?: SyncPhase;
  readonly images?: readonly string[];
}

/** Something that people should know about an Application. */
export interface ApplicationCondition {
  readonly type: ApplicationConditionType;
  readonly message: string;
  /** RFC 3339. */
  readonly lastTransitionTime?: string;
}

/** What lists of Applications show. */
export interface ApplicationSummary {
  readonly images?: readonly string[];
  readonly externalURLs?: readonly string[];
  readonly isAppOfApps?: boolean;
}

/** How far hydration has got. */
export interface SourceHydratorStatus {
  readonly currentOperation?: HydrateOperation;
  readonly lastSuccessfulOperation?: SuccessfulHydrateOperation;
  /** Commit that was last looked at, even if there was nothing to hydrate. */
  readonly lastComparedDryRevision?: string;
}

/** A hydration that runs or is over. */
export interface HydrateOperation {
  readonly phase: 'Hydrating' | 'Failed' | 'Hydrated';
  readonly message: string;
  /** RFC 3339. */
  readonly startedAt?: string;
  /** RFC 3339. */
  readonly finishedAt?: string;
  /** Commit that was rendered. */
  readonly drySHA?: string;
  /** Commit that holds the result. */
  readonly hydratedSHA?: string;
  readonly sourceHydrator?: SourceHydrator;
}

/** The last hydration that went well. */
export interface SuccessfulHydrateOperation {
  /** Commit that was rendered. */
  readonly drySHA?: string;
  /** Commit that holds the result. */
  readonly hydratedSHA?: string;
  readonly sourceHydrator?: SourceHydrator;
}

const healthStatusSchema = object<HealthStatus>('Whether it works.', {
  status: string<HealthStatusCode>(),
  message: string(),
  lastTransitionTime: time(),
});

export const applicationStatusSchema: Schema<ApplicationStatus> = object<ApplicationStatus>(
  'What is known of the Application.',
  {
    sync: object<SyncStatus>('Whether the cluster holds what the source says.', {
      status: required(string<SyncStatusCode>()),
      comparedTo: object<ComparedTo>('The part of the spec that the sync status is of.', {
        source: applicationSourceSchema,
        sources: array(applicationSourceSchema),
        destination: required(applicationDestinationSchema),
        ignoreDifferences: array(resourceIgnoreDifferencesSchema),
      }),
      revision: string(),
      revisions: array(string()),
    }),
    health: healthStatusSchema,
    resources: array(
      object<ResourceStatus>('One object of the Application.', {
        group: string(),
        version: string(),
        kind: string(),
        namespace: string(),
        name: string(),
        status: string<SyncStatusCode>(),
        health: healthStatusSchema,
        hook: boolean(),
        requiresPruning: boolean(),
        requiresDeletionConfirmation: boolean(),
        syncWave: integer(),
      }),
    ),
    history: array(
      object<RevisionHistory>('One successful sync.', {
        id: required(integer()),
        revision: string(),
        revisions: array(string()),
        source: applicationSourceSchema,
        sources: array(applicationSourceSchema),
        deployStartedAt: time(),
        deployedAt: required(time()),
        initiatedBy: operationInitiatorSchema,
      }),
    ),
    operationState: object<OperationState>('The running operation, else the last.', {
      operation: required(operationSchema),
      phase: required(string<OperationPhase>()),
      message: string(),
      syncResult: object<SyncOperationResult>('What a sync has done.', {
        revision: required(string()),
        revisions: array(string()),
        source: applicationSourceSchema,
        sources: array(applicationSourceSchema),
        resources: array(
          object<ResourceResult>('What a sync has done to one object.', {
            group: required(string()),
            version: required(string()),
            kind: required(string()),
            namespace: required(string()),
            name: required(string()),
            status: string<ResultCode>(),
            message: string(),
            hookType: string<HookType>(),
            hookPhase: string<OperationPhase>(),
            syncPhase: string<SyncPhase>(),
            images: array(string()),
          }),
        ),
        managedNamespaceMetadata: managedNamespaceMetadataSchema,
      }),
      startedAt: required(time()),
      finishedAt: time(),
      retryCount: integer(),
    }),
    conditions: array(
      object<ApplicationCondition>('Something that people should know.', {
        type: required(string<ApplicationConditionType>()),
        message: required(string()),
        lastTransitionTime: time(),
      }),
    ),
    summary: object<ApplicationSummary>('What lists of Applications show.', {
      images: array(string()),
      externalURLs: array(string()),
      isAppOfApps: boolean(),
    }),
    reconciledAt: time(),
    observedAt: time(),
    sourceType: string<ApplicationSourceType>(),
    sourceTypes: array(string<ApplicationSourceType>()),
    controllerNamespace: string(),
    resourceHealthSource: string(),
    sourceHydrator: object<SourceHydratorStatus>('How far hydration has got.', {
      currentOperation: object<HydrateOperation>('The hydration that runs, else the last.', {
        phase: required(oneOf<HydrateOperation['phase']>('Hydrating', 'Failed', 'Hydrated')),
        message: required(string()),
        startedAt: time(),
        finishedAt: time(),
        drySHA: string(),
        hydratedSHA: string(),
        sourceHydrator: sourceHydratorSchema,
      }),
      lastSuccessfulOperation: object<SuccessfulHydrateOperation>('The last hydration that went well.', {
        drySHA: string(),
        hydratedSHA: string(),
        sourceHydrator: sourceHydratorSchema,
      }),
      lastComparedDryRevision: string(),
    }),
  },
);
