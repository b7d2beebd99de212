import type { Application, AppProject } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { Fault, messageOf } from '../../model/fault.ts';
import { withGlobalProjects } from '../../model/global-projects.ts';
import { isJsonObject, textAt, valueAt } from '../../model/json.ts';
import { type SettingPlace, type UnreadSetting, unreadSettings } from '../../model/settings-keys.ts';
import type { Problem, Report } from '../../world/readiness.ts';
import type { Settings, Store, StoreChange } from '../../world/store.ts';
import type { Log } from '../../world/telemetry.ts';
import type { KubeClient, KubeContext } from '../kube/client.ts';
import { type ClusterTarget, readClusterSecret, secretFields } from '../kube/cluster-secret.ts';
import type { ClusterSource } from '../kube/clusters.ts';
import { createObject, patchObject } from '../kube/request.ts';
import type { ServedKind } from '../kube/served-kind.ts';
import { kinds } from './kinds.ts';
import type { Purpose } from './permissions.ts';
import { accessTo, type RepositorySecret, readRepositorySecret, withTrust } from './repositories.ts';
import { createRequirements } from './requirements.ts';
import { type CheckRendererSettings, createSettingsReader } from './settings.ts';
import { type ObjectView, watchObjects } from './view.ts';

export interface StoreOptions extends KubeContext {
  readonly log: Log;
  /** Namespace of the operator. */
  readonly namespace: string;
  readonly purpose: Purpose;
  /** Is told `api-server`, `permissions`, `crds` and `settings`. */
  readonly report: Report;
  readonly checkRenderers?: CheckRendererSettings;
}

/** The store, and what else is kept in it. */
export interface OpenStore {
  readonly store: Store;
  /** The cluster Secrets, for `createClusters`. */
  readonly clusters: ClusterSource;
  /** Resolves once everything is read for the first time; never rejects. */
  readonly ready: Promise<void>;
  close(): void;
}

const secretType = 'argocd.argoproj.io/secret-type';
/** Argo CD's name for the owner of `status`. Not the one that applies objects: to it the status of an Application in an app of apps would be a value to take away. */
const statusManager = 'argocd-application-controller';

type ViewName =
  | 'applications'
  | 'projects'
  | 'secrets'
  | 'secret'
  | 'config'
  | 'parameters'
  | 'knownHosts'
  | 'certificates';
const settingsViews: readonly ViewName[] = ['secret', 'config', 'parameters'];

/** Settings that are not read and are told of one by one. */
const notesAtMost = 100;
/** Failures of one sort in a row after which a watch counts as lost; with the waits between them, under a second. */
const failuresAtLeast = 3;

/** A watch that does not follow the API server. */
interface Failing {
  /** `lost`: there was no answer. `erring`: it was an error. */
  readonly sort: 'lost' | 'erring' | 'forbidden' | 'unserved';
  readonly times: number;
  /** Whether it is told of. */
  readonly isSure: boolean;
  readonly fault: Fault;
}

/** Watches Mooring's own objects in the operator's cluster for good: whatever is missing is reported, and tried again until it is there. */
export function createStore(client: KubeClient, options: StoreOptions): OpenStore {
  const { namespace, report, log } = options;
  const listeners = new Set<(change: StoreChange) => void>();
  const clusterListeners = new Set<() => void>();
  const ready = Promise.withResolvers<void>();

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

  /** Watches that do not follow the API server, and why. */
  const failing = new Map<ViewName, Failing>();
  const lives = new Set<ViewName>();
  const requirements = createRequirements(client, {
    ...options,
    refusal: () => [...failing.values()].find(({ sort, isSure }) => sort === 'forbidden' && isSure)?.fault,
    looked: nudge,
  });

  function watch(
    name: ViewName,
    served: ServedKind,
    selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
    changed: (name: string) => void,
  ): ObjectView {
    return watchObjects(client, served, { namespace, ...selectors }, options, {
      changed,
      live: () => {
        lives.add(name);
        if (settings === undefined && settingsViews.every((one) => lives.has(one))) readAllSettings();
        const worked = failing.delete(name);
        follow();
        // One watch that works again is a sign that the others need not wait their time out.
        if (worked) nudge();
      },
      failing: (why, fault, refusals) => {
        log.debug({ kind: served.kind, why, refusals, error: fault.message }, 'a watch of the store failed');
        if (why === 'gone' || why === 'unsupported') return;
        const sort = why === 'broken' ? (fault.data['httpStatus'] === undefined ? 'lost' : 'erring') : why;
        const before = failing.get(name);
        const times = before?.sort === sort ? before.times + 1 : 1;
        // Who never answered is told of at once; else it may be no more than a restart, or a CRD that was installed just now.
        const isSure = times >= failuresAtLeast || (sort === 'lost' && !lives.has(name));
        failing.set(name, { sort, times, isSure, fault });
        follow();
        if (times === 1 && (sort === 'forbidden' || sort === 'unserved')) requirements.look();
      },
    });
  }

  function follow(): void {
    const loss = [...failing.values()].find(({ sort, isSure }) => isSure && (sort === 'lost' || sort === 'erring'));
    report('api-server', loss === undefined ? [] : [problemOf(loss)]);
    complete();
  }

  function complete(): void {
    if (lives.size === Object.keys(views).length && requirements.isUsable()) ready.resolve();
  }

  function nudge(): void {
    complete();
    for (const name of failing.keys()) views[name].nudge();
  }

  const readSettings = createSettingsReader(options.checkRenderers);
  let settingsProblems: readonly Problem[] = [];
  let unreadInMaps: readonly UnreadSetting[] = [];
  let notesTold = '';
  let cancelReport: (() => void) | undefined;
  let settings: Settings | undefined;
  let repositorySecrets: readonly RepositorySecret[] | undefined;
  let clusterTargets: readonly ClusterTarget[] | undefined;

  const settingsChanged = (): void => {
    readAllSettings();
    emit({ kind: 'Settings' });
  };
  const projectChanged = (name: string): void => {
    reportSoon();
    emit({ kind: 'AppProject', name: { namespace, name } });
    if (!(settings?.globalProjects ?? []).some(({ projectName }) => projectName === name)) return;
    for (const { metadata } of views.projects.all())
      if (metadata.name !== name) emit({ kind: 'AppProject', name: { namespace, name: metadata.name ?? '' } });
  };
  const secretsChanged = (): void => {
    repositorySecrets = undefined;
    clusterTargets = undefined;
    reportSoon();
    emit({ kind: 'Repository' });
    for (const listener of clusterListeners) listener();
  };
  const trustChanged = (): void => emit({ kind: 'Repository' });
  const views: Readonly<Record<ViewName, ObjectView>> = {
    applications: watch('applications', kinds.applications, {}, (name) =>
      emit({ kind: 'Application', name: { namespace, name } }),
    ),
    projects: watch('projects', kinds.projects, {}, projectChanged),
    secrets: watch(
      'secrets',
      kinds.secrets,
      { labelSelector: `${secretType} in (repository,repo-creds,cluster)` },
      secretsChanged,
    ),
    secret: watch('secret', kinds.secrets, { fieldSelector: 'metadata.name=argocd-secret' }, settingsChanged),
    config: watch('config', kinds.configMaps, { fieldSelector: 'metadata.name=argocd-cm' }, settingsChanged),
    knownHosts: watch(
      'knownHosts',
      kinds.configMaps,
      { fieldSelector: 'metadata.name=argocd-ssh-known-hosts-cm' },
      trustChanged,
    ),
    certificates: watch(
      'certificates',
      kinds.configMaps,
      { fieldSelector: 'metadata.name=argocd-tls-certs-cm' },
      trustChanged,
    ),
    parameters: watch(
      'parameters',
      kinds.configMaps,
      { fieldSelector: 'metadata.name=argocd-cmd-params-cm' },
      settingsChanged,
    ),
  };
  requirements.look();

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
    const secret = views.secret.get('argocd-secret');
    const read = readSettings({
      config: dataOf(views.config.get('argocd-cm')),
      parameters: dataOf(views.parameters.get('argocd-cmd-params-cm')),
      secret: secret === undefined ? {} : secretFields(secret),
    });
    settings = read.settings;
    settingsProblems = read.bad.map(({ object: name, message }) => {
      const view = name === 'argocd-cm' ? views.config : views.parameters;
      const { uid = '', resourceVersion = '' } = view.get(name)?.metadata ?? {};
      const about = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name, uid, resourceVersion };
      return { reason: 'SettingInvalid', message, about };
    });
    unreadInMaps = read.unread;
    reportSettings();
    return settings;
  }

  /** Tells what of the settings cannot be used and what is not read, wherever it is said: once, and again when it has changed. */
  function reportSettings(): void {
    if (settings === undefined) return;
    const found = [
      ...unreadInMaps.map((one) => ({ of: one.place as string, ...one })),
      ...views.projects.all().flatMap((project) => unreadIn(project, 'AppProject', saidIn(project['spec']))),
      ...secretsOfType('cluster').flatMap((secret) => unreadIn(secret, 'cluster', secretFields(secret))),
      ...['repository', 'repo-creds'].flatMap((type) =>
        secretsOfType(type).flatMap((secret) => unreadIn(secret, 'repository', secretFields(secret))),
      ),
    ].filter((one) => one.class !== 'none');
    const notes = found
      .slice(0, notesAtMost)
      .map((one) => `${one.of} ${one.key} is not read (${one.class}): ${one.about}`);
    if (found.length > notesAtMost) notes.push(`and ${found.length - notesAtMost} more`);
    report('settings', settingsProblems, notes);
    const text = notes.join('\n');
    if (text === notesTold) return;
    notesTold = text;
    if (notes.length > 0) log.info({ unread: notes.join('; ') }, 'some settings are not read');
  }

  /** The same for whatever changed within a second. */
  function reportSoon(): void {
    cancelReport ??= options.clock.after(1_000, () => {
      cancelReport = undefined;
      reportSettings();
    });
  }

  async function patchApplication(app: Application, patch: Readonly<Record<string, unknown>>): Promise<Application> {
    const { name = '', namespace: of = namespace, uid, resourceVersion } = app.metadata;
    const metadata = valueAt(patch, 'metadata');
    // Naming what is there changes nothing; naming something else is refused as a conflict.
    const body = { ...patch, metadata: { ...(typeof metadata === 'object' ? metadata : {}), uid, resourceVersion } };
    const { group, kind } = kinds.applications;
    const key = { group, kind, namespace: of, name };
    const end = of === namespace ? views.applications.beginWrite(name) : undefined;
    let stored: KubeObject | undefined;
    try {
      stored = (await client.send(patchObject(kinds.applications, key, body, statusManager))) as KubeObject;
      return stored as unknown as Application;
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.data['httpStatus'] === 403) requirements.refused();
      throw thrown;
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
      stored = (await client.send(
        createObject(kinds.projects, project, { how: 'create', validate: true }),
      )) as KubeObject;
    } catch (thrown) {
      // Somebody else was quicker.
      if (!(thrown instanceof Fault && thrown.code === 'object-conflict')) throw thrown;
    } finally {
      end(stored);
    }
  }

  const projectAlone = (name: string): AppProject | undefined => views.projects.get(name) as AppProject | undefined;

  const store: Store = {
    namespace,
    applications: () => views.applications.all() as unknown as readonly Application[],
    application: (name) =>
      name.namespace === namespace ? (views.applications.get(name.name) as Application | undefined) : undefined,
    project: (name) => {
      const project = projectAlone(name);
      return project && withGlobalProjects(project, store.settings().globalProjects, projectAlone);
    },
    repository: (url, project) =>
      withTrust(accessTo(repositories(), url, project), {
        knownHosts: dataOf(views.knownHosts.get('argocd-ssh-known-hosts-cm')),
        certificates: dataOf(views.certificates.get('argocd-tls-certs-cm')),
      }),
    settings: () => settings ?? readAllSettings(),
    patchApplication,
    ensureDefaultProject,
    refresh: () => views.applications.refresh(),
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
  const close = (): void => {
    requirements.stop();
    cancelReport?.();
    for (const view of Object.values(views)) view.stop();
  };
  return { store, clusters, ready: ready.promise, close };
}

function problemOf({ sort, fault }: Failing): Problem {
  const { code, message, data } = fault;
  if (data['httpStatus'] === 401)
    return {
      reason: 'CredentialsRefused',
      message: `the API server does not accept the operator's credentials: ${message}`,
    };
  if (code === 'cluster-refused') return { reason: 'CredentialsMissing', message };
  return { reason: sort === 'lost' ? 'APIServerUnreachable' : 'APIServerFailing', message };
}

function dataOf(configMap: KubeObject | undefined): Readonly<Record<string, string>> {
  const data: Record<string, string> = {};
  for (const name of Object.keys((configMap?.['data'] as object | undefined) ?? {})) {
    const value = textAt(configMap, 'data', name);
    if (value !== undefined) data[name] = value;
  }
  return data;
}

/** What an object says that is not read, and the object. */
function unreadIn(
  { metadata }: KubeObject,
  place: SettingPlace,
  fields: Readonly<Record<string, string>>,
): readonly (UnreadSetting & { readonly of: string })[] {
  const of = place === 'AppProject' ? `AppProject ${metadata.name} spec` : `${place} Secret ${metadata.name}`;
  return unreadSettings(place, fields).map((one) => ({ of, ...one }));
}

/** Fields of a spec as texts; empty where they say nothing. */
function saidIn(spec: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(spec)) return {};
  const said = (value: unknown): string =>
    Array.isArray(value) && value.length === 0 ? '' : (JSON.stringify(value) ?? '');
  return Object.fromEntries(Object.entries(spec).map(([name, value]) => [name, said(value)]));
}
