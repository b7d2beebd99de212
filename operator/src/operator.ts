import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Limits, Renderer } from '@mooring/renderer-contract';
import packageJson from '../package.json' with { type: 'json' };
import { createGit, everyTransport } from './adapters/git/git.ts';
import { everyHost } from './adapters/git/network.ts';
import { handOn, sealHeader } from './adapters/http/hand-on.ts';
import { createReadiness } from './adapters/http/readiness.ts';
import { type HttpServer, type Route, serve } from './adapters/http/server.ts';
import { createClient, type KubeClient, type KubeContext } from './adapters/kube/client.ts';
import { createClusters } from './adapters/kube/clusters.ts';
import { fromKubeconfig, fromServiceAccount, isInCluster, ownPod } from './adapters/kube/connect.ts';
import type { Connection } from './adapters/kube/connection.ts';
import {
  createElection,
  createReadOnlyElection,
  createSoleElection,
  type Election,
  electionTiming,
} from './adapters/kube/election.ts';
import { openLease } from './adapters/kube/lease.ts';
import { besideRivals } from './adapters/kube/rivals.ts';
import type { KindChoice } from './adapters/kube/watched-kinds.ts';
import { collectWhenIdle } from './adapters/memory/idle-collection.ts';
import { createRenderPool } from './adapters/render/render-pool.ts';
import { createEvents, type EventCounts, noEvents } from './adapters/store/events.ts';
import { createStore } from './adapters/store/store.ts';
import { createLog, type LogFormat, type LogLevel } from './adapters/telemetry/log.ts';
import { createMetrics, type PrometheusMetrics } from './adapters/telemetry/metrics.ts';
import type { TracingSettings } from './adapters/telemetry/otlp/settings.ts';
import type { Tracing, TracingContext } from './adapters/telemetry/tracing.ts';
import { untraced } from './adapters/telemetry/untraced.ts';
import { systemClock, systemMonotonic, systemRandom } from './adapters/time/system.ts';
import { deliver, takeHandedOn } from './api/webhook/deliver.ts';
import { announce, openNews, sealNews } from './api/webhook/news.ts';
import { receiveWebhook } from './api/webhook/receive.ts';
import { createRefusals } from './api/webhook/refusals.ts';
import { nameOf, serverOf } from './controllers/application/wake.ts';
import { type Controllers, startControllers } from './controllers/start.ts';
import { hasHealthRule, healthOf } from './engine/health/health.ts';
import { Fault, messageOf } from './model/fault.ts';
import { isExcludedKind } from './model/kind-filter.ts';
import { operatorLimits } from './model/limits.ts';
import { ownServer } from './model/own-cluster.ts';
import { defaultRenderers } from './renderers.ts';
import type { ObjectReference, Problem, Report } from './world/readiness.ts';
import type { MetricsChoice, Store } from './world/store.ts';
import type { Log, Metrics } from './world/telemetry.ts';
import type { World } from './world/world.ts';

/** How an operator is set up; everything has a default. */
export interface OperatorOptions {
  /** Path of a kubeconfig. Default: the pod's service account, else `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: string;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
  /** Where Applications, projects, Secrets and settings are. Default: `argocd`. */
  readonly namespace?: string;
  /** Tried in this order. Default: `defaultRenderers()`. */
  readonly renderers?: readonly Renderer[];
  /** Bounds of every render; what is absent is as `defaultLimits` says. */
  readonly renderLimits?: Partial<Limits>;
  /** Where webhook, metrics and health checks are served; port 0 is any free one. Default: 127.0.0.1, port 0. */
  readonly http?: ListenAddress;
  /** Where health checks are served, too: who fills all connections of `http` does not keep a probe waiting. Default: only there. */
  readonly probes?: ListenAddress;
  /** Where metrics are served instead. Default: `http`. */
  readonly metricsHttp?: ListenAddress;
  /** Git repositories are kept here; it may be deleted while the operator is stopped. Default: a folder for temporary files. */
  readonly dataDirectory?: string;
  /** Repositories that are refused unless who runs the operator allows them: who writes an Application, or a ConfigMap, must not reach them. */
  readonly repositories?: RepositoryPermissions;
  /** What of Applications and clusters are metrics, too; what is absent is as `argocd-cmd-params-cm` says. */
  readonly metrics?: MetricsChoice;
  /**
   * Looks and tells, by metrics, log and `/readyz`, and writes nothing at all, not even a status: to see what it would change beside another controller.
   * `leaderElection` means nothing then. Default: false.
   */
  readonly readOnly?: boolean;
  /** Default: `info`. */
  readonly logLevel?: LogLevel;
  /** Default: `json`. */
  readonly logFormat?: LogFormat;
  /** Where traces go; `readTracing` makes it from flags. Default: nothing is traced. */
  readonly tracing?: TracingSettings;
  /**
   * For several replicas that look after one namespace: one leads, the others stand by. Without it this operator takes itself for the only one, and starts
   * and stops without asking anybody.
   */
  readonly leaderElection?: LeaderElectionOptions;
}

/** What repositories an operator reads beside those of other machines. */
export interface RepositoryPermissions {
  /** Folders of this machine, by `file://` or as a path; those of the operator's own data never are. Default: `$MOORING_ALLOW_FILE_REPOSITORIES`, or false. */
  readonly allowFiles?: boolean;
  /**
   * Servers on this machine and its link: loopback, link-local and unspecified addresses, and the cloud's metadata service. Default:
   * `$MOORING_ALLOW_NODE_LOCAL_REPOSITORIES`, or false.
   */
  readonly allowNodeLocal?: boolean;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** How replicas of an operator agree on one of them. */
export interface LeaderElectionOptions {
  /** Name of the Lease in the operator's namespace. Default: `mooring`. */
  readonly leaseName?: string;
  /** Name of this replica; no other process may have it at the same time. Default: the host's name and something random. */
  readonly identity?: string;
  /** IP address at which other replicas reach this one, at the port of `http`. Default: `http.host`, where that is one. */
  readonly address?: string;
}

/** An operator, from the moment that it serves health checks. */
export interface Operator {
  /** Port of webhook, metrics and health checks. */
  readonly port: number;
  /** Ports of `probes` and `metricsHttp`, where they were asked for. */
  readonly probePort: number | undefined;
  readonly metricsPort: number | undefined;
  /** Resolves when the controllers are at work. Until then `/readyz` says what is missing; it never rejects, since whatever it is may be mended. */
  readonly started: Promise<void>;
  /** Takes no more work, lets what is under way finish for at most `withinMs` (default 1.5 s), gives the lead to another replica, and closes everything. */
  stop(withinMs?: number): Promise<void>;
}

/** Bytes of a request body where none is expected. */
const noBodyBytes = 1_024;
/** Where a replica takes what others hand on to it, and the bytes of that: some addresses and a trace. */
const handedOnPath = '/api/handed-on';
const handedOnBytes = 65_536;
const defaultNamespace = 'argocd';
const defaultLease = 'mooring';
/** Milliseconds that passes under way may take to end when the operator stops, and Events that tell of them to be sent: another replica waits for the lead. */
const drainMs = 1_500;
const lastEventsMs = 300;
/** Milliseconds that a replica that stands by is not ready for, at most, because its caches are not warm. */
const warmMs = 15_000;

/**
 * Serves health checks at once, and starts the controllers as soon as the API server can be reached, allows what is needed, and serves the CRDs. Throws
 * only for what this process was told itself: `Fault` `cluster-refused` for a kubeconfig that cannot be read or used, and errors of the address and the folder.
 */
export async function createOperator(options: OperatorOptions = {}): Promise<Operator> {
  const log = createLog(options.logLevel ?? 'info', options.logFormat);
  let opened: OpenWorld | undefined;
  let controllers: Controllers | undefined;
  const metrics = createMetrics({ version: packageJson.version, isReady: () => readiness.isReady() });
  const tracing = options.tracing && (await startTracing(options.tracing, { clock: systemClock, log }));
  const context: Context = { clock: systemClock, random: systemRandom, limits: operatorLimits, log, metrics, tracing };
  const readiness = createReadiness({
    ...context,
    outageMs: operatorLimits.outageMs,
    tell: (problem) => opened?.warn(problem),
  });
  const metricsRoute: Route = {
    method: 'GET',
    path: '/metrics',
    bodyBytes: noBodyBytes,
    answer: async ({ headers }) => ({ status: 200, ...(await metrics.scrape(headers['accept'])) }),
  };
  const refused = createRefusals(systemClock, { log, metrics });
  const webhookRoute: Route = {
    method: 'POST',
    path: '/api/webhook',
    bodyBytes: operatorLimits.webhookBytes,
    answer: (request) => {
      if (opened === undefined || controllers === undefined) return { status: 503, body: 'not ready yet\n' };
      const { store, leadership } = opened.world;
      const { refreshRepository: refresh } = controllers;
      const { webhookSecrets } = store.settings();
      return receiveWebhook(request, {
        webhookSecrets,
        refused,
        deliver: (told) =>
          deliver(told, leadership, {
            announce: (news) => announce(news, { refresh, metrics }),
            handOn: (address, news) => handOn(address, handedOnPath, sealNews(news, webhookSecrets)),
            log,
          }),
      });
    },
  };
  const handedOnRoute: Route = {
    method: 'POST',
    path: handedOnPath,
    bodyBytes: handedOnBytes,
    answer: ({ body, headers }) => {
      if (opened === undefined || controllers === undefined) return { status: 503, body: 'not ready yet\n' };
      const { store, leadership } = opened.world;
      const { refreshRepository: refresh } = controllers;
      const news = openNews({ body, seal: headers[sealHeader] }, store.settings().webhookSecrets);
      return takeHandedOn(news, leadership, { announce: (told) => announce(told, { refresh, metrics }) });
    },
  };
  const undo: (() => void | Promise<void>)[] = [() => tracing?.close()];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const listen = async (address: ListenAddress, routes: readonly Route[]): Promise<HttpServer> => {
    const server = await serve(routes, address, log);
    undo.push(() => server.close());
    return server;
  };
  let isStopping = false;
  let world: OpenWorld;
  let servers: { readonly main: HttpServer; readonly probes?: HttpServer; readonly metrics?: HttpServer };
  try {
    const { http = { host: '127.0.0.1', port: 0 }, probes, metricsHttp } = options;
    const atMain = [
      ...readiness.routes,
      webhookRoute,
      handedOnRoute,
      ...(metricsHttp === undefined ? [metricsRoute] : []),
    ];
    servers = {
      ...(probes && { probes: await listen(probes, readiness.routes) }),
      ...(metricsHttp && { metrics: await listen(metricsHttp, [metricsRoute]) }),
      main: await listen(http, atMain),
    };
    world = openWorld(await connect(options), options, servers.main.port, context, readiness.report);
    opened = world;
    undo.push(() => world.close());
  } catch (thrown) {
    await close();
    throw thrown;
  }

  const start = (): void => {
    if (isStopping) return;
    const started = startControllers(world.world);
    controllers = started;
    undo.push(world.measure(started));
    undo.push(collectWhenIdle(() => started.runs, systemClock));
    undo.push(keepDefaultProject(world.world, readiness.report, context));
    readiness.report('controllers', []);
    reportWarm(world.world, started.warm, readiness.report);
    world.stand();
    const { namespace } = world.world.store;
    log.info({ cluster: world.server, namespace, port: servers.main.port }, 'Mooring has started');
  };
  log.info({ cluster: world.server, port: servers.main.port }, "reading Mooring's own objects");
  return {
    port: servers.main.port,
    probePort: servers.probes?.port,
    metricsPort: servers.metrics?.port,
    started: world.ready.then(start),
    async stop(withinMs = drainMs) {
      isStopping = true;
      log.info({}, 'stopping');
      readiness.stop();
      await controllers?.stop(withinMs);
      await world.resign();
      await close();
    },
  };
}

interface Context extends KubeContext {
  readonly log: Log;
  readonly metrics: PrometheusMetrics;
  readonly tracing: Tracing | undefined;
}

/** What the environment allows. Throws where a variable says something else than `true` and `false`. */
function repositoryPermissions(environment: Readonly<Record<string, string | undefined>>): RepositoryPermissions {
  const isTrue = (name: string): boolean => {
    const text = environment[name] || 'false';
    if (text !== 'true' && text !== 'false') throw new Error(`${name}=${text}: give true or false`);
    return text === 'true';
  };
  return {
    allowFiles: isTrue('MOORING_ALLOW_FILE_REPOSITORIES'),
    allowNodeLocal: isTrue('MOORING_ALLOW_NODE_LOCAL_REPOSITORIES'),
  };
}

/** The world, being watched. */
interface OpenWorld {
  readonly world: World;
  /** Address of the operator's own API server. */
  readonly server: string;
  /** Resolves when Mooring's own objects are known; never rejects. */
  readonly ready: Promise<void>;
  /** Tells of a problem by an Event, when there is an API server to take it. */
  warn(problem: Problem): void;
  /** Lets metrics ask for what is there, and forget what is no more; the answer stops that. */
  measure(controllers: Controllers): () => void;
  /** Begins to ask for the lead. */
  stand(): void;
  /** Sends the last Events and lets another replica lead: from then on nothing is written. */
  resign(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A replica that stands by is ready when its caches are warm; who leads is needed at once. Where an Application keeps it waiting, as one whose Git server does not
 * answer, it is ready all the same after `warmMs`.
 */
function reportWarm({ leadership, clock }: World, warm: Promise<void>, report: Report): void {
  const isWarm = (): void => {
    cancel();
    unsubscribe();
    report('caches', []);
  };
  const cancel = clock.after(warmMs, isWarm);
  const unsubscribe = leadership.subscribe((leads) => {
    if (leads) isWarm();
  });
  if (leadership.leads()) isWarm();
  void warm.then(isWarm);
}

/** Joins the adapters. Nothing here waits for the API server. */
function openWorld(
  { connection, self }: Place,
  options: OperatorOptions,
  port: number,
  context: Context,
  report: Report,
): OpenWorld {
  const renderers = options.renderers ?? defaultRenderers();
  const namespace = options.namespace ?? defaultNamespace;
  const { log, metrics, tracing } = context;
  const ownDirectory = options.dataDirectory ?? join(tmpdir(), 'mooring');
  const { allowFiles, allowNodeLocal } = { ...repositoryPermissions(process.env), ...options.repositories };
  const git = createGit({
    ...context,
    directory: join(ownDirectory, 'git'),
    ownDirectory,
    ...(allowFiles && { transports: everyTransport }),
    ...(allowNodeLocal && { network: everyHost }),
    onRequest: metrics.gitAsked,
  });
  // What a pass writes here, and Events on its behalf, are no requests to its destination.
  const kubeAsked: Metrics['kubeAsked'] = ({ object: _, ...facts }) => metrics.kubeAsked(facts);
  const own = { ...context, metrics: { ...metrics, kubeAsked } };
  const freeClient = createClient(connection, own, ownServer);
  const election = openElection(options, { connection, port, client: freeClient, context: own, report });
  const { fence } = election;
  const client = createClient(connection, { ...own, fence }, ownServer);
  const isReadOnly = options.readOnly === true;
  const events = isReadOnly ? noEvents : createEvents(client, context);
  // What a replica has to say of itself it says whoever leads.
  const warnings = isReadOnly ? noEvents : createEvents(freeClient, context);
  const opened = createStore(client, {
    ...context,
    namespace,
    purpose: isReadOnly ? 'inspect' : options.leaderElection === undefined ? 'operate' : 'lead',
    report,
    checkRenderers: (settings) =>
      Object.assign({}, ...renderers.map((renderer) => renderer.checkSettings?.(settings) ?? {})),
  });
  const clusters = createClusters(connection, opened.clusters, {
    ...context,
    fence,
    healthOf,
    hasHealthRule,
    respectRbac: () => opened.store.settings().respectRbac,
    kinds: kindsOf(opened.store),
  });
  const pool = createRenderPool({
    renderers,
    clock: systemClock,
    settings: () => opened.store.settings().renderers,
    ...(options.renderLimits && { limits: options.renderLimits }),
    onRendered: metrics.rendered,
  });
  // Outside of a pod the namespace stands for the operator.
  const operator = self ?? { apiVersion: 'v1', kind: 'Namespace', namespace, name: namespace };
  return {
    world: {
      clock: systemClock,
      random: systemRandom,
      git,
      renderers: pool,
      clusters,
      store: opened.store,
      leadership: election,
      notifier: events,
      telemetry: { log, metrics, tracer: tracing ?? untraced() },
    },
    server: connection.server,
    ready: opened.ready,
    warn: ({ about, reason, message }) => warnings.warn(about ?? operator, reason, message),
    measure: ({ queues }) => {
      const { store } = opened;
      metrics.ask({
        applications: store.applications,
        isApplication: (id) => store.application(nameOf(id)) !== undefined,
        serverOf: (app) => serverOf(app, { clusters }) ?? '',
        isCluster: (server) => clusters.targets().some((target) => target.server === server),
        clusters: clusters.facts,
        queues,
        caches: () => [...git.caches(), ...pool.caches(), ...clusters.caches()],
        events: () => sum(events.counts(), warnings.counts()),
        isLeader: election.leads,
        isReadOnly: () => isReadOnly,
        ...(tracing && { spans: tracing.counts }),
        choice: () => ({ ...store.settings().metrics, ...options.metrics }),
      });
      const stops = [
        store.subscribe((change) => {
          if (change.kind === 'Application' && store.application(change.name) === undefined) metrics.tidy();
        }),
        opened.clusters.subscribe(metrics.tidy),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
    stand: election.stand,
    resign: async () => {
      await events.close(lastEventsMs);
      await election.resign();
    },
    close: async () => {
      await events.close();
      await warnings.close(lastEventsMs);
      await pool.close();
      await git.close();
      await clusters.close();
      opened.close();
      await client.close();
      await freeClient.close();
      await election.close();
    },
  };
}

/** The kinds that the settings leave out, as they are now. */
function kindsOf(store: Pick<Store, 'settings' | 'subscribe'>): KindChoice {
  return {
    isExcluded: (group, kind, server) => isExcludedKind(store.settings().kinds, group, kind, server),
    subscribe: (changed) =>
      store.subscribe((change) => {
        if (change.kind === 'Settings') changed();
      }),
  };
}

function sum(a: EventCounts, b: EventCounts): EventCounts {
  return { sent: a.sent + b.sent, dropped: a.dropped + b.dropped, failed: a.failed + b.failed };
}

/** The election that this operator takes part in; it does not stand yet. */
function openElection(
  options: OperatorOptions,
  { connection, port, client, context, report }: ElectionPlace,
): Election {
  const { leaderElection, namespace = defaultNamespace } = options;
  if (options.readOnly) {
    report('other-controllers', [], ['with --read-only nothing is written, whoever else is at work']);
    return createReadOnlyElection(context.clock);
  }
  const election = leaderElection
    ? standForLease(leaderElection, options, { connection, port, context })
    : createSoleElection(context.clock);
  return besideRivals(election, client, {
    ...context,
    namespace,
    leaseName: leaderElection === undefined ? defaultLease : undefined,
    report: (problems, notes) => report('other-controllers', problems, notes),
  });
}

interface ElectionPlace {
  readonly connection: Connection;
  readonly port: number;
  /** One that no fence holds back. */
  readonly client: KubeClient;
  readonly context: Context;
  readonly report: Report;
}

function standForLease(
  leaderElection: LeaderElectionOptions,
  { namespace = defaultNamespace, http }: OperatorOptions,
  { connection, port, context }: Omit<ElectionPlace, 'client' | 'report'>,
): Election {
  const { leaseName = defaultLease, identity = `${hostname()}-${randomUUID().slice(0, 8)}` } = leaderElection;
  const limits = { ...context.limits, requestTimeoutMs: electionTiming.requestMs };
  const access = openLease(connection, { namespace, name: leaseName }, { ...context, limits });
  const address = leaderElection.address ?? http?.host ?? '';
  const isReachable = isIP(address) !== 0 && address !== '0.0.0.0' && address !== '::';
  return createElection(access, {
    ...context,
    monotonic: systemMonotonic,
    identity,
    address: isReachable ? `http://${address.includes(':') ? `[${address}]` : address}:${port}` : undefined,
  });
}

/** Creates the project `default` where there is none, while this replica leads, trying until it is done; the answer stops it. */
function keepDefaultProject({ store, leadership }: World, report: Report, { clock, limits, log }: Context): () => void {
  let term = 0;
  let cancel: (() => void) | undefined;
  const tryOnce = async (mine: number, failures: number): Promise<void> => {
    try {
      await store.ensureDefaultProject();
      if (mine === term) report('default-project', []);
    } catch (thrown) {
      if (mine !== term) return;
      if (!(thrown instanceof Fault))
        log.error({ error: messageOf(thrown) }, 'a bug kept the project default from being made');
      const message = `the project default cannot be created: ${messageOf(thrown)}`;
      // That there is no API server is told already.
      if (!(thrown instanceof Fault && thrown.code === 'cluster-unreachable'))
        report('default-project', [{ reason: 'DefaultProjectMissing', message }]);
      const waitMs = Math.min(limits.startRetryLastMs, limits.startRetryFirstMs * 2 ** failures);
      cancel = clock.after(waitMs, () => void tryOnce(mine, failures + 1));
    }
  };
  const follow = (leads: boolean): void => {
    term += 1;
    cancel?.();
    if (leads) void tryOnce(term, 0);
    else report('default-project', []);
  };
  if (leadership.leads()) follow(true);
  const unsubscribe = leadership.subscribe(follow);
  return () => {
    term += 1;
    cancel?.();
    unsubscribe();
  };
}

/** Loads what tracing takes; an operator that does not trace has none of it. */
async function startTracing(
  settings: TracingSettings,
  context: Pick<TracingContext, 'clock' | 'log'>,
): Promise<Tracing> {
  const { createTracing } = await import('./adapters/telemetry/tracing.ts');
  const { POD_NAME: pod, POD_NAMESPACE: namespace } = process.env;
  return createTracing(settings, {
    ...context,
    bytesWaiting: operatorLimits.spanBytesWaiting,
    version: packageJson.version,
    resource: {
      'service.name': 'mooring',
      'service.version': packageJson.version,
      'service.instance.id': pod ?? hostname(),
      'k8s.pod.name': pod,
      'k8s.namespace.name': namespace,
    },
  });
}

/** The operator's own API server, and the pod it runs in. */
interface Place {
  readonly connection: Connection;
  readonly self: ObjectReference | undefined;
}

/** In a pod without a kubeconfig nothing is an error yet: what is missing there is reported, and looked for again. */
async function connect({ kubeconfig, context }: OperatorOptions): Promise<Place> {
  if (kubeconfig === undefined && context === undefined && isInCluster(process.env))
    return { connection: fromServiceAccount(process.env), self: await ownPod(process.env) };
  const connection = await fromKubeconfig({
    ...(kubeconfig !== undefined && { path: kubeconfig }),
    ...(context !== undefined && { context }),
  });
  return { connection, self: undefined };
}
