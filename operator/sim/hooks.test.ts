import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../src/model/annotations.ts';
import { hookHold } from '../src/model/finalizers.ts';
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

/** How often the Job was created. */
function runsOf(world: QuietWorld): () => number {
  let runs = 0;
  world.api.watch(({ before, after }) => {
    if (before === undefined && after?.kind === 'Job') runs += 1;
  });
  return () => runs;
}

/** A hook that goes by itself as soon as it is done. */
function fleeting(name: string, phase: string, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  const made = job(name, phase, annotations);
  return { ...made, spec: { ...(made['spec'] as object), ttlSecondsAfterFinished: 0 } };
}

const finalizersOf = (world: QuietWorld): readonly string[] | undefined => world.api.get(key)?.metadata.finalizers;
const isWaiting = (world: QuietWorld): boolean => message(world).startsWith('waiting for completion');
const withFinalizers = (finalizers: string[]) => (object: KubeObject) => ({
  ...object,
  metadata: { ...object.metadata, finalizers },
});

for (const outcome of ['done', 'failed']) {
  test(`a hook that ended and was to go while no operator ran tells its end, and has run once: ${outcome}`, async () => {
    const world = quietWorld();
    const runs = runsOf(world);
    world.commit([fleeting('migrate', 'PreSync', { 'simulation/outcome': outcome }), configMap('x', '1')]);
    world.create();
    world.patch({ operation: { sync: {} } });
    await world.until('the hook runs', () => isWaiting(world));
    world.process.kill();
    await world.pass(60_000);
    assert.notEqual(world.api.get(key)?.metadata.deletionTimestamp, undefined);
    world.start();
    const isOver = (): boolean => world.shop().status?.operationState?.finishedAt !== undefined;
    await world.until('the sync is over', isOver);
    assert.equal(world.shop().status?.operationState?.phase, outcome === 'done' ? 'Succeeded' : 'Failed');
    assert.equal(valueIn(world), outcome === 'done' ? '1' : undefined);
    if (outcome === 'failed') assert.match(message(world), /it failed/);
    await world.until('it is let go', () => world.api.get(key) === undefined);
    assert.equal(runs(), 1);
    assert.deepEqual(world.journal.violations, []);
  });
}

test('a hook is created once, at whichever write the operator dies', async () => {
  for (const fate of ['die-before', 'die-after'] as const) {
    for (let at = 1, writes = Number.POSITIVE_INFINITY; at <= writes; at += 1) {
      let count = 0;
      let hasDied = false;
      const world = quietWorld({
        faults: {
          atWrite() {
            count += 1;
            if (hasDied || count !== at) return 'live';
            hasDied = true;
            // Longer than the hook needs to end and to go.
            world.clock.after(30_000, () => world.start());
            return fate;
          },
        },
      });
      const runs = runsOf(world);
      const commit = world.commit([fleeting('migrate', 'PreSync'), configMap('x', '1')]);
      world.create({ spec: automated });
      const isDone = (): boolean => succeeded(world, commit) && world.api.get(key) === undefined;
      await world.until(`it is synced, having died at write ${at}`, isDone, 180_000);
      await world.pass(5_000);
      assert.equal(runs(), 1, `${fate} ${at}`);
      assert.deepEqual(world.journal.violations, [], `${fate} ${at}`);
      writes = hasDied ? Number.POSITIVE_INFINITY : at;
    }
  }
});

test('a hook is let go once its end is stored, and others keep their hold', async () => {
  const world = quietWorld();
  const first = world.commit([job('migrate', 'PreSync'), configMap('x', '1')]);
  world.create({ spec: automated });
  await world.until('the hook runs', () => isWaiting(world));
  assert.deepEqual(finalizersOf(world), [hookHold]);
  world.api.edit(key, withFinalizers([hookHold, 'example.com/audit']));
  await world.until('it is synced', () => succeeded(world, first));
  await world.until('it is let go', () => !finalizersOf(world)?.includes(hookHold));
  assert.deepEqual(finalizersOf(world), ['example.com/audit']);
});

test('a hook that is taken away while it runs fails the sync, and nothing holds it', async () => {
  const world = quietWorld();
  const runs = runsOf(world);
  world.commit([job('migrate', 'PreSync', { 'simulation/outcome': 'stuck' }), configMap('x', '1')]);
  world.create();
  world.patch({ operation: { sync: {} } });
  await world.until('the hook runs', () => isWaiting(world));
  world.api.edit(key, () => undefined);
  await world.until('it failed', () => world.shop().status?.operationState?.phase === 'Failed');
  assert.match(message(world), /batch\/Job\/migrate was deleted before it was done/);
  await world.until('it is gone', () => world.api.get(key) === undefined);
  assert.equal(runs(), 1);
});

test('a hook that an older operator made, which held none, is waited for; gone unseen it is not run again', async () => {
  for (const goes of [false, true]) {
    const world = quietWorld();
    const runs = runsOf(world);
    world.commit([job('migrate', 'PreSync'), configMap('x', '1')]);
    world.create();
    world.patch({ operation: { sync: {} } });
    await world.until('the hook runs', () => isWaiting(world));
    world.process.kill();
    world.api.edit(key, withFinalizers([]));
    await world.pass(10_000);
    if (goes) world.api.edit(key, () => undefined);
    world.start();
    const { operationState } = world.shop().status ?? {};
    assert.equal(operationState?.phase, 'Running');
    await world.until('it is over', () => world.shop().status?.operationState?.phase !== 'Running');
    assert.equal(world.shop().status?.operationState?.phase, goes ? 'Failed' : 'Succeeded');
    if (goes) assert.match(message(world), /might have been deleted before it was done/);
    assert.equal(runs(), 1);
  }
});

test('a hook that Argo CD has left is let go, whatever became of its operation', async () => {
  const world = quietWorld({ faults: { gitDown: () => true } });
  const annotations = { [annotation.hook]: 'PreSync', [annotation.trackingId]: 'shop:batch/Job:shop/migrate' };
  const finalizers = [hookHold, 'example.com/audit'];
  world.api.create({
    ...job('migrate', 'PreSync'),
    metadata: { name: 'migrate', namespace: 'shop', annotations, finalizers },
  });
  world.commit([job('migrate', 'PreSync'), configMap('x', '1')]);
  world.create();
  // Nothing that is known of the Application is needed for it but the cluster, which a pass opens.
  await world.until('it is let go', () => !finalizersOf(world)?.includes(hookHold));
  assert.deepEqual(finalizersOf(world), ['example.com/audit']);
});

test('a hook in whose operation Argo CD was is held until that operation knows its end', async () => {
  const world = quietWorld();
  const annotations = {
    [annotation.hook]: 'PreSync',
    [annotation.trackingId]: 'shop:batch/Job:shop/migrate',
    'simulation/outcome': 'stuck',
  };
  const commit = world.commit([job('migrate', 'PreSync'), configMap('x', '1')]);
  world.api.create({
    ...job('migrate', 'PreSync'),
    metadata: { name: 'migrate', namespace: 'shop', annotations, finalizers: [hookHold] },
  });
  world.process.kill();
  world.create();
  const source = { repoURL: world.repository.url, path: 'prod', targetRevision: 'main' };
  const result = { group: 'batch', version: 'v1', kind: 'Job', namespace: 'shop', name: 'migrate', status: 'Synced' };
  const resources = [
    { ...result, hookType: 'PreSync', hookPhase: 'Running', syncPhase: 'PreSync', message: 'created' },
  ];
  const syncResult = { revision: commit, source, resources };
  world.patch({
    status: {
      operationState: { operation: { sync: {} }, phase: 'Running', startedAt: '2026-01-01T00:00:00Z', syncResult },
    },
  });
  world.start();
  await world.pass(20_000);
  assert.deepEqual(finalizersOf(world), [hookHold]);
  const status = { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] };
  world.api.edit(key, (object) => ({ ...object, status }));
  await world.until('it is synced', () => succeeded(world, commit));
  await world.until('it is let go', () => !finalizersOf(world)?.includes(hookHold));
});

test('a hook of an operation that nobody knows of any more is let go', async () => {
  const world = quietWorld();
  world.commit([job('migrate', 'PreSync', { 'simulation/outcome': 'stuck' }), configMap('x', '1')]);
  world.create();
  world.patch({ operation: { sync: {} } });
  await world.until('the hook runs', () => isWaiting(world));
  world.process.kill();
  world.patch({ status: { operationState: null } });
  world.start();
  await world.until('it is let go', () => finalizersOf(world)?.length === 0);
});

test('hooks of a sync that is ended are let go, and gone', async () => {
  for (const dies of [false, true]) {
    const world = quietWorld();
    world.commit([job('migrate', 'PreSync', { 'simulation/outcome': 'stuck' }), configMap('x', '1')]);
    world.create();
    if (dies) {
      // Right after it has created the hook, before that is stored.
      world.faults.atWrite = () => {
        if (world.api.get(key) === undefined) return 'live';
        world.faults.atWrite = () => 'live';
        return 'die-before';
      };
    }
    world.patch({ operation: { sync: {} } });
    await world.until('the hook is there', () => world.api.get(key) !== undefined);
    await world.pass(1_000);
    world.patch({ status: { operationState: { phase: 'Terminating' } } });
    if (dies) world.start();
    await world.until('it is ended', () => world.shop().status?.operationState?.phase === 'Failed');
    await world.until('it is gone', () => world.api.get(key) === undefined);
  }
});

test('a hook goes with its namespace while Git is out of reach', async () => {
  const world = quietWorld();
  world.commit([job('migrate', 'PreSync', { 'simulation/outcome': 'stuck' }), configMap('x', '1')]);
  world.create();
  world.patch({ operation: { sync: {} } });
  await world.until('the hook runs', () => isWaiting(world));
  world.faults.gitDown = () => true;
  world.api.edit(key, () => undefined);
  await world.until('it is gone', () => world.api.get(key) === undefined, 120_000);
});

for (const finalizers of [[], ['resources-finalizer.argocd.argoproj.io']]) {
  for (const runs of [true, false]) {
    test(`hooks of an Application that goes wait for nobody: ${finalizers.length} finalizers, ${runs ? 'an' : 'no'} operator`, async () => {
      const world = quietWorld();
      world.commit([job('migrate', 'PreSync', { 'simulation/outcome': 'stuck' }), configMap('x', '1')]);
      world.create({}, { finalizers });
      world.patch({ operation: { sync: {} } });
      await world.until('the hook runs', () => isWaiting(world));
      if (!runs) world.process.kill();
      world.store.remove({ namespace: 'argocd', name: 'shop' });
      await world.pass(5_000);
      if (finalizers.length === 0) {
        assert.deepEqual(finalizersOf(world), runs ? [] : [hookHold]);
        world.api.edit(key, () => undefined);
      }
      if (!runs) {
        world.start();
        // Something opens the cluster.
        world.create({}, { name: 'another' });
      }
      await world.until('the hook is gone', () => world.api.get(key) === undefined, 90_000);
    });
  }
}

test('hooks that others hold for Applications of their own are left to them', async () => {
  const world = quietWorld({ manifests: [configMap('x', '1')] });
  const annotations = { [annotation.hook]: 'PreSync', [annotation.trackingId]: 'theirs:batch/Job:shop/migrate' };
  world.api.create({
    ...job('migrate', 'PreSync', { 'simulation/outcome': 'stuck' }),
    metadata: { name: 'migrate', namespace: 'shop', annotations, finalizers: [hookHold] },
  });
  world.api.edit(key, () => undefined);
  await world.pass(300_000);
  assert.deepEqual(finalizersOf(world), [hookHold]);
});
