import { randomBytes } from 'node:crypto';
import type { Span, Tracer } from '../../world/tracer.ts';

/** A span that goes nowhere, and whose parts are itself. */
export function silentSpan(traceId: string): Span {
  const span: Span = {
    traceId,
    spanId: undefined,
    traceparent: undefined,
    child: () => span,
    set: () => {},
    event: () => {},
    end: () => {},
  };
  return span;
}

/** What there is in the place of tracing where it is off: traces have ids, for the log, and nothing else. */
export function untraced(newTraceId: () => string = randomTraceId): Tracer {
  return {
    records: false,
    newTraceId,
    now: Date.now,
    root: (_name, { traceId = newTraceId() } = {}) => silentSpan(traceId),
  };
}

/** 32 hex digits, as W3C Trace Context wants them. */
export function randomTraceId(): string {
  return randomBytes(16).toString('hex');
}
