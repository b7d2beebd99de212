import { globalPrefix } from './sections.ts';
import { type EngineState, encodeState } from './state.ts';
import { realSurroundings, repeatableSurroundings, wasiImports } from './wasi.ts';

/** A module with its memory, and the calls that go/host.go exports. */
export interface Instance {
  /** Runs one request. Answers with the sections: header, text, objects. */
  render(request: Uint8Array): Uint8Array<ArrayBuffer>[];
  /** The content of a file for its state, with nothing left to collect. */
  save(): Uint8Array;
  /** Bytes of linear memory. */
  memoryBytes(): number;
  /** Sets it back to what it starts from. */
  restore(start: InstanceStart): void;
}

/** What the instance may ask of outside. */
export interface InstanceHost {
  /** Blocks until the answer is there: its first byte is `+` for an answer, `-` for nothing there, `!` for a fault as JSON. */
  ask(question: number, text: string): Uint8Array;
  log(bytes: Uint8Array): void;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  mooring_allocate(size: number): number;
  mooring_render(): number;
  mooring_settle(): void;
  mooring_resized(size: number): void;
  mooring_bound(size: number): void;
}

const decoder = new TextDecoder();

/** Nanoseconds on the engine's clock when it is made from a state: later than that of any warm-up, which starts at 0. A clock that goes back would upset Go. */
const clockOfState = 3_600_000_000_000n;

/** What an instance starts from, and the bytes of memory that it is to stay below where it can. */
export interface InstanceStart {
  readonly state: EngineState;
  readonly memorySoftBytes: number;
}

/**
 * Makes an instance; from a state where there is one, else by running the module's own start, which only a build does: in the same surroundings each time, so that
 * the same module comes to the same state.
 */
export async function createInstance(
  module: WebAssembly.Module,
  host: InstanceHost,
  start?: InstanceStart,
): Promise<Instance> {
  const surroundings = start === undefined ? repeatableSurroundings() : realSurroundings(clockOfState);
  let answer: Uint8Array = new Uint8Array();
  const bytes = (at: number, size: number): Uint8Array => new Uint8Array(exports.memory.buffer, at >>> 0, size);
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: wasiImports(module, {
      memory: () => exports.memory,
      log: host.log,
      surroundings,
    }),
    mooring: {
      ask(question: number, at: number, size: number): number {
        answer = host.ask(question, decoder.decode(bytes(at, size)));
        return answer.length;
      },
      take(at: number): void {
        bytes(at, answer.length).set(answer);
        answer = new Uint8Array();
      },
    },
  });
  const exports = instance.exports as unknown as Exports;
  const globals = Object.entries(instance.exports).filter((entry): entry is [string, WebAssembly.Global] =>
    entry[0].startsWith(globalPrefix),
  );

  const setTo = ({ state: saved, memorySoftBytes }: InstanceStart, blank: boolean): void => {
    const missing = saved.memoryBytes - exports.memory.buffer.byteLength;
    if (missing > 0) exports.memory.grow(missing / 65_536);
    const memory = new Uint8Array(exports.memory.buffer);
    saved.fill(memory, blank);
    for (const [name, global] of globals) global.value = saved.globals.get(name);
    exports.mooring_resized(memory.length);
    exports.mooring_bound(memorySoftBytes);
  };

  if (start === undefined) exports._initialize();
  else setTo(start, true);

  return {
    restore: (from) => setTo(from, false),
    memoryBytes: () => exports.memory.buffer.byteLength,
    render(request) {
      const into = exports.mooring_allocate(request.length);
      bytes(into, request.length).set(request);
      let at = exports.mooring_render() >>> 0;
      return Array.from({ length: 3 }, () => {
        const size = new DataView(exports.memory.buffer).getUint32(at, true);
        const section = bytes(at + 4, size).slice();
        at += 4 + size;
        return section as Uint8Array<ArrayBuffer>;
      });
    },
    save() {
      exports.mooring_settle();
      const values = new Map(globals.map(([name, global]) => [name, global.value as number | bigint]));
      return encodeState(new Uint8Array(exports.memory.buffer), values);
    },
  };
}
