import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { defaultLimits, RenderError, type RenderErrorCode, type Tree, treeOf } from '@mooring/renderer-contract';
import { serveFiles } from './files.ts';
import type { RenderMessage, WorkerMessage, WorkerStart } from './protocol.ts';

/** What an engine is made of. */
export interface EngineOptions {
  /** For messages: `kustomize`. */
  readonly name: string;
  /** The module that its build wrote; beside it, as `.state`, what it starts from. */
  readonly wasm: URL;
  /** Milliseconds without a render after which the worker ends and its memory is freed. Default 5,000; to start again takes a quarter of a second. */
  readonly idleMs?: number;
  /** Renders between two returns to the state after the warm-up. 1 lets nothing of a render be seen by the next. Default 1. */
  readonly rendersPerClone?: number;
}

/** Bounds and cancellation of one run. */
export interface RunOptions {
  /** Milliseconds from when the worker takes it on. Default 60,000. */
  readonly timeMs?: number;
  /** Bytes of linear memory. Default 512 MiB. */
  readonly memoryBytes?: number;
  /** Bytes that the engine's collector keeps below where it can. Default half of `memoryBytes`: it overshoots by that. */
  readonly memorySoftBytes?: number;
  readonly fileCount?: number;
  readonly signal?: AbortSignal;
}

/** What a run gives. */
export interface Answer {
  /** The engine's own small answer. */
  readonly header: Readonly<Record<string, unknown>>;
  /** YAML, UTF-8. */
  readonly text: Uint8Array;
  /** A JSON array, UTF-8. */
  readonly objects: Uint8Array<ArrayBuffer>;
  /** What the engine printed: its warnings. */
  readonly log: string;
}

/** A Go program in WebAssembly in a worker thread. Runs wait for each other, in order; behind one that takes longer than two seconds they get a second thread. */
export interface Engine {
  /**
   * Runs a request over a tree. Throws `RenderError`: the engine's own, `timeout`, `limit` (memory, files) or `crashed`; what the tree throws;
   * or the signal's reason. None of these touches the runs that wait.
   */
  run(tree: Tree, request: unknown, options?: RunOptions): Promise<Answer>;
  /** Starts the worker now rather than with the first run. */
  start(): Promise<void>;
  /** Ends the worker; a later run starts it again. Runs under way fail with `crashed`. */
  close(): Promise<void>;
}

/** Bytes of an engine's memory: the most, and what its collector aims at. */
interface Memory {
  readonly hardBytes: number;
  readonly softBytes: number;
}

interface Thread {
  readonly memory: Memory;
  /** Whether the worker is gone, by whatever cause. */
  ended(): boolean;
  run(
    tree: Tree,
    message: RenderMessage,
    bounds: { timeMs: number; fileCount: number; signal?: AbortSignal },
  ): Promise<Answer & { readonly state?: Uint8Array }>;
  end(): Promise<void>;
}

interface Fault {
  readonly code: RenderErrorCode;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly rendered?: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Milliseconds that runs wait for one under way before they get a thread of their own: nobody's endless loop holds up the others. */
const patienceMs = 2_000;
const threadsMax = 2;
/** Bytes of an answer beyond which a copy costs more than to hand it over. */
const handedOverBytes = 64 * 1024;

/** A run that waits for its turn. */
interface Turn {
  readonly take: (lane: Lane) => Promise<void>;
}

/** Makes an engine; nothing is loaded before the first run. */
export function createEngine(options: EngineOptions): Engine {
  const lanes: Lane[] = [];
  const waiting: Turn[] = [];
  let timer: NodeJS.Timeout | undefined;

  /** A lane that is free, or a new one where there is none yet, or where all runs under way have had their time. */
  const freeLane = (): Lane | undefined => {
    const free = lanes.find(({ since }) => since === undefined);
    if (free !== undefined) return free;
    const patient = lanes.some(({ since = 0 }) => performance.now() - since < patienceMs);
    if (lanes.length >= threadsMax || patient) return undefined;
    const lane = createLane(options);
    lanes.push(lane);
    return lane;
  };

  const proceed = (): void => {
    clearTimeout(timer);
    while (waiting.length > 0) {
      const lane = freeLane();
      if (lane === undefined) {
        timer = setTimeout(proceed, patienceMs / 4);
        return;
      }
      lane.since = Number.POSITIVE_INFINITY;
      void waiting
        .shift()
        ?.take(lane)
        .finally(() => leave(lane));
    }
  };

  const leave = (lane: Lane): void => {
    lane.since = undefined;
    proceed();
    if (lane.since !== undefined || lanes.length === 1) return;
    lanes.splice(lanes.indexOf(lane), 1);
    void lane.end();
  };

  return {
    run(tree, request, bounds = {}) {
      const turn = new Promise<Answer>((resolve, reject) => {
        waiting.push({ take: (lane) => lane.run(tree, request, bounds).then(resolve, reject) });
        proceed();
      });
      // A caller who has left does not hear how it ends.
      turn.catch(() => undefined);
      return bounds.signal === undefined ? turn : abortable(turn, bounds.signal);
    },
    async start() {
      if (lanes.length === 0) lanes.push(createLane(options));
      await Promise.all(lanes.map((lane) => lane.start()));
    },
    async close() {
      await Promise.all(lanes.map((lane) => lane.end()));
    },
  };
}

/** A worker thread, started by a run and ended when idle; one run at a time. */
interface Lane {
  /** When the run under way began, infinite while its worker starts; undefined where there is none. */
  since: number | undefined;
  run(tree: Tree, request: unknown, bounds: RunOptions): Promise<Answer>;
  start(): Promise<void>;
  end(): Promise<void>;
}

function createLane(options: EngineOptions): Lane {
  const idleMs = options.idleMs ?? 5_000;
  let thread: Promise<Thread> | undefined;
  let idle: NodeJS.Timeout | undefined;

  const newThread = async (memory: Memory): Promise<Thread> => {
    const state = new URL(options.wasm.href.replace(/\.wasm$/, '.state'));
    for (const file of [options.wasm, state]) {
      if (existsSync(file)) continue;
      throw new RenderError('crashed', `there is no ${fileURLToPath(file)}: build it with the build.ts of its package`);
    }
    return startThread({ ...options, state }, memory);
  };

  const end = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    clearTimeout(idle);
    await ending?.then(
      (one) => one.end(),
      () => undefined,
    );
  };

  const threadWith = async (memory: Memory): Promise<Thread> => {
    const current = await thread?.catch(() => undefined);
    const { hardBytes, softBytes } = current?.memory ?? {};
    if (hardBytes !== memory.hardBytes || softBytes !== memory.softBytes || current?.ended()) await end();
    thread ??= newThread(memory);
    return thread;
  };

  const run: Lane['run'] = async (tree, request, bounds) => {
    bounds.signal?.throwIfAborted();
    clearTimeout(idle);
    try {
      const current = await threadWith(memoryOf(bounds));
      bounds.signal?.throwIfAborted();
      lane.since = performance.now();
      return await current.run(
        tree,
        { request: encoder.encode(JSON.stringify(request)), save: false },
        {
          timeMs: bounds.timeMs ?? defaultLimits.timeMs,
          fileCount: bounds.fileCount ?? defaultLimits.fileCount,
          ...(bounds.signal === undefined ? {} : { signal: bounds.signal }),
        },
      );
    } catch (error) {
      if (error instanceof ThreadEnded) {
        thread = undefined;
        throw error.cause;
      }
      throw error;
    } finally {
      idle = setTimeout(() => void end(), idleMs);
      idle.unref();
    }
  };

  const lane: Lane = {
    since: undefined,
    run,
    async start() {
      await threadWith(memoryOf({}));
    },
    end,
  };
  return lane;
}

function memoryOf({ memoryBytes = defaultLimits.memoryBytes, memorySoftBytes }: RunOptions): Memory {
  return { hardBytes: memoryBytes, softBytes: Math.min(memoryBytes, memorySoftBytes ?? Math.round(memoryBytes / 2)) };
}

/** Wraps what a run failed with when its worker is gone too. */
class ThreadEnded extends Error {}

/** Lets a caller that waits in the queue go at once; a run under way is ended by the thread itself. */
function abortable<T>(turn: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** What an engine is warmed up with, at its build. It must hold nobody's data. */
export interface WarmUp {
  readonly files: Readonly<Record<string, string>>;
  readonly request: unknown;
}

/** Runs the warm-up of a module that has its data, and gives the content of the file for the state after it. */
export async function warmUpState(name: string, wasm: URL, warmUp: WarmUp): Promise<Uint8Array> {
  const thread = await startThread({ name, wasm }, memoryOf({}));
  try {
    const request = encoder.encode(JSON.stringify(warmUp.request));
    const bounds = { timeMs: 120_000, fileCount: 10_000 };
    const { state } = await thread.run(treeOf(warmUp.files), { request, save: true }, bounds);
    if (state === undefined) throw new Error(`${name} gave no state`);
    return state;
  } finally {
    await thread.end();
  }
}

async function startThread(options: EngineOptions & { readonly state?: URL }, memory: Memory): Promise<Thread> {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const { port1: answers, port2: answersEnd } = new MessageChannel();
  const workerData: WorkerStart = {
    wasm: options.wasm.href,
    ...(options.state && { state: options.state.href }),
    memoryBytes: memory.hardBytes,
    memorySoftBytes: memory.softBytes,
    rendersPerClone: options.rendersPerClone ?? 1,
    answered,
    answers: answersEnd,
  };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    transferList: [answersEnd],
    name: `mooring-${options.name}`,
    stdout: false,
    stderr: false,
    env: {},
    execArgv: [],
  });
  worker.unref();
  answers.unref();
  let ended = false;
  worker.once('exit', () => {
    ended = true;
  });
  // Between two runs nobody else listens, and an error that nobody hears ends the process.
  worker.on('error', () => {});
  const end = async (): Promise<void> => {
    ended = true;
    answers.close();
    await worker.terminate();
  };

  const run: Thread['run'] = (tree, message, bounds) =>
    new Promise((resolve, reject) => {
      const files = serveFiles(tree, bounds.fileCount);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        bounds.signal?.removeEventListener('abort', abort);
        worker.off('message', receive);
        worker.off('error', fail);
        worker.off('exit', exit);
        worker.unref();
        then();
      };
      // The next one starts when the memory of this one is back.
      const lose = (cause: unknown): void =>
        settle(() => void end().finally(() => reject(new ThreadEnded('the worker ended', { cause }))));
      const fail = (cause: Error): void =>
        lose(new RenderError('crashed', `the ${options.name} worker failed: ${cause.message}`, { cause }));
      const exit = (): void => lose(new RenderError('crashed', `the ${options.name} worker ended`));
      const abort = (): void => lose(bounds.signal?.reason);
      const timer = setTimeout(() => {
        const message = `${options.name} took longer than the limit of ${bounds.timeMs} ms; look for endless loops or split the application`;
        lose(new RenderError('timeout', message));
      }, bounds.timeMs);

      const receive = (reply: WorkerMessage): void => {
        if (reply.kind === 'ready') return;
        if (reply.kind === 'ask') {
          void files.answer(reply.question, reply.text).then((bytes) => {
            const { buffer } = bytes;
            // What is large, and has its memory for itself, is handed over rather than copied.
            const isHandedOver = bytes.length > handedOverBytes && bytes.length === buffer.byteLength;
            answers.postMessage(bytes, isHandedOver ? [buffer as ArrayBuffer] : []);
            Atomics.add(answered, 0, 1);
            Atomics.notify(answered, 0);
          });
          return;
        }
        if (reply.kind === 'crashed' || reply.spent) void end();
        settle(() => {
          if (reply.kind === 'crashed') {
            reject(crashError(options.name, reply, memory.hardBytes));
            return;
          }
          const [header, text, objects] = reply.sections as [Uint8Array, Uint8Array, Uint8Array<ArrayBuffer>];
          const parsed = JSON.parse(decoder.decode(header)) as { fault?: Fault };
          const failure = files.failure();
          if (failure !== undefined) reject(failure);
          else if (parsed.fault !== undefined)
            reject(new RenderError(parsed.fault.code, parsed.fault.message, parsed.fault));
          else
            resolve({
              header: parsed as Record<string, unknown>,
              text,
              objects,
              log: reply.log,
              ...(reply.state && { state: reply.state }),
            });
        });
      };

      worker.ref();
      worker.on('message', receive);
      worker.once('error', fail);
      worker.once('exit', exit);
      bounds.signal?.addEventListener('abort', abort, { once: true });
      worker.postMessage(message);
    });

  await ready(worker, options.name);
  return { memory, ended: () => ended, run, end };
}

/** Waits until a worker has loaded its engine. */
function ready(worker: Worker, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      worker.off('message', take);
      worker.off('error', fail);
      worker.off('exit', exit);
      worker.unref();
      then();
    };
    const take = (): void => settle(resolve);
    const fail = (cause: Error): void =>
      settle(() =>
        reject(new RenderError('crashed', `the ${name} worker failed to start: ${cause.message}`, { cause })),
      );
    const exit = (): void => settle(() => reject(new RenderError('crashed', `the ${name} worker ended as it started`)));
    worker.ref();
    worker.on('message', take);
    worker.once('error', fail);
    worker.once('exit', exit);
  });
}

function crashError(name: string, reply: WorkerMessage & { kind: 'crashed' }, memoryBytes: number): RenderError {
  if (reply.reason === 'memory') {
    const mebibytes = Math.round(memoryBytes / 1024 / 1024);
    return new RenderError(
      'limit',
      `${name} needs more than the limit of ${mebibytes} MiB of memory; split the application or raise the limit memoryBytes`,
    );
  }
  if (reply.reason === 'stack') return new RenderError('limit', `${name} ran out of stack: the input nests too deeply`);
  return new RenderError('crashed', `${name} failed: ${reply.message}`);
}
