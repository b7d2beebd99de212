import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A Mooring operator in a process of its own, as users run it. */
export interface OperatorProcess {
  readonly pid: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Resident memory now, bytes, and CPU seconds used so far, user and system. */
  usage(): { rssBytes: number; cpuSeconds: number };
  metrics(): Promise<string>;
  /** Settles when it ends, with its exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** False once it has ended, however. */
  isRunning(): boolean;
  /** Sends SIGTERM and waits; SIGKILL after 15 s. Answers the exit code. */
  stop(): Promise<number | null>;
  /** Sends a signal and waits for nothing. */
  signal(name: NodeJS.Signals): void;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

export interface OperatorProcessOptions {
  readonly kubeconfigPath: string;
  readonly context?: string;
  /** Default: argocd. */
  readonly namespace?: string;
  /** Folder for repositories. */
  readonly dataDirectory: string;
  /** File that takes the log. */
  readonly logPath: string;
  readonly detached?: boolean;
  /** What is waited for; default: `/readyz`. */
  readonly until?: '/readyz' | '/livez';
  /** Further arguments. */
  readonly args?: readonly string[];
  /** Name of this replica among those that share a Lease; alone without one. */
  readonly replica?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const program = fileURLToPath(new URL('../../operator/bin/mooring-operator', import.meta.url));
/** Git servers and repositories of tests and of the demo are on this machine. */
export const localRepositories: Readonly<Record<string, string>> = {
  MOORING_ALLOW_FILE_REPOSITORIES: 'true',
  MOORING_ALLOW_NODE_LOCAL_REPOSITORIES: 'true',
};
/** Linux counts CPU time in these. */
const ticksPerSecond = 100;

/** Starts an operator and waits until it is ready, or alive. Throws, with the end of its log, where it ends or takes longer than 60 s. */
export async function startOperatorProcess(options: OperatorProcessOptions): Promise<OperatorProcess> {
  await mkdir(dirname(options.logPath), { recursive: true });
  const port = await freePort();
  const args = [
    ...['--kubeconfig', options.kubeconfigPath],
    ...(options.context === undefined ? [] : ['--context', options.context]),
    ...['--namespace', options.namespace ?? 'argocd'],
    ...['--listen', `127.0.0.1:${port}`],
    ...['--data', options.dataDirectory],
    ...(options.args ?? []),
    ...(options.replica === undefined ? [] : ['--leader-elect']),
  ];
  const log = createWriteStream(options.logPath, { flags: 'a' });
  await new Promise((resolve) => log.once('open', resolve));
  const child = spawn(program, args, {
    stdio: ['ignore', log, log],
    detached: options.detached ?? false,
    env: {
      ...process.env,
      ...localRepositories,
      ...(options.replica !== undefined && { POD_NAME: options.replica }),
      ...options.env,
    },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${port}`;
  await waitUntil(child, `${url}${options.until ?? '/readyz'}`, options.logPath);
  const { pid } = child;
  if (pid === undefined) throw new Error('the operator did not start');
  if (options.detached) child.unref();
  return {
    pid,
    url,
    ended,
    usage: () => usageOf(pid),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
    signal: (name) => child.kill(name),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function waitUntil(child: ChildProcess, address: string, logPath: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) break;
    try {
      if ((await fetch(address)).ok) return;
    } catch {
      // It does not listen yet.
    }
    await sleep(50);
  }
  child.kill('SIGKILL');
  const lines = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  throw new Error(`the operator did not answer ${address} as it should; the end of ${logPath}:\n${lines}`);
}

function usageOf(pid: number): { rssBytes: number; cpuSeconds: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? '0';
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  // Fields 14 to 17 of proc(5): user and system time, own and of waited-for children.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { rssBytes: Number(rss) * 1_024, cpuSeconds: ticks / ticksPerSecond };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
