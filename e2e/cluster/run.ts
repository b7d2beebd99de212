import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { clusterHome } from './build.ts';
import { isAlive, kill, type ProcessId, processesWithEnv, processId } from './processes.ts';

const run = promisify(execFile);
const runHome = join(clusterHome, 'run');
const stateFile = 'state.json';

/** Every process of a run has this in its environment, so that one whose start was never written down is found too. */
const mark = 'MOORING_CLUSTER_DIR';

/** Where containerd keeps what belongs to Kubernetes; runc puts the cgroups of containers below a folder of this name. */
export const containerdNamespace = 'k8s.io';

/** What a cluster has made on this machine, kept in `.tools/cluster/run/NAME/state.json` for whoever must clean up. */
export type Run = {
  readonly name: string;
  /** Folder with the data, logs, certificates and sockets of the cluster. Also the prefix of all its mounts. */
  readonly dir: string;
  /** The process that the cluster ends with; absent for one that stays until it is stopped by name. See `releaseRun`. */
  readonly owner?: ProcessId;
  readonly processes: readonly (ProcessId & { readonly role: string })[];
  /** Bridges, by name; one is removed only while it has this run's `bridgeAddress`. */
  readonly links: readonly string[];
};

/** Throws where the name can't be a cluster's. */
export function checkName(name: string): void {
  if (/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) return;
  throw new Error(`cluster name ${JSON.stringify(name)}: use 1 to 40 lower-case letters, digits and inner hyphens`);
}

/** Claims the name for this process and makes the folder. Throws where a cluster of that name runs. */
export async function createRun(name: string): Promise<Run> {
  checkName(name);
  await mkdir(runHome, { recursive: true });
  // Unix sockets below have a limit of 107 bytes, the one of containerd's shims of 42 for the folder.
  const base = tmpdir().length <= 20 ? tmpdir() : '/tmp';
  const dir = await mkdtemp(join(base, 'mooring-'));
  const state: Run = { name, dir, owner: processId(process.pid), processes: [], links: [] };
  // A whole folder appears under its name at once, so nobody ever sees a run without its state.
  const staged = await mkdtemp(join(runHome, '.new-'));
  writeFileSync(join(staged, stateFile), JSON.stringify(state, null, 2));
  try {
    await rename(staged, join(runHome, name));
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    await rm(dir, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    throw new Error(`a cluster named ${name} runs already; stop it with: node e2e/cluster/main.ts down --name ${name}`);
  }
  return state;
}

/** The run of that name, if there is one. */
export async function readRun(name: string): Promise<Run | undefined> {
  try {
    return JSON.parse(await readFile(join(runHome, name, stateFile), 'utf8')) as Run;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The runs of this checkout, dead or alive. */
export async function listRuns(): Promise<Run[]> {
  const names = existsSync(runHome) ? readdirSync(runHome).filter((name) => !name.startsWith('.')) : [];
  const runs = await Promise.all(names.map(readRun));
  return runs.filter((found) => found !== undefined);
}

/** Whether nobody stands for a run any more, its owner or, without one, a process of its own: it may be removed. */
export function isAbandoned(state: Run): boolean {
  return state.owner === undefined ? !state.processes.some(isAlive) : !isAlive(state.owner);
}

/** Writes the change down and returns the new state. */
export function updateRun(state: Run, change: Partial<Pick<Run, 'processes' | 'links'>>): Run {
  return write({ ...state, ...change });
}

/** Lets a run outlive this process. */
export function releaseRun(state: Run): Run {
  const { owner: _, ...rest } = state;
  return write(rest);
}

function write(state: Run): Run {
  const file = join(runHome, state.name, stateFile);
  writeFileSync(`${file}.new`, JSON.stringify(state, null, 2));
  // Renaming is atomic: a reader gets the old state or the new one.
  renameSync(`${file}.new`, file);
  return state;
}

/** A started process with where its log is. */
export type Started = {
  readonly id: ProcessId & { readonly role: string };
  readonly log: string;
  readonly child: ChildProcess;
};

/** Starts a program of the cluster in a session of its own, its output in `logs/ROLE.log` of the run's folder. */
export async function startProcess(
  state: Run,
  role: string,
  file: string,
  args: readonly string[],
  path?: string,
): Promise<Started> {
  const logs = join(state.dir, 'logs');
  await mkdir(logs, { recursive: true });
  const log = join(logs, `${role}.log`);
  const out = openSync(log, 'a');
  try {
    const child = spawn(file, args, {
      cwd: state.dir,
      detached: true,
      stdio: ['ignore', out, out],
      env: { PATH: path ?? process.env['PATH'], HOME: state.dir, [mark]: state.dir },
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid as number));
    });
    child.unref();
    return { id: { ...processId(pid), role }, log, child };
  } finally {
    closeSync(out);
  }
}

/** Throws with the end of its log if the process has ended. */
export function checkRunning(process: Started): void {
  if (process.child.exitCode === null && process.child.signalCode === null) return;
  const how = process.child.signalCode ?? `exit ${process.child.exitCode}`;
  // What a Go program panics about stands before its stack traces.
  const [text = ''] = readFileSync(process.log, 'utf8').split(/^goroutine \d+ \[/m, 1);
  const end = text.trimEnd().split('\n').slice(-15).join('\n');
  throw new Error(`${process.id.role} ended (${how}); the end of its log:\n${end}`);
}

/**
 * Removes everything a run has made: processes, containers, mounts, cgroups, network interfaces, files. What is gone
 * already is no error, so it may be called again after a failure. Throws, and keeps the state file, where something stays.
 */
export async function removeRun(state: Run): Promise<void> {
  const containers = containerCgroups(state);
  await untilGone('processes', () => {
    const left = [
      ...state.processes.filter(isAlive),
      ...processesWithEnv(mark, state.dir),
      ...containers.flatMap(processesInCgroup),
    ];
    for (const id of left) kill(id);
    return left.map((id) => id.pid);
  });
  await untilGone('mounts', async () => {
    const left = mountsUnder(state.dir);
    // The newest first: a mount may lie on another one.
    for (const mount of left.toReversed()) await run('umount', ['--lazy', mount]).catch(() => {});
    return left;
  });
  await untilGone('cgroups', () => containers.filter((cgroup) => !removeCgroup(cgroup)));
  await untilGone('network interfaces', async () => {
    const left = await linksOf(state);
    for (const link of left) await run('ip', ['link', 'delete', link]).catch(() => {});
    return left;
  });
  if (state.links.length > 0) await removeTraces(state);
  rmSync(state.dir, { recursive: true, force: true });
  rmSync(join(runHome, state.name), { recursive: true, force: true });
}

/** Removes what clusters of this checkout left whose owner has gone. Returns their names. */
export async function sweep(): Promise<string[]> {
  const swept: string[] = [];
  for (const state of await listRuns()) {
    if (!isAbandoned(state)) continue;
    await removeRun(state);
    swept.push(state.name);
  }
  return swept;
}

async function untilGone(what: string, remove: () => readonly unknown[] | Promise<readonly unknown[]>): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const left = await remove();
    if (left.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`could not remove these ${what} of the cluster: ${left.join(', ')}`);
    await sleep(20);
  }
}

/** Folders of the cgroups of all containers. Their ids are the names of containerd's task folders, which outlive a crash. */
function containerCgroups(state: Run): string[] {
  const tasks = join(state.dir, 'containerd', 'state', 'io.containerd.runtime.v2.task', containerdNamespace);
  if (!existsSync(tasks)) return [];
  const hierarchies = mounts().filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
  return readdirSync(tasks)
    .flatMap((id) => hierarchies.map(({ path }) => join(path, containerdNamespace, id)))
    .filter((path) => existsSync(path));
}

function processesInCgroup(cgroup: string): ProcessId[] {
  return lines(join(cgroup, 'cgroup.procs'))
    .map(Number)
    .flatMap((pid) => {
      try {
        return [processId(pid)];
      } catch {
        // It ended since the list was read.
        return [];
      }
    });
}

function removeCgroup(cgroup: string): boolean {
  try {
    rmdirSync(cgroup);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
  }
  return true;
}

function mounts(): { path: string; type: string }[] {
  // Blanks and backslashes in a path are written as octal numbers: see proc_mounts(5).
  const decode = (text: string): string =>
    text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return lines('/proc/self/mounts').map((line) => {
    const [, path = '', type = ''] = line.split(' ');
    return { path: decode(path), type };
  });
}

function mountsUnder(dir: string): string[] {
  return mounts()
    .map(({ path }) => path)
    .filter((path) => path.startsWith(`${dir}/`));
}

async function linksOf(state: Run): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const { stdout } = await run('ip', ['-json', 'link', 'show']).catch((error) => {
    if (error.code === 'ENOENT' && state.links.length === 0) return { stdout: '[]' };
    throw error;
  });
  const links = JSON.parse(stdout) as { ifname: string; address?: string; master?: string }[];
  const bridges = links.filter(({ address }) => address === bridgeAddress(state.dir)).map(({ ifname }) => ifname);
  const ports = links
    .filter(({ master }) => master !== undefined && bridges.includes(master))
    .map(({ ifname }) => ifname);
  return [...ports, ...bridges];
}

/** What kubelet, runc and the CNI plugins leave outside the run's folder, whatever they are told. */
async function removeTraces(state: Run): Promise<void> {
  const results = '/var/lib/cni/results';
  for (const file of entries(results)) {
    if (file.startsWith(`${networkName(state)}-`)) rmSync(join(results, file), { force: true });
  }
  // Shared by all nodes of this machine: each of these goes with the last one that uses it.
  const devicePlugins = '/var/lib/kubelet/device-plugins';
  const socket = join(devicePlugins, 'kubelet.sock');
  if (existsSync(socket) && !(await isListening(socket))) rmSync(socket, { force: true });
  const shared = [devicePlugins, '/var/lib/kubelet', results, '/var/lib/cni'];
  for (const { path, type } of mounts()) if (type.startsWith('cgroup')) shared.push(join(path, containerdNamespace));
  shared.forEach(removeIfEmpty);
}

async function isListening(socket: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const connection = connect(socket);
    connection.on('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.on('error', () => resolve(false));
  });
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].includes(code)) throw error;
  }
}

/**
 * Hardware address of a run's bridge, made from its folder. It is the only mark that an interface has from the very moment it
 * exists, so that a crash can't leave one that nobody knows.
 */
export function bridgeAddress(dir: string): string {
  const bytes = createHash('sha256').update(dir).digest().subarray(0, 5);
  // 02 is a locally administered unicast address: IEEE 802, section 8.4.
  return ['02', ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** Name of the run's pod network. */
export function networkName(state: Run): string {
  return state.dir.slice(state.dir.lastIndexOf('/') + 1);
}

function entries(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : [];
}

function lines(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
