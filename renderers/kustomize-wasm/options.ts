import type { Limits } from '@mooring/renderer-contract';
import { RenderError } from '@mooring/renderer-contract';

/** How many replicas a workload gets. */
export interface Replica {
  readonly name: string;
  readonly count: number;
}

/** An entry of a kustomization's `patches`. */
export interface Patch {
  /** Path of the patch, relative to the kustomization. */
  readonly path?: string;
  /** The patch itself: strategic merge or JSON 6902. */
  readonly patch?: string;
  /** What it applies to. */
  readonly target?: {
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly labelSelector?: string;
    readonly annotationSelector?: string;
  };
  readonly options?: { readonly allowNameChange?: boolean; readonly allowKindChange?: boolean };
}

/**
 * Changes made to the kustomization before it is built, in memory: those of `spec.source.kustomize` of an Argo CD Application, with the same meaning.
 * https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/
 */
export interface Edits {
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  /** As for `kustomize edit set image`: `nginx:1.29`, `nginx=registry/nginx:1.29`, `nginx@sha256:…`. */
  readonly images?: readonly string[];
  readonly replicas?: readonly Replica[];
  readonly commonLabels?: Readonly<Record<string, string>>;
  /** Replace labels that the kustomization already sets; without it that is an error. */
  readonly forceCommonLabels?: boolean;
  /** Leave selectors alone. */
  readonly labelWithoutSelector?: boolean;
  /** With `labelWithoutSelector`: label the templates too. */
  readonly labelIncludeTemplates?: boolean;
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly forceCommonAnnotations?: boolean;
  readonly namespace?: string;
  readonly patches?: readonly Patch[];
  /** Folders of components, relative to the kustomization. */
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
}

/** Options of one build. */
export interface BuildOptions {
  readonly edits?: Edits;
  /** Flags of `kustomize build`, such as `--load-restrictor LoadRestrictionsNone`. */
  readonly buildOptions?: string;
  /** Bounds; what is absent has the default of `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Ends the build; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What the flags of `kustomize build` ask for. */
export interface BuildFlags {
  readonly reorder?: 'legacy' | 'none';
  readonly allowOutside: boolean;
  readonly managedByLabel: boolean;
}

const values: Readonly<Record<string, readonly string[]>> = {
  '--load-restrictor': ['LoadRestrictionsRootOnly', 'LoadRestrictionsNone'],
  '--reorder': ['legacy', 'none'],
};

/** Reads the flags of `kustomize build`. Throws `unsupported` for those that start a process, `invalid` for unknown ones. */
export function parseBuildFlags(text: string): BuildFlags {
  const chosen = new Map<string, string>();
  const words = text.split(/\s+/).filter((word) => word !== '');
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [name = '', attached] = word.split('=', 2);
    if (name === '--enable-managedby-label') chosen.set(name, attached ?? 'true');
    else if (values[name] !== undefined) chosen.set(name, checkedValue(name, attached ?? words.shift()));
    else refuse(name);
  }
  const reorder = chosen.get('--reorder') as 'legacy' | 'none' | undefined;
  return {
    ...(reorder === undefined ? {} : { reorder }),
    allowOutside: chosen.get('--load-restrictor') === 'LoadRestrictionsNone',
    managedByLabel: chosen.get('--enable-managedby-label') === 'true',
  };
}

const programs =
  /^--(?:enable-helm|helm-.*|enable-alpha-plugins|enable-exec|enable-star|network|network-name|mount|env|as-current-user)$/;
const programsWithValue = /^--(?:helm-(?!debug$).*|network-name|mount|env)$/;

/** The flags of `kustomize build` without those that let it start programs: what needs them fails by itself, and says why. */
export function withoutPrograms(text: string): string {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const kept: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [name = ''] = word.split('=', 1);
    if (!programs.test(name)) kept.push(word);
    else if (name === word && programsWithValue.test(name)) words.shift();
  }
  return kept.join(' ');
}

function checkedValue(name: string, value: string | undefined): string {
  if (value !== undefined && values[name]?.includes(value)) return value;
  throw new RenderError('invalid', `kustomize build ${name} must be one of ${values[name]?.join(', ')}`);
}

function refuse(name: string): never {
  if (/^--(enable-helm|helm-.*)$/.test(name)) {
    throw new RenderError(
      'unsupported',
      `kustomize build ${name} would start the helm program; make the chart a source of its own`,
    );
  }
  if (programs.test(name)) {
    throw new RenderError(
      'unsupported',
      `kustomize build ${name} would start programs, which does not happen here; remove it`,
    );
  }
  const known = [...Object.keys(values), '--enable-managedby-label'].join(', ');
  throw new RenderError('invalid', `kustomize build has no flag ${name} here; use one of ${known}`);
}
