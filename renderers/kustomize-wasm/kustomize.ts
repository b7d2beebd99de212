import { createEngine, parseExact } from '@mooring/go-wasm';
import { defaultLimits, joinPath, RenderError, type Tree } from '@mooring/renderer-contract';
import { placed } from './fault.ts';
import { type BuildOptions, parseBuildFlags } from './options.ts';

/** Version of Kustomize inside: the same output as this version of the `kustomize` program. */
export const kustomizeVersion = 'v5.8.2';

/** How the engine runs. */
export interface KustomizeOptions {
  /** Milliseconds without a build after which the worker thread ends and its memory is freed. Default 5,000. */
  readonly idleMs?: number;
  /** Builds between two returns to the state after start-up. Default 1: nothing of a build can be seen by the next. */
  readonly rendersPerClone?: number;
}

/** What a build gives. */
export interface Built {
  /** What `kustomize build` prints, byte for byte. */
  readonly yaml: string;
  /** The same objects, in the same order. Integers beyond 2^53 are `JSON.rawJSON` values. */
  readonly objects: object[];
  /** Path in the tree of the kustomization file. */
  readonly file: string;
  /** What Kustomize warns of, such as deprecated fields; a sentence each. */
  readonly warnings: string[];
}

/** Kustomize in a worker thread. Builds wait for each other, in order; behind one that takes longer than two seconds they get a second thread. */
export interface Kustomize {
  /**
   * Builds the kustomization in the folder `path` (`''` is the root) of a tree. Nothing outside the tree is read; remote bases are refused.
   * Throws `RenderError` with the file where it is known.
   */
  build(tree: Tree, path: string, options?: BuildOptions): Promise<Built>;
  /** Loads the engine before the first build needs it. */
  start(): Promise<void>;
  /** Ends the worker thread; a later build starts it again. */
  close(): Promise<void>;
}

const decoder = new TextDecoder();

/** Makes a Kustomize; the engine is loaded by the first build. */
export async function createKustomize(options: KustomizeOptions = {}): Promise<Kustomize> {
  return openKustomize(options);
}

/** As `createKustomize`, at once. */
export function openKustomize(options: KustomizeOptions): Kustomize {
  const wasm = new URL('./dist/kustomize.wasm', import.meta.url);
  const engine = createEngine({ name: 'kustomize', wasm, ...options });
  return {
    start: engine.start,
    close: engine.close,
    async build(tree, path, build = {}) {
      const limits = { ...defaultLimits, ...build.limits };
      const folder = joinPath('', path);
      const request = {
        path: folder,
        ...parseBuildFlags(build.buildOptions ?? ''),
        edits: build.edits,
        manifestBytes: limits.manifestBytes,
        manifestCount: limits.manifestCount,
      };
      const answer = await engine
        .run(tree, request, { ...limits, ...(build.signal && { signal: build.signal }) })
        .catch((error: unknown): never => {
          throw error instanceof RenderError ? placed(error, folder) : error;
        });
      return {
        yaml: decoder.decode(answer.text),
        objects: parseExact(answer.objects) as object[],
        file: String(answer.header['file']),
        warnings: answer.log.split('\n').filter((line) => line.trim() !== ''),
      };
    },
  };
}
