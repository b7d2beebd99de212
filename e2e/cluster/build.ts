import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isAlive, type ProcessId, processId } from './processes.ts';

/** Says how far a long step is, one line at a time. */
export type Progress = (line: string) => void;

export const kubernetesVersion = 'v1.37.2';

/** The version in helm/go.mod. */
export const helmVersion = 'v4.3.1';

/** Everything built or left behind by a cluster lives here; Git ignores it. */
export const clusterHome: string = join(import.meta.dirname, '..', '..', '.tools', 'cluster');

/** A kubectl of the clusters' version, there after the first build. */
export const kubectlPath: string = join(clusterHome, 'kubectl');

/** The helm that charts are judged by, there once it was built. */
export const helmPath: string = join(clusterHome, 'helm');

/** Paths of the built programs. `containerd`, its shim, `ctr` and `web` are there for a real node only. */
export type Binaries = {
  /** One binary for etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kwok and kubectl. */
  readonly kubernetes: string;
  /** Folder with containerd, containerd-shim-runc-v2 and ctr. */
  readonly containerdDir: string | undefined;
  /** The sample web server, a static program. */
  readonly web: string | undefined;
};

type Target = {
  readonly name: string;
  /** Where its sources are, from here; default: in the folder of its name. */
  readonly folder?: string;
  readonly packages: readonly string[];
  readonly ldflags: string;
  readonly firstTime: string;
  readonly env?: Readonly<Record<string, string>>;
};

const versionFlags = ['k8s.io/client-go/pkg/version', 'k8s.io/component-base/version']
  .map((path) => {
    const [major, minor] = kubernetesVersion.slice(1).split('.');
    return `-X ${path}.gitVersion=${kubernetesVersion} -X ${path}.gitMajor=${major} -X ${path}.gitMinor=${minor} -X ${path}.gitCommit=`;
  })
  .join(' ');

const containerdPackage = 'github.com/containerd/containerd/v2/cmd';

const controlPlane: Target = {
  name: 'control-plane',
  packages: ['.'],
  ldflags: `-s -w ${versionFlags}`,
  firstTime: '5 to 7 minutes on 2 cores the first time',
};
const containerd: Target = {
  name: 'containerd',
  packages: ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((program) => `${containerdPackage}/${program}`),
  ldflags: '-s -w',
  firstTime: 'about a minute on 2 cores the first time',
};
const web: Target = {
  name: 'web',
  packages: ['.'],
  ldflags: '-s -w',
  firstTime: 'some seconds the first time',
  env: { GOOS: 'linux' },
};

const helm: Target = {
  name: 'helm',
  packages: ['helm.sh/helm/v4/cmd/helm'],
  ldflags: `-s -w -X helm.sh/helm/v4/internal/version.version=${helmVersion}`,
  firstTime: '2 to 3 minutes on 2 cores the first time',
};

const otlpReceiver: Target = {
  name: 'otlp-receiver',
  folder: '../traces/receiver',
  packages: ['.'],
  ldflags: '-s -w',
  firstTime: 'about a minute on 2 cores the first time',
};

const yamlReader: Target = {
  name: 'yaml-reader',
  packages: ['.'],
  ldflags: '-s -w',
  firstTime: 'about a minute on 2 cores the first time',
};

/** Builds what is missing. Instant when everything is there; safe to call from several processes at once. */
export async function buildCluster(options: { realNode: boolean; onProgress?: Progress }): Promise<Binaries> {
  const onProgress = options.onProgress ?? (() => {});
  const kubernetes = await build(controlPlane, onProgress);
  await pointTo(kubectlPath, join(kubernetes, 'control-plane'));
  if (!options.realNode)
    return { kubernetes: join(kubernetes, 'control-plane'), containerdDir: undefined, web: undefined };
  return {
    kubernetes: join(kubernetes, 'control-plane'),
    containerdDir: await build(containerd, onProgress),
    web: await buildWeb(onProgress),
  };
}

/** Builds the sample web server, a static Linux program, and returns its path. */
export async function buildWeb(onProgress: Progress): Promise<string> {
  return join(await build(web, onProgress), 'web');
}

/** Builds the helm program, and returns its path: `helmPath` leads there, too. */
export async function buildHelm(onProgress: Progress): Promise<string> {
  const program = join(await build(helm, onProgress), 'helm');
  await pointTo(helmPath, program);
  return program;
}

/** Builds the OTLP receiver of the OpenTelemetry Collector, and returns its path. */
export async function buildOtlpReceiver(onProgress: Progress): Promise<string> {
  return join(await build(otlpReceiver, onProgress), 'receiver');
}

/** Builds the program that reads YAML as Kubernetes does, and returns its path. */
export async function buildYamlReader(onProgress: Progress): Promise<string> {
  return join(await build(yamlReader, onProgress), 'yaml-reader');
}

async function build(target: Target, onProgress: Progress): Promise<string> {
  const source = join(import.meta.dirname, target.folder ?? target.name);
  const output = join(clusterHome, 'bin', `${target.name}-${sourceHash(source, target)}`);
  if (existsSync(output)) return output;
  await checkGo();
  await mkdir(join(clusterHome, 'bin'), { recursive: true });
  return await withBuildLock(onProgress, async () => {
    if (existsSync(output)) return output;
    // Whoever made such a folder was killed: builds happen under the lock only.
    for (const left of await readdir(join(clusterHome, 'bin'))) {
      if (left.startsWith(`.${target.name}-`))
        await rm(join(clusterHome, 'bin', left), { recursive: true, force: true });
    }
    const scratch = await mkdtemp(join(clusterHome, 'bin', `.${target.name}-`));
    try {
      await goBuild(target, source, scratch, onProgress);
      if (!existsSync(output)) await rename(scratch, output);
      return output;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}

/** Makes the symbolic link, or turns an old one to the new target, without a moment in which it is missing. */
async function pointTo(link: string, target: string): Promise<void> {
  if ((await readlink(link).catch(() => undefined)) === target) return;
  const fresh = `${link}.${process.pid}`;
  await rm(fresh, { force: true });
  await symlink(target, fresh);
  await rename(fresh, link);
}

function sourceHash(source: string, target: Target): string {
  const hash = createHash('sha256').update(JSON.stringify([target, process.platform, process.arch]));
  for (const file of readdirSync(source).sort()) {
    if (/^go\.(mod|sum)$|\.go$/.test(file)) hash.update(`\0${file}\0`).update(readFileSync(join(source, file)));
  }
  return hash.digest('hex').slice(0, 12);
}

async function checkGo(): Promise<void> {
  const version = await promisify(execFile)('go', ['env', 'GOVERSION']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (version === undefined) throw new Error('the local cluster needs Go 1.26 or newer: no `go` command was found');
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) < 1 || (Number(major) === 1 && Number(minor) < 26)) {
    throw new Error(`the local cluster needs Go 1.26 or newer: \`go\` is ${version}`);
  }
}

async function goBuild(target: Target, source: string, output: string, onProgress: Progress): Promise<void> {
  const started = performance.now();
  const elapsed = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
  onProgress(`building ${target.name} (${target.firstTime})`);
  const args = ['build', '-v', '-trimpath', '-ldflags', target.ldflags, '-o', `${output}/`, ...target.packages];
  const child = spawn('go', args, {
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0', ...target.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let modules = 0;
  let packages = 0;
  const complaints: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    if (line.startsWith('go: downloading ')) modules++;
    else if (/^[\w.~/-]+$/.test(line)) packages++;
    else complaints.push(line);
  });
  const timer = setInterval(() => {
    onProgress(`building ${target.name}, ${elapsed()}: ${modules} modules downloaded, ${packages} compiled`);
  }, 5000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (code !== 0)
      throw new Error(`go build of ${source} failed (exit ${code}):\n${complaints.slice(-30).join('\n')}`);
  } finally {
    clearInterval(timer);
  }
  onProgress(`built ${target.name} in ${elapsed()}`);
}

async function withBuildLock<T>(onProgress: Progress, work: () => Promise<T>): Promise<T> {
  const lock = join(clusterHome, 'bin', '.lock');
  const started = performance.now();
  let told = -Infinity;
  while (!(await tryLock(lock))) {
    const seconds = Math.round((performance.now() - started) / 1000);
    if (seconds - told >= 5) {
      onProgress(`waiting for a build by another process, ${seconds} s`);
      told = seconds;
    }
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, JSON.stringify(processId(process.pid)), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const text = await readFile(lock, 'utf8').catch(() => '');
  // An empty file is a lock that is being written this very moment, or being removed.
  if (text !== '' && !isAlive(JSON.parse(text) as ProcessId)) await rm(lock, { force: true });
  return false;
}
