import { setImmediate as nextTurn } from 'node:timers/promises';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { RenderError } from './error.ts';
import type { Json, KubeObject, Manifest, Origin } from './manifest.ts';
import { parseMade } from './objects.ts';
import type { ReaderFault, ReaderItem, ReaderJob, ReaderMessage } from './reader-protocol.ts';
import { unpack } from './reader-protocol.ts';
import { type ParsedDocument, type ParsedManifest, parseDocuments, parseManifests, type ReadLimits } from './yaml.ts';

/** What was found in a text, and sentences about what works but should not stay so. */
export interface Read<T> {
  readonly found: readonly T[];
  readonly warnings: readonly string[];
  /** About how many bytes what was found takes as JSON. */
  readonly objectBytes: number;
}

/** Texts up to this many bytes are read at once: about two milliseconds. Longer ones, and those that repeat themselves by aliases, in a thread of their own. */
const atOnceBytes = 16 * 1024;
/** JSON is read ten times faster. */
const madeAtOnceBytes = 128 * 1024;
const mayRepeat = /(?:^|[\s[{,:-])\*[0-9A-Za-z_-]/;
/** Milliseconds that a thread may take for one text. Ten megabytes take about three seconds. */
const timeMs = 60_000;
/** Milliseconds without a text after which a thread ends. */
const idleMs = 5_000;
const threadsMax = 2;
/** What a thread may hold. Ten megabytes of small objects take 128 MiB, as many values as one document may have 192. */
const threadMebibytes = 192;

/**
 * As `parseManifests`, without keeping the thread that asks from other work for more than some milliseconds at a time. Throws `RenderError`, also `limit` where an
 * object is larger than API servers take or all of them are more than `objectBytesMax`, and the signal's reason.
 */
export async function readManifests(
  bytes: Uint8Array,
  path: string,
  limits: ReadLimits,
  signal?: AbortSignal,
): Promise<Read<ParsedManifest>> {
  if (isSmall(bytes)) {
    const warnings: string[] = [];
    const found = parseManifests(bytes, path, limits, (sentence) => warnings.push(sentence));
    return { found, warnings, objectBytes: bytes.length };
  }
  const { found, ...rest } = await inThread({ reads: 'manifests', bytes, path, limits }, signal);
  return { found: found.map(({ value, ...place }) => ({ object: value as unknown as KubeObject, ...place })), ...rest };
}

/** As `parseDocuments`, in the way of `readManifests`. */
export async function readDocuments(
  bytes: Uint8Array,
  path: string,
  limits: ReadLimits,
  signal?: AbortSignal,
): Promise<Read<ParsedDocument>> {
  if (isSmall(bytes)) {
    const warnings: string[] = [];
    const found = parseDocuments(bytes, path, limits, (sentence) => warnings.push(sentence));
    return { found, warnings, objectBytes: bytes.length };
  }
  return inThread({ reads: 'documents', bytes, path, limits }, signal);
}

/** A JSON list of objects that an engine made, and where they came from. */
export interface Made {
  /** UTF-8, without blanks between the objects. Taken over: it is empty afterwards where it was long. */
  readonly objects: Uint8Array<ArrayBuffer>;
  /** Where they came from, by their index. */
  readonly origins: readonly Origin[];
  /** The path of those that have none. */
  readonly path: string;
}

/** The manifests that an engine made, in the way of `readManifests`. Throws `RenderError` (`invalid`, `limit`). */
export async function readMade(
  { objects: bytes, origins, path }: Made,
  limits: ReadLimits,
  signal?: AbortSignal,
): Promise<readonly Manifest[]> {
  const originOf = (index: number): Origin => origins[index] ?? { path };
  if (bytes.length <= madeAtOnceBytes) {
    const made = parseMade(new TextDecoder().decode(bytes), originOf);
    return Array.from(made, ({ object, index }) => ({ object, origin: originOf(index) }));
  }
  const { found } = await inThread({ reads: 'made', bytes, path, origins, limits }, signal);
  return found.map(({ value, document }) => ({ object: value as unknown as KubeObject, origin: originOf(document) }));
}

function isSmall(bytes: Uint8Array): boolean {
  if (bytes.length > atOnceBytes) return false;
  return !mayRepeat.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
}

interface Thread {
  readonly worker: Worker;
  idle: NodeJS.Timeout | undefined;
}

const free: Thread[] = [];
const waiting: ((thread: Thread) => void)[] = [];
let threads = 0;

function takeThread(): Promise<Thread> {
  const one = free.pop();
  if (one !== undefined) {
    clearTimeout(one.idle);
    return Promise.resolve(one);
  }
  if (threads < threadsMax) return Promise.resolve(startThread());
  return new Promise((resolve) => waiting.push(resolve));
}

function startThread(): Thread {
  threads += 1;
  const worker = new Worker(new URL('./reader-worker.ts', import.meta.url), {
    name: 'mooring-reader',
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: threadMebibytes },
  });
  worker.unref();
  // Between two texts nobody else listens, and an error that nobody hears ends the process.
  worker.on('error', () => {});
  return { worker, idle: undefined };
}

function endThread({ worker }: Thread): void {
  threads -= 1;
  void worker.terminate();
  const next = waiting.shift();
  if (next !== undefined) next(startThread());
}

function leaveThread(thread: Thread): void {
  const next = waiting.shift();
  if (next !== undefined) {
    next(thread);
    return;
  }
  free.push(thread);
  thread.idle = setTimeout(() => {
    free.splice(free.indexOf(thread), 1);
    endThread(thread);
  }, idleMs);
  thread.idle.unref();
}

async function inThread(job: ReaderJob, signal: AbortSignal | undefined): Promise<Read<ParsedDocument>> {
  signal?.throwIfAborted();
  const thread = await takeThread();
  const { port1: answers, port2: answersEnd } = new MessageChannel();
  try {
    if (signal?.aborted) {
      leaveThread(thread);
      throw signal.reason;
    }
    const done = await runJob(thread.worker, job, answersEnd, signal);
    leaveThread(thread);
    if (done.fault !== undefined) throw faultOf(done.fault);
    return { found: await collect(answers), warnings: done.warnings, objectBytes: done.objectBytes };
  } catch (error) {
    if (!(error instanceof ThreadLost)) throw error;
    endThread(thread);
    throw error.cause;
  } finally {
    answers.close();
  }
}

/** Wraps what a job failed with when its thread is of no more use. */
class ThreadLost extends Error {}

function runJob(
  worker: Worker,
  job: ReaderJob,
  answers: MessagePort,
  signal: AbortSignal | undefined,
): Promise<ReaderMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<ReaderMessage>();
  const lose = (cause: unknown): void => reject(new ThreadLost('the thread ended', { cause }));
  const fail = (error: Error & { code?: string }): void =>
    lose(
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? new RenderError('limit', `${job.path} needs more than ${threadMebibytes} MiB to be read; split it`, {
            file: job.path,
          })
        : new RenderError('crashed', `${job.path} could not be read: ${error.message}`, {
            file: job.path,
            cause: error,
          }),
    );
  const exit = (): void => lose(new RenderError('crashed', `${job.path} could not be read: its thread ended`));
  const abort = (): void => lose(signal?.reason);
  const timer = setTimeout(
    () => lose(new RenderError('timeout', `${job.path} took longer than ${timeMs} ms to read; split it`)),
    timeMs,
  );
  worker.ref();
  worker.once('message', resolve);
  worker.once('error', fail);
  worker.once('exit', exit);
  signal?.addEventListener('abort', abort, { once: true });
  // What a tree gives out may be read again.
  const bytes = job.reads === 'made' ? job.bytes : new Uint8Array(job.bytes);
  worker.postMessage({ ...job, bytes, answers }, [answers, bytes.buffer as ArrayBuffer]);
  return promise.finally(() => {
    clearTimeout(timer);
    worker.unref();
    worker.off('message', resolve);
    worker.off('error', fail);
    worker.off('exit', exit);
    signal?.removeEventListener('abort', abort);
  });
}

/** Takes what a thread found, in pieces that cost some milliseconds each. */
async function collect(answers: MessagePort): Promise<ParsedDocument[]> {
  const found: ParsedDocument[] = [];
  for (;;) {
    const received = receiveMessageOnPort(answers) as { message: readonly ReaderItem[] } | undefined;
    if (received === undefined) return found;
    for (const { json, hasMarks, document, line } of received.message) {
      found.push({ value: unpack(json, hasMarks) as Json, document, line });
    }
    await nextTurn();
  }
}

function faultOf({ code, message, file, line }: ReaderFault): RenderError {
  return new RenderError(code, message, {
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
  });
}
