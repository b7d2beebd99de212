import type { Application } from '@mooring/crds';
import { maskAddress } from '../../model/mask.ts';
import { addressKey } from '../../model/repository-url.ts';
import type { ClusterFacts } from '../../world/telemetry.ts';
import { collected } from './definitions.ts';
import type { Family, Labels, Sample } from './exposition.ts';
import type { MetricsSources } from './sources.ts';

/** Labels of what is told of one Application and no more. They are kept as long as the Application, so that their text is made once. */
export interface NameLabels {
  readonly [label: string]: string;
  readonly namespace: string;
  readonly name: string;
}

/** What is remembered of Applications between two scrapes, by `namespace/name`. */
export interface Remembered {
  /** `since` when there is drift, in milliseconds since 1970. */
  readonly drifts: ReadonlyMap<string, { readonly app: NameLabels; readonly objects: number; readonly since: number }>;
  readonly previews: ReadonlyMap<
    string,
    { readonly app: NameLabels; readonly objects: Readonly<Record<string, number>> }
  >;
  readonly deliveries: ReadonlyMap<string, { readonly app: NameLabels; readonly seconds: number }>;
}

/** Argo CD's name for the queue of Applications. */
export const argoQueue = 'app_reconciliation_queue';
export const applicationQueue = 'Application';

type Key = keyof typeof collected;

/** Everything that is asked for when it is scraped; what is about Applications and clusters only while this replica leads, or where none ever does. */
export function collect(sources: MetricsSources, remembered: Remembered): Family[] {
  const isTold = sources.isLeader() || sources.isReadOnly();
  return (Object.keys(collected) as Key[])
    .filter((key) => isTold || !('leader' in collected[key]))
    .map((key) => ({ ...collected[key], values: [...gather[key](sources, remembered)] }));
}

const gather: Readonly<Record<Key, (sources: MetricsSources, remembered: Remembered) => Iterable<Sample>>> = {
  argocdInfo: ({ version }) => [sample({ version }, 1)],
  info: ({ version }) => [sample({ version }, 1)],
  leader: ({ isLeader }) => [sample({}, Number(isLeader()))],
  readOnly: ({ isReadOnly }) => [sample({}, Number(isReadOnly()))],
  ready: ({ isReady }) => [sample({}, Number(isReady()))],
  appInfo: ({ applications, serverOf }) => applications().map((app) => sample(infoOf(app, serverOf(app)), 1)),
  appLabels: ({ applications, choice }) => {
    const { applicationLabels: chosen } = choice();
    if (chosen === undefined) return [];
    return applications().map((app) => sample({ ...identityOf(app), ...labelled(app.metadata.labels, chosen) }, 1));
  },
  appCondition: ({ applications, choice }) => {
    const { applicationConditions: chosen } = choice();
    return applications().flatMap((app) => conditionsOf(app, chosen));
  },
  driftObjects: (_, { drifts }) => [...drifts.values()].map(({ app, objects }) => sample(app, objects)),
  driftAge: ({ now }, { drifts }) =>
    [...drifts.values()].map(({ app, objects, since }) => sample(app, objects === 0 ? 0 : secondsOf(now() - since))),
  previewObjects: (_, { previews }) =>
    [...previews.values()].flatMap(({ app, objects }) =>
      Object.entries(objects).map(([action, count]) => sample({ ...app, action }, count)),
    ),
  operationAge: ({ applications, now }) =>
    applications().map((app) => {
      const { metadata, status } = app;
      const { phase, startedAt } = status?.operationState ?? {};
      const isUnderWay = phase === 'Running' || phase === 'Terminating';
      const labels = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
      return sample(labels, isUnderWay ? Math.floor(secondsOf(now() - Date.parse(startedAt ?? ''))) : 0);
    }),
  lastCommitToSynced: (_, { deliveries }) => [...deliveries.values()].map(({ app, seconds }) => sample(app, seconds)),
  clusterInfo: ofClusters(({ server, version, name }) => sample({ server, k8s_version: version, name }, 1)),
  clusterKinds: ofClusters(({ server, kinds }) => sample({ server }, kinds)),
  clusterObjects: ofClusters(({ server, objects }) => sample({ server }, objects)),
  objects: ofClusters(({ server, objects }) => sample({ server }, objects)),
  clusterAge: ofClusters(({ server, readAt }, { now }) =>
    sample({ server }, readAt === undefined ? -1 : Math.floor(secondsOf(now() - readAt))),
  ),
  clusterConnection: ofClusters(({ server, version, isFollowed }) =>
    sample({ server, k8s_version: version }, Number(isFollowed)),
  ),
  clusterEvents: ({ clusters }) =>
    clusters().flatMap(({ server, events }) =>
      events.map(({ group, kind, count }) => sample({ server, group, kind }, count)),
    ),
  clusterLabels: ({ clusters, choice }) => {
    const { clusterLabels: chosen } = choice();
    if (chosen === undefined) return [];
    return clusters().map(({ server, name, labels }) => sample({ server, name, ...labelled(labels, chosen) }, 1));
  },
  queueDepth: ({ queues }) => queues().map(({ queue, due }) => sample({ queue }, due)),
  running: ({ queues }) => queues().map(({ queue, running }) => sample({ queue }, running)),
  workqueueDepth: ({ queues }) =>
    queues()
      .filter(({ queue }) => queue === applicationQueue)
      .map(({ due }) => sample({ name: argoQueue }, due)),
  cacheBytes: ({ caches }) => caches().map(({ cache, bytes }) => sample({ cache }, bytes)),
  cacheEntries: ({ caches }) => caches().map(({ cache, entries }) => sample({ cache }, entries)),
  events: ({ events }) => Object.entries(events()).map(([result, count]) => sample({ result }, count)),
  spans: ({ spans }) => Object.entries(spans() ?? {}).map(([result, count]) => sample({ result }, count)),
};

function sample(labels: Labels, value: number): Sample {
  return { labels, value };
}

function ofClusters(
  sampleOf: (cluster: ClusterFacts, sources: MetricsSources) => Sample,
): (sources: MetricsSources) => Sample[] {
  return (sources) => sources.clusters().map((cluster) => sampleOf(cluster, sources));
}

function conditionsOf(app: Application, chosen: readonly string[] | undefined): Sample[] {
  const counts = new Map<string, number>();
  for (const { type } of app.status?.conditions ?? []) {
    if (chosen === undefined || chosen.includes(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts].map(([condition, count]) => sample({ ...identityOf(app), condition }, count));
}

/** Labels of Kubernetes as those of Prometheus, by Argo CD's rule (util/metrics): `team-name` as `label_team_name`. */
function labelled(
  labels: Readonly<Record<string, string>> | undefined,
  chosen: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    chosen.map((name) => [`label_${name.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`, labels?.[name] ?? '']),
  );
}

/** The labels of an Application's series until it changes, so that their text is made once. */
const infos = new WeakMap<Application, { readonly server: string; readonly labels: Labels }>();

function infoOf(app: Application, server: string): Labels {
  const known = infos.get(app);
  if (known?.server === server) return known.labels;
  const { metadata, spec, status } = app;
  const automated = spec.syncPolicy?.automated;
  const labels = {
    ...identityOf(app),
    autosync_enabled: String(automated !== undefined && automated.enabled !== false),
    repo: repositoryLabel((spec.source ?? spec.sources?.[0])?.repoURL ?? ''),
    dest_server: server,
    dest_namespace: spec.destination.namespace ?? '',
    sync_status: status?.sync?.status ?? 'Unknown',
    health_status: status?.health?.status ?? 'Unknown',
    operation: metadata.deletionTimestamp !== undefined ? 'delete' : app.operation?.sync === undefined ? '' : 'sync',
  };
  infos.set(app, { server, labels });
  return labels;
}

function identityOf({ metadata, spec }: Application): { namespace: string; name: string; project: string } {
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    project: spec.project || 'default',
  };
}

const repositories = new WeakMap<Application, readonly string[]>();

/** The repositories that an Application names, each as the label `repo` has it. */
export function repositoriesOf(app: Application): readonly string[] {
  const known = repositories.get(app);
  if (known !== undefined) return known;
  const sources = [app.spec.source, ...(app.spec.sources ?? [])];
  const made = sources.flatMap((source) => (source?.repoURL ? [repositoryLabel(source.repoURL)] : []));
  repositories.set(app, made);
  return made;
}

/** An address as Argo CD's labels have it, and without what is secret in it. */
export function repositoryLabel(address: string): string {
  return addressKey(address) ?? maskAddress(address).slice(0, 200).toLowerCase();
}

export function secondsOf(ms: number): number {
  // A clock that was set back took no time.
  return Math.max(0, ms) / 1_000;
}
