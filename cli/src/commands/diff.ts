import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { Command } from 'commander';
import { exitCode, Failure } from '../failure.ts';
import type { Inspected } from '../inspect.ts';
import { print, tell } from '../print.ts';
import { renderLimitHelp, renderLimits } from '../render-limits.ts';

interface DiffOptions {
  readonly namespace: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly revision?: string;
  readonly local?: string;
  readonly renderLimit?: readonly string[];
}

/** Adds `mooring diff`. */
export function addDiff(program: Command): void {
  program
    .command('diff')
    .summary('print what a sync would change in the cluster')
    .description(
      `Reads the Application from the cluster of the kubeconfig, renders its source from Git, and prints what a sync would change as a unified diff of YAML.
What is not asked for (defaults, status, fields of others) is no difference. Values of Secrets are masked. Nothing is written, and no operator is asked.
Hooks are left out: they run with every sync.`,
    )
    .argument('<app>', 'name of the Application')
    .option('-n, --namespace <name>', 'namespace of the Application, its project and its Secrets', 'argocd')
    .option('--kubeconfig <file>', 'default: $KUBECONFIG, else ~/.kube/config')
    .option('--context <name>', "default: the kubeconfig's current one")
    .option('--revision <revision>', 'branch, tag or commit, instead of spec.source.targetRevision')
    .option(
      '--local <path>',
      'render this checkout of the repository, with its uncommitted changes, instead of what is in Git',
    )
    .option('--render-limit <name=value>', renderLimitHelp, (value, before: readonly string[] = []) => [
      ...before,
      value,
    ])
    .addHelpText(
      'after',
      `
Examples:
  mooring diff cart-dev
  mooring diff cart-dev --revision my-branch
  mooring diff cart-dev --local ~/shop            before you commit

Exit codes:
  0  no differences
  1  differences
  2  not compared: wrong arguments, or an error that is printed

The account of the kubeconfig must be allowed to list Applications, AppProjects, Secrets and ConfigMaps in that namespace, and what the cluster has.`,
    )
    .action(async (app: string, options: DiffOptions) => {
      process.exitCode = await diff(app, options);
    });
}

async function diff(name: string, options: DiffOptions): Promise<number> {
  if (options.local !== undefined && options.revision !== undefined) {
    throw new Failure("--revision doesn't go with --local, which takes what is on disk; leave one of them out");
  }
  const limits = renderLimits(options.renderLimit);
  // Loaded here, because the other commands and --help should not wait for what talks to clusters.
  const { inspect } = await import('../inspect.ts');
  const { app, changes, warnings } = await inspect({ app: name, ...options, limits });
  for (const warning of warnings) tell(`warning: ${warning}`);
  let differences = 0;
  for (const inspected of changes) {
    const text = await diffOf(inspected, app.spec.ignoreDifferences ?? []);
    if (text === '') continue;
    differences += 1;
    await print(text);
  }
  return differences === 0 ? exitCode.done : exitCode.found;
}

async function diffOf({ change, live }: Inspected, ignore: readonly ResourceIgnoreDifferences[]): Promise<string> {
  const { createDiff, pruneDiff, updateDiff } = await import('../object-diff.ts');
  const { group, kind, namespace, name } = change.key;
  const title = [group, kind, namespace, name].filter((part) => part !== '').join('/');
  switch (change.action) {
    case 'none':
      return '';
    case 'create':
      return createDiff(change.desired.object, title);
    case 'update':
      // It may have gone since it was compared.
      if (live === undefined) return createDiff(change.desired.object, title);
      return updateDiff(change.desired.object, live, change.differences, ignore, title);
    case 'prune':
      return change.ignored || live === undefined ? '' : pruneDiff(live, title);
  }
}
