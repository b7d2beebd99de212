import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fieldOf, textsIn } from './payload.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('whatever else a document holds, the members are those that JSON.parse finds', async () => {
  const member = fc.oneof(fc.string(), fc.jsonValue());
  const inner = fc.dictionary(fc.constantFrom('a', 'b', 'x', 'y"\\'), member);
  const outer = fc.dictionary(fc.constantFrom('o', 'p', 'a', '{"o":'), fc.oneof(inner, fc.jsonValue()));
  await fc.assert(
    fc.asyncProperty(fc.oneof(outer, fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), async (document, indent) => {
      const text = JSON.stringify(document, undefined, indent);
      const read = JSON.parse(text) as { readonly o?: Readonly<Record<string, unknown>> } | null;
      const object = typeof read === 'object' && read !== null && !Array.isArray(read) ? read.o : undefined;
      const isObject = typeof object === 'object' && object !== null && !Array.isArray(object);
      const expected = isObject ? [object['a'], object['b']].filter((value) => typeof value === 'string') : [];
      assert.deepEqual(await textsIn(bytes(text), 'o', ['a', 'b']), expected);
    }),
    { numRuns: 2_000 },
  );
});

test('of a member that stands there twice the last text counts', async () => {
  assert.deepEqual(await textsIn(bytes('{"o":{"a":"1","a":"2","a":3},"p":{"a":"4"}}'), 'o', ['a']), ['2']);
});

test('a text that is no UTF-8, or does not end, or is too long is none', async () => {
  const broken = Buffer.concat([bytes('{"o":{"a":"'), Buffer.from([0xff]), bytes('"}}')]);
  assert.deepEqual(await textsIn(broken, 'o', ['a']), []);
  assert.deepEqual(await textsIn(bytes('{"o":{"a":"x'), 'o', ['a']), []);
  assert.deepEqual(await textsIn(bytes('{"o":{"a":"x\\'), 'o', ['a']), []);
  assert.deepEqual(await textsIn(bytes(`{"o":{"a":"${'x'.repeat(2_048)}"}}`), 'o', ['a']), []);
});

test('a field of a form is what URLSearchParams makes of it', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '&', '=', '+', '%', ' ', 'ä', '"', '\u0000', '💥') });
  await fc.assert(
    fc.asyncProperty(text, text, async (value, other) => {
      const form = new URLSearchParams({ other, payload: value, last: other }).toString();
      assert.equal(Buffer.from(await fieldOf(bytes(form), 'payload')).toString(), value);
    }),
  );
});

const large = 10 * 1024 * 1024;
const hostile: readonly [what: string, body: Uint8Array][] = [
  ['brackets', Buffer.alloc(large, '[')],
  ['braces', Buffer.alloc(large, '{"o":')],
  ['empty texts', Buffer.alloc(large, '"",')],
  ['empty members', Buffer.from(`{"o":{${'"":"",'.repeat(large / 6)}`)],
  ['the wanted member over and over', Buffer.from(`{"o":{${'"a":"b",'.repeat(large / 8)}`)],
  ['backslashes', Buffer.alloc(large, '"\\')],
  ['blanks after a text', Buffer.alloc(large, '"x"          ')],
  ['a form of escapes', Buffer.from(`payload=${'%5B'.repeat(large / 3)}`)],
  ['a form of almost payloads', Buffer.alloc(large, 'xpayload=')],
];
for (const [what, body] of hostile) {
  test(`10 MB of ${what} leave other work its turn`, async () => {
    // The first time compiles.
    await textsIn(body.subarray(0, large / 4), 'o', ['a']);
    await fieldOf(body.subarray(0, large / 4), 'payload');
    const before = process.threadCpuUsage().user;
    let longestMs = 0;
    let turnAt = before;
    const turn = setInterval(() => {
      const now = process.threadCpuUsage().user;
      longestMs = Math.max(longestMs, (now - turnAt) / 1_000);
      turnAt = now;
    }, 1);
    await textsIn(body, 'o', ['a']);
    await fieldOf(body, 'payload');
    clearInterval(turn);
    // Processor time: what other processes do meanwhile is not counted.
    assert.ok(longestMs < 50, `${Math.round(longestMs)} ms without a turn`);
    assert.ok(process.threadCpuUsage().user - before < 2_000_000);
  });
}
