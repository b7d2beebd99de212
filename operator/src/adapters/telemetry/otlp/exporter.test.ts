import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from '../../../../sim/clock.ts';
import { createExporter, type Exporter, type SpanCounts } from './exporter.ts';
import type { Reply } from './sender.ts';

const taken: Reply = { kind: 'taken', rejected: 0, message: '' };

interface Bench {
  readonly clock: ReturnType<typeof createClock>;
  readonly exporter: Exporter;
  /** When each request was made, and how many spans were in it. */
  readonly requests: { readonly at: number; readonly spans: number }[];
  counts(): Readonly<SpanCounts>;
  readonly lines: string[];
}

/** An exporter of spans of 100 bytes that begin with 0xee, to a receiver that answers as it is told. */
function bench(reply: (request: number) => Reply | Promise<Reply>, bytesWaiting = 1_000_000): Bench {
  const clock = createClock(0);
  const requests: Bench['requests'] = [];
  const lines: string[] = [];
  const say = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const exporter = createExporter({
    sender: {
      async send(request) {
        const spans = request.filter((byte) => byte === 0xee).length;
        requests.push({ at: clock.now(), spans });
        return reply(requests.length);
      },
      close: () => {},
    },
    address: 'collector:4317',
    resource: { attributes: {}, scope: { name: 'mooring', version: '1' } },
    clock,
    log: { debug: say, info: say, warn: say, error: say },
    bytesWaiting,
  });
  return { clock, exporter, requests, counts: exporter.counts, lines };
}

function addSpans(exporter: Exporter, count: number): void {
  for (let index = 0; index < count; index += 1) exporter.add(Uint8Array.of(0xee, ...new Uint8Array(99)));
}

test('spans go together, a second after the first of them', async () => {
  const { clock, exporter, requests, counts, lines } = bench(() => taken);
  addSpans(exporter, 2);
  await clock.passUntil(500);
  addSpans(exporter, 1);
  await clock.passUntil(60_000);
  assert.deepEqual(requests, [{ at: 1_000, spans: 3 }]);
  assert.deepEqual([counts(), lines], [{ sent: 3, failed: 0, dropped: 0 }, []]);
});

test('many spans go at once, in requests of a bounded size', async () => {
  const { clock, exporter, requests } = bench(() => taken);
  addSpans(exporter, 1_300);
  await clock.passUntil(0);
  assert.deepEqual(
    requests.map(({ spans }) => spans),
    [512, 512, 276],
  );
});

test('a receiver that is down is asked later and later, told of once, and gets what waited', async () => {
  const { clock, exporter, requests, counts, lines } = bench((request) =>
    request < 8 ? { kind: 'later', reason: 'connect ECONNREFUSED' } : taken,
  );
  addSpans(exporter, 10);
  await clock.passUntil(5_000);
  addSpans(exporter, 10);
  await clock.passUntil(300_000);
  assert.deepEqual(
    requests.map(({ at }) => at / 1_000),
    [1, 2, 4, 8, 16, 32, 62, 92],
  );
  assert.deepEqual(counts(), { sent: 20, failed: 0, dropped: 0 });
  assert.deepEqual(lines, [
    'traces are not taken by the receiver of --otlp-address {"receiver":"collector:4317","error":"connect ECONNREFUSED"}',
    'traces are taken again {"receiver":"collector:4317"}',
  ]);
});

test('a receiver that says when to come back is believed, within half a minute', async () => {
  const replies: Reply[] = [
    { kind: 'later', reason: 'HTTP 429', afterMs: 7_000 },
    { kind: 'later', reason: 'HTTP 429', afterMs: 3_600_000 },
  ];
  const { clock, exporter, requests } = bench(() => replies.shift() ?? taken);
  addSpans(exporter, 1);
  await clock.passUntil(100_000);
  assert.deepEqual(
    requests.map(({ at }) => at),
    [1_000, 8_000, 38_000],
  );
});

test('beyond the bound the oldest spans are dropped, and counted', async () => {
  const { clock, exporter, requests, counts } = bench(
    (request) => (request === 1 ? { kind: 'later', reason: 'down' } : taken),
    1_000,
  );
  addSpans(exporter, 8);
  await clock.passUntil(1_000);
  addSpans(exporter, 7);
  assert.deepEqual(counts(), { sent: 0, failed: 0, dropped: 5 });
  await clock.passUntil(10_000);
  assert.deepEqual(requests.at(-1)?.spans, 10);
  assert.deepEqual(counts(), { sent: 10, failed: 0, dropped: 5 });
});

test('what is refused is not sent again, and told of once in ten minutes', async () => {
  const { clock, exporter, requests, counts, lines } = bench((request) =>
    request % 2 === 0 ? { kind: 'refused', reason: 'gRPC status 16' } : { kind: 'taken', rejected: 1, message: 'old' },
  );
  for (let round = 1; round <= 4; round += 1) {
    addSpans(exporter, 3);
    await clock.passUntil(round * 2_000);
  }
  assert.equal(requests.length, 4);
  assert.deepEqual(counts(), { sent: 4, failed: 8, dropped: 0 });
  assert.equal(lines.length, 1, lines.join('\n'));
  await clock.passUntil(700_000);
  addSpans(exporter, 3);
  await clock.passUntil(800_000);
  assert.equal(lines.length, 2);
});

test('closing sends what waits, and waits no longer than it may', async () => {
  const quick = bench(() => taken);
  addSpans(quick.exporter, 3);
  await quick.exporter.close(1_000);
  assert.deepEqual(quick.counts(), { sent: 3, failed: 0, dropped: 0 });
  addSpans(quick.exporter, 1);
  assert.equal(quick.counts().dropped, 1);

  let answer = (_: Reply): void => {};
  const slow = bench(() => new Promise((resolve) => (answer = resolve)));
  addSpans(slow.exporter, 600);
  const closed = slow.exporter.close(1_000);
  await slow.clock.passUntil(999);
  assert.equal(slow.requests.length, 1);
  await slow.clock.passUntil(1_000);
  answer({ kind: 'later', reason: 'closed' });
  await closed;
  assert.deepEqual(slow.counts(), { sent: 0, failed: 0, dropped: 600 });
});
