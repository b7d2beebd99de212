import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Api, Endpoint } from './api.ts';
import { type Binaries, buildCluster, type Progress } from './build.ts';
import { type ControlPlane, startControlPlane, unroutedServices } from './control-plane.ts';
import {
  createPodNetwork,
  installPackages,
  type PodNetwork,
  startApiService,
  startContainerd,
  startKubelet,
} from './real-node.ts';
import {
  checkName,
  createRun,
  isAbandoned,
  listRuns,
  type Run,
  readRun,
  releaseRun,
  removeRun,
  type Started,
  sweep,
  updateRun,
} from './run.ts';
import { startSimulatedNode } from './simulated-node.ts';

export type { Api, ApiError, Endpoint, Json } from './api.ts';
export { type Binaries, buildCluster, buildHelm, helmPath, kubectlPath, type Progress } from './build.ts';
export { type ImageSpec, imageTar, sampleImages } from './images.ts';
export { sweep } from './run.ts';

/**
 * What runs the pods: `real` is kubelet with containerd (Linux, root), `simulated` is kwok (pods without containers, in any
 * number), `none` leaves them pending.
 */
export type NodeKind = 'real' | 'simulated' | 'none';

export type ClusterOptions = {
  /** 1 to 40 lower-case letters, digits and inner hyphens; one cluster per name and checkout. */
  readonly name: string;
  readonly node: NodeKind;
  /** The API server is reached from pods of other clusters, too, at `podServer`: as root on Linux. A real node needs it anyway. */
  readonly reachable?: boolean;
  readonly onProgress?: Progress;
  /** The cluster stays when this process ends; without it the next start or sweep removes what an ended process left. */
  readonly detached?: boolean;
};

/** A running Kubernetes on 127.0.0.1. Certificates and keys are PEM. */
export type Cluster = Endpoint & {
  readonly name: string;
  readonly node: NodeKind;
  /** Kubeconfig of an administrator: its file and its text. The certificates are in it. */
  readonly kubeconfigPath: string;
  readonly kubeconfig: string;
  /** Certificate authority in base64, as cluster Secrets and kubeconfigs want it; `ca` is the same in PEM. */
  readonly caData: string;
  /** The administrator's certificate and key in base64. */
  readonly certData: string;
  readonly keyData: string;
  /** Folder of data and logs (`logs/*.log`); it goes when the cluster stops. */
  readonly dir: string;
  /** Where pods reach this machine, and where they, and those of other clusters, reach this cluster's API server; undefined where it is not reachable. */
  readonly pods: { readonly gateway: string; readonly server: string } | undefined;
  /** The processes of the cluster by role, such as `kube-apiserver`. */
  readonly pids: Readonly<Record<string, number>>;
  /** A small client with the administrator's rights. */
  readonly api: Api;
  /** Runs kubectl against this cluster and returns what it prints. Throws with its messages where it fails. */
  readonly kubectl: (...args: string[]) => Promise<string>;
  /** Makes an image archive (see `imageTar`) known to a real node. Throws for other nodes. */
  readonly loadImage: (tarPath: string) => Promise<void>;
  /** Removes every process, mount, cgroup, network interface and file that the start made. May be called twice. */
  readonly stop: () => Promise<void>;
};

/**
 * Builds what is missing, removes what dead clusters left, and starts a cluster: about 3 s without a node. Several run side
 * by side under different names. Throws, with nothing left behind, where it can't start.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { name, node } = options;
  const onProgress = options.onProgress ?? ((): void => {});
  checkName(name);
  if (node === 'real' || options.reachable) await installPackages(onProgress);
  const binaries = await buildCluster({ realNode: node === 'real', onProgress });
  for (const swept of await sweep()) onProgress(`removed what the cluster ${swept} had left`);

  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  let state = await createRun(name);
  const onStart = (child: Started): void => {
    state = updateRun(state, { processes: [...state.processes, child.id] });
  };
  try {
    onProgress(`starting the cluster ${name}`);
    let loadImage: Cluster['loadImage'] = async () => {
      throw new Error(`the cluster ${name} has no real node to load an image into`);
    };
    let controlPlane: ControlPlane;
    let network: PodNetwork | undefined;
    if (node === 'real' || options.reachable) {
      network = await createPodNetwork(state.dir);
      state = updateRun(state, { links: [network.bridge] });
    }
    if (node === 'real' && network !== undefined) {
      // Both are needed before kubelet starts, and neither needs the other.
      const [plane, containerd] = await settleAll(
        startControlPlane(state, binaries, network.services, onStart),
        startContainerd(state, binaries, network, onStart),
      );
      controlPlane = plane;
      loadImage = containerd.loadImage;
      await startApiService(state, controlPlane, network, onStart);
      await startKubelet(state, binaries, controlPlane, network, onStart);
    } else {
      controlPlane = await startControlPlane(state, binaries, network?.services ?? unroutedServices, onStart);
      if (network !== undefined) await startApiService(state, controlPlane, network, onStart);
      if (node === 'simulated') await startSimulatedNode(state, binaries, controlPlane, onStart);
    }
    if (options.detached === true) state = releaseRun(state);
    onProgress(`the cluster ${name} is ready after ${seconds()}`);
    return describe(state, options.node, binaries, controlPlane, { loadImage, network });
  } catch (error) {
    await removeRun(state);
    throw error;
  }
}

/** Stops a cluster by name, whoever started it. Returns false where there is none of that name. */
export async function stopCluster(name: string): Promise<boolean> {
  const state = await readRun(name);
  if (state === undefined) return false;
  await removeRun(state);
  return true;
}

/** The clusters of this checkout, by name. `alive` is false for one whose owner has gone and that awaits its sweep. */
export async function listClusters(): Promise<{ name: string; dir: string; alive: boolean }[]> {
  return (await listRuns()).map((state) => ({ name: state.name, dir: state.dir, alive: !isAbandoned(state) }));
}

function describe(
  state: Run,
  node: NodeKind,
  binaries: Binaries,
  controlPlane: ControlPlane,
  { loadImage, network }: { loadImage: Cluster['loadImage']; network: PodNetwork | undefined },
): Cluster {
  const { endpoint, api, kubeconfigPath } = controlPlane;
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  let stopping: Promise<void> | undefined;
  return {
    ...endpoint,
    name: state.name,
    node,
    kubeconfigPath,
    kubeconfig: readFileSync(kubeconfigPath, 'utf8'),
    caData: base64(endpoint.ca),
    certData: base64(endpoint.cert),
    keyData: base64(endpoint.key),
    dir: state.dir,
    pods: network && { gateway: network.gateway, server: `https://${network.services.apiServer}` },
    pids: Object.fromEntries(state.processes.map(({ role, pid }) => [role, pid])),
    api,
    kubectl: async (...args) => {
      const all = ['kubectl', '--kubeconfig', kubeconfigPath, '--cache-dir', join(state.dir, 'kubectl'), ...args];
      const { stdout } = await promisify(execFile)(binaries.kubernetes, all, { maxBuffer: 64 * 2 ** 20 });
      return stdout;
    },
    loadImage,
    stop: () => {
      api.close();
      stopping ??= removeRun(state);
      return stopping;
    },
  };
}

/** Like `Promise.all`, but rejects only when all have come to an end, so that nothing starts during the clean-up. */
async function settleAll<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}
