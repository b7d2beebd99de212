import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Application } from '@mooring/crds';
import type { RenderAnswer } from '@mooring/operator/world/renderer.ts';
import { type Command, Option } from 'commander';
import { readApplication } from '../application.ts';
import { type Checkout, locate, pathInside } from '../checkout.ts';
import { Failure } from '../failure.ts';
import { print, tell } from '../print.ts';
import { withProgress } from '../progress.ts';
import { renderLimitHelp, renderLimits } from '../render-limits.ts';
import { yamlOf } from '../yaml.ts';

interface RenderOptions {
  readonly app?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly values?: readonly string[];
  readonly set?: readonly string[];
  readonly recurse?: boolean;
  readonly renderLimit?: readonly string[];
  readonly output: 'yaml' | 'json';
}

/** Adds `mooring render`. */
export function addRender(program: Command): void {
  program
    .command('render')
    .summary('print what a source folder renders to')
    .description(
      `Prints the manifests that a folder on disk renders to, found out and rendered as the operator does it: Helm, Kustomize, or plain YAML and JSON.
In a Git work tree the folder may refer to anything in the repository, such as a base in ../../base. Files need not be committed. No cluster is asked.`,
    )
    .argument('[path]', 'folder to render; with --app any folder of the repository to render from', '.')
    .option('--app <file>', 'take path and options from this Application manifest; - is standard input')
    .option(
      '--name <name>',
      "the Application's name, Helm's release name (default: the folder's); with --app the one to take",
    )
    .option('-n, --namespace <name>', 'namespace of the destination')
    .option('--kube-version <version>', "version of Kubernetes that templates see (default: the engine's own)")
    .option(
      '--api-versions <list>',
      'APIs that templates see besides the built-in ones: example.com/v1,example.com/v1/Thing',
      (list, before: readonly string[] = []) => [...before, ...list.split(',').filter((item) => item !== '')],
    )
    // Not '<file...>', which would take the path to render for one more file.
    .option('--values <file>', 'a Helm value file; may be repeated, the last one wins', append)
    .option('--set <path=value>', 'a Helm parameter; may be repeated', append)
    .option('--recurse', 'read the folders below too; plain YAML and JSON only')
    .option('--render-limit <name=value>', renderLimitHelp, append)
    .addOption(new Option('-o, --output <format>', 'format').choices(['yaml', 'json']).default('yaml'))
    .addHelpText(
      'after',
      `
Examples:
  mooring render services/cart/overlays/dev
  mooring render services/payments --values services/payments/values-dev.yaml --set replicas=3
  mooring render --app applications/cart-dev.yaml      from the repository of the current folder
  mooring render ~/shop --app cart-dev.yaml            from that repository
  mooring render . --recurse -o json | jq -r '.kind'

Exit codes:
  0  rendered
  2  not rendered: wrong arguments, or an error in the source that is printed

JSON output has one object a line.`,
    )
    .action(async (path: string, options: RenderOptions) => {
      const { manifests, warnings } = await render(path, options);
      for (const warning of warnings) tell(`warning: ${warning}`);
      for (const { object } of manifests) {
        await print(options.output === 'json' ? `${JSON.stringify(object)}\n` : `---\n${yamlOf(object)}`);
      }
      if (manifests.length === 0) tell('the source renders to nothing');
    });
}

function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

async function render(folder: string, options: RenderOptions): Promise<RenderAnswer> {
  const limits = renderLimits(options.renderLimit);
  const checkout = await locate(folder);
  const app = options.app === undefined ? applicationOf(checkout, options) : await appOf(options.app, options);
  // Loaded here, because the other commands and --help should not wait for the engines.
  const { renderLocal } = await import('../local.ts');
  const target = { version: options.kubeVersion ?? '', apiVersions: options.apiVersions ?? [] };
  return withProgress(`rendering ${app.spec.source?.path || checkout.root}`, () =>
    renderLocal(app, checkout, target, limits),
  );
}

async function appOf(file: string, options: RenderOptions): Promise<Application> {
  for (const field of ['namespace', 'values', 'set', 'recurse'] as const) {
    if (options[field] === undefined) continue;
    throw new Failure(`--${field} doesn't go with --app: the Application says it; leave one of them out`);
  }
  return readApplication(file, options.name);
}

/** The Application that a folder and the options amount to. */
function applicationOf(checkout: Checkout, options: RenderOptions): Application {
  const helm = options.values !== undefined || options.set !== undefined;
  if (helm && options.recurse) throw new Failure("--recurse doesn't go with --values and --set: a chart is read whole");
  const name = options.name ?? nameOf(checkout);
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name },
    spec: {
      project: 'default',
      destination: { namespace: options.namespace ?? '' },
      source: {
        repoURL: pathToFileURL(checkout.root).href,
        path: checkout.path,
        ...(options.recurse && { directory: { recurse: true } }),
        ...(helm && {
          helm: {
            valueFiles: (options.values ?? []).map((file) => valueFile(file, checkout)),
            parameters: (options.set ?? []).map(parameter),
          },
        }),
      },
    },
  };
}

/** The folder's name, made fit for a Helm release. */
function nameOf(checkout: Checkout): string {
  const folder = basename(checkout.path || checkout.root).toLowerCase();
  return (
    folder
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 53)
      .replace(/-+$/, '') || 'app'
  );
}

/** Value files with a leading `/` are found from the root of the repository. */
function valueFile(file: string, checkout: Checkout): string {
  const path = pathInside(checkout.root, resolve(file));
  if (path === undefined) throw new Failure(`${file}: value files must be inside ${checkout.root}; copy it there`);
  return `/${path}`;
}

function parameter(text: string): { name: string; value: string } {
  const sign = text.indexOf('=');
  if (sign < 1) throw new Failure(`--set ${text}: write it as path=value, such as image.tag=v2`);
  return { name: text.slice(0, sign), value: text.slice(sign + 1) };
}
