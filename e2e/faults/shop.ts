/** What is synced while faults are injected: hooks before and after, a definition with its object, two waves, and something to prune. */

export interface ShopRevision {
  /** Path to YAML or JSON; null where the file goes. */
  readonly files: Readonly<Record<string, string | null>>;
}

const wave = (n: number): Record<string, string> => ({ 'argocd.argoproj.io/sync-wave': String(n) });

function configMap(name: string, value: string, annotations: Record<string, string> = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data: { value } };
}

function job(name: string, phase: string): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: {
        'argocd.argoproj.io/hook': phase,
        'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      },
    },
    spec: {
      backoffLimit: 0,
      template: {
        spec: { restartPolicy: 'Never', containers: [{ name: 'run', image: 'none', command: ['true'] }] },
      },
    },
  };
}

function definition(app: string): object {
  const group = groupOf(app);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
            },
          },
        },
      ],
    },
  };
}

/** API group of the definition that an Application brings along: one of its own, since definitions are shared by the whole cluster. */
export function groupOf(app: string): string {
  return `${app}.example.com`;
}

function widget(app: string, size: number): object {
  return {
    apiVersion: `${groupOf(app)}/v1`,
    kind: 'Widget',
    metadata: { name: 'first', annotations: wave(1) },
    spec: { size },
  };
}

/** The two revisions that are synced one after the other. */
export function shop(app: string): readonly [ShopRevision, ShopRevision] {
  const files = (objects: Readonly<Record<string, object | null>>): ShopRevision => ({
    files: Object.fromEntries(
      Object.entries(objects).map(([name, object]) => [
        `${name}.json`,
        object === null ? null : JSON.stringify(object),
      ]),
    ),
  });
  return [
    files({
      before: job('before', 'PreSync'),
      after: job('after', 'PostSync'),
      definition: definition(app),
      widget: widget(app, 1),
      settings: configMap('settings', 'one'),
      old: configMap('old', 'one'),
      late: configMap('late', 'one', wave(1)),
    }),
    files({
      widget: widget(app, 2),
      settings: configMap('settings', 'two'),
      old: null,
      new: configMap('new', 'two', wave(2)),
    }),
  ];
}
