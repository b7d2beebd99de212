import { spawn } from 'node:child_process';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_CHARS = 4096;

/**
 * The environment that git runs in: nothing of the user's or the machine's configuration, no prompt, no pager.
 * `home` is where git looks for files of the user; the folder of the repositories serves.
 */
export function gitEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
  };
}

export type GitRun = {
  cwd: string;
  /** What git reads on standard input, in parts. */
  input?: Iterable<string | Uint8Array>;
};

/**
 * Runs one git command without a shell and answers with its standard output, at most 64 MiB.
 * Throws an error that holds the command's name and what git wrote to standard error when it fails.
 */
export async function runGit(args: string[], run: GitRun): Promise<Buffer> {
  const child = spawn('git', args, { cwd: run.cwd, env: gitEnvironment(run.cwd), stdio: 'pipe' });
  const output: Buffer[] = [];
  let outputBytes = 0;
  let errors = '';
  let inputError: Error | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
    else output.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(0, MAX_ERROR_CHARS);
  });
  child.stdin.on('error', (error) => {
    inputError = error;
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new Error(`cannot run git ${args[0]}: ${cause.message}; is git installed?`, { cause })),
    );
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });
  child.stdin.cork();
  for (const part of run.input ?? []) child.stdin.write(part);
  child.stdin.end();

  const result = await ended;
  if (outputBytes > MAX_OUTPUT_BYTES) throw new Error(`git ${args[0]} wrote more than ${MAX_OUTPUT_BYTES} bytes`);
  if (result !== 0) throw new Error(`git ${args[0]} ended with ${result}: ${errors.trim() || '(no message)'}`);
  if (inputError) throw new Error(`git ${args[0]} did not read all of its input: ${inputError.message}`);
  return Buffer.concat(output);
}
