import { basename, matchesGlob } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Application } from '@mooring/crds';
import { Fault } from '@mooring/operator/model/fault.ts';
import type { RenderAnswer } from '@mooring/operator/world/renderer.ts';
import { joinPath, type Manifest, RenderError } from '@mooring/renderer-contract';
import { type Command, Option } from 'commander';
import { readApplication } from '../application.ts';
import { type Checkout, locate } from '../checkout.ts';
import { Failure } from '../failure.ts';
import { givenFlags, type HelmOptions, helmOf } from '../helm-options.ts';
import { print, tell } from '../print.ts';
import { withProgress } from '../progress.ts';
import { renderLimitHelp, renderLimits } from '../render-limits.ts';
import { yamlOf } from '../yaml.ts';

interface RenderOptions extends HelmOptions {
  readonly app?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly recurse?: boolean;
  readonly showOnly?: readonly string[];
  readonly notes?: boolean;
  readonly debug?: boolean;
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
    .option('-f, --values <file>', 'a Helm value file; may be repeated, the last one wins', append)
    .option(
      '--set <path=value>',
      'a Helm parameter as Argo CD has them: one each, a comma is part of the value; may be repeated',
      append,
    )
    .option('--set-string <path=value>', 'the same, and the value stays a text', append)
    .option('--set-file <path=file>', 'the same, with the content of a file', append)
    .option('--set-json <path=JSON>', 'a value, or with a JSON object alone all of its values; may be repeated', append)
    .option('--ignore-missing-value-files', 'leave out value files that are not there')
    .option('--skip-tests', "leave out a chart's tests")
    .option(
      '-s, --show-only <file>',
      'print what this template or file, or those of a pattern, renders to alone; may be repeated',
      append,
    )
    .option('--notes', "print what the chart's NOTES.txt renders to, to standard error")
    .option(
      '--debug',
      'where what a chart or a kustomization renders to is no YAML or no manifest, print it with the error; nothing is rendered of plain files, so that it changes nothing there',
    )
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
  mooring render charts/web -s templates/service.yaml  one template of a chart
  mooring render . --recurse -o json | jq -r '.kind'

Exit codes:
  0  rendered
  2  not rendered: wrong arguments, or an error in the source that is printed (also with --debug)

JSON output has one object a line.`,
    )
    .action(async (path: string, options: RenderOptions) => {
      const { folder, answer } = await render(path, options).catch(async (thrown: unknown) => {
        throw await explained(thrown, options.debug === true);
      });
      for (const warning of answer.warnings) tell(`warning: ${warning}`);
      const manifests = shown(answer, folder, options.showOnly);
      // What Helm's users know from `helm template`.
      const isChart = answer.sourceType === 'Helm';
      for (const { object, origin } of manifests) {
        const source = isChart ? `# Source: ${JSON.stringify(origin.path).slice(1, -1)}\n` : '';
        await print(options.output === 'json' ? `${JSON.stringify(object)}\n` : `---\n${source}${yamlOf(object)}`);
      }
      if (options.notes) process.stderr.write(answer.notes === undefined ? '' : `${answer.notes.trimEnd()}\n`);
      if (manifests.length === 0) tell('the source renders to nothing');
    });
}

/** Prints what was rendered and is refused, and gives what to throw: without `--debug` it says how to see that. */
async function explained(thrown: unknown, debug: boolean): Promise<unknown> {
  const error = thrown instanceof Fault ? thrown.cause : undefined;
  if (!(thrown instanceof Fault) || !(error instanceof RenderError)) return thrown;
  if (error.rendered !== undefined) await print(`${error.rendered.trimEnd()}\n`);
  if (debug || !/ renders to\b/.test(error.message)) return thrown;
  return new Failure(`${thrown.message}\nUse --debug to see what was rendered.`, thrown);
}

function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/**
 * The manifests that come from the files asked for, which are named from the folder or from the root of the repository, by a pattern too, as with Helm (`*`, `?`, `[…]`).
 * Throws `Failure` for one that nothing comes from.
 */
function shown({ manifests }: RenderAnswer, folder: string, files: readonly string[] | undefined): readonly Manifest[] {
  if (files === undefined) return manifests;
  const known = [...new Set(manifests.map(({ origin }) => origin.path))];
  const paths = files.flatMap((file) => {
    const candidates = [joinPath(folder, file), joinPath('', file)];
    const exact = candidates.find((candidate) => known.includes(candidate));
    if (exact !== undefined) return [exact];
    const found = known.filter((path) => candidates.some((candidate) => matchesGlob(path, candidate)));
    if (found.length > 0) return found;
    throw new Failure(
      `--show-only ${file}: nothing comes from it; manifests come from ${known.slice(0, 20).join(', ')}`,
    );
  });
  return manifests.filter(({ origin }) => paths.includes(origin.path));
}

async function render(folder: string, options: RenderOptions): Promise<{ folder: string; answer: RenderAnswer }> {
  const limits = renderLimits(options.renderLimit);
  const checkout = await locate(folder);
  const app = options.app === undefined ? applicationOf(checkout, options) : await appOf(options.app, options);
  // Loaded here, because the other commands and --help should not wait for the engines.
  const { renderLocal } = await import('../local.ts');
  const target = { version: options.kubeVersion ?? '', apiVersions: options.apiVersions ?? [] };
  const path = app.spec.source?.path ?? '';
  const answer = await withProgress(`rendering ${path || checkout.root}`, () =>
    renderLocal(app, checkout, target, { limits, debug: options.debug === true }),
  );
  return { folder: path, answer };
}

async function appOf(file: string, options: RenderOptions): Promise<Application> {
  const flags = [
    ...(['namespace', 'recurse'] as const).filter((name) => options[name] !== undefined).map((name) => `--${name}`),
    ...givenFlags(options),
  ];
  if (flags.length > 0) {
    throw new Failure(`${flags.join(', ')} doesn't go with --app: the Application says it; leave one of them out`);
  }
  return readApplication(file, options.name);
}

/** The Application that a folder and the options amount to. */
function applicationOf(checkout: Checkout, options: RenderOptions): Application {
  const helm = helmOf(options, checkout);
  if (helm !== undefined && options.recurse) {
    throw new Failure(`--recurse doesn't go with ${givenFlags(options).join(', ')}: a chart is read whole`);
  }
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
        ...(helm !== undefined && { helm }),
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
