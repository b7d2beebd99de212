import { createHelm, treeOf } from 'helm-ts-wrapper';
import { stringify } from 'yaml';
import { chartFiles } from './chart.ts';
import type { Files } from './files.ts';

/** What is made of the chart for those who install without Helm: the file, its values, and what its head says. */
const variants = [
  {
    file: 'install.yaml',
    values: {},
    head: `# Mooring, which may deploy anything anywhere in its cluster:
#
#   kubectl create namespace argocd
#   kubectl apply -n argocd --server-side -f install.yaml`,
  },
  {
    file: 'namespace-install.yaml',
    values: { rbac: { mode: 'namespaced' }, crds: { install: false } },
    head: `# Mooring, which may deploy into its own namespace of its cluster, and wherever the credentials of cluster Secrets reach. Once in a cluster an administrator installs the
# CustomResourceDefinitions:
#
#   kubectl apply --server-side -f crds/application.yaml -f crds/appproject.yaml
#   kubectl create namespace argocd
#   kubectl apply -n argocd --server-side -f namespace-install.yaml`,
  },
] as const;

/** `install.yaml` and `namespace-install.yaml`: what the chart makes in the namespace `argocd`, without what only Helm reads. */
export async function manifestFiles(): Promise<Files> {
  const helm = await createHelm();
  try {
    const chart = treeOf(chartFiles());
    const made = variants.map(async ({ file, values, head }) => {
      const options = { releaseName: 'mooring', namespace: 'argocd', valuesObject: values };
      const { objects } = await helm.template(chart, '', options);
      // Not every reader of YAML follows aliases, and those that do bound them.
      const texts = objects.map((object) =>
        stringify(plain(object as PlainObject), { aliasDuplicateObjects: false, lineWidth: 0 }),
      );
      return [
        file,
        `# Written by \`make charts\`. Change the chart, not this file.\n${head}\n---\n${texts.join('---\n')}`,
      ];
    });
    return Object.fromEntries(await Promise.all(made));
  } finally {
    await helm.close();
  }
}

const ofHelm = ['helm.sh/chart', 'helm.sh/resource-policy', 'app.kubernetes.io/managed-by'];

type PlainObject = Readonly<Record<string, unknown>> & { readonly metadata: Readonly<Record<string, unknown>> };

function plain(object: PlainObject): unknown {
  const metadata = Object.entries(object.metadata).flatMap(([key, value]) => {
    if (key !== 'labels' && key !== 'annotations') return [[key, value]];
    const kept = Object.entries(value as object).filter(([name]) => !ofHelm.includes(name));
    return kept.length === 0 ? [] : [[key, Object.fromEntries(kept)]];
  });
  const { apiVersion, kind } = object;
  return { apiVersion, kind, ...object, metadata: Object.fromEntries(metadata) };
}
