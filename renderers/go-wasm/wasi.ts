import { createHash, getRandomValues } from 'node:crypto';

/** Thrown out of WebAssembly when the program ends itself, as Go's runtime does after a fatal error. */
export class ProgramExit extends Error {
  override readonly name = 'ProgramExit';
  readonly status: number;

  constructor(status: number) {
    super(`the engine ended with status ${status}`);
    this.status = status;
  }
}

/** What the WASI imports need from the instance they serve. */
export interface WasiHost {
  memory(): WebAssembly.Memory;
  /** Bytes written to standard output or standard error. */
  log(bytes: Uint8Array): void;
  readonly surroundings: Surroundings;
}

/** What a program learns of time and chance. Times are nanoseconds. */
export interface Surroundings {
  /** Never goes back. */
  clock(): bigint;
  /** Since 1970. */
  wallClock(): bigint;
  sleep(duration: bigint): void;
  /** Fills up to 64 KiB. */
  random(into: Uint8Array<ArrayBuffer>): void;
}

/** The machine's own; the clock starts at `from`. */
export function realSurroundings(from: bigint): Surroundings {
  const start = process.hrtime.bigint() - from;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  return {
    clock: () => process.hrtime.bigint() - start,
    wallClock: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)),
    sleep: (duration) => void Atomics.wait(sleeper, 0, 0, Number(duration) / 1e6),
    random: (into) => void getRandomValues(into),
  };
}

/** The same in every run: each question takes a microsecond, and what is drawn is always drawn. For builds, which are to give the same bytes each time. */
export function repeatableSurroundings(): Surroundings {
  let now = 0n;
  let drawn = 0;
  const clock = (): bigint => {
    now += 1_000n;
    return now;
  };
  return {
    clock,
    wallClock: clock,
    sleep(duration) {
      now += duration;
    },
    random(into) {
      for (let at = 0; at < into.length; at += 32, drawn += 1) {
        into.set(
          createHash('sha256')
            .update(`drawn ${drawn}`)
            .digest()
            .subarray(0, into.length - at),
          at,
        );
      }
    },
  };
}

const success = 0;
const badFileDescriptor = 8;
const notSupported = 52;

/**
 * The part of WASI preview 1 that a Go program without files needs: clocks, random bytes, standard error, exit, and sleep.
 * Every other function that the module imports answers ENOSYS: there are no files, no folders, no sockets, no arguments and no environment.
 */
export function wasiImports(module: WebAssembly.Module, host: WasiHost): WebAssembly.ModuleImports {
  const { surroundings } = host;
  const view = (): DataView => new DataView(host.memory().buffer);
  const bytes = (at: number, size: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(host.memory().buffer as ArrayBuffer, at >>> 0, size);
  const offered: WebAssembly.ModuleImports = {
    // Libraries look at the program's name while they start: it is there, and empty.
    args_sizes_get(countAt: number, sizeAt: number): number {
      view().setUint32(countAt, 1, true);
      view().setUint32(sizeAt, 1, true);
      return success;
    },
    args_get(pointersAt: number, textAt: number): number {
      view().setUint32(pointersAt, textAt, true);
      view().setUint8(textAt, 0);
      return success;
    },
    environ_sizes_get(countAt: number, sizeAt: number): number {
      view().setUint32(countAt, 0, true);
      view().setUint32(sizeAt, 0, true);
      return success;
    },
    environ_get: () => success,
    fd_prestat_get: () => badFileDescriptor,
    sched_yield: () => success,
    clock_time_get(clock: number, _precision: bigint, at: number): number {
      view().setBigUint64(at, clock === 0 ? surroundings.wallClock() : surroundings.clock(), true);
      return success;
    },
    random_get(at: number, size: number): number {
      for (let done = 0; done < size; done += 65_536)
        surroundings.random(bytes(at + done, Math.min(65_536, size - done)));
      return success;
    },
    fd_write(file: number, vectors: number, count: number, writtenAt: number): number {
      if (file !== 1 && file !== 2) return badFileDescriptor;
      let written = 0;
      for (let i = 0; i < count; i += 1) {
        const at = view().getUint32(vectors + 8 * i, true);
        const size = view().getUint32(vectors + 8 * i + 4, true);
        host.log(bytes(at, size).slice());
        written += size;
      }
      view().setUint32(writtenAt, written, true);
      return success;
    },
    // Go asks for this only to sleep: the subscriptions that matter are clocks, and the nearest one is waited for.
    poll_oneoff(subscriptions: number, events: number, count: number, countAt: number): number {
      let nearest = 0;
      let wait: bigint | undefined;
      for (let i = 0; i < count; i += 1) {
        const at = subscriptions + 48 * i;
        if (view().getUint8(at + 8) !== 0) continue;
        const nanoseconds = view().getBigUint64(at + 24, true);
        if (wait === undefined || nanoseconds < wait) [wait, nearest] = [nanoseconds, at];
      }
      if (wait === undefined) return notSupported;
      surroundings.sleep(wait);
      bytes(events, 32).fill(0);
      view().setBigUint64(events, view().getBigUint64(nearest, true), true);
      view().setUint32(countAt, 1, true);
      return success;
    },
    proc_exit(status: number): never {
      throw new ProgramExit(status);
    },
  };
  const imports: WebAssembly.ModuleImports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (from === 'wasi_snapshot_preview1') imports[name] = offered[name] ?? (() => notSupported);
  }
  return imports;
}
