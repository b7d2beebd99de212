import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { kubectlPath, type Progress, startCluster, stopCluster } from '../cluster/cluster.ts';
import { busyboxPath, isStaticProgram, sampleImageTars } from '../cluster/images.ts';
import type { LeftCluster } from './left.ts';

/** The Kubernetes that the demo runs on. */
export interface Place {
  readonly name: string;
  readonly kubeconfigPath: string;
  readonly context?: string;
  /** Image of the shop's web server that this cluster can pull or has; undefined where the samples' own is there. */
  readonly webImage?: string;
  /** How a person calls kubectl for this cluster, once `KUBECONFIG` is set. */
  readonly kubectl: string;
}

/** Name of the demo's own cluster. */
export const clusterName = 'mooring-demo';

/**
 * The context that `MOORING_CONTEXT` names; else kind, where Docker and kind are there; else the local cluster, with a real node for root on Linux and a
 * simulated one for others. `making` is told what is to be removed, before it is made.
 */
export async function findPlace(
  keep: boolean,
  say: Progress,
  making: (cluster: LeftCluster) => Promise<void>,
): Promise<Place> {
  const context = process.env['MOORING_CONTEXT'];
  if (context) {
    const place = await contextPlace(context);
    await making({ kind: 'context', context });
    return place;
  }
  const lacking = await whyNoKind();
  if (lacking === undefined) return kindPlace(say, making);
  const node = process.platform === 'linux' && process.getuid?.() === 0 ? 'real' : 'simulated';
  say(`no MOORING_CONTEXT, ${lacking}: local cluster with a ${node} node`);
  await making({ kind: 'local' });
  const cluster = await startCluster({ name: clusterName, node, detached: keep, onProgress: say });
  return { name: `local cluster (${node} node)`, kubeconfigPath: cluster.kubeconfigPath, kubectl: kubectlPath };
}

/** Removes a cluster that the demo made. One of somebody else's stays. */
export async function removePlace(cluster: LeftCluster): Promise<void> {
  if (cluster.kind === 'local') await stopCluster(clusterName);
  if (cluster.kind !== 'kind') return;
  const kubeconfigPath = join(cluster.folder, 'kubeconfig');
  // Its exit code is 0 where there is no such cluster.
  await run('kind', ['delete', 'cluster', '--name', clusterName, '--kubeconfig', kubeconfigPath]);
  await rm(cluster.folder, { recursive: true, force: true });
}

/** The file of `KUBECONFIG` or `~/.kube/config` that has the context. Throws where none has. */
export async function kubeconfigOf(context: string): Promise<string> {
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const paths = named.length > 0 ? named : [join(homedir(), '.kube', 'config')];
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return '';
      throw thrown;
    });
    const { contexts } = (parse(text) ?? {}) as { contexts?: readonly { name?: unknown }[] };
    if (contexts?.some(({ name }) => name === context)) return path;
  }
  throw new Error(
    `MOORING_CONTEXT=${context}: ${paths.join(', ')} has no such context; \`kubectl config get-contexts\` lists them`,
  );
}

async function contextPlace(context: string): Promise<Place> {
  const webImage = process.env['MOORING_DEMO_IMAGE'] ?? '';
  if (!/^[^@\s]+:[\w.-]+$/.test(webImage)) {
    throw new Error(
      `MOORING_CONTEXT is set: set MOORING_DEMO_IMAGE too${webImage && ` (it is ${JSON.stringify(webImage)})`}, to the NAME:TAG of an image that this cluster can pull and that serves HTTP on port 8080 with /healthz`,
    );
  }
  const kubeconfigPath = await kubeconfigOf(context);
  return { name: `context ${context}`, kubeconfigPath, context, webImage, kubectl: `kubectl --context ${context}` };
}

/** What kind needs and this machine lacks; undefined where it can run. */
async function whyNoKind(): Promise<string | undefined> {
  const works = (program: string, ...args: readonly string[]): Promise<boolean> =>
    run(program, args, undefined, 10_000).then(
      () => true,
      () => false,
    );
  if (!(await works('kind', 'version'))) return 'no kind';
  if (!(await works('docker', 'info'))) return 'no Docker daemon that answers';
  return undefined;
}

async function kindPlace(say: Progress, making: (cluster: LeftCluster) => Promise<void>): Promise<Place> {
  // Perhaps of a demo in another checkout: not ours to delete.
  if ((await run('kind', ['get', 'clusters'])).split('\n').includes(clusterName)) {
    throw new Error(
      `there is a kind cluster ${clusterName} already; remove it with: kind delete cluster --name ${clusterName}`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'mooring-kind-'));
  await making({ kind: 'kind', folder });
  // The images first: what is missing for them should not be found out after the cluster was made.
  const tars = await sampleImageTars(folder, say, await staticBusybox(folder, say));
  const kubeconfigPath = join(folder, 'kubeconfig');
  say('creating a kind cluster (about a minute; longer where its image must be pulled)');
  const config = fileURLToPath(new URL('../../kind-config.yaml', import.meta.url));
  const named = ['--name', clusterName];
  await run('kind', ['create', 'cluster', ...named, '--config', config, '--kubeconfig', kubeconfigPath], say);
  await run('kind', ['load', 'image-archive', ...tars, ...named], say);
  return { name: 'kind', kubeconfigPath, kubectl: 'kubectl' };
}

/** This machine's busybox where it is a static one, else that of Docker Hub. */
async function staticBusybox(folder: string, say: Progress): Promise<string> {
  if (await isStaticProgram(busyboxPath)) return busyboxPath;
  const image = 'busybox:musl';
  const program = join(folder, 'busybox');
  say(`${busyboxPath} is not a static program: taking that of the image ${image}`);
  const container = `${clusterName}-busybox`;
  await run('docker', ['create', '--name', container, image], say);
  try {
    await run('docker', ['cp', `${container}:/bin/busybox`, program]);
  } finally {
    await run('docker', ['rm', container]);
  }
  return program;
}

/**
 * Runs a program to its end and answers its standard output; each line that it writes to standard error is said at once. Throws with its last lines
 * where it fails.
 */
async function run(program: string, args: readonly string[], say?: Progress, timeoutMs = 900_000): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    const text = line.trim();
    if (text === '') return;
    lines.push(text);
    say?.(`  ${text}`);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, output] = await Promise.all([ended, readText(child.stdout)]);
  if (code === 0) return output;
  throw new Error(
    [`${program} ${args.join(' ')} failed (${code ?? 'killed'})`, ...(say ? [] : lines.slice(-15))].join('\n'),
  );
}
