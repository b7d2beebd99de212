import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCluster, stopCluster } from '../cluster/cluster.ts';

const run = promisify(execFile);

/** The Kubernetes that the demo runs on. */
export interface Place {
  readonly name: string;
  readonly kubeconfigPath: string;
  readonly context?: string;
  /** Image of the shop's web server that this cluster can pull or has; undefined where the samples' own is there. */
  readonly webImage?: string;
  /** Undoes what `findPlace` made; a cluster that was there before stays. */
  leave(): Promise<void>;
}

/** Name of the demo's own cluster. */
export const clusterName = 'mooring-demo';

/**
 * The context that `MOORING_CONTEXT` names; else kind, where Docker and kind are there; else the local cluster, with a real node for root on Linux and a
 * simulated one for others.
 */
export async function findPlace(keep: boolean, say: (line: string) => void): Promise<Place> {
  const context = process.env['MOORING_CONTEXT'];
  if (context) return contextPlace(context);
  if (await canRunKind()) return kindPlace(say);
  const node = process.platform === 'linux' && process.getuid?.() === 0 ? 'real' : 'simulated';
  say(`no MOORING_CONTEXT, no kind with Docker: using the local cluster with a ${node} node`);
  const cluster = await startCluster({ name: clusterName, node, detached: keep, onProgress: say });
  return { name: `local cluster (${node} node)`, kubeconfigPath: cluster.kubeconfigPath, leave: () => cluster.stop() };
}

async function contextPlace(context: string): Promise<Place> {
  const webImage = process.env['MOORING_DEMO_IMAGE'];
  if (!webImage) {
    throw new Error(
      'MOORING_CONTEXT is set: set MOORING_DEMO_IMAGE too, to an image that this cluster can pull and that serves HTTP on port 8080 with /healthz',
    );
  }
  const kubeconfigPath = process.env['KUBECONFIG']?.split(':')[0] || join(homedir(), '.kube/config');
  return { name: `context ${context}`, kubeconfigPath, context, webImage, leave: async () => {} };
}

async function canRunKind(): Promise<boolean> {
  try {
    await run('kind', ['version'], { timeout: 10_000 });
    await run('docker', ['info'], { timeout: 10_000 });
    return true;
  } catch {
    // Either is missing, or Docker's daemon does not run.
    return false;
  }
}

async function kindPlace(say: (line: string) => void): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-kind-'));
  const kubeconfigPath = join(folder, 'kubeconfig');
  say('creating a kind cluster (about a minute)');
  const config = new URL('../../kind-config.yaml', import.meta.url).pathname;
  const limits = { timeout: 600_000, maxBuffer: 16 * 1024 * 1024 };
  await run(
    'kind',
    ['create', 'cluster', '--name', clusterName, '--config', config, '--kubeconfig', kubeconfigPath],
    limits,
  );
  const { sampleImageTars } = await import('../cluster/images.ts');
  for (const tar of await sampleImageTars(folder, say)) {
    await run('kind', ['load', 'image-archive', tar, '--name', clusterName], limits);
  }
  return {
    name: 'kind',
    kubeconfigPath,
    async leave() {
      await run('kind', ['delete', 'cluster', '--name', clusterName, '--kubeconfig', kubeconfigPath], limits);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Stops the local cluster of `make up`. */
export async function stopPlace(): Promise<boolean> {
  return stopCluster(clusterName);
}

/** What `make up` leaves for `make down`. */
export interface LeftRunning {
  readonly operatorPid: number;
  readonly gitServerPid: number;
}

export async function saveLeft(path: string, left: LeftRunning): Promise<void> {
  await writeFile(path, JSON.stringify(left));
}

export async function readLeft(path: string): Promise<LeftRunning | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LeftRunning;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}
