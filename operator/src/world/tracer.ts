/** What is known of a span; what is `undefined` is left out. Named as Argo CD's spans name it (`argocd.app.name`), else `mooring.…`. Never a secret. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A piece of work as a part of a trace. What is told after its end is not heard. */
export interface Span {
  /** 32 hex digits. Every trace has one, recorded or not: log lines carry it. */
  readonly traceId: string;
  /** 16 hex digits; undefined where nothing is recorded, so that nobody need find out what to tell. */
  readonly spanId: string | undefined;
  /** Header of requests that are made for this span (W3C Trace Context); undefined where nothing is recorded. */
  readonly traceparent: string | undefined;
  /** Begins a part of it; `startMs` (milliseconds since 1970) is for what has begun already. */
  child(name: string, attributes?: SpanAttributes, startMs?: number): Span;
  set(attributes: SpanAttributes): void;
  /** Notes that something happened in it just now. */
  event(name: string, attributes?: SpanAttributes): void;
  /** It is over; `failure` says what went wrong, `endMs` (milliseconds since 1970) is for what has been over for a while. */
  end(failure?: string, endMs?: number): void;
}

/** The headers `traceparent` and `tracestate` of somebody else's request, as they came. */
export interface TraceParent {
  readonly traceparent: string;
  readonly tracestate?: string;
}

export interface TraceStart {
  readonly attributes?: SpanAttributes;
  /** Milliseconds since 1970; default: now. */
  readonly startMs?: number;
  /** From `newTraceId`; default: a new one. A parent has its own. */
  readonly traceId?: string;
  /** The trace that this one is a part of; one that is no W3C Trace Context is passed over. */
  readonly parent?: TraceParent;
}

/** Begins traces. Never throws and never blocks: what cannot be recorded is counted. */
export interface Tracer {
  /** Whether any trace is recorded; where none is, nobody need measure. */
  readonly records: boolean;
  newTraceId(): string;
  /** Milliseconds since 1970, with their fractions: the time by which spans are measured. */
  now(): number;
  /** Begins a trace with its first span. One that is never ended is not recorded. */
  root(name: string, start?: TraceStart): Span;
}
