import { globalPrefix } from './sections.ts';
import { wasiImports } from './wasi.ts';

/** A module with its memory, and the calls that go/host.go exports. */
export interface Instance {
  /** Runs one request. Answers with the sections: header, text, objects. */
  render(request: Uint8Array): Uint8Array<ArrayBuffer>[];
  /** Its state, to be set back later. */
  snapshot(): Snapshot;
  /** Bytes of linear memory. */
  memoryBytes(): number;
  restore(snapshot: Snapshot): void;
}

/** Memory and globals of an instance between two calls. */
export interface Snapshot {
  readonly memory: Uint8Array;
  readonly globals: ReadonlyMap<string, number | bigint>;
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
}

const decoder = new TextDecoder();

/** Makes an instance; from a snapshot where there is one, else by running the module's own start. */
export async function createInstance(
  module: WebAssembly.Module,
  host: InstanceHost,
  snapshot?: Snapshot,
): Promise<Instance> {
  let answer: Uint8Array = new Uint8Array();
  const bytes = (at: number, size: number): Uint8Array => new Uint8Array(exports.memory.buffer, at >>> 0, size);
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: wasiImports(module, { memory: () => exports.memory, log: host.log }),
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

  const restore = (saved: Snapshot): void => {
    const missing = saved.memory.length - exports.memory.buffer.byteLength;
    if (missing > 0) exports.memory.grow(missing / 65_536);
    const memory = new Uint8Array(exports.memory.buffer);
    memory.set(saved.memory);
    memory.fill(0, saved.memory.length);
    for (const [name, global] of globals) global.value = saved.globals.get(name);
    exports.mooring_resized(memory.length);
  };

  if (snapshot === undefined) exports._initialize();
  else restore(snapshot);

  return {
    restore,
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
    snapshot() {
      exports.mooring_settle();
      const bytes = new Uint8Array(exports.memory.buffer);
      // In a memory of its own, which goes back to the system with its worker; the heap would keep the pages.
      const pages = bytes.length / 65_536;
      const memory = new Uint8Array(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
      memory.set(bytes);
      return {
        memory,
        globals: new Map(globals.map(([name, global]) => [name, global.value as number | bigint])),
      };
    },
  };
}
