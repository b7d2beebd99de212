import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';

/** The API server of a cluster, to be stopped and started again. It starts with the arguments it had, `changes` among them. */
export interface ApiServer {
  /** The program that it is a part of; `certs` is another part. */
  readonly program: string;
  stop(): Promise<void>;
  /** Waits until it is ready, but where its certificate is another; flags are named as on its command line, without hyphens: `{ 'tls-cert-file': path }`. */
  start(changes?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends the one that was started here; the cluster knows nothing of it. */
  close(): void;
}

const patienceMs = 30_000;

export async function apiServerOf(cluster: Cluster): Promise<ApiServer> {
  let pid = cluster.pids['kube-apiserver'] ?? 0;
  let close = (): void => {};
  const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);

  async function isUp(): Promise<boolean> {
    try {
      return (await cluster.api.text('/readyz')) === 'ok';
    } catch {
      return false;
    }
  }

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!(await isSo())) {
      if (performance.now() > end) throw new Error(`not so after ${patienceMs} ms: ${what}`);
      await sleep(25);
    }
  }

  return {
    program,
    async stop() {
      process.kill(pid, 'SIGKILL');
      await until('the API server is down', async () => !(await isUp()));
    },
    async start(changes = {}) {
      const changed = args.map((arg) => {
        const name = /^--([^=]+)=/.exec(arg)?.[1] ?? '';
        return changes[name] === undefined ? arg : `--${name}=${changes[name]}`;
      });
      const child = spawn(program, changed, { stdio: 'ignore' });
      pid = child.pid ?? 0;
      close = () => void child.kill('SIGKILL');
      // With another certificate the cluster's own client does not know it.
      if (changes['tls-cert-file'] === undefined) await until('the API server is up again', isUp);
    },
    close: () => close(),
  };
}
