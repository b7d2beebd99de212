import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, AppProject, Operation, SyncWindow } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { openProject } from './process.ts';
import { type QuietWorld, quietWorld } from './quiet-world.ts';

const automated = { automated: { prune: true, selfHeal: true } };
const config: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { a: '1' } };
const later: KubeObject = {
  ...config,
  metadata: { name: 'later', annotations: { 'argocd.argoproj.io/sync-wave': '1' } },
};

function worldWith(
  window: SyncWindow,
  now: string,
  app: Partial<Application['spec']>,
  operation?: Operation,
): QuietWorld {
  const project: AppProject = {
    ...openProject,
    spec: { ...openProject.spec, syncWindows: [{ applications: ['*'], ...window }] },
  };
  const destination = { server: 'https://kubernetes.default.svc', namespace: 'shop' };
  const source = { repoURL: 'https://git.example.com/shop.git', path: 'prod', targetRevision: 'main' };
  const spec = { project: 'default', source, destination, ...app };
  return quietWorld({
    now,
    project,
    settings: { waveDelayMs: 60_000 },
    manifests: [config, later],
    app: { spec, ...(operation && { operation }) },
  });
}

const names = ({ api }: QuietWorld): readonly (string | undefined)[] =>
  api.list().flatMap(({ kind, metadata }) => (kind === 'Namespace' ? [] : metadata.name));
const night: SyncWindow = { kind: 'deny', schedule: '0 22 * * *', duration: '8h' };
/** The same, over sooner. */
const evening: SyncWindow = { ...night, duration: '20m' };
const person: Operation = { sync: { revision: 'main' }, initiatedBy: { username: 'ann' } };

test('an automated sync waits for the end of a window, says so once, and starts by itself', async () => {
  const world = worldWith(night, '2026-12-01T05:30:00Z', { syncPolicy: automated });
  await world.clock.passUntil(Date.parse('2026-12-01T05:59:59Z'));
  assert.deepEqual(names(world), []);
  const [condition, ...others] = world.shop().status?.conditions ?? [];
  assert.equal(condition?.type, 'SyncWindowWarning');
  assert.match(
    condition?.message ?? '',
    /^Sync prevented: blocked by sync window deny 0 22 \* \* \* for 8h, UTC; it may run from 2026-12-01T06:00:00Z$/,
  );
  assert.deepEqual(others, []);
  assert.equal(world.shop().status?.sync?.status, 'OutOfSync');
  const { writes } = world.journal;
  assert.equal(writes, 1);
  await world.clock.passUntil(Date.parse('2026-12-01T06:03:00Z'));
  assert.deepEqual(names(world), ['web', 'later']);
  assert.equal(world.shop().status?.operationState?.phase, 'Succeeded');
  assert.equal(world.shop().status?.conditions, undefined);
  assert.deepEqual(world.journal.violations, []);
});

test('a sync that a person asks for ends at once, and nothing is written', async () => {
  const world = worldWith(night, '2026-12-01T05:30:00Z', {}, person);
  await world.clock.passUntil(Date.parse('2026-12-01T07:00:00Z'));
  assert.deepEqual(names(world), []);
  const { operationState } = world.shop().status ?? {};
  assert.equal(world.shop().operation, undefined);
  assert.equal(operationState?.phase, 'Error');
  assert.match(operationState?.message ?? '', /^Sync refused: blocked by sync window deny/);
  assert.deepEqual(world.journal.violations, []);
});

test('a sync that a person asks for runs with manualSync', async () => {
  const world = worldWith({ ...night, manualSync: true }, '2026-11-30T23:00:00Z', {}, person);
  await world.clock.passUntil(Date.parse('2026-11-30T23:03:00Z'));
  assert.deepEqual(names(world), ['web', 'later']);
});

test('a sync under way waits where a window begins, and goes on after it', async () => {
  const world = worldWith(evening, '2026-11-30T21:59:30Z', { syncPolicy: automated });
  await world.clock.passUntil(Date.parse('2026-11-30T22:19:59Z'));
  assert.deepEqual(names(world), ['web'], 'the second wave was to come after 22:00');
  const { operationState } = world.shop().status ?? {};
  assert.equal(operationState?.phase, 'Running');
  assert.match(operationState?.message ?? '', /^Sync prevented: blocked by sync window deny/);
  await world.clock.passUntil(Date.parse('2026-11-30T22:22:00Z'));
  assert.deepEqual(names(world), ['web', 'later']);
  assert.equal(world.shop().status?.operationState?.phase, 'Succeeded');
  assert.deepEqual(world.journal.violations, []);
});

test('a sync under way goes on into a window with syncOverrun', async () => {
  const world = worldWith({ ...night, syncOverrun: true }, '2026-11-30T21:59:30Z', { syncPolicy: automated });
  await world.clock.passUntil(Date.parse('2026-11-30T22:03:00Z'));
  assert.deepEqual(names(world), ['web', 'later']);
});

test('nothing is synced by anybody while a window cannot be understood', async () => {
  for (const [app, operation] of [
    [{ syncPolicy: automated }, undefined],
    [{}, person],
  ] as const) {
    const world = worldWith({ ...night, schedule: 'at night' }, '2026-11-30T12:00:00Z', app, operation);
    await world.clock.passUntil(Date.parse('2026-11-30T12:30:00Z'));
    assert.deepEqual(names(world), []);
    const { conditions = [], operationState } = world.shop().status ?? {};
    assert.match(
      `${conditions[0]?.message} ${operationState?.message}`,
      /spec\.syncWindows\[0\]\.schedule is "at night"/,
    );
  }
});
