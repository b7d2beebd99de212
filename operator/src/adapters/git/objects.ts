import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../world/clock.ts';
import { cleanOutput, killGroup } from './command.ts';

/** One object of a repository. */
export interface GitObject {
  readonly oid: string;
  readonly type: 'blob' | 'tree' | 'commit' | 'tag';
  readonly data: Buffer;
}

/** An object that is larger than allowed; `size` is in bytes. */
export class ObjectTooLarge extends Error {
  override readonly name = 'ObjectTooLarge';
  readonly size: number;

  constructor(size: number) {
    super(`the object has ${size} bytes`);
    this.size = size;
  }
}

/** The process that reads objects ended while somebody waited for one; the repository may be damaged. */
export class ReaderEnded extends Error {
  override readonly name = 'ReaderEnded';
}

/** Reads objects of one bare repository. */
export interface ObjectReader {
  /** The object with this id; undefined where the repository has none. Throws `ObjectTooLarge` or `ReaderEnded`. */
  read(oid: string): Promise<GitObject | undefined>;
  /** Ends the process; the next read starts another. */
  stop(): void;
}

interface Waiting {
  readonly resolve: (object: GitObject | undefined) => void;
  readonly reject: (error: Error) => void;
}

interface Session {
  readonly child: ChildProcess;
  readonly waiting: Waiting[];
  /** Position of the oldest entry of `waiting` that has no answer yet. */
  answered: number;
}

const newline = 0x0a;

/**
 * Keeps one `git cat-file --batch` per repository and asks it for many objects at once; answers come in the order of the questions.
 * The process ends after `idleMs` without a question.
 */
export function createObjectReader(
  gitDirectory: string,
  environment: Readonly<Record<string, string>>,
  clock: Clock,
  limits: { readonly idleMs: number; readonly objectBytes: number },
): ObjectReader {
  let session: Session | undefined;
  let cancelIdle = (): void => {};

  const stop = (): void => {
    cancelIdle();
    const ending = session;
    session = undefined;
    if (ending !== undefined) endSession(ending, new ReaderEnded('the reader was stopped'));
  };

  const rest = (): void => {
    cancelIdle();
    cancelIdle = clock.after(limits.idleMs, () => {
      if (session !== undefined && session.answered < session.waiting.length) rest();
      else stop();
    });
  };

  const start = (): Session => {
    const child = spawn('git', [`--git-dir=${gitDirectory}`, 'cat-file', '--batch'], {
      env: { ...environment },
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const started: Session = { child, waiting: [], answered: 0 };
    let said = Buffer.alloc(0);
    const fail = (error: Error): void => {
      if (session === started) session = undefined;
      endSession(started, error);
    };
    child.once('error', (error) => fail(new ReaderEnded(`git cannot be started: ${error.message}`, { cause: error })));
    child.once('close', () => fail(new ReaderEnded(cleanOutput(said.toString('utf8')) || 'git ended')));
    // A broken pipe is followed by `close`, which says more.
    child.stdin?.on('error', () => {});
    child.stderr?.on('data', (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]).subarray(-4_096);
    });
    const take = createAnswers(limits.objectBytes, (answer) => {
      const asker = started.waiting[started.answered];
      started.answered += 1;
      if (started.answered === started.waiting.length) {
        started.waiting.length = 0;
        started.answered = 0;
      }
      if (answer instanceof Error) {
        asker?.reject(answer);
        // The rest of the object would have to be read to get past it.
        fail(new ReaderEnded('the reader was started anew'));
      } else asker?.resolve(answer);
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      if (session === started) take(chunk);
    });
    // The reader must not keep a program alive that has nothing else to do.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      (stream as unknown as { unref?: () => void } | null)?.unref?.();
    }
    return started;
  };

  return {
    read(oid) {
      if (!/^[0-9a-f]{40,64}$/.test(oid)) throw new TypeError('an object is read by its full id');
      session ??= start();
      rest();
      const { child, waiting } = session;
      return new Promise<GitObject | undefined>((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin?.write(`${oid}\n`);
      });
    },
    stop,
  };
}

function endSession(session: Session, error: Error): void {
  const waiting = session.waiting.splice(0).slice(session.answered);
  session.answered = 0;
  if (session.child.exitCode === null && session.child.signalCode === null) killGroup(session.child.pid);
  for (const { reject } of waiting) reject(error);
}

/** Cuts the output of `cat-file --batch` into answers: `<oid> <type> <size>\n<bytes>\n`, or `<name> missing\n`. */
function createAnswers(
  objectBytes: number,
  answer: (object: GitObject | undefined | Error) => void,
): (chunk: Buffer) => void {
  let head = Buffer.alloc(0);
  let open: { oid: string; type: GitObject['type']; data: Buffer; filled: number } | undefined;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (open === undefined) {
        const end = chunk.indexOf(newline, at);
        if (end < 0) {
          head = Buffer.concat([head, chunk.subarray(at)]);
          return;
        }
        const line = Buffer.concat([head, chunk.subarray(at, end)]).toString('latin1');
        head = Buffer.alloc(0);
        at = end + 1;
        const [oid = '', type = '', size = ''] = line.split(' ');
        if (type === 'missing' || type === 'ambiguous') {
          answer(undefined);
          continue;
        }
        const bytes = Number(size);
        if (bytes > objectBytes) {
          answer(new ObjectTooLarge(bytes));
          return;
        }
        open = { oid, type: type as GitObject['type'], data: Buffer.allocUnsafeSlow(bytes), filled: 0 };
      }
      const taken = chunk.copy(open.data, open.filled, at, at + open.data.length - open.filled);
      open.filled += taken;
      at += taken;
      // The byte after the object is a line feed and may come in the next chunk.
      if (open.filled < open.data.length || at >= chunk.length) continue;
      at += 1;
      const { oid, type, data } = open;
      open = undefined;
      answer({ oid, type, data });
    }
  };
}
