import type { AppProject, AppProjectSpec } from '@mooring/crds';

/** One line of `globalProjects`: the project whose rules hold for others, too, and for which. */
export interface GlobalProject {
  readonly projectName: string;
  readonly labelSelector: LabelSelector;
}

/** A selector of Kubernetes; an empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelExpression[];
}

export interface LabelExpression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

const lists = [
  'clusterResourceWhitelist',
  'clusterResourceBlacklist',
  'namespaceResourceWhitelist',
  'namespaceResourceBlacklist',
  'syncWindows',
  'sourceRepos',
  'destinations',
  'destinationServiceAccounts',
] as const satisfies readonly (keyof AppProjectSpec)[];

/**
 * A project with what the global projects add that its labels select (docs/user-guide/projects.md): each of their lists follows its own. The project that it is
 * itself is not among them, and one that is not there adds nothing.
 */
export function withGlobalProjects(
  project: AppProject,
  globals: readonly GlobalProject[],
  projectOf: (name: string) => AppProject | undefined,
): AppProject {
  const { name, labels = {} } = project.metadata;
  const added = globals
    .filter(({ projectName, labelSelector }) => projectName !== name && selects(labelSelector, labels))
    .flatMap(({ projectName }) => projectOf(projectName) ?? []);
  if (added.length === 0) return project;
  const spec = Object.fromEntries(
    lists.flatMap((list) => {
      const all = [project, ...added].flatMap((one): readonly unknown[] => one.spec[list] ?? []);
      return all.length === 0 ? [] : [[list, all]];
    }),
  );
  return { ...project, spec: { ...project.spec, ...spec } };
}

function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const isGiven = (key: string): boolean => Object.hasOwn(labels, key);
  const isOneOf = ({ key, values }: LabelExpression): boolean => isGiven(key) && values.includes(labels[key] ?? '');
  const meets = (expression: LabelExpression): boolean => {
    switch (expression.operator) {
      case 'In':
        return isOneOf(expression);
      case 'NotIn':
        return !isOneOf(expression);
      case 'Exists':
        return isGiven(expression.key);
      case 'DoesNotExist':
        return !isGiven(expression.key);
    }
  };
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => isGiven(key) && labels[key] === value) &&
    selector.matchExpressions.every(meets)
  );
}
