import type { Application } from '@mooring/crds';
import type { MetricsChoice } from '../../world/store.ts';
import type { CacheFacts, ClusterFacts, QueueFacts } from '../../world/telemetry.ts';

/** What metrics are about, and what they ask for when they are scraped. */
export interface MetricsSources {
  readonly version: string;
  /** Milliseconds since 1970. */
  now(): number;
  applications(): readonly Application[];
  /** Whether there is an Application `namespace/name`. */
  isApplication(id: string): boolean;
  /** Address of an Application's destination; `''` where that is not known. */
  serverOf(app: Application): string;
  /** Whether the address is that of a cluster that can be a destination. */
  isCluster(server: string): boolean;
  clusters(): readonly ClusterFacts[];
  queues(): readonly QueueFacts[];
  caches(): readonly CacheFacts[];
  /** Kubernetes Events since the process started, by what became of them. */
  events(): Readonly<Record<'sent' | 'dropped' | 'failed', number>>;
  /** Spans since then, by what became of them; undefined where nothing is traced. */
  spans(): Readonly<Record<'sent' | 'failed' | 'dropped', number>> | undefined;
  isLeader(): boolean;
  /** Whether nothing is ever written; then Applications are told of by every replica. */
  isReadOnly(): boolean;
  isReady(): boolean;
  choice(): MetricsChoice;
}

/** Nothing is there yet, and everything may be. */
export const emptySources: MetricsSources = {
  version: '',
  now: () => Date.now(),
  applications: () => [],
  isApplication: () => true,
  serverOf: ({ spec }) => spec.destination.server ?? '',
  isCluster: () => true,
  clusters: () => [],
  queues: () => [],
  caches: () => [],
  events: () => ({ sent: 0, dropped: 0, failed: 0 }),
  spans: () => undefined,
  isLeader: () => true,
  isReadOnly: () => false,
  isReady: () => false,
  choice: () => ({}),
};
