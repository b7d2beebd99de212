import type { Clock } from '../src/world/clock.ts';
import type { Span, SpanAttributes, Tracer } from '../src/world/tracer.ts';

/** A span as it was told. */
export interface RecordedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: RecordedSpan | undefined;
  readonly name: string;
  readonly startMs: number;
  /** undefined while it is open. */
  endMs: number | undefined;
  failure: string | undefined;
  attributes: SpanAttributes;
  readonly events: string[];
}

/** A tracer that remembers everything. */
export interface SimTracer extends Tracer {
  readonly spans: readonly RecordedSpan[];
  /** What is wrong with the traces, once everything that they are about is over. */
  problems(): string[];
}

export function createSimTracer(clock: Pick<Clock, 'now'>): SimTracer {
  const spans: RecordedSpan[] = [];
  let ids = 0;
  const newId = (digits: number): string => (++ids).toString(16).padStart(digits, '0');

  const begin = (span: Omit<RecordedSpan, 'spanId' | 'endMs' | 'failure' | 'events'>): Span => {
    const recorded: RecordedSpan = { ...span, spanId: newId(16), endMs: undefined, failure: undefined, events: [] };
    const { traceId, spanId } = recorded;
    spans.push(recorded);
    return {
      traceId,
      spanId,
      traceparent: `00-${traceId}-${spanId}-01`,
      child: (name, attributes = {}, startMs = clock.now()) =>
        begin({ traceId, parent: recorded, name, startMs, attributes }),
      set(more) {
        recorded.attributes = { ...recorded.attributes, ...more };
      },
      event: (name) => void recorded.events.push(name),
      end(failure, endMs = clock.now()) {
        if (recorded.endMs !== undefined) return;
        recorded.endMs = endMs;
        recorded.failure = failure;
      },
    };
  };

  return {
    records: true,
    newTraceId: () => newId(32),
    now: clock.now,
    root: (name, { attributes = {}, startMs = clock.now(), traceId = newId(32) } = {}) =>
      begin({ traceId, parent: undefined, name, startMs, attributes }),
    spans,
    problems: () => spans.flatMap(problemsOf),
  };
}

/** Every part of a trace is over, and lies inside of what it is a part of. */
function problemsOf({ name, traceId, parent, startMs, endMs }: RecordedSpan): string[] {
  const title = `${name} of trace ${traceId}`;
  if (endMs === undefined) return [`${title} has no end`];
  if (endMs < startMs) return [`${title} ends before it begins`];
  if (parent?.endMs === undefined) return [];
  if (startMs < parent.startMs) return [`${title} begins before ${parent.name}`];
  return endMs > parent.endMs ? [`${title} ends after ${parent.name}`] : [];
}
