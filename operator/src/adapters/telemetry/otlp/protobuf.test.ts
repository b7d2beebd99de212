import assert from 'node:assert/strict';
import { test } from 'node:test';
import { block, double, fixed32, fixed64, integer, readFields, text } from './protobuf.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test("fields are written as in the encoding's own documentation", () => {
  assert.equal(hex(integer(1, 150)), '089601');
  assert.equal(hex(integer(1, -2)), '08feffffffffffffffff01');
  assert.equal(hex(text(2, 'testing')), '120774657374696e67');
  assert.equal(hex(block(3, [integer(1, 150)])), '1a03089601');
  assert.equal(hex(fixed32(4, 1)), '2501000000');
  assert.equal(hex(fixed64(16, 2n)), '81010200000000000000');
  assert.equal(hex(double(1, 0.5)), '09000000000000e03f');
});

test('what is written is read again, and what is cut off is not', () => {
  const message = Buffer.concat([integer(1, 300), text(200, 'é'), fixed64(3, 7n), fixed32(4, 9)]);
  assert.deepEqual(
    readFields(message)?.map(({ field, value }) => [field, typeof value === 'bigint' ? value : hex(value)]),
    [
      [1, 300n],
      [200, 'c3a9'],
      [3, '0700000000000000'],
      [4, '09000000'],
    ],
  );
  for (const length of [1, 2, 4, 6, 12, message.length - 1])
    assert.equal(readFields(message.subarray(0, length)), undefined, `${length} bytes`);
  assert.equal(readFields(Uint8Array.of(0x0b)), undefined);
});
