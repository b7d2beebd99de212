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

/** Measurements, named for what happened and not for how they are stored. */
export interface Metrics {
  reconciled(facts: ReconcileFacts): void;
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
}
