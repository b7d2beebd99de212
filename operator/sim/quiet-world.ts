import type { Application, AppProject } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { usualFilter } from '../src/model/kind-filter.ts';
import { noUnreadRules } from '../src/model/unread-rules.ts';
import type { Settings } from '../src/world/store.ts';
import { type ApiServer, createApiServer } from './api-server.ts';
import { type ApplicationStore, createApplicationStore } from './application-store.ts';
import { createClock, createRandom, type SimClock } from './clock.ts';
import { createJournal, type Journal } from './journal.ts';
import { type Faults, operatorNamespace, type Process, startProcess } from './process.ts';
import { createRepository, type Repository } from './repository.ts';

/** Settings with which nothing happens by itself. */
export const quietSettings: Settings = {
  pollIntervalMs: 0,
  pollJitterMs: 0,
  webhookSecrets: {},
  syncTimeoutMs: 0,
  waveDelayMs: 0,
  metrics: {},
  respectRbac: 'off',
  renderers: {},
  kinds: usualFilter,
  globalProjects: [],
  customizations: [],
  unread: noUnreadRules,
};

/** A world in which nothing goes wrong. */
export const noFaults: Faults = {
  clusterDown: () => false,
  gitDown: () => false,
  refuses: () => false,
  forbidden: () => [],
  conflicts: () => false,
  atWrite: () => 'live',
  eventDelayMs: () => 10,
  lease: () => 'pass',
  stopMs: () => 0,
};

const folder = 'prod';
const server = 'https://kubernetes.default.svc';

/** What is said of an Application besides the defaults. */
export interface ApplicationParts {
  readonly spec?: Partial<Application['spec']>;
  readonly operation?: NonNullable<Application['operation']>;
}

/** A world in which nothing goes wrong and nobody does anything, but for what a test says and does. */
export interface QuietWorld {
  readonly clock: SimClock;
  readonly api: ApiServer;
  readonly store: ApplicationStore;
  readonly repository: Repository;
  readonly journal: Journal;
  /** What goes wrong; a test may change it. */
  readonly faults: { -readonly [Name in keyof Faults]: Faults[Name] };
  /** The operator that lives now. */
  readonly process: Process;
  /** Starts another operator, once the last one has been killed. */
  start(): void;
  /** The Application `shop` as it is stored now, or another one. */
  shop(name?: string): Application;
  /** Creates the Application `shop`, or one of another name. */
  create(app?: ApplicationParts, metadata?: Application['metadata']): void;
  /** What somebody changes of it, as a merge patch. */
  patch(patch: Readonly<Record<string, unknown>>, name?: string): void;
  /** Makes a commit that holds these manifests in a folder, by default the one of `shop`; nobody is told. */
  commit(manifests: readonly KubeObject[], path?: string): string;
  /** Tells the operator of a push, as a Git host does. */
  announce(): void;
  pass(ms: number): Promise<void>;
  /** Lets time pass until something is so; throws where it is not after `withinMs`. */
  until(what: string, isSo: () => boolean, withinMs?: number): Promise<void>;
}

export interface QuietWorldOptions {
  /** RFC 3339. */
  readonly now?: string;
  /** Default: one that permits everything. */
  readonly project?: AppProject;
  readonly settings?: Partial<Settings>;
  readonly app?: ApplicationParts;
  readonly metadata?: Application['metadata'];
  /** What goes wrong. */
  readonly faults?: Partial<Faults>;
  /** Bytes of an Application as JSON that the API server takes; default: however many. */
  readonly bytesTaken?: () => number;
  /** What Git holds at first. Without it there is no Application yet. */
  readonly manifests?: readonly KubeObject[];
}

/** A world with one Application, `shop`, and an operator that has just started. */
export function quietWorld(options: QuietWorldOptions = {}): QuietWorld {
  const { now = '2026-01-01T00:00:00Z', project, settings, manifests } = options;
  const random = createRandom(1);
  const clock = createClock(Date.parse(now));
  const api = createApiServer(server, clock, random);
  api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const servers = new Map([[server, api]]);
  const store = createApplicationStore(clock, options.bytesTaken);
  const journal = createJournal(clock, servers, store, operatorNamespace);
  const repository = createRepository('https://git.example.com/shop.git');
  const faults: QuietWorld['faults'] = {
    ...noFaults,
    ...options.faults,
  };
  const universe = {
    clock,
    random,
    servers,
    repository,
    store,
    leases: undefined,
    journal,
    faults,
    settings: { ...quietSettings, ...settings },
    ...(project && { project }),
  };
  const create: QuietWorld['create'] = ({ spec, operation }: ApplicationParts = {}, metadata = {}) =>
    store.create({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      spec: {
        project: 'default',
        source: { repoURL: repository.url, path: folder, targetRevision: 'main' },
        destination: { server, namespace: 'shop' },
        ...spec,
      },
      ...(operation && { operation }),
      metadata: { name: 'shop', ...metadata, namespace: operatorNamespace },
    });
  const shop = (name = 'shop'): Application => {
    const found = store.get({ namespace: operatorNamespace, name });
    if (found === undefined) throw new Error('the Application is gone');
    return found;
  };
  const pass = (ms: number): Promise<void> => clock.passUntil(clock.now() + ms);
  const begin = (): Process => startProcess(universe, 'operator', () => {});
  if (manifests !== undefined) {
    commit(repository, manifests);
    create(options.app, options.metadata);
  }
  let process = begin();
  return {
    clock,
    api,
    store,
    repository,
    journal,
    faults,
    get process() {
      return process;
    },
    start() {
      process = begin();
    },
    shop,
    create,
    patch: (patch, name) => void store.patch(shop(name), patch, 'user'),
    commit: (objects, path) => commit(repository, objects, path),
    announce: () => void process.controllers.refreshRepository(repository.url),
    pass,
    async until(what, isSo, withinMs = 60_000) {
      const end = clock.now() + withinMs;
      while (!isSo()) {
        if (clock.now() >= end) throw new Error(`not so: ${what}\n${journal.notes.slice(-25).join('\n')}`);
        await pass(10);
      }
    },
  };
}

/** Makes a commit that holds these manifests and nothing else in its folder. */
export function commit(repository: Repository, manifests: readonly KubeObject[], path: string = folder): string {
  return repository.commit(`${path}/all.json`, JSON.stringify(manifests));
}

/** The policy of an Application that syncs by itself whatever there is to sync. */
export const automated: Pick<Application['spec'], 'syncPolicy'> = {
  syncPolicy: { automated: { prune: true, selfHeal: true } },
};

export function configMap(name: string, value: string, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data: { value } };
}

/** One that a controller brings up in a while, unless its annotation `simulation/outcome` says `stuck`. */
export function deployment(name: string, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  const template = { spec: { containers: [{ name: 'main', image: 'shop:1' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, annotations },
    spec: { replicas: 1, template },
  };
}

/** A hook that is done in a while. */
export function job(name: string, phase: string, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  const template = { spec: { containers: [{ name: 'main', image: 'shop:1' }] } };
  const marks = { 'argocd.argoproj.io/hook': phase, ...annotations };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, annotations: marks }, spec: { template } };
}
