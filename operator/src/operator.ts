import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Renderer } from '@mooring/renderer-contract';
import { createGit } from './adapters/git/git.ts';
import { serve } from './adapters/http/server.ts';
import { createClient } from './adapters/kube/client.ts';
import { createClusters } from './adapters/kube/clusters.ts';
import { fromKubeconfig, fromServiceAccount, isInCluster } from './adapters/kube/connect.ts';
import type { Connection } from './adapters/kube/connection.ts';
import { collectWhenIdle } from './adapters/memory/idle-collection.ts';
import { createRenderPool } from './adapters/render/render-pool.ts';
import { createEvents } from './adapters/store/events.ts';
import { createStore } from './adapters/store/store.ts';
import { createLog, type LogLevel } from './adapters/telemetry/log.ts';
import { createMetrics } from './adapters/telemetry/metrics.ts';
import { systemClock, systemRandom } from './adapters/time/system.ts';
import { receiveWebhook } from './api/webhook/receive.ts';
import { type Controllers, startControllers } from './controllers/start.ts';
import { hasHealthRule, healthOf } from './engine/health/health.ts';
import { operatorLimits } from './model/limits.ts';
import { defaultRenderers } from './renderers.ts';
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
  /** Where webhook, metrics and health checks are served; port 0 is any free one. Default: 127.0.0.1, port 0. */
  readonly http?: { readonly host: string; readonly port: number };
  /** Git repositories are kept here; it may be deleted while the operator is stopped. Default: a folder for temporary files. */
  readonly dataDirectory?: string;
  /** Default: `info`. */
  readonly logLevel?: LogLevel;
}

/** An operator at work. */
export interface Operator {
  /** Port of webhook, metrics and health checks. */
  readonly port: number;
  /** Takes no more work, lets what is under way finish for at most `withinMs` (default 8 s), and closes everything. */
  stop(withinMs?: number): Promise<void>;
}

/** Bytes of a request body where none is expected. */
const noBodyBytes = 1_024;

/**
 * Starts an operator: serves health checks at once, watches the cluster, then starts the controllers. Throws `Fault` where the cluster cannot be reached
 * or does not have the CRDs.
 */
export async function createOperator(options: OperatorOptions = {}): Promise<Operator> {
  const log = createLog(options.logLevel ?? 'info');
  const context = { clock: systemClock, random: systemRandom, limits: operatorLimits, log };
  let controllers: Controllers | undefined;
  let world: World | undefined;
  const metrics = createMetrics({
    applications: () => world?.store.applications() ?? [],
    queueDepth: () => controllers?.depth ?? 0,
  });
  const server = await serve(
    [
      { method: 'GET', path: '/healthz', bodyBytes: noBodyBytes, answer: () => ({ status: 200, body: 'ok\n' }) },
      {
        method: 'GET',
        path: '/readyz',
        bodyBytes: noBodyBytes,
        answer: () =>
          controllers === undefined
            ? { status: 503, body: 'the view of the cluster is not complete yet\n' }
            : { status: 200, body: 'ok\n' },
      },
      {
        method: 'GET',
        path: '/metrics',
        bodyBytes: noBodyBytes,
        answer: async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.text() }),
      },
      {
        method: 'POST',
        path: '/api/webhook',
        bodyBytes: operatorLimits.webhookBytes,
        answer: (request) => {
          if (world === undefined || controllers === undefined) return { status: 503, body: 'not ready yet\n' };
          return receiveWebhook(request, world.store.settings(), controllers.refreshRepository);
        },
      },
    ],
    options.http ?? { host: '127.0.0.1', port: 0 },
    log,
  );

  const undo: (() => void | Promise<void>)[] = [() => server.close()];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const connection = await connect(options);
    const client = createClient(connection, context);
    undo.push(() => client.close());
    const opened = await createStore(client, { ...context, namespace: options.namespace ?? 'argocd' });
    undo.push(() => opened.close());
    const clusters = createClusters(connection, opened.clusters, { ...context, healthOf, hasHealthRule });
    undo.push(() => clusters.close());
    const git = createGit({
      directory: join(options.dataDirectory ?? join(tmpdir(), 'mooring'), 'git'),
      clock: systemClock,
      limits: operatorLimits,
      log,
    });
    undo.push(() => git.close());
    const renderers = createRenderPool({
      renderers: options.renderers ?? defaultRenderers(),
      clock: systemClock,
      settings: () => opened.store.settings().renderers,
      onRendered: ({ sourceType, rendered, durationMs }) => metrics.rendered(sourceType, !rendered, durationMs),
    });
    undo.push(() => renderers.close());
    const events = createEvents(client, context);
    undo.push(() => events.close());
    world = {
      clock: systemClock,
      random: systemRandom,
      git,
      renderers,
      clusters,
      store: opened.store,
      notifier: events,
      telemetry: { log, metrics },
    };
    await world.store.ensureDefaultProject();
    const started = startControllers(world);
    controllers = started;
    undo.push(collectWhenIdle(() => started.runs, systemClock));
    const { namespace } = world.store;
    log.info({ cluster: connection.server, namespace, port: server.port }, 'Mooring has started');
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const started = controllers;
  return {
    port: server.port,
    async stop(withinMs = 8_000) {
      log.info({}, 'stopping');
      await started.stop(withinMs);
      await close();
    },
  };
}

async function connect({ kubeconfig, context }: OperatorOptions): Promise<Connection> {
  if (kubeconfig === undefined && context === undefined && isInCluster(process.env))
    return fromServiceAccount(process.env);
  return fromKubeconfig({
    ...(kubeconfig !== undefined && { path: kubeconfig }),
    ...(context !== undefined && { context }),
  });
}
