import type { AppProject } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { createCache, type ReadOutcome, type WriteOutcome } from '../src/adapters/kube/cache.ts';
import { createElection, createSoleElection, type Election } from '../src/adapters/kube/election.ts';
import { recordOf } from '../src/adapters/kube/record.ts';
import { type Controllers, startControllers } from '../src/controllers/start.ts';
import { healthOf } from '../src/engine/health/health.ts';
import { Fault } from '../src/model/fault.ts';
import { hookHold } from '../src/model/finalizers.ts';
import type { Guard } from '../src/model/guard.ts';
import type { LiveRecord } from '../src/model/live.ts';
import { groupOf, keyOf, keyText, type ResourceKey } from '../src/model/resource-key.ts';
import type { Clock } from '../src/world/clock.ts';
import type { Cluster, Clusters, LiveChange } from '../src/world/cluster.ts';
import type { Git } from '../src/world/git.ts';
import type { RenderPool } from '../src/world/renderer.ts';
import type { Settings, Store, StoreChange } from '../src/world/store.ts';
import { type LogFields, noMetrics } from '../src/world/telemetry.ts';
import type { World } from '../src/world/world.ts';
import type { ApiServer, SeenObject, ServerEvent } from './api-server.ts';
import { type ApplicationStore, nameOf } from './application-store.ts';
import { createProcessClock, type SimClock, type SimRandom } from './clock.ts';
import { type Journal, viewLagMs, type Writer } from './journal.ts';
import type { LeaseFate, LeaseServer } from './lease-server.ts';
import { parseManifests, type Repository } from './repository.ts';
import { createSimTracer, type SimTracer } from './tracer.ts';

/** What goes wrong, and when. */
export interface Faults {
  clusterDown(server: string): boolean;
  /** Whether the Secret of a cluster says that nothing of it is to be looked at. */
  clusterSkipped?(server: string): boolean;
  gitDown(): boolean;
  /** Milliseconds that a Git server lets those wait who ask about a repository; none where it is absent. */
  gitHangMs?(url: string): number;
  /** Milliseconds for which a folder is rendered before a limit ends it; it is rendered at once where this is absent. */
  renderHangMs?(path: string): number;
  refuses(key: ResourceKey): boolean;
  /** Namespaced kinds that the project forbids just now. */
  forbidden(): readonly string[];
  conflicts(): boolean;
  /** Whether the operator dies at the write that it is about to make, before or after it takes effect. */
  atWrite(): 'live' | 'die-before' | 'die-after';
  /** Milliseconds that a watch event takes. */
  eventDelayMs(): number;
  lease(what: 'read' | 'write'): LeaseFate;
  /** Milliseconds that the operator is stopped where it stands, in the middle of a pass; usually 0. */
  stopMs(): number;
}

/** Everything that outlives the operator. */
export interface Universe {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly servers: ReadonlyMap<string, ApiServer>;
  readonly repository: Repository;
  readonly store: ApplicationStore;
  /** The Lease that the replicas share; undefined where there is one only. */
  readonly leases: LeaseServer | undefined;
  readonly settings: Settings;
  /** The one project there is; by default one that permits everything. */
  readonly project?: AppProject;
  readonly faults: Faults;
  readonly journal: Journal;
}

/** One life of the operator. */
export interface Process {
  readonly controllers: Controllers;
  /** What it has recorded. */
  readonly tracer: SimTracer;
  readonly isFrozen: boolean;
  readonly leads: boolean;
  /** Stops it for so long, as SIGSTOP and SIGCONT do: what it has sent goes on its way. */
  freeze(forMs: number): void;
  /** Ends it as SIGTERM does. */
  stop(): Promise<void>;
  /** Ends it where it stands: nothing that it was doing goes on. */
  kill(): void;
}

export const operatorNamespace = 'argocd';
type Change = LiveChange | { readonly server: string; readonly app: undefined };

/** Permits everything. */
export const openProject: AppProject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default', namespace: operatorNamespace },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  },
};

/** Starts the very controllers of the product on the simulated world. `died` is called when a fault ends it. */
export function startProcess(universe: Universe, name: string, died: () => void): Process {
  const { random, faults, journal } = universe;
  const clock = createProcessClock(universe.clock);
  const tracer = createSimTracer(clock);
  let isAlive = true;
  const stops: (() => void)[] = [];
  const kill = (): void => {
    isAlive = false;
    clock.kill();
    for (const stop of stops) stop();
  };
  const die = (): Promise<never> => {
    if (isAlive) {
      kill();
      died();
    }
    return new Promise<never>(() => {});
  };
  const pause = (): Promise<void> => new Promise((resolve) => clock.after(random.between(1, 15), resolve));
  const call = async <T>(run: () => T): Promise<T> => {
    await pause();
    const answer = run();
    clock.freeze(faults.stopMs());
    await pause();
    return answer;
  };
  const election = electionOf(universe, name, clock);
  stops.push(() => void election.close());
  let term = 0;
  election.subscribe((leads) => {
    if (leads) term = journal.termBegins(name);
  });
  /** What was sent arrives, whatever becomes of its sender meanwhile; so it is held against the fence before. */
  const write = async <T>(run: () => T, isCreate = false): Promise<T> => {
    const end = election.fence.begin();
    // Between the last check and the write.
    const stoppedMs = faults.stopMs();
    const writer: Writer = { name, term, isLate: stoppedMs > 0, isCreate };
    if (stoppedMs > 0) {
      journal.note(`${name} is stopped for ${stoppedMs} ms in the middle of a write`);
      clock.freeze(stoppedMs);
    }
    try {
      await new Promise<void>((resolve) => universe.clock.after(stoppedMs + random.between(1, 15), resolve));
      const fate = faults.atWrite();
      if (fate === 'die-before' && isAlive) return await die();
      const answer = journal.writing(writer, run);
      if (fate === 'die-after' && isAlive) return await die();
      clock.freeze(faults.stopMs());
      await pause();
      return answer;
    } finally {
      end();
    }
  };
  /** Calls `deliver` in the order of the calls, each some time later, while the process lives. */
  const inOrder = (deliver: () => void, state: { last: number }, held: () => boolean): void => {
    const at = Math.max(state.last, clock.now() + faults.eventDelayMs());
    state.last = at;
    const tryNow = (): void => {
      if (held()) clock.after(500, tryNow);
      else deliver();
    };
    clock.after(at - clock.now(), tryNow);
  };

  interface View {
    readonly cluster: Cluster;
    readonly isOutdated: (app: string) => boolean;
    readonly seenUpTo: () => number;
  }
  const views = new Map<string, View>();
  const clusterListeners = new Set<(change: Change) => void>();
  const tell = (change: Change): void => {
    for (const listener of clusterListeners) listener(change);
  };
  const openView = (api: ApiServer): Cluster => {
    const known = views.get(api.server);
    if (known !== undefined) {
      // As after a watch that broke: nothing is decided before it has caught up.
      if (clock.now() - known.seenUpTo() < viewLagMs) return known.cluster;
      throw new Fault('cluster-unreachable', `${api.server}: its view is behind`);
    }
    const { server } = api;
    const cache = createCache((change) => tell({ server, ...change }));
    const seen = (object: KubeObject): LiveRecord => {
      const record = recordOf(object, healthOf);
      cache.seen(record);
      return record;
    };
    for (const object of api.list()) seen(object);
    const order = { last: 0 };
    // Events are held while the cluster is out of reach, and come in order: a gap is never skipped.
    const backlog: { readonly at: number; readonly event: ServerEvent }[] = [];
    const deliverFirst = (): void => {
      const event = backlog.shift()?.event;
      if (event?.after !== undefined) seen(event.after);
      else if (event?.before !== undefined) cache.gone(recordOf(goneAt(event.before, event.version), healthOf));
    };
    stops.push(
      api.watch((event) => {
        backlog.push({ at: clock.now(), event });
        inOrder(deliverFirst, order, () => faults.clusterDown(server));
      }),
    );
    const reach = (): void => {
      if (faults.clusterDown(server)) throw new Fault('cluster-unreachable', `${server} cannot be reached`);
    };
    /** What the API server will not take did not happen. */
    const isAsSeen = (key: ResourceKey, over: SeenObject | undefined): boolean =>
      api.get(key)?.metadata.resourceVersion === over?.resourceVersion;
    const another = (key: ResourceKey): Fault => new Fault('object-conflict', `${keyText(key)} is another object now`);
    const holdAgainst = (guard: Guard, key: ResourceKey): void => {
      const scope = api.scopeOf(key.group, key.kind);
      if (scope === undefined) return;
      const isOther = (scope === 'Cluster') !== (key.namespace === '');
      const why = isOther ? `it is served with the scope ${scope}` : guard({ key, scope });
      if (why !== undefined) throw new Fault('object-refused', `${keyText(key)}: ${why}`);
    };
    const checkPermitted = ({ namespace, kind, name: object }: ResourceKey): void => {
      if (namespace !== '' && faults.forbidden().includes(kind))
        journal.broken(`${name} writes ${kind} ${object} although the project forbids it`);
    };
    const read = async (key: ResourceKey): Promise<KubeObject | undefined> => {
      const end = cache.beginRead(key);
      let outcome: ReadOutcome = 'failed';
      try {
        const live = await call(() => {
          reach();
          return api.get(key);
        });
        outcome = live === undefined ? 'missing' : { found: recordOf(live, healthOf) };
        return live;
      } finally {
        end(outcome);
      }
    };
    /** Runs an own write, so that the view holds what it did when it ends. */
    const written = async <T>(
      key: ResourceKey,
      run: () => Promise<{ readonly answer: T; readonly outcome: WriteOutcome }>,
    ): Promise<T> => {
      const end = cache.beginWrite(key);
      let outcome: WriteOutcome = 'failed';
      try {
        const done = await run();
        outcome = done.outcome;
        return done.answer;
      } finally {
        end(outcome);
      }
    };
    /** As the adapter does it: over the object as it was seen, and where only its content changed over that. */
    const overSeen = async <T>(key: ResourceKey, first: SeenObject, run: (over: SeenObject) => T): Promise<T> => {
      let over = first;
      for (let attempt = 1; ; attempt++) {
        try {
          return await write(() => run(over));
        } catch (thrown) {
          if (!(thrown instanceof Fault && thrown.code === 'object-conflict') || attempt === 5) throw thrown;
          const live = await read(key);
          if (live?.metadata.uid !== over.uid) throw another(key);
          over = seenAs(live);
        }
      }
    };
    const isHeld = (live: KubeObject | undefined, { uid }: LiveRecord): boolean =>
      live?.metadata.uid === uid && live.metadata.finalizers?.includes(hookHold) === true;
    const withoutHold = ({ key, uid }: LiveRecord): Promise<void> =>
      write(() => {
        reach();
        api.letGo(key, uid, hookHold);
      });
    const leftOf = ({ key, uid }: LiveRecord): WriteOutcome => {
      const left = api.get(key);
      return left?.metadata.uid === uid ? { stored: seen(left) } : { removed: uid };
    };
    const cluster: Cluster = {
      server,
      version: '1.37.2',
      apiVersions: ['apps/v1', 'v1'],
      scopeOf: api.scopeOf,
      serves: async (apiVersion, kind) => api.scopeOf(groupOf(apiVersion), kind) !== undefined,
      record: cache.record,
      tracked: cache.tracked,
      lastOf: cache.lastOf,
      covers: () => true,
      unseen: () => [],
      ownedBy: cache.ownedBy,
      held: cache.held,
      mark: cache.mark,
      setMark: cache.setMark,
      dropMark: cache.dropMark,
      want: cache.want,
      get: read,
      async apply(object, options) {
        const key = keyOf(object);
        const record = cache.record(key);
        const run = (over: SeenObject | undefined): KubeObject => {
          reach();
          if (faults.refuses(key)) throw new Fault('object-refused', `${keyText(key)}: refused by a webhook`);
          const isRefused = options.how === 'server-side' && !isAsSeen(key, over);
          holdAgainst(options.guard, key);
          checkPermitted(key);
          if (options.dryRun !== true && !isRefused) journal.applying(name, server, object);
          return api.apply(object, options, over);
        };
        if (options.dryRun === true) return call(() => run(undefined));
        const isOver = record !== undefined && options.how === 'server-side';
        return written(key, async () => {
          const stored = await (isOver
            ? overSeen(key, record, run)
            : write(() => run(undefined), record === undefined));
          return { answer: stored, outcome: { stored: recordOf(stored, healthOf) } };
        });
      },
      patch: () => Promise.reject(new Error('the controllers patch nothing in a cluster')),
      remove: (record, { propagation, guard }) =>
        written(record.key, async () => {
          await overSeen(record.key, record, (over) => {
            reach();
            holdAgainst(guard, record.key);
            checkPermitted(record.key);
            if (isAsSeen(record.key, over)) journal.removing(name, server, record);
            api.remove(record.key, over, propagation);
          });
          if (isHeld(api.get(record.key), record)) await withoutHold(record);
          return { answer: undefined, outcome: leftOf(record) };
        }),
      letGo: (record) =>
        written(record.key, async () => {
          await withoutHold(record);
          return { answer: undefined, outcome: leftOf(record) };
        }),
    };
    views.set(server, { cluster, isOutdated: cache.isOutdated, seenUpTo: () => backlog[0]?.at ?? clock.now() });
    return cluster;
  };

  const locate: Clusters['locate'] = ({ server = '' }) => {
    if (universe.servers.has(server))
      return { server, name: server, project: '', isSkipped: faults.clusterSkipped?.(server) === true };
    throw new Fault('cluster-unknown', `there is no cluster ${server}`);
  };
  const wasDown = new Set<string>();
  const watchReach = (): void => {
    for (const server of universe.servers.keys()) {
      if (faults.clusterDown(server)) wasDown.add(server);
      else if (wasDown.delete(server)) tell({ server, app: undefined });
    }
    clock.after(1_000, watchReach);
  };
  clock.after(1_000, watchReach);
  const skippedNow = (): string =>
    [...universe.servers.keys()].filter((server) => faults.clusterSkipped?.(server)).join();
  let skipped = skippedNow();
  const watchSecrets = (): void => {
    const before = skipped;
    skipped = skippedNow();
    if (before !== skipped) for (const server of universe.servers.keys()) tell({ server, app: undefined });
    clock.after(1_000, watchSecrets);
  };
  clock.after(1_000, watchSecrets);
  let forbidden = faults.forbidden().join();
  const watchProject = (): void => {
    const before = forbidden;
    forbidden = faults.forbidden().join();
    const name = { namespace: operatorNamespace, name: 'default' };
    if (before !== forbidden) for (const listener of storeListeners) listener({ kind: 'AppProject', name });
    clock.after(1_000, watchProject);
  };
  clock.after(1_000, watchProject);
  const clusters: Clusters = {
    locate,
    open: (server) =>
      call(() => {
        const api = universe.servers.get(server);
        if (api === undefined) throw new Fault('cluster-unknown', `there is no cluster ${server}`);
        if (faults.clusterDown(server)) throw new Fault('cluster-unreachable', `${server} cannot be reached`);
        return openView(api);
      }),
    followed: () =>
      [...views].flatMap(([server, { cluster, seenUpTo }]) =>
        !faults.clusterDown(server) && clock.now() - seenUpTo() < viewLagMs ? [cluster] : [],
      ),
    isOutdated: (app) => [...views.values()].some(({ isOutdated }) => isOutdated(app)),
    forget(app, exceptServer) {
      for (const [server, { cluster }] of views) if (server !== exceptServer) cluster.want(app, []);
    },
    subscribe(listener) {
      clusterListeners.add(listener);
      return () => clusterListeners.delete(listener);
    },
  };

  const resolved = new Map<string, { readonly at: number; readonly commit: string }>();
  const git: Git = {
    async resolve({ url }, revision, notBefore) {
      const hangMs = faults.gitHangMs?.(url) ?? 0;
      if (hangMs > 0) {
        await new Promise<void>((resolve) => clock.after(hangMs, resolve));
        throw new Fault('repository-unreachable', `${url} does not answer`);
      }
      if (/^[0-9a-f]{40}$/.test(revision)) return { commit: revision };
      const known = resolved.get(revision);
      if (known !== undefined && known.at >= notBefore) return known;
      return call(() => {
        if (faults.gitDown()) throw new Fault('repository-unreachable', 'the Git server cannot be reached');
        const answer = { at: clock.now(), commit: universe.repository.resolve(revision) };
        resolved.set(revision, answer);
        return answer;
      });
    },
    open: (_, { commit }) => call(() => universe.repository.tree(commit)),
    describe: (_, { commit }) => call(() => ({ author: 'simulation', date: '', message: commit })),
  };
  const looked = new Map<string, { readonly file: string; readonly text: string | undefined }>();
  const renderers: RenderPool = {
    touches: (tree, { appName }) =>
      call(() => {
        const last = looked.get(appName);
        return last === undefined || universe.repository.read(tree.commit, last.file) !== last.text;
      }),
    async render(tree, { appName, path }) {
      const hangMs = faults.renderHangMs?.(path) ?? 0;
      if (hangMs > 0) {
        await new Promise<void>((resolve) => clock.after(hangMs, resolve));
        throw new Fault('render-limit', `${path}: it took longer than ${hangMs / 1000} s`);
      }
      return call(() => {
        journal.rendering(name, appName, undefined);
        const file = `${path}/all.json`;
        const text = universe.repository.read(tree.commit, file);
        looked.set(appName, { file, text });
        if (text === undefined) throw new Fault('render-failed', `${path}: there is no such folder`);
        const manifests = parseManifests(file, text);
        journal.rendering(name, appName, { commit: tree.commit, manifests });
        return { manifests, warnings: [], sourceType: 'Directory', rendered: true };
      });
    },
  };

  const view = new Map(universe.store.list().map((app) => [app.metadata.name ?? '', app]));
  const storeListeners = new Set<(change: StoreChange) => void>();
  const storeOrder = { last: 0 };
  stops.push(
    universe.store.watch(({ name, after }) => {
      const deliver = (): void => {
        const held = Number(view.get(name.name)?.metadata.resourceVersion ?? 0);
        if (after === undefined) view.delete(name.name);
        else if (Number(after.metadata.resourceVersion) >= held) view.set(name.name, after);
        for (const listener of storeListeners) listener({ kind: 'Application', name });
      };
      inOrder(deliver, storeOrder, () => false);
    }),
  );
  const store: Store = {
    namespace: operatorNamespace,
    applications: () => [...view.values()],
    application: ({ namespace, name }) => (namespace === operatorNamespace ? view.get(name) : undefined),
    project: (name) => (name === 'default' ? projectNow(universe) : undefined),
    repository: (url) => ({ url }),
    settings: () => universe.settings,
    patchApplication: (app, patch) =>
      write(() => {
        if (faults.conflicts()) throw new Fault('object-conflict', 'the Application was changed meanwhile');
        journal.patching(app, patch);
        const { resourceVersion } = app.metadata;
        const metadata = { ...(patch['metadata'] as object | undefined), resourceVersion };
        const stored = universe.store.patch(app, { ...patch, metadata }, 'operator');
        if (universe.store.get(nameOf(app)) !== undefined) view.set(nameOf(app).name, stored);
        return stored;
      }),
    ensureDefaultProject: () => Promise.resolve(),
    refresh: () =>
      call(() => {
        const found = new Map(universe.store.list().map((app) => [app.metadata.name ?? '', app]));
        for (const [app, stored] of found) view.set(app, stored);
        for (const app of view.keys()) if (!found.has(app)) view.delete(app);
      }),
    subscribe(listener) {
      storeListeners.add(listener);
      return () => storeListeners.delete(listener);
    },
  };

  const world: World = {
    clock,
    random,
    git,
    renderers,
    clusters,
    store,
    leadership: election,
    notifier: { notify: (_, { type, reason, message }) => void journal.notices.push(`${type} ${reason} ${message}`) },
    telemetry: {
      tracer,
      log: {
        debug: () => {},
        info: (fields, message) => journal.note(`info ${message} ${JSON.stringify(fields)}`),
        warn: (fields, message) => journal.note(`warn ${message} ${JSON.stringify(fields)}`),
        error: (fields, message) => journal.broken(`${message}: ${JSON.stringify(fields)}`),
      },
      metrics: { ...noMetrics, reconciled: () => journal.reconciled() },
    },
  };
  const controllers = startControllers(world);
  election.stand();
  return {
    controllers,
    tracer,
    get isFrozen() {
      return clock.isFrozen;
    },
    get leads() {
      return election.leads();
    },
    freeze: (forMs) => clock.freeze(forMs),
    async stop() {
      await controllers.stop(1_500);
      await election.resign();
      kill();
    },
    kill,
  };
}

/** The project as it is now. */
function projectNow({ project = openProject, faults }: Universe): AppProject {
  const namespaceResourceBlacklist = faults.forbidden().map((kind) => ({ group: '*', kind }));
  return namespaceResourceBlacklist.length === 0
    ? project
    : { ...project, spec: { ...project.spec, namespaceResourceBlacklist } };
}

function electionOf({ leases, clock: time, random, faults, journal }: Universe, name: string, clock: Clock): Election {
  if (leases === undefined) return createSoleElection(clock);
  const fate = faults.lease;
  const access = leases.connect({ clock, fate, delayMs: () => random.between(1, 15), isWatched: () => true });
  const note = (fields: LogFields, message: string): void =>
    journal.note(`${name}: ${message} ${JSON.stringify(fields)}`);
  const log = { debug() {}, info: note, warn: note, error: (_: LogFields, message: string) => journal.broken(message) };
  return createElection(access, { clock, monotonic: time.now, random, log, identity: name, address: undefined });
}

/** An object that was deleted carries the version of its deletion. */
function goneAt(object: KubeObject, version: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function seenAs({ metadata }: KubeObject): SeenObject {
  return { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' };
}
