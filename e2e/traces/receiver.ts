import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { buildOtlpReceiver } from '../cluster/build.ts';

/** A span as the receiver understood it, with everything that it shares with others put into it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** `''` for the first of its trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly traceState: string;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly events: readonly { readonly name: string; readonly at: bigint }[];
  /** What went wrong; undefined where nothing did. */
  readonly failure: string | undefined;
  readonly resource: Readonly<Record<string, string | number | boolean>>;
  /** Of the request that it came with; names in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** The OTLP receiver of the OpenTelemetry Collector, at work. */
export interface Receiver {
  /** Everything received so far. */
  readonly spans: readonly ReceivedSpan[];
  /** Waits until the test holds for what was received, and answers it. */
  until(what: string, test: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]>;
  stop(): Promise<void>;
}

const patienceMs = 60_000;

/** Starts a receiver with this configuration, as `receivers.otlp` of the Collector has it. It is built first where that is needed. */
export async function startReceiver(config: object): Promise<Receiver> {
  const program = await buildOtlpReceiver((line) => console.log(line));
  const child = spawn(program, [], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OTLP: JSON.stringify(config) },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const spans: ReceivedSpan[] = [];
  const waiting = new Set<() => void>();
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the OTLP receiver ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') return resolve();
      spans.push(...spansOf(JSON.parse(line) as Line));
      for (const look of waiting) look();
    });
  });
  return {
    spans,
    async until(what, test) {
      let look = (): void => {};
      let timer: NodeJS.Timeout | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          look = () => {
            if (test(spans)) resolve();
          };
          waiting.add(look);
          timer = setTimeout(() => reject(new Error(`no ${what} after ${patienceMs / 1_000} s`)), patienceMs);
          look();
        });
      } finally {
        clearTimeout(timer);
        waiting.delete(look);
      }
      return spans;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

interface Attribute {
  readonly key: string;
  readonly value: { stringValue?: string; intValue?: string; doubleValue?: number; boolValue?: boolean };
}

/** One line of the receiver: OTLP/JSON, https://opentelemetry.io/docs/specs/otlp. */
interface Line {
  readonly headers: Record<string, string[]>;
  readonly traces: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes?: readonly Attribute[] };
      readonly scopeSpans: readonly { readonly spans: readonly SpanLine[] }[];
    }[];
  };
}

interface SpanLine {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly Attribute[];
  readonly events?: readonly { readonly name: string; readonly timeUnixNano: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

function spansOf({ headers, traces }: Line): ReceivedSpan[] {
  return traces.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        traceState: span.traceState ?? '',
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        attributes: record(span.attributes),
        events: (span.events ?? []).map(({ name, timeUnixNano }) => ({ name, at: BigInt(timeUnixNano) })),
        failure: span.status?.code === 2 ? (span.status.message ?? '') : undefined,
        resource: record(resource.attributes),
        headers,
      })),
    ),
  );
}

function record(attributes: readonly Attribute[] = []): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  );
}
