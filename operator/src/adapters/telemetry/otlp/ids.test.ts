import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSampled, readTraceparent, xrayTraceId } from './ids.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

test('a traceparent is read as W3C Trace Context says', () => {
  const read = readTraceparent(`00-${traceId}-${spanId}-01`, 'vendor=value');
  assert.deepEqual(read, { traceId, spanId, isSampled: true, state: 'vendor=value' });
  assert.equal(readTraceparent(`00-${traceId}-${spanId}-00`, undefined)?.isSampled, false);
  // A later version may say more behind it.
  assert.equal(readTraceparent(`01-${traceId}-${spanId}-03-more`, undefined)?.isSampled, true);
});

for (const [what, header] of [
  ['nothing', ''],
  ['a version that is forbidden', `ff-${traceId}-${spanId}-01`],
  ['more than version 00 has', `00-${traceId}-${spanId}-01-more`],
  ['capital letters', `00-${traceId.toUpperCase()}-${spanId}-01`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['a short id', `00-${traceId.slice(1)}-${spanId}-01`],
] as const) {
  test(`${what} is no traceparent`, () => {
    assert.equal(readTraceparent(header, undefined), undefined);
  });
}

test('a tracestate that is too long or no text is left out', () => {
  for (const state of ['', 'a=\u0007', 'x'.repeat(513)])
    assert.equal(readTraceparent(`00-${traceId}-${spanId}-01`, state)?.state, undefined);
});

test('an id for X-Ray begins with the time', () => {
  const id = xrayTraceId(Date.parse('2026-11-26T18:00:00.999Z'));
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(Number.parseInt(id.slice(0, 8), 16), Date.parse('2026-11-26T18:00:00Z') / 1_000);
  assert.notEqual(xrayTraceId(0), xrayTraceId(0));
});

test('the share that is recorded is told by the lower half of the id', () => {
  const idOf = (half: string): string => `ffffffffffffffff${half}`;
  assert.equal(isSampled(idOf('7fffffffffffffff'), 0.5), true);
  assert.equal(isSampled(idOf('8000000000000000'), 0.5), false);
  assert.equal(isSampled(idOf('ffffffffffffffff'), 1), true);
  assert.equal(isSampled(idOf('0000000000000000'), 0), false);
});
