import type { Application } from '@mooring/crds';
import type { AppFacts } from '../../../world/telemetry.ts';
import { createMetrics, type PrometheusMetrics } from '../metrics.ts';

/** Metrics of an operator that has looked after many Applications for a while, and what it looks after. */
export interface Fleet {
  readonly metrics: PrometheusMetrics;
  readonly applications: Map<string, Application>;
  readonly clusters: Set<string>;
}

const kinds = ['configmaps', 'deployments', 'services', 'serviceaccounts', 'ingresses'];
const liveKinds = 40;

export const serverOf = (index: number): string => `https://cluster-${index}.example.com`;

/** Every Application has had a deployment that worked and one that failed, drift, a heal, and trouble with its health; every cluster some events. */
export function createFleet(applicationCount: number, clusterCount: number): Fleet {
  const applications = new Map<string, Application>();
  const clusters = new Set(Array.from({ length: clusterCount }, (_, index) => serverOf(index)));
  const metrics = createMetrics({
    version: '1.2.3',
    applications: () => [...applications.values()],
    isApplication: (id) => applications.has(id),
    serverOf: ({ spec }) => spec.destination.server ?? '',
    isCluster: (server) => clusters.has(server),
    clusters: () =>
      [...clusters].map((server) => ({
        server,
        name: server.slice('https://'.length),
        labels: { tier: 'prod' },
        version: '1.37.2',
        isFollowed: true,
        kinds: liveKinds,
        objects: 20_000,
        readAt: Date.now() - 60_000,
        events: Array.from({ length: liveKinds }, (_, index) => ({ group: 'apps', kind: `Kind${index}`, count: 9 })),
      })),
    queues: () => ['Application', 'Repository'].map((queue) => ({ queue, due: 3, running: 2 })),
    caches: () => ['renders', 'blobs', 'trees', 'git', 'live'].map((cache) => ({ cache, bytes: 9_000, entries: 9 })),
    events: () => ({ sent: 9, dropped: 0, failed: 1 }),
    spans: () => ({ sent: 9, dropped: 0, failed: 1 }),
    isReady: () => true,
    choice: () => ({ applicationLabels: ['team-name'], clusterLabels: ['tier'] }),
  });
  for (let index = 0; index < applicationCount; index += 1) {
    const app = applicationOf(index, serverOf(index % clusterCount));
    applications.set(`argocd/${app.metadata.name}`, app);
  }
  for (const app of applications.values()) liveThrough(app, metrics);
  for (const server of clusters) {
    for (const verb of ['Get', 'List', 'Watch', 'Create', 'Update', 'Patch', 'Delete'] as const)
      for (const status of [200, 409, undefined]) metrics.kubeAsked({ server, verb, status, durationMs: 12 });
    metrics.watched({ server, events: 4, durationMs: 1 });
  }
  for (const step of ['resolve', 'render', 'observe', 'diff', 'sync', 'publish'] as const)
    metrics.stepped({ step, durationMs: 4, traceId: 'd1'.repeat(16) });
  for (const queue of ['Application', 'Repository']) {
    metrics.queued(queue);
    metrics.began(queue, 4);
    metrics.ended(queue, 20);
  }
  for (const sourceType of ['Directory', 'Kustomize', 'Helm'])
    for (const cached of [true, false]) metrics.rendered({ sourceType, cached, durationMs: 3 });
  metrics.pushed(undefined);
  metrics.webhookRefused({ host: 'github', reason: 'wrong-secret' });
  return { metrics, applications, clusters };
}

function applicationOf(index: number, server: string): Application {
  const name = `app-${index}`;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd', labels: { 'team-name': `team-${index % 9}` } },
    spec: {
      project: `project-${index % 5}`,
      source: { repoURL: repositoryOf(index), path: `apps/${name}` },
      destination: { server, namespace: `shop-${index % 20}` },
      syncPolicy: { automated: { selfHeal: true } },
    },
    status: {
      sync: { status: 'Synced' },
      health: { status: 'Healthy' },
      ...(index % 50 === 0 && { conditions: [{ type: 'SyncError', message: 'no' }] }),
    },
  } as Application;
}

function repositoryOf(index: number): string {
  return `https://git.example.com/shop/deploy-${index % 50}.git`;
}

function liveThrough({ metadata, spec }: Application, metrics: PrometheusMetrics): void {
  const { server = '', namespace = '' } = spec.destination;
  const app: AppFacts = { namespace: 'argocd', name: metadata.name ?? '', project: spec.project, server };
  const traceId = 'c0'.repeat(16);
  void metrics.during({ ...app, dryRun: false, traceId }, async () => {
    for (const plural of kinds)
      metrics.kubeAsked({ server, verb: 'Patch', status: 200, durationMs: 5, object: { plural, namespace } });
    metrics.kubeAsked({ server, verb: 'Get', status: 200, durationMs: 2, object: { plural: 'deployments', namespace } });
  });
  metrics.reconciled({ ...app, durationMs: 40, traceId });
  metrics.synced({ ...app, durationMs: 300, phase: 'Succeeded', dryRun: false });
  metrics.synced({ ...app, durationMs: 300, phase: 'Failed', dryRun: false });
  metrics.deployed({ ...app, result: 'succeeded', sinceCommitMs: 4_000, sinceSeenMs: 300, traceId });
  metrics.deployed({ ...app, result: 'failed' });
  metrics.drifted(app, 2);
  metrics.healed(app, 2);
  metrics.previewed(app, { create: 1, update: 0, prune: 0 });
  metrics.degraded(app);
  metrics.restored({ ...app, durationMs: 20_000 });
  const repository = spec.source?.repoURL ?? '';
  metrics.pushed(repository);
  for (const kind of ['ls-remote', 'fetch'] as const)
    metrics.gitAsked({ repository, kind, durationMs: 30, failed: metadata.name === 'app-0' });
}
