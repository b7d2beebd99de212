import { readFile } from 'node:fs/promises';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createInstance, type InstanceHost } from './instance.ts';
import { newKey } from './keys.ts';
import { questions, type RenderMessage, type WorkerMessage, type WorkerStart } from './protocol.ts';
import { limitMemory } from './sections.ts';
import { openState } from './state.ts';
import { ProgramExit } from './wasi.ts';

const start = workerData as WorkerStart;
const logBytesMax = 64 * 1024;
/** Memory kept beyond the state's, and wiped. Memory of WebAssembly never shrinks: beyond it the worker is at its end. */
const growthKeptBytes = 64 * 1024 * 1024;

const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer);

let log: Uint8Array[] = [];
let logBytes = 0;
const host: InstanceHost = {
  log(bytes) {
    if (logBytes < logBytesMax) log.push(bytes);
    logBytes += bytes.length;
  },
  ask(question, text) {
    const asked = questions[question] ?? 'stat';
    if (asked === 'key') return newKey(text);
    const before = Atomics.load(start.answered, 0);
    send({ kind: 'ask', question: asked, text });
    // A thread may be woken before the answer is there.
    let received = receiveMessageOnPort(start.answers);
    while (received === undefined) {
      Atomics.wait(start.answered, 0, before);
      received = receiveMessageOnPort(start.answers);
    }
    return received.message as Uint8Array;
  },
};
const takeLog = (): string => {
  const text = Buffer.concat(log).toString('utf8');
  [log, logBytes] = [[], 0];
  return text;
};

const compile = async (): Promise<WebAssembly.Module> => {
  const bytes = await readFile(new URL(start.wasm));
  limitMemory(bytes, start.memoryBytes);
  const compiled = await WebAssembly.compile(bytes);
  // The engine keeps its own copy: this one is let go at once rather than at some collection.
  bytes.buffer.transfer(0);
  return compiled;
};
const module = await compile();
const from =
  start.state === undefined
    ? undefined
    : { state: openState(new URL(start.state)), memorySoftBytes: start.memorySoftBytes };
const instance = await createInstance(module, host, from);
let renders = 0;

function render(message: RenderMessage): void {
  takeLog();
  try {
    const sections = instance.render(message.request);
    renders += 1;
    const saved = message.save ? { state: instance.save() } : {};
    const spent = from !== undefined && instance.memoryBytes() > from.state.memoryBytes + growthKeptBytes;
    send(
      { kind: 'done', sections, log: takeLog(), spent, ...saved },
      sections.map((section) => section.buffer),
    );
    if (spent) return;
  } catch (error) {
    send(crash(error, takeLog()));
    return;
  }
  goBack();
}

/** Back to the state, after the answer is out: nobody waits for it, and nothing of a render lies around. */
function goBack(): void {
  if (from === undefined || renders < start.rendersPerClone) return;
  renders = 0;
  instance.restore(from);
}

function crash(error: unknown, printed: string): WorkerMessage {
  const headline = printed.split('\n').find((line) => /^(fatal error|panic|runtime):/.test(line));
  const message = headline ?? (error instanceof Error ? error.message : String(error));
  if (/out of memory|cannot allocate memory/.test(printed)) return { kind: 'crashed', reason: 'memory', message };
  if (error instanceof RangeError || /stack (overflow|exceeds)/.test(printed)) {
    return { kind: 'crashed', reason: 'stack', message };
  }
  const detail =
    error instanceof ProgramExit || headline !== undefined ? message : `${message}\n${(error as Error).stack}`;
  return { kind: 'crashed', reason: 'other', message: detail };
}

parentPort?.on('message', (message: RenderMessage) => render(message));
send({ kind: 'ready' });
