import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { hashOf, sha256 } from './hash.ts';

test('the digest is that of the platform, for any text', () => {
  const expected = (text: string) => createHash('sha256').update(text).digest('hex');
  for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000]) {
    assert.equal(sha256('x'.repeat(length)), expected('x'.repeat(length)), String(length));
  }
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => sha256(text) === expected(text)));
});

test('the hash does not depend on the order of fields', () => {
  assert.equal(hashOf({ a: 1, b: [{ c: 'x', d: null }] }), hashOf({ b: [{ d: null, c: 'x' }], a: 1 }));
  assert.notEqual(hashOf({ a: [1, 2] }), hashOf({ a: [2, 1] }));
  assert.notEqual(hashOf({ a: 1 }), hashOf({ a: '1' }));
  assert.notEqual(hashOf({ a: 1 }), hashOf({ a: 1, b: null }));
});

test('numbers that a double cannot hold count with all their digits', () => {
  const big = (digits: string) => hashOf({ value: JSON.rawJSON(digits) });
  assert.notEqual(big('12345678901234567891'), big('12345678901234567890'));
});
