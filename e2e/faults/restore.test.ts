import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSettled } from '../harness/applications.ts';
import type { AnyObject } from '../harness/kube.ts';
import { configMap, configMapPath, type Stage, startStage } from '../harness/stage.ts';

const patienceMs = 60_000;
const roles = ['etcd', 'kube-apiserver'] as const;
let stage: Stage;
let backup: string;
/** etcd and the API server as they run now: after a restart, other processes than the cluster knows of. */
const pids = new Map<string, number>();
const children: ChildProcess[] = [];

before(async () => {
  stage = await startStage({ name: 'e2e-restore', node: 'none' });
  backup = join(await mkdtemp(join(tmpdir(), 'mooring-backup-')), 'etcd');
  for (const role of roles) pids.set(role, stage.cluster.pids[role] ?? 0);
});
after(async () => {
  await stage?.close();
  for (const child of children) child.kill('SIGKILL');
  await rm(join(backup, '..'), { recursive: true, force: true });
});

async function commandOf(role: string): Promise<string[]> {
  return (await readFile(`/proc/${pids.get(role)}/cmdline`, 'utf8')).split('\0').slice(0, -1);
}

function signal(name: NodeJS.Signals): void {
  for (const role of roles) process.kill(pids.get(role) ?? 0, name);
}

async function isUp(): Promise<boolean> {
  try {
    return (await stage.cluster.api.text('/readyz')) === 'ok';
  } catch {
    return false;
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isSo())) {
    assert.ok(performance.now() < end, `not so after ${patienceMs} ms: ${what}`);
    await sleep(50);
  }
}

test('a cluster that is restored from a backup is seen as it is again, and brought to what Git says', async () => {
  const files = { 'a.yaml': configMap('a', { value: '1' }), 'b.yaml': configMap('b', { value: '1' }) };
  const repository = await stage.repository('old', files);
  await stage.application('old', repository);
  await stage.view.until('it settles', (apps) => isSettled(apps.get('old') ?? ({} as never)), patienceMs);
  const commands = new Map(await Promise.all(roles.map(async (role) => [role, await commandOf(role)] as const)));
  const data =
    commands
      .get('etcd')
      ?.find((word) => word.startsWith('--data-dir='))
      ?.slice('--data-dir='.length) ?? '';
  signal('SIGSTOP');
  await cp(data, backup, { recursive: true });
  signal('SIGCONT');

  // What the backup knows nothing of.
  await stage.application('young', repository);
  const second = await stage.push(repository, { 'a.yaml': configMap('a', { value: '2' }), 'b.yaml': null });
  for (const name of ['old', 'young'])
    await stage.view.until(`${name} settles`, (apps) => isSettled(apps.get(name) ?? ({} as never), second), patienceMs);

  signal('SIGKILL');
  await until('the API server is down', async () => !(await isUp()));
  await rm(data, { recursive: true });
  await cp(backup, data, { recursive: true });
  for (const role of roles) {
    const [program = '', ...args] = commands.get(role) ?? [];
    const child = spawn(program, args, { stdio: 'ignore' });
    children.push(child);
    pids.set(role, child.pid ?? 0);
  }
  await until('the API server is up again', isUp);
  const api = stage.cluster.api;
  const liveValue = async (): Promise<unknown> => (await api.call('GET', configMapPath('old', 'a'))).data.value;
  await until('the old Application is brought to what Git says', async () => (await liveValue()) === '2');
  // That it goes is the garbage collector's part, whose own watches may not have noticed the restore.
  await until('what Git has no more is pruned', async () => {
    const { items } = await api.call('GET', configMapPath('old'));
    const left = (items as AnyObject[]).find(({ metadata }) => metadata.name === 'b');
    return left === undefined || left.metadata['deletionTimestamp'] !== undefined;
  });
  await until('it settles', async () => {
    const app = await api.call('GET', '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/old');
    return isSettled(app, second);
  });
  const metrics = await stage.operator.metrics();
  assert.match(metrics, /argocd_app_info\{[^}]*name="old"/);
  assert.doesNotMatch(metrics, /argocd_app_info\{[^}]*name="young"/, 'the Application that is no more is not seen');
});
