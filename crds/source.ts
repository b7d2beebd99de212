import { array, boolean, freeObject, intOrString, map, object, required, type Schema, string } from './schema.ts';

/** Where manifests come from: a folder of a Git repository, or a chart of a Helm or OCI registry. */
export interface ApplicationSource {
  /** URL of the Git repository, or of the registry that holds `chart`. */
  readonly repoURL: string;
  /** Folder in the repository. */
  readonly path?: string;
  /** Name of a chart; only with a Helm registry. */
  readonly chart?: string;
  /** Branch, tag, commit or range of versions; `HEAD` where absent. */
  readonly targetRevision?: string;
  /** Only tags with this prefix are looked at when `targetRevision` is a range; the range sees them without it. */
  readonly tagPrefix?: string;
  /** Name by which value files of sibling sources refer to this one, as in `$name/path`. */
  readonly ref?: string;
  /** Name of this source among its siblings, for people and the CLI. */
  readonly name?: string;
  readonly helm?: ApplicationSourceHelm;
  readonly kustomize?: ApplicationSourceKustomize;
  readonly directory?: ApplicationSourceDirectory;
  readonly plugin?: ApplicationSourcePlugin;
}

/** How a chart is rendered. Later wins: `valueFiles`, `values`, `valuesObject`, `parameters`. */
export interface ApplicationSourceHelm {
  /** Paths in the chart's folder, or `$ref/path` of a sibling source; globs are allowed. */
  readonly valueFiles?: readonly string[];
  readonly ignoreMissingValueFiles?: boolean;
  /** Values as YAML text; ignored where `valuesObject` is there. */
  readonly values?: string;
  readonly valuesObject?: Readonly<Record<string, unknown>>;
  readonly parameters?: readonly HelmParameter[];
  readonly fileParameters?: readonly HelmFileParameter[];
  /** The Application's name where absent. */
  readonly releaseName?: string;
  /** Namespace that templates see; the destination's where absent. */
  readonly namespace?: string;
  /** Version of Kubernetes that templates see; the destination's where absent. */
  readonly kubeVersion?: string;
  /** APIs that templates see, such as `apps/v1/Deployment`; the destination's where absent. */
  readonly apiVersions?: readonly string[];
  /** Version of Helm, such as `v3`. */
  readonly version?: string;
  readonly passCredentials?: boolean;
  readonly skipCrds?: boolean;
  readonly skipTests?: boolean;
  readonly skipSchemaValidation?: boolean;
}

/** One value, by its path, as `helm --set` takes it. */
export interface HelmParameter {
  readonly name?: string;
  readonly value?: string;
  /** The value stays a string even if it looks like a number or a boolean. */
  readonly forceString?: boolean;
}

/** One value, by its path, that is the content of a file. */
export interface HelmFileParameter {
  readonly name?: string;
  readonly path?: string;
}

/** What is changed in a kustomization before it is built. */
export interface ApplicationSourceKustomize {
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  /** Each as `[old=]name[:tag][@digest]`. */
  readonly images?: readonly string[];
  readonly replicas?: readonly KustomizeReplica[];
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly forceCommonLabels?: boolean;
  readonly labelWithoutSelector?: boolean;
  readonly labelIncludeTemplates?: boolean;
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly forceCommonAnnotations?: boolean;
  /** Whether `commonAnnotations` may use the variables of the build environment. */
  readonly commonAnnotationsEnvsubst?: boolean;
  readonly patches?: readonly KustomizePatch[];
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  /** Version of Kustomize. */
  readonly version?: string;
}

export interface KustomizeReplica {
  readonly name: string;
  readonly count: number | string;
}

/** A strategic merge patch or a JSON patch, given as text or by its path. */
export interface KustomizePatch {
  readonly patch?: string;
  readonly path?: string;
  readonly target?: KustomizeSelector;
  readonly options?: Readonly<Record<string, boolean>>;
}

/** Which objects a patch is for. Names and kinds are regular expressions. */
export interface KustomizeSelector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

/** How a folder of plain manifests is read. */
export interface ApplicationSourceDirectory {
  readonly recurse?: boolean;
  /** Glob of the files to read; all where absent. */
  readonly include?: string;
  /** Glob of the files to leave out; it wins over `include`. */
  readonly exclude?: string;
  /** Reads files that are not called `.yaml`, `.yml`, `.json` or `.jsonnet` too. */
  readonly disableExtensionFilter?: boolean;
  readonly jsonnet?: ApplicationSourceJsonnet;
}

export interface ApplicationSourceJsonnet {
  readonly extVars?: readonly JsonnetVar[];
  /** Top-level arguments. */
  readonly tlas?: readonly JsonnetVar[];
  /** Folders in the repository that imports are searched in. */
  readonly libs?: readonly string[];
}

export interface JsonnetVar {
  readonly name: string;
  readonly value: string;
  /** The value is Jsonnet rather than a string. */
  readonly code?: boolean;
}

/** What a config management plugin is given. */
export interface ApplicationSourcePlugin {
  /** The plugin that recognises the folder where absent. */
  readonly name?: string;
  readonly env?: readonly NameValue[];
  readonly parameters?: readonly PluginParameter[];
}

/** A parameter of a plugin: one of `string`, `array` and `map`. */
export interface PluginParameter {
  readonly name?: string;
  readonly string?: string;
  readonly array?: readonly string[];
  readonly map?: Readonly<Record<string, string>>;
}

/** A name and a value, such as an environment variable or a line of `spec.info`. */
export interface NameValue {
  readonly name: string;
  readonly value: string;
}

/** Manifests that are rendered once into a branch, which is what is then synced. */
export interface SourceHydrator {
  readonly drySource: DrySource;
  readonly syncSource: SyncSource;
  readonly hydrateTo?: HydrateTo;
}

/** What is rendered. */
export interface DrySource {
  readonly repoURL: string;
  readonly path: string;
  readonly targetRevision: string;
  readonly helm?: ApplicationSourceHelm;
  readonly kustomize?: ApplicationSourceKustomize;
  readonly directory?: ApplicationSourceDirectory;
  readonly plugin?: ApplicationSourcePlugin;
}

/** Where rendered manifests are synced from. */
export interface SyncSource {
  readonly targetBranch: string;
  /** Folder in the branch; not its root. */
  readonly path: string;
  /** The dry source's where absent. */
  readonly repoURL?: string;
}

/** Where rendered manifests are pushed to, if not to the branch that is synced: somebody has to promote them. */
export interface HydrateTo {
  readonly targetBranch: string;
}

export const nameValueSchema: Schema<NameValue> = object<NameValue>('A name and a value.', {
  name: required(string()),
  value: required(string()),
});

const helmSchema = object<ApplicationSourceHelm>('How a chart is rendered.', {
  valueFiles: array(string()),
  ignoreMissingValueFiles: boolean(),
  values: string(),
  valuesObject: freeObject(),
  parameters: array(
    object<HelmParameter>('One value, as helm --set takes it.', {
      name: string(),
      value: string(),
      forceString: boolean(),
    }),
  ),
  fileParameters: array(
    object<HelmFileParameter>('One value that is the content of a file.', { name: string(), path: string() }),
  ),
  releaseName: string(),
  namespace: string(),
  kubeVersion: string(),
  apiVersions: array(string()),
  version: string(),
  passCredentials: boolean(),
  skipCrds: boolean(),
  skipTests: boolean(),
  skipSchemaValidation: boolean(),
});

const kustomizeSchema = object<ApplicationSourceKustomize>('What is changed in a kustomization.', {
  namePrefix: string(),
  nameSuffix: string(),
  namespace: string(),
  images: array(string()),
  replicas: array(
    object<KustomizeReplica>('Replicas of one workload.', { name: required(string()), count: required(intOrString()) }),
  ),
  commonLabels: map(string()),
  forceCommonLabels: boolean(),
  labelWithoutSelector: boolean(),
  labelIncludeTemplates: boolean(),
  commonAnnotations: map(string()),
  forceCommonAnnotations: boolean(),
  commonAnnotationsEnvsubst: boolean(),
  patches: array(
    object<KustomizePatch>('A strategic merge patch or a JSON patch.', {
      patch: string(),
      path: string(),
      target: object<KustomizeSelector>('Which objects the patch is for.', {
        group: string(),
        version: string(),
        kind: string(),
        name: string(),
        namespace: string(),
        labelSelector: string(),
        annotationSelector: string(),
      }),
      options: map(boolean()),
    }),
  ),
  components: array(string()),
  ignoreMissingComponents: boolean(),
  kubeVersion: string(),
  apiVersions: array(string()),
  version: string(),
});

const jsonnetVarSchema = object<JsonnetVar>('A variable of Jsonnet.', {
  name: required(string()),
  value: required(string()),
  code: boolean(),
});

const directorySchema = object<ApplicationSourceDirectory>('How a folder of plain manifests is read.', {
  recurse: boolean(),
  include: string(),
  exclude: string(),
  disableExtensionFilter: boolean(),
  jsonnet: object<ApplicationSourceJsonnet>('How Jsonnet files are evaluated.', {
    extVars: array(jsonnetVarSchema),
    tlas: array(jsonnetVarSchema),
    libs: array(string()),
  }),
});

const pluginSchema = object<ApplicationSourcePlugin>('What a config management plugin is given.', {
  name: string(),
  env: array(nameValueSchema),
  parameters: array(
    object<PluginParameter>('A parameter of the plugin: a string, an array or a map.', {
      name: string(),
      string: string(),
      array: array(string()),
      map: map(string()),
    }),
  ),
});

export const applicationSourceSchema: Schema<ApplicationSource> = object<ApplicationSource>(
  'Where manifests come from.',
  {
    repoURL: required(string()),
    path: string(),
    chart: string(),
    targetRevision: string(),
    tagPrefix: string(),
    ref: string(),
    name: string(),
    helm: helmSchema,
    kustomize: kustomizeSchema,
    directory: directorySchema,
    plugin: pluginSchema,
  },
);

export const sourceHydratorSchema: Schema<SourceHydrator> = object<SourceHydrator>(
  'Manifests rendered into a branch to sync from.',
  {
    drySource: required(
      object<DrySource>('What is rendered.', {
        repoURL: required(string()),
        path: required(string()),
        targetRevision: required(string()),
        helm: helmSchema,
        kustomize: kustomizeSchema,
        directory: directorySchema,
        plugin: pluginSchema,
      }),
    ),
    syncSource: required(
      object<SyncSource>('Where rendered manifests are synced from.', {
        targetBranch: required(string()),
        // Refuses '', '.' and '/': manifests at the root of a branch would be mixed with everything else in it.
        path: required(string({ minLength: 1, pattern: '^.{2,}|[^./]$' })),
        repoURL: string(),
      }),
    ),
    hydrateTo: object<HydrateTo>('Where rendered manifests are pushed to, if not to the branch that is synced.', {
      targetBranch: required(string()),
    }),
  },
);
