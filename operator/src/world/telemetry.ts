import type { Clock } from './clock.ts';

/** Fields of a log line; never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** What a reconcile of one Application tells the metrics. */
export interface ReconcileFacts {
  readonly namespace: string;
  readonly name: string;
  readonly project: string;
  readonly server: string;
  readonly durationMs: number;
}

/** What is measured of a pass; in ARCHITECTURE.md these steps are explained. `sync` is everything from the plan to the last write, publishing on the way included. */
export type Step = 'resolve' | 'render' | 'observe' | 'diff' | 'sync' | 'publish';

/** One step that was made, however it ended. */
export interface StepFacts {
  readonly step: Step;
  readonly durationMs: number;
  /** The trace that it belongs to, where one is recorded. */
  readonly traceId?: string | undefined;
}

/** Measurements, named for what happened and not for how they are stored. */
export interface Metrics {
  reconciled(facts: ReconcileFacts): void;
  stepped(facts: StepFacts): void;
  /** A sync operation reached a final phase. */
  synced(facts: ReconcileFacts & { readonly phase: string; readonly dryRun: boolean }): void;
  /** Objects of one Application that differ from Git though nobody changed Git. */
  drifted(app: { readonly namespace: string; readonly name: string }, objects: number): void;
  healed(app: { readonly namespace: string; readonly name: string }, objects: number): void;
  rendered(sourceType: string, fromCache: boolean, durationMs: number): void;
  /** A bug: an error that is no `Fault` ended a reconcile. */
  crashed(): void;
  /** Drops what is kept of an Application that is gone. */
  forget(app: { readonly namespace: string; readonly name: string }): void;
}

export interface Telemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  /** The trace that is recorded of what is being done, as 32 hex digits; undefined where none is. */
  readonly traceId?: string | undefined;
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
  try {
    return await run();
  } finally {
    telemetry.metrics.stepped({ step: name, durationMs: clock.now() - startedAt, traceId: telemetry.traceId });
  }
}
