import { openSync, readSync } from 'node:fs';

/**
 * Memory and globals of an engine after its warm-up: what every render starts from. The build of an engine writes it to a file beside the module, so that no start has
 * to go that way again; it holds nobody's data. The file is read at each return to it, from the system's cache of files: a copy in memory would be no faster.
 */
export interface EngineState {
  /** Bytes of linear memory. */
  readonly memoryBytes: number;
  readonly globals: ReadonlyMap<string, number | bigint>;
  /** Writes it into a memory of at least `memoryBytes`; `blank` where that is zero all over. Throws where the file cannot be read. */
  fill(memory: Uint8Array, blank: boolean): void;
}

/** First in the file, behind its own length as four bytes, little end first; behind it the bytes of all runs. */
interface Header {
  readonly memoryBytes: number;
  /** Values by names; those of 64 bits are strings. */
  readonly globals: Readonly<Record<string, number | string>>;
  /** What is not zero. */
  readonly runs: readonly (readonly [at: number, bytes: number])[];
}

const pageBytes = 4_096;
/** Zeros up to here are kept rather than parting a run. */
const gapBytes = 64 * 1024;

/** The content of the file for a state. */
export function encodeState(memory: Uint8Array, globals: ReadonlyMap<string, number | bigint>): Uint8Array {
  const runs = runsOf(memory);
  const header: Header = {
    memoryBytes: memory.length,
    globals: Object.fromEntries(
      Array.from(globals, ([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
    ),
    runs,
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...runs.map(([at, bytes]) => memory.subarray(at, at + bytes))]);
}

function runsOf(memory: Uint8Array): [at: number, bytes: number][] {
  const zeros = Buffer.alloc(pageBytes);
  const runs: [at: number, bytes: number][] = [];
  for (let at = 0; at < memory.length; at += pageBytes) {
    if (zeros.equals(memory.subarray(at, at + pageBytes))) continue;
    const last = runs.at(-1);
    if (last !== undefined && at - last[0] - last[1] <= gapBytes) last[1] = at + pageBytes - last[0];
    else runs.push([at, pageBytes]);
  }
  return runs;
}

/** Opens the file of a state; it stays open until the thread ends. */
export function openState(file: URL): EngineState {
  const descriptor = openSync(file, 'r');
  const read = (into: Uint8Array, position: number): void => {
    for (let done = 0; done < into.length; ) {
      const bytes = readSync(descriptor, into, done, into.length - done, position + done);
      if (bytes === 0) throw new Error(`${file.pathname} is cut short: build it again`);
      done += bytes;
    }
  };
  const length = Buffer.alloc(4);
  read(length, 0);
  const text = Buffer.alloc(length.readUInt32LE());
  read(text, length.length);
  const { memoryBytes, globals, runs } = JSON.parse(text.toString('utf8')) as Header;
  const start = length.length + text.length;
  return {
    memoryBytes,
    globals: new Map(
      Object.entries(globals).map(([name, value]) => [name, typeof value === 'string' ? BigInt(value) : value]),
    ),
    fill(memory, blank) {
      let filled = 0;
      let position = start;
      for (const [at, bytes] of runs) {
        if (!blank) memory.fill(0, filled, at);
        read(memory.subarray(at, at + bytes), position);
        position += bytes;
        filled = at + bytes;
      }
      if (!blank) memory.fill(0, filled);
    },
  };
}
