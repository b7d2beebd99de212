import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildHelm, type Cluster, helmPath, type Progress } from '../cluster/cluster.ts';

/** What Helm's users have: a shell in this repository with helm and kubectl, for one cluster. Whatever the programs keep goes with the cluster. */
export interface Shell {
  /** Runs a script and answers what it printed. Throws with its messages where a command of it fails. */
  run(script: string): Promise<string>;
  /** Runs helm. */
  helm(...args: string[]): Promise<string>;
}

const root = join(import.meta.dirname, '..', '..');

/** Builds helm where it is missing. */
export async function openShell(cluster: Cluster, onProgress: Progress): Promise<Shell> {
  const helm = await buildHelm(onProgress);
  const env = {
    ...process.env,
    // kubectl is there, too.
    PATH: `${dirname(helmPath)}:${process.env['PATH']}`,
    KUBECONFIG: cluster.kubeconfigPath,
    HOME: cluster.dir,
    ...Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((kind) => [`HELM_${kind}_HOME`, join(cluster.dir, 'helm')])),
  };
  const start = async (file: string, args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(file, args, { cwd: root, env, maxBuffer: 64 * 2 ** 20 })).stdout;
  return {
    run: (script) => start('bash', ['-euo', 'pipefail', '-c', script]),
    helm: (...args) => start(helm, args),
  };
}
