import { createEngine } from '@mooring/go-wasm';
import { defaultLimits, joinPath, RenderError, readJsonList, type Tree } from '@mooring/renderer-contract';
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

/** What a build gives, as the engine gives it: `objects` is a JSON list without blanks between the objects, both are UTF-8. */
export interface Rendering extends Pick<Built, 'file' | 'warnings'> {
  readonly yaml: Uint8Array;
  readonly objects: Uint8Array<ArrayBuffer>;
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

/** One that also gives what nobody has read yet, so that it can be read in another thread. */
export interface OpenKustomize extends Kustomize {
  render(tree: Tree, path: string, options?: BuildOptions): Promise<Rendering>;
}

const decoder = new TextDecoder();

/** Makes a Kustomize; the engine is loaded by the first build. */
export async function createKustomize(options: KustomizeOptions = {}): Promise<Kustomize> {
  return openKustomize(options);
}

/** As `createKustomize`, at once. */
export function openKustomize(options: KustomizeOptions): OpenKustomize {
  const wasm = new URL('./dist/kustomize.wasm', import.meta.url);
  const engine = createEngine({ name: 'kustomize', wasm, ...options });
  const kustomize: OpenKustomize = {
    start: engine.start,
    close: engine.close,
    async build(tree, path, build) {
      const { yaml, objects, ...rest } = await kustomize.render(tree, path, build);
      const list = readJsonList(decoder.decode(objects));
      return { ...rest, yaml: decoder.decode(yaml), objects: Array.from(list, (object) => object as object) };
    },
    async render(tree, path, build = {}) {
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
        .catch(async (error: unknown): Promise<never> => {
          throw error instanceof RenderError ? await placed(error, folder, tree) : error;
        });
      return {
        yaml: answer.text,
        objects: answer.objects,
        file: String(answer.header['file']),
        warnings: answer.log.split('\n').filter((line) => line.trim() !== ''),
      };
    },
  };
  return kustomize;
}
