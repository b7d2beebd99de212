import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposeState, limitMemory, withoutData } from './sections.ts';

/** A module with a memory of one page, an immutable and two mutable globals, and a function `get` that answers the second. */
const module = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x05, 0x03, 0x01, 0x00, 0x01],
  ...[0x06, 0x10, 0x03, 0x7f, 0x00, 0x41, 0x01, 0x0b, 0x7f, 0x01, 0x41, 0x07, 0x0b, 0x7e, 0x01, 0x42, 0x7f, 0x0b],
  ...[0x07, 0x10, 0x02, 0x03, 0x67, 0x65, 0x74, 0x00, 0x00, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00],
  ...[0x0a, 0x06, 0x01, 0x04, 0x00, 0x23, 0x01, 0x0b],
]);

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly mooring_global_1: WebAssembly.Global;
  readonly mooring_global_2: WebAssembly.Global;
  get(): number;
}

test('mutable globals become visible and can be set', async () => {
  const exposed = exposeState(module);
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(exposed), {});
  const { get, mooring_global_1: first, mooring_global_2: second } = exports as unknown as Exports;
  assert.deepEqual(Object.keys(exports).sort(), ['get', 'memory', 'mooring_global_1', 'mooring_global_2']);
  assert.equal(get(), 7);
  first.value = 9;
  assert.equal(get(), 9);
  assert.equal(second.value, -1n);
});

test('memory ends where it is told to', async () => {
  const exposed = exposeState(module);
  limitMemory(exposed, 3 * 65_536);
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(exposed), {});
  const { memory } = exports as unknown as Exports;
  memory.grow(2);
  assert.throws(() => memory.grow(1), RangeError);
});

test('a module that was not prepared is refused', () => {
  assert.throws(() => limitMemory(module.slice(), 65_536), /build it again/);
});

test('the content of memory can be left out', async () => {
  const firstByte = async (bytes: Uint8Array): Promise<unknown> => {
    const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(bytes), {});
    return new Uint8Array((exports as unknown as Exports).memory.buffer)[0];
  };
  const data = [0x0b, 0x07, 0x01, 0x00, 0x41, 0x00, 0x0b, 0x01, 0x2a];
  const full = exposeState(Uint8Array.from([...module, ...data]));
  assert.equal(await firstByte(full), 42);
  assert.equal(await firstByte(withoutData(full)), 0);
});
