import { readFields, substitute } from '@mooring/go-wasm';
import {
  type Origin,
  RenderError,
  type Renderer,
  type RenderSpec,
  readMade,
  withRendered,
} from '@mooring/renderer-contract';
import { detect } from './detect.ts';
import { type HelmOptions, helmVersion, openHelm, type Rendering } from './helm.ts';
import type { TemplateOptions } from './options.ts';

/** Folders with a `Chart.yaml`: what Argo CD calls a `Helm` source. The engine starts with the first render. */
export const helmRenderer: Renderer = createHelmRenderer();

/** As `helmRenderer`, with settings of your own. */
export function createHelmRenderer(options: HelmOptions = {}): Renderer {
  const helm = openHelm(options);
  return {
    name: 'helm',
    sourceType: 'Helm',
    optionsKey: 'helm',
    hasEngine: true,
    version: helmVersion,
    detect,
    close: helm.close,
    async render(tree, spec, context) {
      const rendering = await helm.render(tree, spec.path, {
        ...readOptions(spec),
        limits: context.limits,
        ...(context.signal && { signal: context.signal }),
        ...(context.debug && { debug: true }),
      });
      const { objects, notes, warnings, rendered } = rendering;
      const made = { objects, origins: originsOf(rendering), path: spec.path };
      try {
        const manifests = await readMade(made, context.limits, context.signal);
        return { manifests, warnings, ...(notes !== '' && { notes }) };
      } catch (thrown) {
        throw withRendered(thrown, rendered);
      }
    },
  };
}

function originsOf({ sources, places }: Rendering): readonly Origin[] {
  return sources.map((path, index) => {
    const place = places[index];
    if (place === undefined) return { path };
    const { isRendered, document, line } = place;
    return isRendered ? { path, rendered: { document, line } } : { path, document, line };
  });
}

const known = [
  ...['releaseName', 'namespace', 'valueFiles', 'ignoreMissingValueFiles', 'values', 'valuesObject', 'parameters'],
  ...[
    'fileParameters',
    'kubeVersion',
    'apiVersions',
    'skipCrds',
    'skipTests',
    'skipSchemaValidation',
    'passCredentials',
  ],
  'version',
];

/** Helm's own bound on the name of a release. */
const releaseNameMax = 53;

/** Reads `spec.source.helm`, with Argo CD's defaults: the release has the Application's name, the destination's namespace, version and kinds. */
function readOptions(spec: RenderSpec): TemplateOptions {
  const fields = readFields(spec.options, 'helm');
  fields.only(known);
  const substituted = (text: string): string => substitute(text, spec.env);
  const releaseName = fields.string('releaseName') || spec.appName;
  if (releaseName.length > releaseNameMax) {
    throw new RenderError(
      'invalid',
      `the release name ${JSON.stringify(releaseName)} is longer than ${releaseNameMax} characters; set helm.releaseName to a shorter one`,
    );
  }
  // Argo CD takes these and no other; v2 is long gone, and all of them mean the one engine.
  const version = fields.string('version') || 'v4';
  if (version !== 'v3' && version !== 'v4') {
    throw new RenderError('unsupported', `helm.version ${JSON.stringify(version)} is not supported; remove it`);
  }
  const apiVersions = fields.strings('apiVersions') ?? [];
  const values = fields.text('values');
  const valuesObject = fields.object('valuesObject');
  return {
    releaseName,
    namespace: fields.string('namespace') || spec.namespace || 'default',
    kubeVersion: plainVersion(fields.string('kubeVersion') || spec.kubeVersion),
    apiVersions: apiVersions.length > 0 ? apiVersions : spec.apiVersions,
    valueFiles: fields.strings('valueFiles')?.map(substituted) ?? [],
    ignoreMissingValueFiles: fields.boolean('ignoreMissingValueFiles') ?? false,
    ...(values === undefined ? {} : { values }),
    ...(valuesObject === undefined ? {} : { valuesObject }),
    parameters:
      fields.list('parameters', (parameter) => ({
        name: parameter.required('name', parameter.string('name')),
        value: substituted(parameter.text('value') ?? ''),
        forceString: parameter.boolean('forceString') ?? false,
      })) ?? [],
    fileParameters:
      fields.list('fileParameters', (parameter) => ({
        name: parameter.required('name', parameter.string('name')),
        path: substituted(parameter.required('path', parameter.string('path'))),
      })) ?? [],
    skipCrds: fields.boolean('skipCrds') ?? false,
    skipTests: fields.boolean('skipTests') ?? false,
    skipSchemaValidation: fields.boolean('skipSchemaValidation') ?? false,
  };
}

/** The numbers of a version alone, as Argo CD hands them to Helm: `v1.33.2-gke.100` is older than 1.33.2 to the constraints of charts. `''` stays. */
function plainVersion(version: string): string {
  const numbers = /^\s*v?(\d+(?:\.\d+)+)/.exec(version)?.[1];
  if (numbers !== undefined || version === '') return numbers ?? '';
  throw new RenderError(
    'invalid',
    `helm.kubeVersion ${JSON.stringify(version)} is no version; write it as 1.33 or 1.33.2`,
  );
}
