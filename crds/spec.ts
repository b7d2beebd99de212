import { type RetryStrategy, retryStrategySchema } from './operation.ts';
import { array, boolean, integer, map, object, required, type Schema, string } from './schema.ts';
import {
  type ApplicationSource,
  applicationSourceSchema,
  type NameValue,
  nameValueSchema,
  type SourceHydrator,
  sourceHydratorSchema,
} from './source.ts';

/** What an Application asks for: manifests from a source, in a destination, under the rules of a project. */
export interface ApplicationSpec {
  /** Name of an AppProject in the namespace of the control plane. */
  readonly project: string;
  readonly source?: ApplicationSource;
  /** Several sources rendered into one; wins over `source`. */
  readonly sources?: readonly ApplicationSource[];
  readonly sourceHydrator?: SourceHydrator;
  readonly destination: ApplicationDestination;
  readonly syncPolicy?: SyncPolicy;
  readonly ignoreDifferences?: readonly ResourceIgnoreDifferences[];
  /** Lines for people. */
  readonly info?: readonly NameValue[];
  /** How many entries `status.history` keeps; 10 where absent. */
  readonly revisionHistoryLimit?: number;
}

/** The cluster, by `server` or by `name`, and the namespace of objects that name none. */
export interface ApplicationDestination {
  /** URL of the API server. */
  readonly server?: string;
  /** Name of the cluster. */
  readonly name?: string;
  readonly namespace?: string;
}

/** When syncs happen by themselves, and how every sync is done. */
export interface SyncPolicy {
  readonly automated?: SyncPolicyAutomated;
  /** Such as `CreateNamespace=true`. */
  readonly syncOptions?: readonly string[];
  readonly retry?: RetryStrategy;
  readonly managedNamespaceMetadata?: ManagedNamespaceMetadata;
}

/** Syncs without being asked. */
export interface SyncPolicyAutomated {
  /** `true` where absent. */
  readonly enabled?: boolean;
  /** Deletes what the source no longer has. */
  readonly prune?: boolean;
  /** Puts back what was changed in the cluster. */
  readonly selfHeal?: boolean;
  /** Prunes even if that leaves nothing. */
  readonly allowEmpty?: boolean;
}

/** What the namespace gets that `CreateNamespace=true` creates. */
export interface ManagedNamespaceMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Fields of some objects that are not compared; `*` stands for every group or kind. */
export interface ResourceIgnoreDifferences {
  readonly group?: string;
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string;
  /** RFC 6901. */
  readonly jsonPointers?: readonly string[];
  readonly jqPathExpressions?: readonly string[];
  /** Whatever these field managers own. */
  readonly managedFieldsManagers?: readonly string[];
}

export const applicationDestinationSchema: Schema<ApplicationDestination> = object<ApplicationDestination>(
  'The cluster and the namespace.',
  {
    server: string(),
    name: string(),
    namespace: string(),
  },
);

export const managedNamespaceMetadataSchema: Schema<ManagedNamespaceMetadata> = object<ManagedNamespaceMetadata>(
  'What a namespace gets when it is created.',
  { labels: map(string()), annotations: map(string()) },
);

export const resourceIgnoreDifferencesSchema: Schema<ResourceIgnoreDifferences> = object<ResourceIgnoreDifferences>(
  'Fields of some objects that are not compared.',
  {
    group: string(),
    kind: required(string()),
    name: string(),
    namespace: string(),
    jsonPointers: array(string()),
    jqPathExpressions: array(string()),
    managedFieldsManagers: array(string()),
  },
);

export const applicationSpecSchema: Schema<ApplicationSpec> = object<ApplicationSpec>(
  'What the Application asks for.',
  {
    project: required(string()),
    source: applicationSourceSchema,
    sources: array(applicationSourceSchema),
    sourceHydrator: sourceHydratorSchema,
    destination: required(applicationDestinationSchema),
    syncPolicy: object<SyncPolicy>('When and how to sync.', {
      automated: object<SyncPolicyAutomated>('Syncs without being asked.', {
        enabled: boolean(),
        prune: boolean(),
        selfHeal: boolean(),
        allowEmpty: boolean(),
      }),
      syncOptions: array(string()),
      retry: retryStrategySchema,
      managedNamespaceMetadata: managedNamespaceMetadataSchema,
    }),
    ignoreDifferences: array(resourceIgnoreDifferencesSchema),
    info: array(nameValueSchema),
    revisionHistoryLimit: integer(),
  },
);
