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

const noFaults: Faults = {
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

/** A world in which nothing goes wrong and nobody does anything, but for what a test says and does. */
export interface QuietWorld {
  readonly clock: SimClock;
  readonly api: ApiServer;
  readonly store: ApplicationStore;
  readonly repository: Repository;
  readonly journal: Journal;
  readonly process: Process;
  /** The Application `shop` as it is stored now. */
  shop(): Application;
}

export interface QuietWorldOptions {
  /** RFC 3339. */
  readonly now: string;
  /** Default: one that permits everything. */
  readonly project?: AppProject;
  readonly settings?: Partial<Settings>;
  readonly app?: Partial<Omit<Application, 'metadata'>>;
  readonly metadata?: Application['metadata'];
  /** What goes wrong. */
  readonly faults?: Partial<Faults>;
  /** What Git holds at first. */
  readonly manifests: readonly KubeObject[];
}

const folder = 'prod';

/** A world with one Application, `shop`, and an operator that has just started. */
export function quietWorld({
  now,
  project,
  settings,
  app,
  metadata,
  faults,
  manifests,
}: QuietWorldOptions): QuietWorld {
  const random = createRandom(1);
  const clock = createClock(Date.parse(now));
  const server = 'https://kubernetes.default.svc';
  const api = createApiServer(server, clock, random);
  api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  const servers = new Map([[server, api]]);
  const store = createApplicationStore(clock);
  const journal = createJournal(clock, servers, store, operatorNamespace);
  const repository = createRepository('https://git.example.com/shop.git');
  commit(repository, manifests);
  store.create({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    spec: {
      project: 'default',
      source: { repoURL: repository.url, path: folder, targetRevision: 'main' },
      destination: { server, namespace: 'shop' },
    },
    ...app,
    metadata: { ...metadata, name: 'shop', namespace: operatorNamespace },
  });
  const universe = {
    clock,
    random,
    servers,
    repository,
    store,
    leases: undefined,
    journal,
    faults: { ...noFaults, ...faults },
    settings: { ...quietSettings, ...settings },
    ...(project && { project }),
  };
  const process = startProcess(universe, 'operator', () => {});
  const shop = (): Application => {
    const found = store.get({ namespace: operatorNamespace, name: 'shop' });
    if (found === undefined) throw new Error('the Application is gone');
    return found;
  };
  return { clock, api, store, repository, journal, process, shop };
}

/** Makes a commit that holds these manifests and nothing else. */
export function commit(repository: Repository, manifests: readonly KubeObject[]): string {
  return repository.commit(`${folder}/all.json`, JSON.stringify(manifests));
}
