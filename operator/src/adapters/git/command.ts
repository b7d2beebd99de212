import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Writable } from 'node:stream';
import { authorizationValues, maskUserInformation, maskValues } from '../../model/mask.ts';
import type { Clock } from '../../world/clock.ts';

/** One run of git. */
export interface GitCommand {
  /** Arguments, never a shell line. */
  readonly args: readonly string[];
  /** The whole environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** What is written to its standard input, in order. */
  readonly input?: AsyncIterable<Uint8Array>;
  readonly timeoutMs: number;
  /** Bytes of standard output that are kept; more ends the process. */
  readonly outputBytes: number;
  /** Whether it yields to everything else on the machine. */
  readonly background?: boolean;
  readonly signal?: AbortSignal;
}

/** Why a run of git failed. */
export type GitFailureReason = 'exit' | 'timeout' | 'output' | 'missing' | 'stopped' | 'input';

/** A run of git that failed. `said` is the end of its standard error, with user information masked. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure';
  readonly reason: GitFailureReason;
  readonly said: string;

  constructor(reason: GitFailureReason, said: string, cause?: unknown) {
    super(`git failed (${reason})${said === '' ? '' : `: ${said}`}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.said = said;
  }
}

const errorBytesKept = 4_096;

/** Leaders of the groups that are running: they would outlive a process that ends at once. */
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) killGroup(pid);
});

/**
 * Runs git to its end and answers its standard output. Throws `GitFailure`.
 * The process leads a group of its own, so that ending it ends the transports that it started too.
 */
export async function runGit(clock: Clock, command: GitCommand): Promise<Buffer> {
  const child = spawn('git', [...command.args], {
    env: { ...command.environment },
    cwd: '/',
    detached: true,
    stdio: [command.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) running.add(child.pid);
  const chunks: Buffer[] = [];
  let size = 0;
  let said = Buffer.alloc(0);
  let ended: GitFailure | undefined;
  const end = (reason: GitFailureReason, why: string, cause?: unknown): void => {
    ended ??= new GitFailure(reason, why, cause);
    if (child.exitCode === null && child.signalCode === null) killGroup(child.pid);
  };
  const cancelTimeout = clock.after(command.timeoutMs, () =>
    end('timeout', `it took longer than ${command.timeoutMs / 1000} s`),
  );
  const onAbort = (): void => end('stopped', 'it was stopped');
  command.signal?.addEventListener('abort', onAbort, { once: true });
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > command.outputBytes) end('output', `it answered more than ${command.outputBytes} bytes`);
    else chunks.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    said = Buffer.concat([said, chunk]).subarray(-errorBytesKept);
  });
  if (command.background === true && child.pid !== undefined) setPriority(child.pid, 15);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const { stdin } = child;
  if (command.input !== undefined && stdin !== null) {
    feed(command.input, stdin).catch((error: unknown) => end('input', 'its input ended early', error));
  }
  try {
    if (command.signal?.aborted === true) onAbort();
    const code = await closed;
    if (ended !== undefined) throw ended;
    if (code !== 0) throw new GitFailure('exit', maskValues(cleanOutput(said.toString('utf8')), sentWith(command)));
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
  } catch (error) {
    if (error instanceof GitFailure) throw error;
    throw new GitFailure('missing', `git cannot be started: ${(error as Error).message}`, error);
  } finally {
    if (child.pid !== undefined) running.delete(child.pid);
    cancelTimeout();
    command.signal?.removeEventListener('abort', onAbort);
  }
}

/** Credentials in the settings that git is run with: a server may repeat them. */
function sentWith({ environment }: GitCommand): string[] {
  const headers = Object.values(environment).filter((value) => value.startsWith('Authorization: '));
  return headers.flatMap((header) => authorizationValues(header.slice('Authorization: '.length)));
}

/** Writes everything to a process; stops without an error where the process ends first: its exit code and standard error say why. */
async function feed(input: AsyncIterable<Uint8Array>, stdin: Writable): Promise<void> {
  let gone = false;
  let wake = (): void => {};
  const leave = (): void => {
    gone = true;
    wake();
  };
  stdin.on('error', leave);
  stdin.on('close', leave);
  stdin.on('drain', () => wake());
  for await (const chunk of input) {
    if (gone) return;
    if (stdin.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (gone || !stdin.writableNeedDrain) resolve();
    });
  }
  stdin.end();
}

/** Ends a process that leads its own group, and everything in the group. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What git wrote for people, on one line, without control characters and user information. */
export function cleanOutput(text: string): string {
  const lines = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'));
  return maskUserInformation([...new Set(lines)].join('; ')).slice(-1_000);
}
