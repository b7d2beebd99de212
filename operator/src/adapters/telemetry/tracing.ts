import type { Clock } from '../../world/clock.ts';
import type { Span, SpanAttributes, Tracer, TraceStart } from '../../world/tracer.ts';
import { encodeSpan } from './otlp/encode.ts';
import { createExporter, type Exporter, type ExporterOptions } from './otlp/exporter.ts';
import { grpcSender } from './otlp/grpc-sender.ts';
import { httpSender } from './otlp/http-sender.ts';
import { formatTraceparent, isSampled, newSpanId, type RemoteSpan, readTraceparent, xrayTraceId } from './otlp/ids.ts';
import type { TracingSettings } from './otlp/settings.ts';
import { randomTraceId, silentSpan } from './untraced.ts';

/** A tracer whose spans go to a receiver. */
export interface Tracing extends Tracer, Pick<Exporter, 'counts'> {
  /** Sends what is over, for at most a second, and nothing after. */
  close(): Promise<void>;
}

/** What tracing needs besides its settings. */
export interface TracingContext extends Pick<ExporterOptions, 'log' | 'bytesWaiting'> {
  readonly clock: Clock;
  /** Who records: `service.name` and the like. `--otlp-attrs` goes before it. */
  readonly resource: SpanAttributes;
  readonly version: string;
}

/** Nobody waits longer for traces when the operator stops. */
const closeMs = 1_000;

/** Records traces, and sends them by OTLP in the background. */
export function createTracing(settings: TracingSettings, context: TracingContext): Tracing {
  const { clock, resource, version } = context;
  const exporter = createExporter({
    ...context,
    sender: settings.protocol === 'grpc' ? grpcSender(settings) : httpSender(settings),
    address: settings.protocol === 'grpc' ? settings.url.host : settings.url.href,
    resource: {
      attributes: { ...resource, ...settings.attributes },
      scope: { name: 'mooring', version },
    },
  });
  const newTraceId = settings.ids === 'xray' ? () => xrayTraceId(clock.now()) : randomTraceId;

  const now = preciseTime();

  return {
    records: true,
    newTraceId,
    now,
    root(name, start = {}) {
      const { parent } = start;
      const remote = parent && readTraceparent(parent.traceparent, parent.tracestate);
      const traceId = remote?.traceId ?? start.traceId ?? newTraceId();
      const isRecorded = remote?.isSampled ?? isSampled(traceId, settings.sampleRatio);
      if (!isRecorded) return silentSpan(traceId);
      return recordedSpan(name, start, { traceId, remote, now, end: exporter.add });
    },
    counts: exporter.counts,
    close: () => exporter.close(closeMs),
  };
}

/** What the spans of one trace share. */
interface Trace {
  readonly traceId: string;
  readonly remote: RemoteSpan | undefined;
  /** Milliseconds since 1970, with their fractions. */
  now(): number;
  end(span: Uint8Array): void;
}

function recordedSpan(
  name: string,
  { attributes = {}, startMs }: Pick<TraceStart, 'attributes' | 'startMs'>,
  trace: Trace,
  parentId?: string,
): Span {
  const { traceId, remote } = trace;
  const spanId = newSpanId();
  const start = startMs ?? trace.now();
  const events: { name: string; atMs: number; attributes: SpanAttributes }[] = [];
  let known: SpanAttributes = attributes;
  let isOver = false;
  return {
    traceId,
    spanId,
    traceparent: formatTraceparent(traceId, spanId),
    child: (part, of = {}, from) =>
      recordedSpan(part, { attributes: of, ...(from !== undefined && { startMs: from }) }, trace, spanId),
    set(more) {
      known = { ...known, ...more };
    },
    event(what, of = {}) {
      events.push({ name: what, atMs: trace.now(), attributes: of });
    },
    end(failure, endMs) {
      if (isOver) return;
      isOver = true;
      trace.end(
        encodeSpan({
          traceId,
          spanId,
          parentId: parentId ?? remote?.spanId,
          isParentRemote: parentId === undefined && remote !== undefined,
          state: remote?.state,
          name,
          startMs: start,
          endMs: endMs ?? trace.now(),
          attributes: known,
          events,
          failure,
        }),
      );
    },
  };
}

/** Milliseconds that the machine's clock and the measured time may be apart before the first is believed. */
const apartMs = 50;

/** The machine's time with its fractions, measured on from when the clock was set last: only that turns spans around. */
function preciseTime(): () => number {
  let since = performance.timeOrigin;
  return () => {
    const now = since + performance.now();
    const clock = Date.now();
    if (Math.abs(clock - now) < apartMs) return now;
    since += clock - now;
    return clock;
  };
}
