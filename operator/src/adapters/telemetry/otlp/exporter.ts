import type { Clock } from '../../../world/clock.ts';
import type { Log } from '../../../world/telemetry.ts';
import { encodeRequest, type Resource } from './encode.ts';
import type { Reply, Sender } from './sender.ts';

/** Spans by what became of them: `failed` were refused by the receiver, `dropped` because too many waited for it. */
export type SpanCounts = Record<'sent' | 'failed' | 'dropped', number>;

export interface ExporterOptions {
  readonly sender: Sender;
  /** The receiver as people know it, for the log. */
  readonly address: string;
  readonly resource: Resource;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes of encoded spans that wait at most; the oldest are dropped beyond it. */
  readonly bytesWaiting: number;
}

/** Spans on their way to a receiver. Whoever hands one over never waits. */
export interface Exporter {
  /** Takes a span as `encodeSpan` makes it. */
  add(span: Uint8Array): void;
  counts(): Readonly<SpanCounts>;
  /** Sends what waits, for at most `withinMs`, and nothing after. */
  close(withinMs: number): Promise<void>;
}

/** Milliseconds that a span waits for others to go with. */
const gatherMs = 1_000;
/** Spans, and bytes of them, in one request: gRPC's limit for a message is 4 MiB. */
const batch = { spans: 512, bytes: 1024 * 1024 };
/** First and longest wait, in milliseconds, before a request is tried again. */
const backoff = { firstMs: 1_000, lastMs: 30_000 };
/** Milliseconds between two warnings: a receiver that is down is no news. */
const warnMs = 600_000;

/** Sends spans in batches, one request at a time. There is no timer and no connection while no span waits. */
export function createExporter(options: ExporterOptions): Exporter {
  const { sender, address, resource, clock, log, bytesWaiting } = options;
  const counts: SpanCounts = { sent: 0, failed: 0, dropped: 0 };
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let failures = 0;
  let warnedAt = Number.NEGATIVE_INFINITY;
  let isSilent = false;
  let cancelTimer: (() => void) | undefined;
  let sending: Promise<void> | undefined;
  let isClosing = false;
  let isClosed = false;

  const arm = (delayMs: number): void => {
    cancelTimer?.();
    cancelTimer = clock.after(delayMs, () => {
      cancelTimer = undefined;
      start();
    });
  };

  const start = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    if (isClosed) return;
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
  };

  const take = (): Uint8Array[] => {
    let size = 0;
    let count = 0;
    for (const span of waiting) {
      if (count === batch.spans || (count > 0 && size + span.length > batch.bytes)) break;
      size += span.length;
      count += 1;
    }
    bytes -= size;
    return waiting.splice(0, count);
  };

  const sendAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const spans = take();
      const reply = await sender.send(encodeRequest(resource, spans));
      tell(reply, spans.length);
      if (reply.kind !== 'later') {
        failures = 0;
        continue;
      }
      putBack(spans);
      failures += 1;
      if (isClosing) return;
      const wait = Math.min(backoff.lastMs, reply.afterMs ?? backoff.firstMs * 2 ** Math.min(10, failures - 1));
      arm(wait);
      return;
    }
  };

  const putBack = (spans: readonly Uint8Array[]): void => {
    waiting = [...spans, ...waiting];
    bytes += spans.reduce((sum, span) => sum + span.length, 0);
    makeRoom();
  };

  const makeRoom = (): void => {
    let count = 0;
    for (; bytes > bytesWaiting && count < waiting.length; count += 1) bytes -= waiting[count]?.length ?? 0;
    if (count === 0) return;
    waiting.splice(0, count);
    counts.dropped += count;
  };

  const tell = (reply: Reply, count: number): void => {
    if (reply.kind === 'taken') {
      const refused = Math.min(count, reply.rejected);
      counts.sent += count - refused;
      if (refused > 0) {
        counts.failed += refused;
        warn(`${refused} of ${count} spans were refused: ${reply.message}`);
      } else if (isSilent) {
        isSilent = false;
        log.info({ receiver: address }, 'traces are taken again');
      }
      return;
    }
    if (reply.kind === 'refused') counts.failed += count;
    warn(reply.reason);
  };

  const warn = (reason: string): void => {
    if (isSilent && clock.now() - warnedAt < warnMs) return;
    warnedAt = clock.now();
    isSilent = true;
    log.warn({ receiver: address, error: reason }, 'traces are not taken by the receiver of --otlp-address');
  };

  return {
    add(span) {
      if (isClosing) {
        counts.dropped += 1;
        return;
      }
      waiting.push(span);
      bytes += span.length;
      makeRoom();
      if (sending !== undefined || failures > 0) return;
      if (waiting.length >= batch.spans) start();
      else if (cancelTimer === undefined) arm(gatherMs);
    },
    counts: () => counts,
    async close(withinMs) {
      isClosing = true;
      let cancel = (): void => {};
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(withinMs, resolve);
      });
      const flush = async (): Promise<void> => {
        await sending;
        start();
        await sending;
      };
      await Promise.race([flush(), late]);
      isClosed = true;
      cancel();
      cancelTimer?.();
      // What is under way ends with it, and waits again.
      sender.close();
      await sending;
      counts.dropped += waiting.length;
      waiting = [];
    },
  };
}
