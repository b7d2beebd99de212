import { type Fields, readFields, substitute } from '@mooring/go-wasm';
import {
  RenderError,
  type Renderer,
  type RenderSpec,
  readMade,
  recordReads,
  withRendered,
} from '@mooring/renderer-contract';
import { detect } from './detect.ts';
import { type KustomizeOptions, kustomizeVersion, openKustomize } from './kustomize.ts';
import { placedInFiles } from './locate.ts';
import { type Edits, type Patch, parseBuildFlags, withoutPrograms } from './options.ts';

/** Folders with a kustomization file: what Argo CD calls a `Kustomize` source. The engine starts with the first render. */
export const kustomizeRenderer: Renderer = createKustomizeRenderer();

/** As `kustomizeRenderer`, with settings of your own. */
export function createKustomizeRenderer(options: KustomizeOptions = {}): Renderer {
  const kustomize = openKustomize(options);
  return {
    name: 'kustomize',
    sourceType: 'Kustomize',
    optionsKey: 'kustomize',
    hasEngine: true,
    version: kustomizeVersion,
    detect,
    close: kustomize.close,
    checkSettings,
    async render(tree, spec, context) {
      const warnings: string[] = [];
      const edits = readEdits(spec, warnings);
      const recorded = recordReads(tree);
      const built = await kustomize.render(recorded.tree, spec.path, {
        ...(edits === undefined ? {} : { edits }),
        // For all kustomizations alike, most of which need no program.
        buildOptions: withoutPrograms(spec.settings?.['kustomize.buildOptions'] ?? ''),
        limits: context.limits,
        ...(context.signal && { signal: context.signal }),
      });
      warnings.push(...built.warnings);
      const made = { objects: built.objects, origins: [], path: built.file };
      try {
        return { manifests: await readMade(made, context.limits, context.signal), warnings };
      } catch (thrown) {
        if (!(thrown instanceof RenderError)) throw thrown;
        const files = recorded.reads().flatMap(({ op, path }) => (op === 'read' ? [path] : []));
        const placed = await placedInFiles(thrown, tree, files);
        throw withRendered(placed, context.debug ? new TextDecoder().decode(built.yaml) : undefined);
      }
    },
  };
}

function checkSettings(settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const key = 'kustomize.buildOptions';
  try {
    parseBuildFlags(withoutPrograms(settings[key] ?? ''));
    return {};
  } catch (thrown) {
    if (!(thrown instanceof RenderError)) throw thrown;
    return { [key]: `but ${thrown.message}` };
  }
}

const known = [
  ...['namePrefix', 'nameSuffix', 'images', 'replicas', 'commonLabels', 'forceCommonLabels', 'labelWithoutSelector'],
  ...['labelIncludeTemplates', 'commonAnnotations', 'forceCommonAnnotations', 'commonAnnotationsEnvsubst', 'namespace'],
  ...['patches', 'components', 'ignoreMissingComponents', 'version', 'kubeVersion', 'apiVersions'],
];

/** Reads `spec.source.kustomize`; undefined where it changes nothing. */
function readEdits(spec: RenderSpec, warnings: string[]): Edits | undefined {
  if (Object.keys(spec.options).length === 0) return undefined;
  const fields = readFields(spec.options, 'kustomize');
  fields.only(known);
  const version = fields.string('version') || kustomizeVersion;
  if (version !== kustomizeVersion) {
    warnings.push(
      `kustomize.version ${version} is not used: every kustomization is built by ${kustomizeVersion}; remove it`,
    );
  }
  const substituted = (text: string): string => substitute(text, spec.env);
  const annotated = fields.boolean('commonAnnotationsEnvsubst') ? substituted : (text: string): string => text;
  return defined({
    namePrefix: fields.string('namePrefix'),
    nameSuffix: fields.string('nameSuffix'),
    images: fields.strings('images')?.map(substituted),
    replicas: fields.list('replicas', (replica) => ({
      name: replica.required('name', replica.string('name')),
      count: replica.required('count', replica.integer('count')),
    })),
    commonLabels: mapValues(fields.stringMap('commonLabels'), substituted),
    forceCommonLabels: fields.boolean('forceCommonLabels'),
    labelWithoutSelector: fields.boolean('labelWithoutSelector'),
    labelIncludeTemplates: fields.boolean('labelIncludeTemplates'),
    commonAnnotations: mapValues(fields.stringMap('commonAnnotations'), annotated),
    forceCommonAnnotations: fields.boolean('forceCommonAnnotations'),
    namespace: fields.string('namespace'),
    patches: fields.list('patches', readPatch),
    components: fields.strings('components'),
    ignoreMissingComponents: fields.boolean('ignoreMissingComponents'),
  });
}

function readPatch(patch: Fields): Patch {
  patch.only(['path', 'patch', 'target', 'options']);
  return defined({
    path: patch.string('path'),
    patch: patch.text('patch'),
    target: patch.object('target'),
    options: patch.object('options'),
  });
}

function mapValues(
  map: Readonly<Record<string, string>> | undefined,
  change: (value: string) => string,
): Record<string, string> | undefined {
  return map && Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The same without the fields that are undefined. */
function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
