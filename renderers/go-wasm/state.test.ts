import assert from 'node:assert/strict';
import { renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { onDisk } from './cases.ts';
import { encodeState, openState } from './state.ts';

const page = 64 * 1024;

function memoryWith(bytes: Readonly<Record<number, number>>, pages = 8): Uint8Array {
  const memory = new Uint8Array(pages * page);
  for (const [at, value] of Object.entries(bytes)) memory[Number(at)] = value;
  return memory;
}

const globals = new Map<string, number | bigint>([
  ['a', 7],
  ['b', 2n ** 63n - 1n],
]);

describe('a state comes back from its file', () => {
  const cases: readonly [string, Uint8Array][] = [
    ['with bytes at both ends', memoryWith({ 0: 1, [8 * page - 1]: 2 })],
    ['with bytes in the middle', memoryWith({ [3 * page + 5]: 1, [3 * page + 9_000]: 2, [6 * page]: 3 })],
    ['with nothing but zeros', memoryWith({})],
    ['full', new Uint8Array(2 * page).fill(9)],
  ];
  for (const [what, memory] of cases) {
    test(what, () =>
      onDisk({ state: encodeState(memory, globals) }, (folder) => {
        const state = openState(pathToFileURL(join(folder, 'state')));
        assert.equal(state.memoryBytes, memory.length);
        assert.deepEqual(state.globals, globals);
        const blank = new Uint8Array(memory.length + page);
        state.fill(blank, true);
        assert.deepEqual(blank.subarray(0, memory.length), memory);
        const used = new Uint8Array(memory.length + page).fill(0xee);
        state.fill(used, false);
        assert.deepEqual(used, blank);
      }),
    );
  }

  test('also when another file has taken its place', () =>
    onDisk({ state: encodeState(memoryWith({ 5: 1 }), globals), other: 'x' }, (folder) => {
      const state = openState(pathToFileURL(join(folder, 'state')));
      renameSync(join(folder, 'other'), join(folder, 'state'));
      const memory = new Uint8Array(state.memoryBytes);
      state.fill(memory, true);
      assert.deepEqual(memory, memoryWith({ 5: 1 }));
    }));
});

test('zeros take no room in the file', () => {
  assert.ok(encodeState(memoryWith({ 0: 1, [63 * page]: 1 }, 64), globals).length < 16 * 1024);
});

test('a file that is cut short is refused', () =>
  onDisk({ state: encodeState(memoryWith({ 5: 1 }), globals) }, (folder) => {
    const file = join(folder, 'state');
    const state = openState(pathToFileURL(file));
    truncateSync(file, 600);
    assert.throws(() => state.fill(new Uint8Array(state.memoryBytes), true), /cut short: build it again/);
    writeFileSync(file, 'x');
    assert.throws(() => openState(pathToFileURL(file)), /cut short/);
  }));
