import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries, Progress } from './build.ts';
import {
  type ControlPlane,
  freePort,
  nodeName,
  pki,
  type ServiceNetwork,
  toArgs,
  untilReady,
  writeKubeconfig,
} from './control-plane.ts';
import { busyboxPath, isStaticProgram, sampleImages, writeSampleImages } from './images.ts';
import { bridgeAddress, containerdNamespace, networkName, type Run, type Started, startProcess } from './run.ts';

const run = promisify(execFile);

/** A containerd with what its commands need. */
export type Containerd = {
  readonly started: Started;
  /** Imports an image archive. */
  readonly loadImage: (tarPath: string) => Promise<void>;
};

const packages = ['runc', 'containernetworking-plugins', 'busybox-static', 'iproute2', 'mount'];
const cniFolders = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

/** Installs what a real node takes from Debian, if something is missing. Throws with what to do where that can't be done. */
export async function installPackages(onProgress: Progress): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error("a real node needs Linux and root; use a cluster with `node: 'simulated'` or 'none'");
  }
  const missing = await missingPrograms();
  if (missing.length === 0) return;
  if (!onPath('apt-get')) {
    throw new Error(
      `a real node needs ${missing.join(', ')}: install the equivalent of Debian's ${packages.join(' ')}`,
    );
  }
  onProgress(`installing ${packages.join(' ')}: ${missing.join(', ')} missing`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=300', '-qq'];
  const started = performance.now();
  const timer = setInterval(() => {
    onProgress(`installing packages, ${Math.round((performance.now() - started) / 1_000)} s`);
  }, 5_000);
  try {
    await run('apt-get', ['update', ...wait], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...wait, ...packages], { env });
  } finally {
    clearInterval(timer);
  }
  const still = await missingPrograms();
  if (still.length > 0)
    throw new Error(`after installing ${packages.join(' ')} these are still missing: ${still.join(', ')}`);
}

async function missingPrograms(): Promise<string[]> {
  const missing = ['runc', 'ip', 'umount'].filter((program) => !onPath(program));
  if (cniFolder() === undefined) missing.push('CNI plugins');
  if (!(await isStaticProgram(busyboxPath))) missing.push('a static busybox');
  return missing;
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((dir) => existsSync(join(dir, program)));
}

function cniFolder(): string | undefined {
  return cniFolders.find((dir) =>
    ['bridge', 'host-local', 'loopback'].every((plugin) => existsSync(join(dir, plugin))),
  );
}

/** A pod network of a cluster's own: 254 addresses on a bridge that only this machine reaches. Pods reach this machine at `gateway`. */
export type PodNetwork = {
  readonly bridge: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly services: ServiceNetwork;
};

/** Makes a bridge with the first number that no other cluster on this machine has taken, with the run's mark. */
export async function createPodNetwork(dir: string): Promise<PodNetwork> {
  for (let number = 0; number < 256; number++) {
    const bridge = `mooring${number}`;
    try {
      // Adding fails where the name is taken, so two clusters never share a number; the address tells whose it is.
      await run('ip', ['link', 'add', 'name', bridge, 'address', bridgeAddress(dir), 'type', 'bridge']);
    } catch (error) {
      if (/File exists/.test(String((error as { stderr?: string }).stderr))) continue;
      throw error;
    }
    const services = { range: `10.96.${number}.0/24`, apiServer: `10.96.${number}.1` };
    const network = { bridge, subnet: `10.244.${number}.0/24`, gateway: `10.244.${number}.1`, services };
    await run('ip', ['address', 'add', `${network.gateway}/24`, 'dev', bridge]);
    await run('ip', ['address', 'add', `${services.apiServer}/32`, 'dev', bridge]);
    await run('ip', ['link', 'set', bridge, 'up']);
    return network;
  }
  throw new Error('256 clusters with a real node run on this machine already');
}

/** Starts containerd and imports the sample images. Doesn't need the control plane. */
export async function startContainerd(
  state: Run,
  binaries: Binaries,
  network: PodNetwork,
  onStart: (started: Started) => void,
): Promise<Containerd> {
  const { containerdDir, web } = binaries;
  const plugins = cniFolder();
  if (containerdDir === undefined || web === undefined || plugins === undefined)
    throw new Error('the real node is not built');
  const home = join(state.dir, 'containerd');
  const images = join(home, 'images');
  const cni = join(home, 'cni');
  await mkdir(images, { recursive: true });
  await mkdir(cni);
  await writeFile(join(cni, '10-bridge.conflist'), JSON.stringify(cniConfig(state, network)));
  await writeFile(join(home, 'config.toml'), containerdConfig(state, plugins));
  const path = `${containerdDir}${delimiter}${process.env['PATH']}`;
  const started = await startProcess(
    state,
    'containerd',
    join(containerdDir, 'containerd'),
    ['--config', join(home, 'config.toml')],
    path,
  );
  onStart(started);
  const ctr = async (...args: string[]): Promise<void> => {
    await run(join(containerdDir, 'ctr'), [
      '--address',
      containerdSocket(state),
      '--namespace',
      containerdNamespace,
      ...args,
    ]);
  };
  const loadImage = (tarPath: string): Promise<void> =>
    ctr('images', 'import', '--local', '--snapshotter', 'native', tarPath);
  const [archives] = await Promise.all([
    writeSampleImages(images, { web, busybox: busyboxPath }),
    untilReady('containerd', [started], async () => {
      await ctr('version');
      return true;
    }),
  ]);
  for (const archive of archives) await loadImage(archive);
  return { started, loadImage };
}

/**
 * Makes the `kubernetes` Service lead to the API server, which listens on 127.0.0.1 alone: its address is this machine's on the bridge, and a small program hands
 * on what comes to it. It is the one Service that works.
 */
export async function startApiService(
  state: Run,
  controlPlane: ControlPlane,
  network: PodNetwork,
  onStart: (started: Started) => void,
): Promise<void> {
  const flags = { listen: `${network.services.apiServer}:443`, to: new URL(controlPlane.endpoint.server).host };
  const program = join(import.meta.dirname, 'forward.ts');
  const started = await startProcess(state, 'kubernetes-service', process.execPath, [program, ...toArgs(flags)]);
  onStart(started);
  await untilReady('the kubernetes Service', [started], () => accepts(network.services.apiServer, 443));
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Starts kubelet and waits until the node is ready for pods. */
export async function startKubelet(
  state: Run,
  binaries: Binaries,
  controlPlane: ControlPlane,
  network: PodNetwork,
  onStart: (started: Started) => void,
): Promise<void> {
  const home = join(state.dir, 'kubelet');
  await mkdir(join(home, 'manifests'), { recursive: true });
  const config = join(home, 'config.json');
  await writeFile(config, JSON.stringify(kubeletConfig(state, await freePort())));
  const flags = {
    config,
    kubeconfig: await writeKubeconfig(state, controlPlane.endpoint.server, 'kubelet'),
    'root-dir': home,
    'hostname-override': nodeName,
    'node-ip': network.gateway,
  };
  const started = await startProcess(state, 'kubelet', binaries.kubernetes, ['kubelet', ...toArgs(flags)]);
  onStart(started);
  await untilReady('the node', [...controlPlane.processes, started], async () => {
    const node = await controlPlane.api.call('GET', `/api/v1/nodes/${nodeName}`);
    const ready = node.status.conditions?.some(
      (c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True',
    );
    return ready && (node.spec.taints ?? []).length === 0;
  });
}

function containerdSocket(state: Run): string {
  return join(state.dir, 'containerd.sock');
}

function cniConfig(state: Run, network: PodNetwork): object {
  return {
    cniVersion: '1.0.0',
    name: networkName(state),
    plugins: [
      {
        type: 'bridge',
        bridge: network.bridge,
        isGateway: false,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: join(state.dir, 'containerd', 'ipam'),
          ranges: [[{ subnet: network.subnet, gateway: network.gateway }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
}

function containerdConfig(state: Run, plugins: string): string {
  const home = join(state.dir, 'containerd');
  const text = JSON.stringify;
  return `version = 3
root = ${text(join(home, 'root'))}
state = ${text(join(home, 'state'))}
disabled_plugins = [
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.opt",
]

[grpc]
address = ${text(containerdSocket(state))}

[plugins."io.containerd.shim.v1.manager"]
socket_dir = ${text(join(state.dir, 's'))}

[plugins."io.containerd.cri.v1.images"]
snapshotter = "native"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = ${text(sampleImages.pause)}

[plugins."io.containerd.cri.v1.runtime"]
# Lowering an OOM score needs CAP_SYS_RESOURCE, which root lacks in many sandboxes and containers.
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true
tolerate_missing_hugetlb_controller = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = [${text(plugins)}]
conf_dir = ${text(join(home, 'cni'))}
use_internal_loopback = true

[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
Root = ${text(join(state.dir, 'runc'))}
`;
}

function kubeletConfig(state: Run, port: number): object {
  const home = join(state.dir, 'kubelet');
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '127.0.0.1',
    port,
    healthzPort: 0,
    tlsCertFile: pki(state, 'kubelet-server.crt'),
    tlsPrivateKeyFile: pki(state, 'kubelet-server.key'),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki(state, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${containerdSocket(state)}`,
    staticPodPath: join(home, 'manifests'),
    volumePluginDir: join(home, 'volume-plugins'),
    podLogsDir: join(state.dir, 'pods'),
    // A machine of any kind: no cgroup hierarchy of our own, version 1 or 2, and no eviction when its disk is nearly full.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    localStorageCapacityIsolation: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    evictionHard: {
      'memory.available': '1Mi',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
    },
    imageGCHighThresholdPercent: 100,
    resolvConf: '',
    maxPods: 250,
    // The defaults of 10 s to a minute make a short test wait for nothing.
    syncFrequency: '10s',
    nodeStatusUpdateFrequency: '5s',
    fileCheckFrequency: '5s',
    volumeStatsAggPeriod: '1m',
  };
}
