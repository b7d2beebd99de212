import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Cluster, kubectlPath } from '../cluster/cluster.ts';
import type { GitServer } from '../git-server/git-server.ts';
import type { Step } from './guide.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
/** What the guides call the reader's Git host. */
const gitHost = 'https://git.example.com';
/** Milliseconds that one block of commands may take. */
const patienceMs = 240_000;

/** What the guides take for granted: clusters in a kubeconfig, a Git host, and the programs. */
export interface Surroundings {
  /** The cluster that Mooring is installed in: the current context. */
  readonly hub: Cluster;
  /** Other clusters, by the name of their context. They must be reachable from pods. */
  readonly others: Readonly<Record<string, Cluster>>;
  readonly git: GitServer;
  readonly user: { readonly name: string; readonly password: string };
  /** Path of the program `helm`. */
  readonly helm: string;
}

/** A folder in which a reader follows guides, with the checkout of Mooring in it as `mooring`. */
export interface Place {
  /** Does what one step says. Throws, with what was printed, where a command fails. */
  follow(step: Step): Promise<void>;
  remove(): Promise<void>;
}

export async function createPlace({ hub, others, git, user, helm }: Surroundings): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-guides-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await symlink(kubectlPath, join(bin, 'kubectl'));
  await symlink(helm, join(bin, 'helm'));
  await symlink(checkout, join(folder, 'mooring'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(hub, others)), { mode: 0o600 });
  const authorization = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  const settings = {
    [`http.${git.url}/.extraHeader`]: `Authorization: ${authorization}`,
    [`http.${git.url}/.proxy`]: '',
    'user.name': 'Ada',
    'user.email': 'ada@example.com',
  };
  // Clusters and the Git host are on this machine, whatever leads elsewhere.
  const direct = ['127.0.0.1', 'localhost', '10.96.0.0/16', '10.244.0.0/16', process.env['NO_PROXY']].join(',');
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter),
    KUBECONFIG: kubeconfig,
    KUBECACHEDIR: join(folder, 'kubectl'),
    HELM_CACHE_HOME: join(folder, 'helm', 'cache'),
    HELM_CONFIG_HOME: join(folder, 'helm', 'config'),
    HELM_DATA_HOME: join(folder, 'helm', 'data'),
    // The image of this machine alone.
    ARCH: process.arch === 'x64' ? 'amd64' : process.arch,
    NO_PROXY: direct,
    no_proxy: direct,
    GIT_TOKEN: user.password,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
  };
  for (const [index, [key, value]] of Object.entries(settings).entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return {
    async follow(step) {
      if (step.kind === 'leave') return;
      const text = step.text.replaceAll(gitHost, git.url);
      if (step.kind === 'write') {
        const path = join(folder, step.path);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
        return;
      }
      try {
        // Where its input is a socket, as here, bash would read the settings of a terminal.
        const args = ['--norc', '-euo', 'pipefail', '-c', text];
        await promisify(execFile)('bash', args, { cwd: folder, env, timeout: patienceMs });
      } catch (thrown) {
        const {
          stdout = '',
          stderr = '',
          killed = false,
        } = thrown as { stdout?: string; stderr?: string; killed?: boolean };
        const why = killed ? `not done after ${patienceMs / 1000} s` : 'failed';
        throw new Error(`line ${step.line} ${why}:\n${text}\n${stdout}${stderr}`, { cause: thrown });
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function kubeconfigOf(hub: Cluster, others: Surroundings['others']): object {
  const clusters = Object.entries({ hub, ...others });
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'hub',
    contexts: clusters.map(([name]) => ({ name, context: { cluster: name, user: name } })),
    clusters: clusters.map(([name, { pods, server, caData }]) => ({
      name,
      cluster: { server: pods?.server ?? server, 'certificate-authority-data': caData },
    })),
    users: clusters.map(([name, { certData, keyData }]) => ({
      name,
      user: { 'client-certificate-data': certData, 'client-key-data': keyData },
    })),
  };
}
