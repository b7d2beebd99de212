import type { Manifest } from './manifest.ts';
import type { Tree } from './tree.ts';

/** Bounds on one render; a render that passes one fails with `limit` or `timeout`. */
export interface Limits {
  /** Milliseconds for the whole render. */
  readonly timeMs: number;
  /** Bytes a sandboxed engine may hold. */
  readonly memoryBytes: number;
  /** Bytes that the collector of a sandboxed engine keeps below where it can; absent for half of `memoryBytes`. */
  readonly memorySoftBytes?: number;
  /** Bytes of manifests read or produced; Argo CD's `reposerver.max.combined.directory.manifests.size` is 10 MB. */
  readonly manifestBytes: number;
  readonly manifestCount: number;
  /** Files one render may read. */
  readonly fileCount: number;
  /** Bytes of files one render may read; one that is read twice counts twice. */
  readonly inputBytes: number;
}

export const defaultLimits: Limits = {
  timeMs: 60_000,
  memoryBytes: 512 * 1024 * 1024,
  manifestBytes: 10_000_000,
  manifestCount: 20_000,
  fileCount: 20_000,
  inputBytes: 64 * 1024 * 1024,
};

/**
 * Bytes of JSON that the objects of `manifestBytes` may come to. Short keys and values take more room there than in YAML, and an alias takes as much as what it stands
 * for: without this a text of one megabyte can stand for gigabytes.
 */
export function objectBytesMax({ manifestBytes }: Pick<Limits, 'manifestBytes'>): number {
  return 2 * manifestBytes;
}

/** What is rendered and for whom: everything besides the tree that may change the outcome. It is part of the render's cache key. */
export interface RenderSpec {
  /** Name of the Application; Helm's default release name. */
  readonly appName: string;
  /** Namespace of the destination; `''` where the Application names none. */
  readonly namespace: string;
  /** Folder of the source in the tree; `''` for the root. */
  readonly path: string;
  /** The renderer's own part of `spec.source` (`helm`, `kustomize`, `directory`, `plugin`), as the user wrote it; `{}` where absent. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Version of the destination cluster, such as `1.37.2`. */
  readonly kubeVersion: string;
  /** What the destination cluster serves: `apps/v1`, `apps/v1/Deployment` …, sorted. */
  readonly apiVersions: readonly string[];
  /** `ARGOCD_APP_NAME`, `ARGOCD_APP_REVISION` and the rest of Argo CD's build environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What `argocd-cm` says about renderers, by its keys, such as `kustomize.buildOptions`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Whether a switch of `argocd-cm`, such as `helm.enable`, is on. What is set and is not `true` is off, as in Argo CD. */
export function isOn(settings: RenderSpec['settings'], key: string): boolean {
  const value = settings?.[key] ?? '';
  return value === '' || value === 'true';
}

export interface RenderContext {
  readonly limits: Limits;
  readonly signal?: AbortSignal;
  /** Whether a `RenderError` about what was rendered is to have it with it, up to `manifestBytes`. For people who look at their own source: it may hold secrets. */
  readonly debug?: boolean;
}

/** What a renderer gives back. */
export interface Rendered {
  readonly manifests: readonly Manifest[];
  /** Sentences for the user about things that work but should not stay so. */
  readonly warnings: readonly string[];
  /** What the source says to whoever installs it, where it does. */
  readonly notes?: string;
}

/**
 * Turns a folder of a Git tree into manifests. The same tree and spec give the same manifests in the same order; nothing outside the tree is read.
 * Renderers are tried in the order they are registered in; the first whose `detect` answers true renders the source.
 */
export interface Renderer {
  /** Short, lower case: `helm`, `kustomize`, `plain`. Also the key of its options under `spec.source` (see `optionsKey`). */
  readonly name: string;
  /** What `status.sourceType` says: Argo CD's `Helm`, `Kustomize`, `Directory`, or `Plugin`. */
  readonly sourceType: string;
  /** The field of `spec.source` that holds its options; its presence also selects the renderer. */
  readonly optionsKey: string;
  /** Version of the engine; part of the render's cache key. */
  readonly version: string;
  /** Whether the folder is of this renderer's kind. */
  detect(tree: Tree, path: string): Promise<boolean>;
  /** Throws `RenderError`. */
  render(tree: Tree, spec: RenderSpec, context: RenderContext): Promise<Rendered>;
  /** Set where renders wait for each other in an engine of two threads. Whoever calls it gives them turns, so that their time does not begin before they do. */
  readonly hasEngine?: boolean;
  /** What is wrong with the settings of `argocd-cm` that it takes, by key, to be read after the value: `has no flag --x`. */
  checkSettings?(settings: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /** Ends workers and frees memory. */
  close?(): Promise<void>;
}
