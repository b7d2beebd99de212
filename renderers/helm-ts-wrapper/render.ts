import { readFields, substitute } from '@mooring/go-wasm';
import { manifestsOf, RenderError, type Renderer, type RenderSpec } from '@mooring/renderer-contract';
import { detect } from './detect.ts';
import { type HelmOptions, helmVersion, openHelm } from './helm.ts';
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
    version: helmVersion,
    detect,
    close: helm.close,
    async render(tree, spec, context) {
      const templated = await helm.template(tree, spec.path, {
        ...readOptions(spec),
        limits: context.limits,
        ...(context.signal && { signal: context.signal }),
      });
      const manifests = manifestsOf(templated.objects, (index) => ({ path: templated.sources[index] ?? spec.path }));
      return { manifests, warnings: templated.warnings };
    },
  };
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
  const values = fields.string('values');
  const valuesObject = fields.object('valuesObject');
  return {
    releaseName,
    namespace: fields.string('namespace') || spec.namespace || 'default',
    kubeVersion: fields.string('kubeVersion') || spec.kubeVersion,
    apiVersions: fields.strings('apiVersions') ?? spec.apiVersions,
    valueFiles: fields.strings('valueFiles')?.map(substituted) ?? [],
    ignoreMissingValueFiles: fields.boolean('ignoreMissingValueFiles') ?? false,
    ...(values === undefined ? {} : { values }),
    ...(valuesObject === undefined ? {} : { valuesObject }),
    parameters:
      fields.list('parameters', (parameter) => ({
        name: parameter.required('name', parameter.string('name')),
        value: substituted(parameter.string('value') ?? ''),
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
