import type { Application } from '@mooring/crds';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { maskAddress } from '../../model/repository-url.ts';
import type { Metrics } from '../../world/telemetry.ts';

/** The metrics of one operator, and their text for Prometheus. */
export interface PrometheusMetrics extends Metrics {
  /** `text/plain` exposition format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** What the metrics ask when they are scraped. */
export interface MetricsSources {
  applications(): readonly Application[];
  /** Runs waiting or under way. */
  queueDepth(): number;
}

/** Argo CD's names and labels where it has the thing, `mooring_` for what it lacks. */
export function createMetrics(sources: MetricsSources): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const reconcile = new Histogram({
    name: 'argocd_app_reconcile',
    help: 'Seconds that one look at an Application took, sync included.',
    labelNames: ['namespace', 'dest_server'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16],
    registers,
  });
  const steps = new Histogram({
    name: 'mooring_reconcile_step_seconds',
    help: 'Seconds that one step of a look at an Application took.',
    labelNames: ['step'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  });
  const syncs = new Counter({
    name: 'argocd_app_sync_total',
    help: 'Sync operations that reached a final phase.',
    labelNames: ['namespace', 'name', 'project', 'dest_server', 'phase', 'dry_run'],
    registers,
  });
  const syncSeconds = new Counter({
    name: 'argocd_app_sync_duration_seconds_total',
    help: 'Seconds from the start to the end of sync operations.',
    labelNames: ['namespace', 'name', 'project', 'dest_server'],
    registers,
  });
  const drift = new Gauge({
    name: 'mooring_drift_objects',
    help: 'Objects that differ from Git although Git has not changed since the last sync.',
    labelNames: ['namespace', 'name'],
    registers,
  });
  const healed = new Counter({
    name: 'mooring_drift_healed_total',
    help: 'Objects that a self-heal brought back to what Git says.',
    labelNames: ['namespace', 'name'],
    registers,
  });
  const renders = new Counter({
    name: 'mooring_renders_total',
    help: 'Renders asked for, by whether what they read had changed.',
    labelNames: ['source_type', 'cached'],
    registers,
  });
  const renderSeconds = new Histogram({
    name: 'mooring_render_seconds',
    help: 'Seconds of one render, answers from the cache included.',
    labelNames: ['source_type'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const crashes = new Counter({
    name: 'mooring_reconcile_crashes_total',
    help: 'Reconciles that a bug ended.',
    registers,
  });
  new Gauge({
    name: 'mooring_queue_depth',
    help: 'Looks that wait or are under way.',
    registers,
    collect() {
      this.set(sources.queueDepth());
    },
  });
  const infoLabels = [
    'namespace',
    'name',
    'project',
    'autosync_enabled',
    'repo',
    'dest_server',
    'dest_namespace',
    'sync_status',
    'health_status',
    'operation',
  ] as const;
  new Gauge({
    name: 'argocd_app_info',
    help: 'One series an Application: where it comes from, where it goes and how it is.',
    labelNames: infoLabels,
    registers,
    collect() {
      this.reset();
      for (const app of sources.applications()) this.set(infoOf(app), 1);
    },
  });
  const forgettable = [syncs, syncSeconds, drift, healed];

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    reconciled({ namespace, server, durationMs }) {
      reconcile.observe({ namespace, dest_server: server }, durationMs / 1_000);
    },
    stepped({ step, durationMs }) {
      steps.observe({ step }, Math.max(0, durationMs) / 1_000);
    },
    synced({ namespace, name, project, server, phase, dryRun, durationMs }) {
      syncs.inc({ namespace, name, project, dest_server: server, phase, dry_run: String(dryRun) });
      syncSeconds.inc({ namespace, name, project, dest_server: server }, durationMs / 1_000);
    },
    drifted({ namespace, name }, objects) {
      drift.set({ namespace, name }, objects);
    },
    healed({ namespace, name }, objects) {
      healed.inc({ namespace, name }, objects);
    },
    rendered(sourceType, fromCache, durationMs) {
      renders.inc({ source_type: sourceType, cached: String(fromCache) });
      renderSeconds.observe({ source_type: sourceType }, durationMs / 1_000);
    },
    crashed() {
      crashes.inc();
    },
    forget({ namespace, name }) {
      for (const metric of forgettable) forgetSeries(metric, namespace, name);
    },
  };
}

/** A series of an Application that is gone would be scraped for ever. */
function forgetSeries(metric: Counter<string> | Gauge<string>, namespace: string, name: string): void {
  const { hashMap } = metric as unknown as { hashMap: Record<string, { labels: Record<string, string> }> };
  for (const { labels } of Object.values(hashMap)) {
    if (labels['namespace'] === namespace && labels['name'] === name) metric.remove(labels);
  }
}

function infoOf(app: Application): Record<string, string> {
  const { metadata, spec, status } = app;
  const automated = spec.syncPolicy?.automated;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    project: spec.project,
    autosync_enabled: String(automated !== undefined && automated.enabled !== false),
    repo: maskAddress((spec.source ?? spec.sources?.[0])?.repoURL ?? ''),
    dest_server: spec.destination.server ?? spec.destination.name ?? '',
    dest_namespace: spec.destination.namespace ?? '',
    sync_status: status?.sync?.status ?? 'Unknown',
    health_status: status?.health?.status ?? 'Unknown',
    operation: metadata.deletionTimestamp !== undefined ? 'delete' : app.operation?.sync === undefined ? '' : 'sync',
  };
}
