import { Fault, messageOf } from '../../model/fault.ts';
import { ownName, ownServer } from '../../model/own-cluster.ts';
import type { Cluster, Clusters, LiveChange } from '../../world/cluster.ts';
import type { CacheFacts, ClusterFacts } from '../../world/telemetry.ts';
import { type ClusterView, openView, type ViewOptions } from './cluster.ts';
import { type ClusterTarget, normalServer } from './cluster-secret.ts';
import type { Connection } from './connection.ts';

/** Where the other clusters are listed: the store's cluster Secrets. */
export interface ClusterSource {
  clusters(): readonly ClusterTarget[];
  subscribe(listener: () => void): () => void;
}

/** Clusters that can be closed. */
export interface OpenClusters extends Clusters {
  /** Every cluster that can be a destination, the own one first. */
  targets(): readonly ClusterTarget[];
  /** Those that some Application has needed. */
  facts(): readonly ClusterFacts[];
  /** What is kept in memory of all of them. */
  caches(): readonly CacheFacts[];
  close(): Promise<void>;
}

/** About what one object takes, measured with records of ConfigMaps and Deployments. */
const recordBytes = 650;

type Change = LiveChange | { readonly server: string; readonly app: undefined };

/** One cluster that some Application needed. Of the three states it is in one: being opened, open, or failed and tried again later. */
interface Entry {
  readonly target: ClusterTarget;
  opening: Promise<Cluster> | undefined;
  view: ClusterView | undefined;
  /** Of the API server, as it was last told. */
  version: string;
  fault: Fault | undefined;
  cancelRetry: (() => void) | undefined;
  isClosed: boolean;
}

/**
 * The clusters that can be destinations: the own one (`https://kubernetes.default.svc`, `in-cluster`) and those that `source` lists. Each is
 * opened when it is first needed, and for itself: one that cannot be reached fails at once after its first try, and is tried again each `clusterRetryMs`.
 */
export function createClusters(own: Connection, source: ClusterSource, options: ViewOptions): OpenClusters {
  const { clock, limits, log } = options;
  const entries = new Map<string, Entry>();
  const listeners = new Set<(change: Change) => void>();

  const emit = (change: Change): void => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (thrown) {
        // Thrown on, it would end the watch that the change came from.
        log.error({ server: change.server, error: messageOf(thrown) }, 'a bug: a listener to live changes failed');
      }
    }
  };

  /** Every target as the Secrets say now, by address and by name. */
  let index: TargetIndex | undefined;

  function targetIndex(): TargetIndex {
    if (index !== undefined) return index;
    const all = readTargets();
    const byName = new Map<string, ClusterTarget[]>();
    for (const target of all) byName.set(target.name, [...(byName.get(target.name) ?? []), target]);
    // The first one of an address is the one that counts.
    const byServer = new Map(all.toReversed().map((target) => [target.server, target]));
    index = { all, byServer, byName };
    return index;
  }

  function targets(): readonly ClusterTarget[] {
    return targetIndex().all;
  }

  function readTargets(): readonly ClusterTarget[] {
    const others = source.clusters().filter(({ server }) => server !== ownServer);
    const named = source.clusters().find(({ server }) => server === ownServer);
    const ownTarget: ClusterTarget = {
      server: ownServer,
      name: named?.name ?? ownName,
      namespaces: named?.namespaces ?? [],
      clusterResources: named?.clusterResources ?? true,
      project: named?.project ?? '',
      isSkipped: named?.isSkipped ?? false,
      labels: named?.labels ?? {},
      digest: `own ${named?.digest ?? ''}`,
      connect: () => own,
    };
    return [ownTarget, ...others];
  }

  function locate({ server = '', name = '' }: { readonly server?: string; readonly name?: string }): ClusterTarget {
    if (server !== '' && name !== '') {
      throw new Fault(
        'spec-invalid',
        `application destination can't have both name and server defined: ${name} ${server}`,
        { server, name },
      );
    }
    if (server === '' && name === '')
      throw new Fault(
        'spec-invalid',
        'Destination server missing from app spec: set spec.destination.server or spec.destination.name',
      );
    if (server !== '') return targetOf(normalServer(server));
    const found = targetIndex().byName.get(name) ?? [];
    const [only] = found;
    if (only === undefined)
      throw new Fault(
        'cluster-unknown',
        `there are no clusters with this name: ${name}: add a cluster Secret, or correct spec.destination.name`,
        { name, found: 0 },
      );
    if (found.length > 1)
      throw new Fault(
        'cluster-unknown',
        `there are ${found.length} clusters with the same name: ${name}: use spec.destination.server`,
        { name, found: found.length },
      );
    return only;
  }

  function targetOf(server: string): ClusterTarget {
    const target = targetIndex().byServer.get(server);
    if (target === undefined)
      throw new Fault(
        'cluster-unknown',
        `error getting cluster by server "${server}": cluster "${server}" not found: add a cluster Secret for it, or correct spec.destination.server`,
        { server, found: 0 },
      );
    return target;
  }

  async function open(server: string): Promise<Cluster> {
    const known = entries.get(server);
    if (known === undefined) {
      const target = targetOf(server);
      const entry: Entry = {
        target,
        opening: undefined,
        view: undefined,
        version: '',
        fault: undefined,
        cancelRetry: undefined,
        isClosed: false,
      };
      entries.set(server, entry);
      entry.opening = start(entry);
      return entry.opening;
    }
    const fault = known.fault ?? known.view?.fault();
    if (fault !== undefined) throw fault;
    if (known.view !== undefined) return known.view.cluster;
    if (known.opening !== undefined) return known.opening;
    throw new Fault('cluster-unreachable', `${server} is being closed`, { server });
  }

  async function start(entry: Entry): Promise<Cluster> {
    const { server, namespaces, clusterResources } = entry.target;
    try {
      const view = await openView(entry.target.connect(), { server, namespaces, clusterResources }, options, {
        changed: (change) => emit({ server, ...change }),
        followed: (fault, kind) => {
          const what = kind === undefined ? 'the cluster' : 'a kind of the cluster';
          if (fault === undefined) log.info({ server, kind }, `${what} is followed again`);
          else log.warn({ server, kind, error: fault.message }, `${what} is not followed`);
          emit({ server, app: undefined });
        },
        outdated: (fault) => fail(entry, fault),
      });
      if (entry.isClosed) {
        await view.close();
        throw new Fault('cluster-unreachable', `${server} was removed while it was opened`, { server });
      }
      const failedBefore = entry.fault !== undefined;
      entry.view = view;
      entry.version = view.cluster.version;
      entry.fault = undefined;
      if (failedBefore) emit({ server, app: undefined });
      return view.cluster;
    } catch (thrown) {
      const fault =
        thrown instanceof Fault
          ? thrown
          : new Fault('cluster-unreachable', `${server} cannot be opened: ${messageOf(thrown)}`, { server }, thrown);
      fail(entry, fault);
      throw fault;
    } finally {
      entry.opening = undefined;
    }
  }

  function fail(entry: Entry, fault: Fault): void {
    if (entry.isClosed) return;
    const { server } = entry.target;
    const hadView = entry.view !== undefined;
    const fields = { server, code: fault.code, error: fault.message, retryMs: limits.clusterRetryMs };
    // Every try may end the same way for weeks.
    if (entry.fault?.message !== fault.message) log.warn(fields, 'the cluster cannot be used');
    else log.debug(fields, 'the cluster still cannot be used');
    void entry.view?.close();
    entry.view = undefined;
    entry.fault = fault;
    entry.cancelRetry = clock.after(limits.clusterRetryMs, () => {
      // The fault stays until the cluster is open, so that nobody waits for it; what `start` throws is kept in it.
      start(entry).catch(() => {});
    });
    if (hadView) emit({ server, app: undefined });
  }

  async function closeEntry(server: string, entry: Entry): Promise<void> {
    entries.delete(server);
    entry.isClosed = true;
    entry.cancelRetry?.();
    await entry.view?.close();
  }

  const unsubscribe = source.subscribe(() => {
    index = undefined;
    const now = new Map(targets().map((target) => [target.server, target.digest]));
    for (const [server, entry] of entries) {
      if (now.get(server) === entry.target.digest) continue;
      void closeEntry(server, entry);
      emit({ server, app: undefined });
    }
  });

  return {
    locate,
    open,
    targets,
    caches: () => {
      const views = [...entries.values()].flatMap(({ view }) => view ?? []);
      const records = views.reduce((sum, view) => sum + view.facts().objects, 0);
      return [{ cache: 'live', bytes: records * recordBytes, entries: records }];
    },
    facts: () => targets().flatMap((target) => factsOf(target, entries.get(target.server))),
    followed: () => [...entries.values()].flatMap((entry) => followedView(entry)?.cluster ?? []),
    isOutdated: (app) => [...entries.values()].some(({ view }) => view?.isOutdated(app) === true),
    forget: (app, exceptServer) => {
      for (const [server, { view }] of entries) if (server !== exceptServer) view?.cluster.want(app, []);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      unsubscribe();
      await Promise.all([...entries].map(([server, entry]) => closeEntry(server, entry)));
    },
  };
}

interface TargetIndex {
  readonly all: readonly ClusterTarget[];
  readonly byServer: ReadonlyMap<string, ClusterTarget>;
  readonly byName: ReadonlyMap<string, readonly ClusterTarget[]>;
}

/** The view of a cluster that is followed just now. */
function followedView({ view, fault }: Entry): ClusterView | undefined {
  return fault === undefined && view?.fault() === undefined ? view : undefined;
}

function factsOf({ server, name, labels }: ClusterTarget, entry: Entry | undefined): readonly ClusterFacts[] {
  if (entry === undefined) return [];
  const { view, version } = entry;
  const isFollowed = followedView(entry) !== undefined;
  const seen = view?.facts() ?? { kinds: 0, objects: 0, readAt: undefined, events: [] };
  return [{ server, name, labels, isFollowed, ...seen, version: view?.cluster.version ?? version }];
}
