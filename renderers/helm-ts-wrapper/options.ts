import type { Limits } from '@mooring/renderer-contract';

/** One value, as `--set` takes it: the name may lead into maps and lists, `ingress.hosts[0].name`. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  /** Keep the value a string, as `--set-string` does. */
  readonly forceString?: boolean;
}

/** A value that is the content of a file, as `--set-file` takes it. */
export interface FileParameter {
  readonly name: string;
  /** Relative to the chart, or to the tree's root with a leading `/`. */
  readonly path: string;
}

/** Options of one `helm template`, with the names and meaning of `spec.source.helm` of an Argo CD Application. */
export interface TemplateOptions {
  /** Default `release-name`, as the command line has it. */
  readonly releaseName?: string;
  /** Default `default`. */
  readonly namespace?: string;
  /**
   * Paths or patterns (`*`, `?`, `[…]`, `**`, and in them `{a,b}`), relative to the chart, or to the tree's root with a leading `/`. Later files win; each counts
   * once, where it is named by itself.
   */
  readonly valueFiles?: readonly string[];
  readonly ignoreMissingValueFiles?: boolean;
  /** YAML; wins over `valueFiles`. */
  readonly values?: string;
  /** Takes the place of `values`. */
  readonly valuesObject?: Readonly<Record<string, unknown>>;
  /** Win over all values. */
  readonly parameters?: readonly Parameter[];
  readonly fileParameters?: readonly FileParameter[];
  /** `.Capabilities.KubeVersion`; default the version that this Helm was made for. */
  readonly kubeVersion?: string;
  /** Added to `.Capabilities.APIVersions`. */
  readonly apiVersions?: readonly string[];
  /** Leave out what is in `crds/`. */
  readonly skipCrds?: boolean;
  /** Leave out test hooks. */
  readonly skipTests?: boolean;
  readonly skipSchemaValidation?: boolean;
  /** Whether a `RenderError` about broken YAML has what the templates rendered to as `rendered`, up to the limit `manifestBytes`. It may hold secrets. */
  readonly debug?: boolean;
  /** Bounds; what is absent has the default of `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Ends the render; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}
