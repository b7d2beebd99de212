import { type ObjectMeta, resource } from './resource.ts';
import { array, boolean, integer, map, object, required, type Schema, string } from './schema.ts';

/** What the Applications of a project may use, and who may do what to them. */
export interface AppProject {
  readonly apiVersion: 'argoproj.io/v1alpha1';
  readonly kind: 'AppProject';
  readonly metadata: ObjectMeta;
  readonly spec: AppProjectSpec;
  readonly status?: AppProjectStatus;
}

/** The rules of a project. Globs are allowed where names and URLs are matched; a leading `!` denies. */
export interface AppProjectSpec {
  /** At most 255 characters. */
  readonly description?: string;
  /** URLs that sources may have. */
  readonly sourceRepos?: readonly string[];
  /** Namespaces, besides that of the control plane, whose Applications may use the project. */
  readonly sourceNamespaces?: readonly string[];
  /** Where Applications may deploy to. */
  readonly destinations?: readonly ProjectDestination[];
  /** Only clusters whose Secret names this project. */
  readonly permitOnlyProjectScopedClusters?: boolean;
  /** Whom syncs act as, by destination. */
  readonly destinationServiceAccounts?: readonly DestinationServiceAccount[];
  /** Cluster-scoped kinds that are allowed; none where absent. */
  readonly clusterResourceWhitelist?: readonly ClusterResourceRule[];
  /** Cluster-scoped kinds that are refused. */
  readonly clusterResourceBlacklist?: readonly ClusterResourceRule[];
  /** Namespaced kinds that are allowed; all where absent. */
  readonly namespaceResourceWhitelist?: readonly GroupKind[];
  /** Namespaced kinds that are refused. */
  readonly namespaceResourceBlacklist?: readonly GroupKind[];
  readonly roles?: readonly ProjectRole[];
  readonly syncWindows?: readonly SyncWindow[];
  readonly orphanedResources?: OrphanedResources;
  /** Keys that commits must be signed with; `sourceIntegrity` says more and takes its place. */
  readonly signatureKeys?: readonly SignatureKey[];
  readonly sourceIntegrity?: SourceIntegrity;
}

/** A cluster, by `server` or by `name`, and a namespace in it. */
export interface ProjectDestination {
  readonly server?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** Whom a sync to a destination acts as. */
export interface DestinationServiceAccount {
  readonly server: string;
  readonly namespace?: string;
  /** `name`, in the destination's namespace, or `namespace:name`. */
  readonly defaultServiceAccount: string;
}

/** A kind of object. `*` stands for every group or kind. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** A cluster-scoped kind, or only its objects whose name matches. */
export interface ClusterResourceRule {
  readonly group: string;
  readonly kind: string;
  /** Glob; every name where absent. */
  readonly name?: string;
}

/** Rights within a project, for groups of single sign-on and for tokens. */
export interface ProjectRole {
  readonly name: string;
  readonly description?: string;
  /** Lines in the syntax of Casbin, such as `p, proj:shop:ci, applications, sync, shop/*, allow`. */
  readonly policies?: readonly string[];
  readonly groups?: readonly string[];
  readonly jwtTokens?: readonly JWTToken[];
}

/** A token that was given out; it holds as long as it is listed. */
export interface JWTToken {
  /** When it was issued, in seconds since 1970. */
  readonly iat: number;
  /** When it ends, in seconds since 1970; never where absent or 0. */
  readonly exp?: number;
  readonly id?: string;
}

/** A time in which syncs are allowed or denied. An active `deny` wins; where there is any `allow`, the rest of the time is denied. */
export interface SyncWindow {
  /** `allow` or `deny`. */
  readonly kind?: string;
  /** When it opens: five fields of cron. */
  readonly schedule?: string;
  /** How long it stays open, such as `1h30m`. */
  readonly duration?: string;
  /** Name in the IANA time zone database; UTC where absent. */
  readonly timeZone?: string;
  readonly applications?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly clusters?: readonly string[];
  /** `applications`, `namespaces` and `clusters` must all match rather than any. */
  readonly andOperator?: boolean;
  /** People may sync while automated syncs may not. */
  readonly manualSync?: boolean;
  /** A sync that has started before the window closes it out may finish. */
  readonly syncOverrun?: boolean;
  readonly description?: string;
}

/** Looks for objects in the project's namespaces that belong to no Application. */
export interface OrphanedResources {
  /** Adds a condition to Applications. */
  readonly warn?: boolean;
  readonly ignore?: readonly OrphanedResourceRule[];
}

/** Objects that are no orphans. */
export interface OrphanedResourceRule {
  readonly group?: string;
  readonly kind?: string;
  /** Glob; every name where absent. */
  readonly name?: string;
}

export interface SignatureKey {
  /** The key's id, in hexadecimal. */
  readonly keyID: string;
}

/** What sources must prove before they are used. */
export interface SourceIntegrity {
  readonly git: SourceIntegrityGit;
}

export interface SourceIntegrityGit {
  readonly policies: readonly SourceIntegrityGitPolicy[];
}

/** What the commits of some repositories must prove. */
export interface SourceIntegrityGitPolicy {
  readonly repos: readonly SourceIntegrityGitRepo[];
  readonly gpg: SourceIntegrityGitGpg;
}

export interface SourceIntegrityGitRepo {
  /** Glob; a leading `!` denies. */
  readonly url: string;
}

export interface SourceIntegrityGitGpg {
  /** `none`, `head` (the commit that is synced) or `strict` (its ancestors too). */
  readonly mode: string;
  /** Ids of the keys that are trusted. */
  readonly keys: readonly string[];
}

/** Written by the API server. */
export interface AppProjectStatus {
  readonly jwtTokensByRole?: Readonly<Record<string, JWTTokens>>;
}

export interface JWTTokens {
  readonly items?: readonly JWTToken[];
}

const groupKindSchema = object<GroupKind>('A kind of object.', {
  group: required(string()),
  kind: required(string()),
});

const clusterResourceRuleSchema = object<ClusterResourceRule>('A cluster-scoped kind, or some of its objects.', {
  group: required(string()),
  kind: required(string()),
  name: string(),
});

const jwtTokenSchema = object<JWTToken>('A token that was given out.', {
  iat: required(integer()),
  exp: integer(),
  id: string(),
});

const appProjectSpecSchema = object<AppProjectSpec>('The rules of the project.', {
  description: string({ maxLength: 255 }),
  sourceRepos: array(string()),
  sourceNamespaces: array(string()),
  destinations: array(
    object<ProjectDestination>('A cluster and a namespace in it.', {
      server: string(),
      name: string(),
      namespace: string(),
    }),
  ),
  permitOnlyProjectScopedClusters: boolean(),
  destinationServiceAccounts: array(
    object<DestinationServiceAccount>('Whom a sync to a destination acts as.', {
      server: required(string()),
      namespace: string(),
      defaultServiceAccount: required(string()),
    }),
  ),
  clusterResourceWhitelist: array(clusterResourceRuleSchema),
  clusterResourceBlacklist: array(clusterResourceRuleSchema),
  namespaceResourceWhitelist: array(groupKindSchema),
  namespaceResourceBlacklist: array(groupKindSchema),
  roles: array(
    object<ProjectRole>('Rights within the project.', {
      name: required(string()),
      description: string(),
      policies: array(string()),
      groups: array(string()),
      jwtTokens: array(jwtTokenSchema),
    }),
  ),
  syncWindows: array(
    object<SyncWindow>('A time in which syncs are allowed or denied.', {
      kind: string(),
      schedule: string(),
      duration: string(),
      timeZone: string(),
      applications: array(string()),
      namespaces: array(string()),
      clusters: array(string()),
      andOperator: boolean(),
      manualSync: boolean(),
      syncOverrun: boolean(),
      description: string(),
    }),
  ),
  orphanedResources: object<OrphanedResources>('Looks for objects that belong to no Application.', {
    warn: boolean(),
    ignore: array(
      object<OrphanedResourceRule>('Objects that are no orphans.', { group: string(), kind: string(), name: string() }),
    ),
  }),
  signatureKeys: array(object<SignatureKey>('A key that commits may be signed with.', { keyID: required(string()) })),
  sourceIntegrity: object<SourceIntegrity>('What sources must prove before they are used.', {
    git: required(
      object<SourceIntegrityGit>('What commits must prove.', {
        policies: required(
          array(
            object<SourceIntegrityGitPolicy>('What the commits of some repositories must prove.', {
              repos: required(
                array(
                  object<SourceIntegrityGitRepo>('A repository, or several by a glob.', { url: required(string()) }),
                ),
              ),
              gpg: required(
                object<SourceIntegrityGitGpg>('Which signatures are asked for.', {
                  mode: required(string()),
                  keys: required(array(string())),
                }),
              ),
            }),
          ),
        ),
      }),
    ),
  }),
});

export const appProjectSchema: Schema<AppProject> = resource<AppProject>(
  'What Applications may use, and who may change them.',
  {
    spec: required(appProjectSpecSchema),
    status: object<AppProjectStatus>('What is known of the project.', {
      jwtTokensByRole: map(object<JWTTokens>('Tokens of one role.', { items: array(jwtTokenSchema) })),
    }),
  },
);
