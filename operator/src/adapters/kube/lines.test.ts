import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitLines } from './lines.ts';

test('lines come out whole however they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(50)), (texts, cuts) => {
      const lines = texts.map((text) => text.replaceAll('\n', ' ')).filter((text) => text !== '');
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const got: string[] = [];
      const push = splitLines(1_000_000, (line) => got.push(line));
      let start = 0;
      for (const cut of cuts) {
        push(bytes.subarray(start, start + cut));
        start += cut;
      }
      push(bytes.subarray(start));
      assert.deepEqual(got, lines);
    }),
  );
});

test('a line without an end is given up', () => {
  const push = splitLines(10, () => {});
  push(Buffer.from('12345'));
  assert.throws(() => push(Buffer.from('678901')), { code: 'limit-reached' });
});
