import { messageOf } from '../model/fault.ts';
import type { Clock } from './clock.ts';
import type { Tracer } from './tracer.ts';

/** Fields of a log line; never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** An Application, as metrics tell them apart. */
export interface AppFacts {
  readonly namespace: string;
  readonly name: string;
  readonly project: string;
  /** Address of its destination; `''` where that is not known. */
  readonly server: string;
}

/** How long something took, and the trace that it belongs to, where one is recorded. */
export interface Timed {
  readonly durationMs: number;
  readonly traceId?: string | undefined;
}

/** A pass over an Application that is under way. */
export interface PassFacts extends AppFacts {
  /** Whether it is, or is about to be, a rehearsal. */
  readonly dryRun: boolean;
  readonly traceId?: string | undefined;
}

/** What is measured of a pass; in ARCHITECTURE.md these steps are explained. `sync` is everything from the plan to the last write, publishing on the way included. */
export type Step = 'resolve' | 'render' | 'observe' | 'diff' | 'sync' | 'publish';

/** An operation that was to bring a whole Application to another revision. */
export interface DeploymentFacts extends AppFacts {
  readonly result: 'succeeded' | 'failed';
  /** Milliseconds from the committer date to the end of the sync; undefined where the revision is not new here. */
  readonly sinceCommitMs?: number | undefined;
  /** The same from when a webhook, poll or pass saw the commit; undefined also where a person chose the time. */
  readonly sinceSeenMs?: number | undefined;
  readonly traceId?: string | undefined;
}

/** One render. */
export interface RenderFacts {
  readonly sourceType: string;
  /** Whether the manifests were remembered. */
  readonly cached: boolean;
  readonly durationMs: number;
}

/** One request to a Git repository. */
export interface GitRequestFacts {
  /** As Applications name it, or another form of that address. */
  readonly repository: string;
  readonly kind: 'ls-remote' | 'fetch';
  readonly durationMs: number;
  readonly failed: boolean;
}

/** One request to an API server. */
export interface KubeRequestFacts {
  /** Address of the cluster, as destinations name it. */
  readonly server: string;
  readonly verb: 'Get' | 'List' | 'Watch' | 'Create' | 'Update' | 'Patch' | 'Delete';
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** undefined for a watch: how long it is open says nothing. */
  readonly durationMs: number | undefined;
  /** The kind, by its plural name, and the namespace, where the request is about one object of a destination. */
  readonly object?: { readonly plural: string; readonly namespace: string } | undefined;
}

/** A cluster that some Application has needed. */
export interface ClusterFacts {
  readonly server: string;
  readonly name: string;
  /** Labels of its Secret. */
  readonly labels: Readonly<Record<string, string>>;
  /** Such as `1.37.2`; empty while it was never reached. */
  readonly version: string;
  /** Whether the view is complete and follows the cluster. */
  readonly isFollowed: boolean;
  /** Kinds that are watched. */
  readonly kinds: number;
  /** Objects in view. */
  readonly objects: number;
  /** When the whole cluster was read, in milliseconds since 1970; undefined where it is not in view. */
  readonly readAt: number | undefined;
  /** Watch events since then, by kind. */
  readonly events: readonly { readonly group: string; readonly kind: string; readonly count: number }[];
}

export interface QueueFacts {
  /** What is worked on: `Application` or `Repository`. */
  readonly queue: string;
  /** Runs that are due and have not begun. */
  readonly due: number;
  readonly running: number;
}

export interface CacheFacts {
  readonly cache: string;
  readonly bytes: number;
  readonly entries: number;
}

/** A delivery of a Git host that was not taken. Both are out of small sets. */
export interface WebhookRefusal {
  /** Name of the host; `unknown` where the headers tell of none. */
  readonly host: string;
  /** `no-secret`: there are webhook secrets, and none for this host. `payload`: it names no repository. */
  readonly reason: 'unknown-host' | 'no-secret' | 'wrong-secret' | 'payload';
}

/** Measurements, named for what happened and not for how they are stored. */
export interface Metrics {
  /** A pass over an Application ended as it should. */
  reconciled(facts: AppFacts & Timed): void;
  /** Requests about objects of a destination that are made while `run` is under way are this Application's. */
  during<T>(pass: PassFacts, run: () => Promise<T>): Promise<T>;
  stepped(facts: Timed & { readonly step: Step }): void;
  /** A sync operation reached a final phase. */
  synced(facts: AppFacts & Timed & { readonly phase: string; readonly dryRun: boolean }): void;
  deployed(facts: DeploymentFacts): void;
  /** An Application became Degraded, for the first time or after it was Healthy. */
  degraded(app: AppFacts): void;
  /** It is Healthy again. */
  restored(facts: AppFacts & Timed): void;
  /** Objects of one Application that differ from Git though nobody changed Git. */
  drifted(app: AppFacts, objects: number): void;
  healed(app: AppFacts, objects: number): void;
  /** Objects that a sync would change, where nothing is written. */
  previewed(app: AppFacts, objects: Readonly<Record<'create' | 'update' | 'prune', number>>): void;
  /** A run of a queue's work was asked for. */
  queued(queue: string): void;
  /** It began, so long after it was due. */
  began(queue: string, waitedMs: number): void;
  ended(queue: string, durationMs: number): void;
  rendered(facts: RenderFacts): void;
  gitAsked(facts: GitRequestFacts): void;
  kubeAsked(facts: KubeRequestFacts): void;
  /** Watch events that came at one time were taken in. */
  watched(facts: { readonly server: string; readonly events: number; readonly durationMs: number }): void;
  /** A webhook told of a push to this repository; undefined where no Application uses it. */
  pushed(repository: string | undefined): void;
  webhookRefused(refusal: WebhookRefusal): void;
  /** A bug: an error that is no `Fault` ended a reconcile. */
  crashed(): void;
}

const nothing = (): void => {};

/** For a World whose measurements nobody reads. */
export const noMetrics: Metrics = {
  reconciled: nothing,
  during: (_, run) => run(),
  stepped: nothing,
  synced: nothing,
  deployed: nothing,
  degraded: nothing,
  restored: nothing,
  drifted: nothing,
  healed: nothing,
  previewed: nothing,
  queued: nothing,
  began: nothing,
  ended: nothing,
  rendered: nothing,
  gitAsked: nothing,
  kubeAsked: nothing,
  watched: nothing,
  pushed: nothing,
  webhookRefused: nothing,
  crashed: nothing,
};

export interface Telemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** The trace that is recorded of what is being done, as 32 hex digits; undefined where none is. */
  readonly traceId?: string | undefined;
  /** Told that a step begins; what it answers is told that it is over, with what went wrong. Undefined where no pass is recorded. */
  readonly beginStep?: ((step: Step) => (failure?: string) => void) | undefined;
}

/**
 * Makes one step of a pass and measures it, however it ends. What else is to be known of steps is put in here, so that the main line only says
 * which step it is.
 */
export async function step<T>(
  world: { readonly clock: Clock; readonly telemetry: Telemetry },
  name: Step,
  run: () => T | Promise<T>,
): Promise<T> {
  const { clock, telemetry } = world;
  const startedAt = clock.now();
  const end = telemetry.beginStep?.(name);
  let failure: string | undefined;
  try {
    return await run();
  } catch (thrown) {
    failure = messageOf(thrown);
    throw thrown;
  } finally {
    end?.(failure);
    telemetry.metrics.stepped({ step: name, durationMs: clock.now() - startedAt, traceId: telemetry.traceId });
  }
}
