import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { automated, configMap, deployment, job, type QuietWorld, quietWorld } from './quiet-world.ts';

const hour = 3_600_000;
const maps = (count: number, value: string): KubeObject[] =>
  Array.from({ length: count }, (_, index) => configMap(`object-${index}`, value));
/** A hook, 300 objects, and one of a later wave. */
const shop = (value: string): KubeObject[] => [
  job('migrate', 'PreSync'),
  ...maps(300, value),
  deployment('web', { 'argocd.argoproj.io/sync-wave': '1' }),
];

function conditionsOf(world: QuietWorld): string[] {
  return (world.shop().status?.conditions ?? []).map(({ type }) => type);
}

/** How often each warning of a reason was told since the last call. */
function warned(world: QuietWorld, reason: string): number[] {
  const counts = new Map<string, number>();
  for (const notice of world.journal.notices)
    if (notice.startsWith(`Warning ${reason} `)) counts.set(notice, (counts.get(notice) ?? 0) + 1);
  return [...counts.values()];
}

test('where the API server takes less, the status is cut until it is taken: that is said once, and a restart changes nothing', async () => {
  const world = quietWorld({ manifests: shop('1'), app: { spec: automated }, bytesTaken: () => 30_000 });
  await world.pass(120_000);
  const { status } = world.shop();
  assert.deepEqual([status?.sync?.status, status?.health?.status], ['Synced', 'Healthy']);
  assert.equal(status?.operationState?.phase, 'Succeeded');
  assert.deepEqual(conditionsOf(world), ['StatusTooLargeWarning']);
  assert.match(
    status?.conditions?.[0]?.message ?? '',
    /with 301 objects: some objects are not listed in status\.resources, and results/,
  );
  assert.deepEqual(warned(world, 'StatusTooLargeWarning'), [1]);
  assert.equal(world.api.list().filter(({ kind }) => kind === 'ConfigMap').length, 300);

  const settled = world.shop();
  await world.pass(hour);
  world.process.kill();
  world.start();
  await world.pass(hour);
  assert.equal(world.shop(), settled);
  assert.deepEqual(warned(world, 'StatusTooLargeWarning'), [1]);

  world.commit(shop('2'));
  world.announce();
  await world.pass(120_000);
  assert.equal(world.shop().status?.operationState?.phase, 'Succeeded');
  assert.deepEqual(conditionsOf(world), ['StatusTooLargeWarning']);
  assert.deepEqual(warned(world, 'StatusTooLargeWarning'), [1]);
  assert.deepEqual(world.journal.violations, []);
});

test('where what must be kept has no room, the operation ends and says why; it is started again after growing pauses', async () => {
  const world = quietWorld({
    manifests: shop('1'),
    app: { spec: automated },
    bytesTaken: () => 50_000,
    faults: { refuses: ({ kind }) => kind === 'ConfigMap' },
  });
  await world.pass(hour);
  const { status } = world.shop();
  assert.equal(status?.operationState?.phase, 'Error');
  assert.match(
    status?.operationState?.message ?? '',
    /^The operation was ended, .* split it into several Applications\. It said last: .*refused by a webhook/,
  );
  assert.deepEqual(conditionsOf(world), ['SyncError', 'StatusTooLargeWarning']);
  const started = world.journal.notices.filter((notice) => notice.startsWith('Normal OperationStarted'));
  assert.ok(started.length > 3 && started.length < 10, `${started.length} operations in an hour`);
  assert.ok(world.journal.passes < 60, `${world.journal.passes} passes in an hour`);
});

test('where the API server takes it in no size, it is tried later and later, and goes on once it is taken', async () => {
  let bytesTaken = 5_000;
  const world = quietWorld({ manifests: shop('1'), app: { spec: automated }, bytesTaken: () => bytesTaken });
  await world.pass(hour);
  assert.ok(world.journal.passes < 150, `${world.journal.passes} passes in an hour`);
  assert.deepEqual(conditionsOf(world), ['SyncError']);
  assert.match(
    world.shop().status?.conditions?.[0]?.message ?? '',
    /request is too large: not even with a status that was cut short; make spec and annotations/,
  );
  assert.equal(warned(world, 'SyncError').length, 1);
  bytesTaken = 50_000;
  await world.until('synced', () => world.shop().status?.operationState?.phase === 'Succeeded', hour);
  assert.deepEqual(conditionsOf(world), ['StatusTooLargeWarning']);
  assert.deepEqual(world.journal.violations, []);
});

test('a heal of more than 1,000 objects is one of the whole Application, and ends', async () => {
  const manifests = maps(1_001, '1');
  const world = quietWorld({ manifests, app: { spec: automated } });
  await world.until('synced', () => world.shop().status?.operationState?.phase === 'Succeeded');
  await world.pass(60_000);
  for (const { metadata } of manifests) {
    const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name: metadata.name ?? '' };
    world.api.edit(key, (object) => ({ ...object, data: { value: 'by hand' } }));
  }
  await world.pass(60_000);
  const { operationState } = world.shop().status ?? {};
  assert.equal(operationState?.phase, 'Succeeded');
  assert.equal(operationState?.operation.sync?.autoHealAttemptsCount, 1);
  assert.equal(operationState?.operation.sync?.resources, undefined);
  const values = world.api.list().flatMap(({ kind, data }) => (kind === 'ConfigMap' ? [JSON.stringify(data)] : []));
  assert.deepEqual([...new Set(values)], ['{"value":"1"}']);
  const { passes } = world.journal;
  await world.pass(hour);
  assert.ok(world.journal.passes <= passes + 1, 'and nothing follows');
  assert.deepEqual(world.journal.violations, []);
});
