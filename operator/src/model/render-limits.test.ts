import assert from 'node:assert/strict';
import test from 'node:test';
import { readRenderLimits } from './render-limits.ts';

test('limits have the names of the contract, and bytes are quantities; the last of a name counts', () => {
  const given = ['memoryBytes=1Gi', 'memorySoftBytes=600Mi', 'timeMs=120000', 'fileCount=9', 'memoryBytes=2G'];
  assert.deepEqual(readRenderLimits(given), {
    memoryBytes: 2_000_000_000,
    memorySoftBytes: 600 * 1024 * 1024,
    timeMs: 120_000,
    fileCount: 9,
  });
  assert.deepEqual(readRenderLimits([]), {});
});

const refused: readonly [text: string, problem: RegExp][] = [
  ['memory=1Gi', /^memory=1Gi: there is no such limit; give NAME=VALUE with one of .*memoryBytes/],
  ['memoryBytes', /"" is not an amount of bytes/],
  ['memoryBytes=0', /"0" is not an amount of bytes/],
  ['memoryBytes=-1Gi', /"-1Gi" is not an amount/],
  ['memoryBytes=100m', /"100m" is not an amount/],
  ['timeMs=1m', /"1m" is not a whole number above 0/],
  ['timeMs=0', /"0" is not a whole number above 0/],
  ['toString=1', /there is no such limit/],
];

for (const [text, problem] of refused) {
  test(`${text} is refused`, () => {
    const read = readRenderLimits(['timeMs=5', text]);
    assert.ok(typeof read === 'string');
    assert.match(read, problem);
  });
}
