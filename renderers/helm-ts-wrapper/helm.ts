import { createEngine } from '@mooring/go-wasm';
import {
  type DocumentPlace,
  defaultLimits,
  joinPath,
  RenderError,
  readJsonList,
  type Tree,
} from '@mooring/renderer-contract';
import type { TemplateOptions } from './options.ts';
import { withoutValues } from './schema-error.ts';

/** Version of Helm inside: the same output as this version of the `helm` program. */
export const helmVersion = 'v4.3.1';

/** How the engine runs. */
export interface HelmOptions {
  /** Milliseconds without a render after which the worker thread ends and its memory is freed. Default 5,000. */
  readonly idleMs?: number;
  /** Renders between two returns to the state after start-up. Default 1: nothing of a render can be seen by the next. */
  readonly rendersPerClone?: number;
}

/** Where an object is in what its template renders to, or, with `isRendered: false`, in a file of `crds/`. */
export interface TemplatedPlace extends DocumentPlace {
  readonly isRendered: boolean;
}

/** What a chart renders to. */
export interface Templated {
  /** What `helm template --include-crds` prints, byte for byte. */
  readonly yaml: string;
  /** The same objects, in the same order: custom resource definitions, manifests, hooks. Integers beyond 2^53 are `JSON.rawJSON` values. */
  readonly objects: object[];
  /** For each object the template it came from, as a path in the tree. */
  readonly sources: string[];
  /** For each object where it is in what that template renders to, empty documents not counted. */
  readonly places: TemplatedPlace[];
  /** What `NOTES.txt` renders to; `''` without one. */
  readonly notes: string;
  /** What Helm warns of; a sentence each. */
  readonly warnings: string[];
  /** With `debug` what the templates rendered to, each as a whole. */
  readonly rendered?: string;
}

/** What a chart renders to, as the engine gives it: `objects` is a JSON list without blanks between the objects, both are UTF-8. */
export interface Rendering extends Omit<Templated, 'yaml' | 'objects'> {
  readonly yaml: Uint8Array;
  readonly objects: Uint8Array<ArrayBuffer>;
}

/** Helm in a worker thread. Renders wait for each other, in order; behind one that takes longer than two seconds they get a second thread. */
export interface Helm {
  /**
   * Renders the chart in the folder `chartPath` (`''` is the root) of a tree, as `helm template` does. Nothing outside the tree is read: a dependency is in
   * `charts/` or named by a `file://` repository inside the tree. `lookup` finds nothing and `getHostByName` answers `''`.
   * Throws `RenderError` with the template and line where they are known.
   */
  template(tree: Tree, chartPath: string, options?: TemplateOptions): Promise<Templated>;
  /** Loads the engine before the first render needs it. */
  start(): Promise<void>;
  /** Ends the worker thread; a later render starts it again. */
  close(): Promise<void>;
}

/** One that also gives what nobody has read yet, so that it can be read in another thread. */
export interface OpenHelm extends Helm {
  render(tree: Tree, chartPath: string, options?: TemplateOptions): Promise<Rendering>;
}

/** Helm's error without values. */
function told(error: RenderError): RenderError {
  return new RenderError(error.code, withoutValues(error.message), error);
}

interface Header {
  readonly notes: string;
  readonly sources: string[] | null;
  readonly places: TemplatedPlace[] | null;
  readonly rendered?: string;
  readonly warnings: string[] | null;
}

const decoder = new TextDecoder();

/** Makes a Helm; the engine is loaded by the first render. */
export async function createHelm(options: HelmOptions = {}): Promise<Helm> {
  return openHelm(options);
}

/** As `createHelm`, at once. */
export function openHelm(options: HelmOptions): OpenHelm {
  const wasm = new URL('./dist/helm.wasm', import.meta.url);
  const engine = createEngine({ name: 'helm', wasm, ...options });
  const helm: OpenHelm = {
    start: engine.start,
    close: engine.close,
    async template(tree, chartPath, chart) {
      const { yaml, objects, ...rest } = await helm.render(tree, chartPath, chart);
      const list = readJsonList(decoder.decode(objects));
      return { ...rest, yaml: decoder.decode(yaml), objects: Array.from(list, (object) => object as object) };
    },
    async render(tree, chartPath, chart = {}) {
      const limits = { ...defaultLimits, ...chart.limits };
      const request = {
        path: joinPath('', chartPath),
        releaseName: chart.releaseName ?? 'release-name',
        namespace: chart.namespace ?? 'default',
        kubeVersion: chart.kubeVersion,
        apiVersions: chart.apiVersions,
        skipCrds: chart.skipCrds,
        skipTests: chart.skipTests,
        skipSchemaValidation: chart.skipSchemaValidation,
        manifestBytes: limits.manifestBytes,
        manifestCount: limits.manifestCount,
        debug: chart.debug,
        values: {
          files: chart.valueFiles,
          ignoreMissingFiles: chart.ignoreMissingValueFiles,
          inline: chart.valuesObject === undefined ? (chart.values ?? '') : JSON.stringify(chart.valuesObject),
          parameters: chart.parameters,
          fileParameters: chart.fileParameters,
        },
      };
      const bounds = { ...limits, ...(chart.signal && { signal: chart.signal }) };
      const answer = await engine.run(tree, request, bounds).catch((thrown: unknown) => {
        throw thrown instanceof RenderError ? told(thrown) : thrown;
      });
      const header = answer.header as unknown as Header;
      return {
        yaml: answer.text,
        objects: answer.objects,
        sources: header.sources ?? [],
        places: header.places ?? [],
        notes: header.notes,
        warnings: header.warnings ?? [],
        ...(header.rendered !== undefined && { rendered: header.rendered }),
      };
    },
  };
  return helm;
}
