import type { Application, ApplicationSource } from '@mooring/crds';
import { joinPath } from '@mooring/renderer-contract';
import { Fault, messageOf } from '../../model/fault.ts';
import type { Cluster } from '../../world/cluster.ts';
import type { Revision } from '../../world/git.ts';
import type { RenderRequest } from '../../world/renderer.ts';

/** The fields of a source that hold a renderer's options; the one that says something selects the renderer. */
const optionFields = ['helm', 'kustomize', 'directory', 'plugin'] as const;

/** Options of Kustomize that only change what others do: alone they don't make a source one of Kustomize. */
const adverbs: ReadonlySet<string> = new Set([
  'forceCommonLabels',
  'forceCommonAnnotations',
  'commonAnnotationsEnvsubst',
  'labelWithoutSelector',
  'labelIncludeTemplates',
]);

/** Everything a renderer is told about one source, with Argo CD's build environment. Throws `Fault` `spec-invalid` for a path that leaves the repository. */
export function renderRequest(
  app: Application,
  source: ApplicationSource,
  revision: Revision,
  cluster: Pick<Cluster, 'version' | 'apiVersions'>,
): RenderRequest {
  const present = optionFields.filter((field) => (field === 'plugin' ? source[field] != null : says(source[field])));
  if (present.length > 1) {
    throw new Fault('spec-invalid', `spec.source has ${present.join(' and ')}; keep the one that the path is made for`);
  }
  const field = present[0];
  const path = sourcePath(source);
  const name = app.metadata.name ?? '';
  return {
    repository: source.repoURL,
    appName: name,
    namespace: app.spec.destination.namespace ?? '',
    path,
    options: field === undefined ? {} : { ...source[field] },
    ...(field && { renderer: field }),
    kubeVersion: cluster.version,
    apiVersions: cluster.apiVersions,
    env: {
      ARGOCD_APP_NAME: name,
      ARGOCD_APP_NAMESPACE: app.spec.destination.namespace ?? '',
      ARGOCD_APP_PROJECT_NAME: app.spec.project || 'default',
      ARGOCD_APP_REVISION: revision.commit,
      ARGOCD_APP_REVISION_SHORT: revision.commit.slice(0, 7),
      ARGOCD_APP_REVISION_SHORT_8: revision.commit.slice(0, 8),
      ARGOCD_APP_SOURCE_PATH: source.path ?? '',
      ARGOCD_APP_SOURCE_REPO_URL: source.repoURL,
      ARGOCD_APP_SOURCE_TARGET_REVISION: source.targetRevision ?? '',
    },
  };
}

/**
 * Whether options say anything. Argo CD takes `directory: {recurse: false}`, as its forms write it, for no options at all, and looks at the folder. What a user's own
 * map or list holds is theirs: `valuesObject: {replicas: 0}` says something, and so does an annotation without text.
 */
function says(options: object | undefined): boolean {
  if (options === undefined || options === null) return false;
  return Object.entries(options).some(([name, value]) => {
    if (value === undefined || value === null || adverbs.has(name)) return false;
    if (name === 'valuesObject') return true;
    if (name === 'jsonnet') return says(value);
    return typeof value === 'object' ? Object.keys(value).length > 0 : value !== false && value !== '';
  });
}

function sourcePath(source: ApplicationSource): string {
  try {
    return joinPath('', (source.path ?? '').replace(/^\/+/, ''));
  } catch (thrown) {
    throw new Fault('spec-invalid', `spec.source.path: ${messageOf(thrown)}`, {}, thrown);
  }
}
