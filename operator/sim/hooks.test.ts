import assert from 'node:assert/strict';
import test from 'node:test';
import { annotation } from '../src/model/annotations.ts';
import { automated, configMap, job, type QuietWorld, quietWorld } from './quiet-world.ts';

const key = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };
const succeeded = (world: QuietWorld, commit: string): boolean =>
  world.shop().status?.operationState?.phase === 'Succeeded' &&
  world.shop().status?.operationState?.syncResult?.revision === commit;
const message = (world: QuietWorld): string => world.shop().status?.operationState?.message ?? '';
const valueIn = (world: QuietWorld): unknown =>
  (world.api.get({ group: '', kind: 'ConfigMap', namespace: 'shop', name: 'x' })?.['data'] as { value?: unknown })
    ?.value;

for (const policy of ['HookSucceeded', 'BeforeHookCreation']) {
  test(`a sync waits for the hook of the one before that somebody holds, and runs its own: ${policy}`, async () => {
    const world = quietWorld();
    const migrate = job('migrate', 'PreSync', { [annotation.hookDeletePolicy]: policy });
    const first = world.commit([migrate, configMap('x', '1')]);
    world.create({ spec: automated });
    await world.until('the hook runs', () => world.api.get(key) !== undefined);
    const uid = world.api.get(key)?.metadata.uid;
    world.api.edit(key, (object) => ({
      ...object,
      metadata: { ...object.metadata, finalizers: ['example.com/audit', 'example.com/log'] },
    }));
    await world.until('the first is synced', () => succeeded(world, first));
    const second = world.commit([migrate, configMap('x', '2')]);
    world.announce();
    await world.until('it waits', () => message(world).startsWith('waiting for deletion'));
    await world.pass(20_000);
    for (const part of ['batch/Job/migrate', 'example.com/audit, example.com/log'])
      assert.ok(message(world).includes(part), message(world));
    assert.equal(valueIn(world), '1');
    assert.equal(world.api.get(key)?.metadata.uid, uid);
    world.api.edit(key, (object) => ({ ...object, metadata: { ...object.metadata, finalizers: [] } }));
    await world.until('the hook runs anew', () => ![undefined, uid].includes(world.api.get(key)?.metadata.uid));
    assert.equal(valueIn(world), '1', 'what comes after the hook waits for it');
    await world.until('the second is synced', () => succeeded(world, second));
    assert.equal(valueIn(world), '2');
    assert.deepEqual(world.journal.violations, []);
  });
}

test('a hook that was left behind by an operator that died is no run of the next sync', async () => {
  const world = quietWorld();
  const migrate = job('migrate', 'PreSync', { [annotation.hookDeletePolicy]: 'HookSucceeded' });
  world.commit([configMap('x', '1')]);
  world.create({ spec: automated });
  await world.until('the first is synced', () => valueIn(world) === '1');
  const id = 'shop:batch/Job:shop/migrate';
  const annotations = { ...migrate.metadata.annotations, [annotation.hookRun]: 'old', [annotation.trackingId]: id };
  const status = { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] };
  world.api.create({ ...migrate, metadata: { name: 'migrate', namespace: 'shop', annotations }, status });
  const { uid } = world.api.get(key)?.metadata ?? {};
  const second = world.commit([migrate, configMap('x', '2')]);
  world.announce();
  await world.until('the hook runs anew', () => ![undefined, uid].includes(world.api.get(key)?.metadata.uid));
  assert.equal(valueIn(world), '1');
  await world.until('the second is synced', () => succeeded(world, second));
});

test('a hook that ended and went while no operator ran does not fail the sync', async () => {
  const world = quietWorld();
  const first = world.commit([job('migrate', 'PreSync'), configMap('x', '1')]);
  world.create({ spec: automated });
  await world.until('the hook runs', () => message(world).startsWith('waiting for completion'));
  world.process.kill();
  await world.pass(10_000);
  world.api.edit(key, () => undefined);
  world.start();
  await world.until('the sync is over', () => succeeded(world, first), 20_000);
  assert.equal(world.shop().status?.operationState?.retryCount, undefined);
  assert.equal(valueIn(world), '1');
});

test('a hook that is taken away while an operator looks on fails the sync', async () => {
  const world = quietWorld();
  world.commit([job('migrate', 'PreSync', { 'simulation/outcome': 'stuck' }), configMap('x', '1')]);
  world.create();
  world.patch({ operation: { sync: {} } });
  await world.until('the hook runs', () => message(world).startsWith('waiting for completion'));
  world.api.edit(key, () => undefined);
  await world.until('it failed', () => world.shop().status?.operationState?.phase === 'Failed');
  assert.match(message(world), /might have been deleted before it was done/);
});
