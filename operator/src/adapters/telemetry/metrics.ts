import { AsyncLocalStorage } from 'node:async_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';
import type { AppFacts, Metrics, PassFacts } from '../../world/telemetry.ts';
import { applicationQueue, argoQueue, collect, repositoriesOf, repositoryLabel, secondsOf } from './collect.ts';
import { bucketSets, type MetricDefinition, recorded } from './definitions.ts';
import { contentTypes, formatOf, write } from './exposition.ts';
import { createLedger, type Subject } from './ledger.ts';
import { emptySources, type MetricsSources } from './sources.ts';

/** The metrics of one operator, and how they are scraped. */
export interface PrometheusMetrics extends Metrics {
  /** From now on these are asked; those that are not given stay as they are. */
  ask(sources: Partial<MetricsSources>): void;
  /** Everything, in the format that the scraper's `Accept` asks for. */
  scrape(accept?: string): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Drops the series of Applications, clusters and repositories that are no more. */
  tidy(): void;
}

type OfType<T extends MetricDefinition['type']> = MetricDefinition & { readonly type: T };
type LabelsOf<D extends MetricDefinition> = Readonly<Record<D['labels'][number], string>>;

/** Gauges of prom-client that are called like counters, which promtool finds fault with. The same is told by type in metrics without `_total`. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Argo CD's metrics and Mooring's own, as `definitions.ts` has them. What `given` lacks is empty. */
export function createMetrics(given: Partial<MetricsSources> = {}): PrometheusMetrics {
  let sources: MetricsSources = { ...emptySources, ...given };
  const registry = new Registry<OpenMetricsContentType>();
  // The only one in which prom-client keeps exemplars.
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const definition of Object.values<MetricDefinition>(recorded)) {
    const { name, help, type, labels, buckets = 'work' } = definition;
    const configuration = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') counters.set(name, new Counter(configuration));
    else if (type === 'gauge') gauges.set(name, new Gauge(configuration));
    else
      histograms.set(
        name,
        new Histogram({ ...configuration, buckets: [...bucketSets[buckets]], enableExemplars: true }),
      );
  }
  const ledger = createLedger(lookAround);
  /** The pass that asks API servers just now. */
  const passes = new AsyncLocalStorage<PassFacts>();
  const previews = new Map<string, { readonly app: NamePair; readonly objects: Readonly<Record<string, number>> }>();
  const drifts = new Map<string, { readonly app: NamePair; readonly objects: number; readonly since: number }>();
  const deliveries = new Map<string, { readonly app: NamePair; readonly seconds: number }>();

  /** Tells what is there at this moment. */
  function lookAround(): (subject: Subject) => boolean {
    let repositories: ReadonlySet<string> | undefined;
    return ({ kind, id }) => {
      if (kind === 'cluster') return sources.isCluster(id);
      if (kind === 'application') return sources.isApplication(id);
      repositories ??= new Set(sources.applications().flatMap(repositoriesOf));
      return repositories.has(id);
    };
  }

  function count<D extends OfType<'counter'>>({ name }: D, labels: LabelsOf<D>, by = 1): void {
    const counter = counters.get(name);
    if (counter !== undefined && ledger.admit(name, counter, labels)) counter.inc(labels, by);
  }

  function set<D extends OfType<'gauge'>>({ name }: D, labels: LabelsOf<D>, value: number): void {
    const gauge = gauges.get(name);
    if (gauge !== undefined && ledger.admit(name, gauge, labels)) gauge.set(labels, value);
  }

  function observe<D extends OfType<'histogram'>>(
    { name, exemplars }: D,
    labels: LabelsOf<D>,
    ms: number,
    traceId?: string,
  ): void {
    const histogram = histograms.get(name);
    if (histogram === undefined || !ledger.admit(name, histogram, labels)) return;
    const exemplarLabels = exemplars && traceId !== undefined ? { trace_id: traceId } : {};
    histogram.observe({ labels, value: secondsOf(ms), exemplarLabels });
  }

  function begin<D extends OfType<'histogram'>>({ name }: D, labels: LabelsOf<D>): void {
    const histogram = histograms.get(name);
    if (histogram === undefined || ledger.has(name, labels) || !ledger.admit(name, histogram, labels)) return;
    histogram.zero(labels);
  }

  /** So that the first failure of an Application is a rise of its series, and not its beginning. */
  function beginAtZero(app: AppFacts): void {
    const labels = labelsOf(app);
    const place = { namespace: app.namespace, project: app.project, dest_server: app.server };
    for (const histogram of [recorded.commitToSynced, recorded.seenToSynced, recorded.restore]) begin(histogram, place);
    count(recorded.deployments, { ...labels, result: 'succeeded' }, 0);
    count(recorded.deployments, { ...labels, result: 'failed' }, 0);
    count(recorded.degraded, labels, 0);
    count(recorded.healed, pairOf(app), 0);
  }

  return {
    ask(more) {
      sources = { ...sources, ...more };
    },
    async scrape(accept) {
      const format = formatOf(accept);
      const counted = (await registry.getMetricsAsJSON()).map((one) => ({ ...one, type: String(one.type) }));
      const families = [...counted, ...collect(sources, { drifts, previews, deliveries })];
      const body = write(
        families.filter(({ values }) => values.length > 0),
        format,
      );
      return { contentType: contentTypes[format], body };
    },
    tidy() {
      ledger.tidy();
      for (const remembered of [drifts, previews, deliveries]) {
        for (const id of remembered.keys()) if (!sources.isApplication(id)) remembered.delete(id);
      }
    },
    during: (pass, run) => passes.run(pass, run),
    reconciled(facts) {
      const { namespace, server, durationMs, traceId } = facts;
      beginAtZero(facts);
      observe(recorded.reconcile, { namespace, dest_server: server }, durationMs, traceId);
    },
    stepped({ step, durationMs, traceId }) {
      observe(recorded.steps, { step }, durationMs, traceId);
    },
    synced(facts) {
      const labels = labelsOf(facts);
      count(recorded.syncs, { ...labels, phase: facts.phase, dry_run: String(facts.dryRun) });
      count(recorded.syncSeconds, labels, secondsOf(facts.durationMs));
    },
    deployed(facts) {
      const { namespace, project, server, result, sinceCommitMs, sinceSeenMs, traceId } = facts;
      const place = { namespace, project, dest_server: server };
      count(recorded.deployments, { ...labelsOf(facts), result });
      if (sinceSeenMs !== undefined) observe(recorded.seenToSynced, place, sinceSeenMs, traceId);
      if (sinceCommitMs === undefined) return;
      observe(recorded.commitToSynced, place, sinceCommitMs, traceId);
      if (!sources.isApplication(idOf(facts))) return;
      deliveries.set(idOf(facts), { app: pairOf(facts), seconds: secondsOf(sinceCommitMs) });
    },
    degraded(app) {
      count(recorded.degraded, labelsOf(app));
    },
    restored({ namespace, project, server, durationMs }) {
      observe(recorded.restore, { namespace, project, dest_server: server }, durationMs);
    },
    previewed(app, objects) {
      if (sources.isApplication(idOf(app))) previews.set(idOf(app), { app: pairOf(app), objects });
    },
    drifted(app, objects) {
      const id = idOf(app);
      if (!sources.isApplication(id)) return;
      const before = drifts.get(id);
      const since = before !== undefined && before.objects > 0 ? before.since : sources.now();
      drifts.set(id, { app: before?.app ?? pairOf(app), objects, since });
    },
    healed(app, objects) {
      count(recorded.healed, pairOf(app), objects);
    },
    queued(queue) {
      if (queue === applicationQueue) count(recorded.queueAdds, { name: argoQueue });
    },
    began(queue, waitedMs) {
      observe(recorded.queueWait, { queue }, waitedMs);
      if (queue === applicationQueue) observe(recorded.queueSeconds, { name: argoQueue }, waitedMs);
    },
    ended(queue, durationMs) {
      if (queue === applicationQueue) observe(recorded.workSeconds, { name: argoQueue }, durationMs);
    },
    rendered({ sourceType, cached, durationMs }) {
      count(recorded.renders, { source_type: sourceType, cached: String(cached) });
      observe(recorded.renderSeconds, { source_type: sourceType }, durationMs);
    },
    gitAsked({ repository, kind, durationMs, failed }) {
      const repo = repositoryLabel(repository);
      count(recorded.gitRequests, { repo, request_type: kind });
      observe(recorded.gitSeconds, { repo, request_type: kind }, durationMs);
      if (failed) count(kind === 'fetch' ? recorded.gitFetchFailures : recorded.gitListFailures, { repo });
    },
    kubeAsked({ server, verb, status, durationMs, object }) {
      const code = status === undefined ? '<error>' : String(status);
      // Watches and the like go on long after the pass that began them.
      const pass = object && passes.getStore();
      count(recorded.kubeRequests, { server, verb, code });
      if (durationMs !== undefined) observe(recorded.kubeSeconds, { server, verb }, durationMs, pass?.traceId);
      if (object === undefined || pass === undefined) return;
      count(recorded.appRequests, {
        namespace: pass.namespace,
        name: pass.name,
        project: pass.project,
        server,
        response_code: code,
        verb,
        resource_kind: object.plural,
        resource_namespace: object.namespace,
        dry_run: String(pass.dryRun),
      });
    },
    watched({ server, events, durationMs }) {
      observe(recorded.batchSeconds, { server }, durationMs);
      set(recorded.batchEvents, { server }, events);
    },
    pushed(repository) {
      count(recorded.webhooks, { repo: repository === undefined ? '' : repositoryLabel(repository) });
    },
    webhookRefused({ host, reason }) {
      count(recorded.webhooksRefused, { host, reason });
    },
    crashed() {
      count(recorded.crashes, {});
    },
  };
}

type NamePair = ReturnType<typeof pairOf>;

function pairOf({ namespace, name }: AppFacts): { readonly namespace: string; readonly name: string } {
  return { namespace, name };
}

function labelsOf({ namespace, name, project, server }: AppFacts): LabelsOf<typeof recorded.degraded> {
  return { namespace, name, project, dest_server: server };
}

function idOf({ namespace, name }: AppFacts): string {
  return `${namespace}/${name}`;
}
