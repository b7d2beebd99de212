import type { Application, AppProject } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { Fault, messageOf } from '../../model/fault.ts';
import { textAt, valueAt } from '../../model/json.ts';
import type { Settings, Store, StoreChange } from '../../world/store.ts';
import type { Log } from '../../world/telemetry.ts';
import type { KubeClient, KubeContext } from '../kube/client.ts';
import { type ClusterTarget, readClusterSecret, secretFields } from '../kube/cluster-secret.ts';
import type { ClusterSource } from '../kube/clusters.ts';
import { createObject, patchObject } from '../kube/request.ts';
import type { ServedKind } from '../kube/served-kind.ts';
import { accessTo, type RepositorySecret, readRepositorySecret, withTrust } from './repositories.ts';
import { readSettings } from './settings.ts';
import { type ObjectView, watchObjects } from './view.ts';

export interface StoreOptions extends KubeContext {
  readonly log: Log;
  /** Namespace of the operator. */
  readonly namespace: string;
}

/** The store, and what else is kept in it. */
export interface OpenStore {
  readonly store: Store;
  /** The cluster Secrets, for `createClusters`. */
  readonly clusters: ClusterSource;
  close(): void;
}

const verbs: readonly string[] = [];
const applications: ServedKind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  scope: 'Namespaced',
  verbs,
};
const projects: ServedKind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'AppProject',
  plural: 'appprojects',
  scope: 'Namespaced',
  verbs,
};
const secrets: ServedKind = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced', verbs };
const configMaps: ServedKind = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
  verbs,
};

const secretType = 'argocd.argoproj.io/secret-type';
/** Argo CD's name for the owner of `status`. Not the one that applies objects: to it the status of an Application in an app of apps would be a value to take away. */
const statusManager = 'argocd-application-controller';

/** Watches Mooring's own objects in the operator's cluster, and waits until all are read. Throws `Fault` `cluster-unreachable`, `cluster-refused`, or `object-missing` where the CRDs are not installed. */
export async function createStore(client: KubeClient, options: StoreOptions): Promise<OpenStore> {
  const { namespace, clock, limits, log } = options;
  const listeners = new Set<(change: StoreChange) => void>();
  const clusterListeners = new Set<() => void>();
  const failed = Promise.withResolvers<never>();
  // Rejected after the store is open it would end the process.
  failed.promise.catch(() => {});

  const emit = (change: StoreChange): void => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (thrown) {
        // Thrown on, it would end the watch that the change came from.
        log.error({ kind: change.kind, error: messageOf(thrown) }, 'a bug: a listener to the store failed');
      }
    }
  };

  function watch(
    served: ServedKind,
    selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
    changed: (name: string) => void,
  ): ObjectView {
    return watchObjects(client, served, { namespace, ...selectors }, options, {
      changed,
      failing: (why, fault, refusals) => {
        log.warn({ kind: served.kind, why, refusals, error: fault.message }, 'a watch of the store failed');
        if (why === 'unserved' && fault.data['httpStatus'] === 404) {
          failed.reject(
            new Fault(
              'object-missing',
              `the cluster does not serve ${served.kind} of ${served.group}/${served.version}: install Mooring's CustomResourceDefinitions (kubectl apply --server-side -f crds/application.yaml -f crds/appproject.yaml)`,
              {},
              fault,
            ),
          );
        } else if (why === 'forbidden') {
          failed.reject(
            new Fault(
              'cluster-refused',
              `the operator's account may not list and watch ${served.plural} in the namespace ${namespace}: ${fault.message}`,
              {},
              fault,
            ),
          );
        } else if (refusals >= 3) {
          failed.reject(fault);
        }
      },
    });
  }

  let settings: Settings | undefined;
  let repositorySecrets: readonly RepositorySecret[] | undefined;
  let clusterTargets: readonly ClusterTarget[] | undefined;

  const settingsChanged = (): void => {
    settings = undefined;
    emit({ kind: 'Settings' });
  };
  const secretsChanged = (): void => {
    repositorySecrets = undefined;
    clusterTargets = undefined;
    emit({ kind: 'Repository' });
    for (const listener of clusterListeners) listener();
  };
  const trustChanged = (): void => emit({ kind: 'Repository' });
  const views = {
    applications: watch(applications, {}, (name) => emit({ kind: 'Application', name: { namespace, name } })),
    projects: watch(projects, {}, (name) => emit({ kind: 'AppProject', name: { namespace, name } })),
    secrets: watch(secrets, { labelSelector: `${secretType} in (repository,repo-creds,cluster)` }, secretsChanged),
    secret: watch(secrets, { fieldSelector: 'metadata.name=argocd-secret' }, settingsChanged),
    config: watch(configMaps, { fieldSelector: 'metadata.name=argocd-cm' }, settingsChanged),
    knownHosts: watch(configMaps, { fieldSelector: 'metadata.name=argocd-ssh-known-hosts-cm' }, trustChanged),
    certificates: watch(configMaps, { fieldSelector: 'metadata.name=argocd-tls-certs-cm' }, trustChanged),
    parameters: watch(configMaps, { fieldSelector: 'metadata.name=argocd-cmd-params-cm' }, settingsChanged),
  };
  const close = (): void => {
    for (const view of Object.values(views)) view.stop();
  };
  const cancelTimeout = clock.after(limits.requestTimeoutMs, () => {
    failed.reject(
      new Fault(
        'cluster-unreachable',
        `${client.server}: reading Mooring's own objects took more than ${limits.requestTimeoutMs / 1000} s`,
      ),
    );
  });
  try {
    await Promise.race([failed.promise, Promise.all(Object.values(views).map((view) => view.ready))]);
  } catch (thrown) {
    close();
    throw thrown;
  } finally {
    cancelTimeout();
  }

  function secretsOfType(type: string): readonly KubeObject[] {
    return views.secrets.all().filter((secret) => secret.metadata.labels?.[secretType] === type);
  }

  function repositories(): readonly RepositorySecret[] {
    repositorySecrets ??= (['repository', 'repo-creds'] as const).flatMap((type) =>
      secretsOfType(type).map((secret) => readRepositorySecret(secret, type)),
    );
    return repositorySecrets;
  }

  function readAllSettings(): Settings {
    settings ??= readSettings(
      {
        config: dataOf(views.config.get('argocd-cm')),
        parameters: dataOf(views.parameters.get('argocd-cmd-params-cm')),
        secret: secretFields(views.secret.get('argocd-secret') ?? { apiVersion: 'v1', kind: 'Secret', metadata: {} }),
      },
      (message) => log.warn({}, message),
    );
    return settings;
  }

  async function patchApplication(app: Application, patch: Readonly<Record<string, unknown>>): Promise<Application> {
    const { name = '', namespace: of = namespace, uid } = app.metadata;
    const metadata = valueAt(patch, 'metadata');
    // Naming the uid that is there changes nothing; naming another one is refused as a conflict.
    const body = { ...patch, metadata: { ...(typeof metadata === 'object' ? metadata : {}), uid } };
    const key = { group: applications.group, kind: applications.kind, namespace: of, name };
    const end = of === namespace ? views.applications.beginWrite(name) : undefined;
    let stored: KubeObject | undefined;
    try {
      stored = (await client.send(patchObject(applications, key, body, statusManager))) as KubeObject;
      return stored as unknown as Application;
    } finally {
      end?.(stored);
    }
  }

  async function ensureDefaultProject(): Promise<void> {
    if (views.projects.get('default') !== undefined) return;
    const project = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'default', namespace },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ server: '*', namespace: '*' }],
        clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      },
    };
    const end = views.projects.beginWrite('default');
    let stored: KubeObject | undefined;
    try {
      stored = (await client.send(createObject(projects, project, { how: 'create', validate: true }))) as KubeObject;
    } catch (thrown) {
      // Somebody else was quicker.
      if (!(thrown instanceof Fault && thrown.code === 'object-conflict')) throw thrown;
    } finally {
      end(stored);
    }
  }

  const store: Store = {
    namespace,
    applications: () => views.applications.all() as unknown as readonly Application[],
    application: (name) =>
      name.namespace === namespace ? (views.applications.get(name.name) as Application | undefined) : undefined,
    project: (name) => views.projects.get(name) as AppProject | undefined,
    repository: (url, project) =>
      withTrust(accessTo(repositories(), url, project), {
        knownHosts: dataOf(views.knownHosts.get('argocd-ssh-known-hosts-cm')),
        certificates: dataOf(views.certificates.get('argocd-tls-certs-cm')),
      }),
    settings: readAllSettings,
    patchApplication,
    ensureDefaultProject,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const clusters: ClusterSource = {
    clusters: () => {
      clusterTargets ??= secretsOfType('cluster').map(readClusterSecret);
      return clusterTargets;
    },
    subscribe: (listener) => {
      clusterListeners.add(listener);
      return () => clusterListeners.delete(listener);
    },
  };
  return { store, clusters, close };
}

function dataOf(configMap: KubeObject | undefined): Readonly<Record<string, string>> {
  const data: Record<string, string> = {};
  for (const name of Object.keys((configMap?.['data'] as object | undefined) ?? {})) {
    const value = textAt(configMap, 'data', name);
    if (value !== undefined) data[name] = value;
  }
  return data;
}
