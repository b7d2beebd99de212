import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../src/model/annotations.ts';
import { automated, configMap, job, type QuietWorld, quietWorld } from './quiet-world.ts';

const finalizers = ['resources-finalizer.argocd.argoproj.io'];
const name = { namespace: 'argocd', name: 'shop' };
const left = (world: QuietWorld): readonly unknown[] =>
  world.api.list().flatMap(({ kind, metadata }) => (kind === 'ConfigMap' ? [metadata.name] : []));

async function deleting(world: QuietWorld, approved?: string): Promise<void> {
  const asks = { [annotation.syncOptions]: 'Delete=confirm' };
  world.commit([configMap('asks', '1', asks), configMap('other', '1', { [annotation.syncWave]: '1' })]);
  world.create(
    { spec: automated },
    { finalizers, ...(approved && { annotations: { [annotation.deletionApproved]: approved } }) },
  );
  await world.until('it is synced', () => world.shop().status?.sync?.status === 'Synced');
  world.store.remove(name);
  await world.pass(15_000);
}

for (const approved of ['true', '', '2025-12-31T23:59:00Z', 'Thu Jan 01 2099', '2099']) {
  test(`nothing is deleted while one object asks, and ${JSON.stringify(approved)} approves nothing`, async () => {
    const world = quietWorld();
    await deleting(world, approved);
    assert.deepEqual(left(world), ['asks', 'other']);
    const [condition] = world.shop().status?.conditions ?? [];
    assert.equal(condition?.type, 'DeletionError');
    assert.match(condition.message, /ConfigMap\/asks.*argocd\.argoproj\.io\/deletion-approved/);
    const { writes } = world.journal;
    await world.pass(60_000);
    assert.equal(world.journal.writes, writes, 'it is written once');
    const told = world.journal.notices.filter((notice) => notice.startsWith('Warning DeletionError '));
    assert.equal(new Set(told).size, 1);
    assert.ok(told.length >= 7 && told.length <= 9, `told ${told.length} times in 75 s`);
    world.patch({ metadata: { annotations: { [annotation.deletionApproved]: '2026-01-01T00:05:00+00:00' } } });
    await world.until('it is gone', () => world.store.get(name) === undefined);
    assert.deepEqual(left(world), []);
  });
}

test('an Application that manages itself goes', async () => {
  const world = quietWorld();
  world.commit([configMap('other', '1')]);
  world.create({ spec: automated }, { finalizers });
  await world.until('it is synced', () => world.shop().status?.sync?.status === 'Synced');
  // The simulated cluster and the store are two: it holds the Application as the store does.
  const { uid = '' } = world.shop().metadata;
  const annotations = { [annotation.trackingId]: 'shop:argoproj.io/Application:argocd/shop' };
  world.api.create({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { ...name, uid, annotations, finalizers },
  });
  await world.pass(100);
  world.store.remove(name);
  await world.until('it is gone', () => world.store.get(name) === undefined);
  assert.deepEqual(left(world), []);
});

test('a hook of a deletion that goes by itself when it is done has run', async () => {
  const world = quietWorld();
  const key = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'before' };
  world.commit([job('before', 'PreDelete'), configMap('other', '1')]);
  world.create({ spec: automated }, { finalizers });
  await world.until('it is synced', () => world.shop().status?.sync?.status === 'Synced');
  let runs = 0;
  world.api.watch(({ before, after }) => {
    if (after?.kind !== 'Job') return;
    if (before === undefined) runs += 1;
    // As with `ttlSecondsAfterFinished: 0`.
    if (after['status'] !== undefined) world.clock.after(0, () => world.api.edit(key, () => undefined));
  });
  world.store.remove(name);
  await world.until('it is gone', () => world.store.get(name) === undefined);
  assert.equal(runs, 1);
  assert.deepEqual(left(world), []);
});

test('nothing is done where the Secret of the cluster says that it is not to be looked at, until it does not any more', async () => {
  let isSkipped = true;
  const world = quietWorld({ faults: { clusterSkipped: () => isSkipped } });
  world.commit([configMap('other', '1')]);
  world.create({ spec: automated }, { finalizers });
  await world.pass(60_000);
  assert.deepEqual([left(world), world.journal.writes, world.shop().status], [[], 0, undefined]);
  isSkipped = false;
  await world.until('it is synced', () => world.shop().status?.sync?.status === 'Synced');
  assert.deepEqual(left(world), ['other']);
  isSkipped = true;
  const { writes } = world.journal;
  world.commit([configMap('other', '2')]);
  world.announce();
  await world.pass(60_000);
  world.store.remove(name);
  await world.pass(60_000);
  assert.deepEqual([left(world), world.journal.writes], [['other'], writes]);
  isSkipped = false;
  await world.until('it is gone', () => world.store.get(name) === undefined);
  assert.deepEqual(left(world), []);
});

/** Manifest of a hook that goes by itself as soon as it is done. */
function fleeting(name: string, phase: string): KubeObject {
  const made = job(name, phase);
  return { ...made, spec: { ...(made['spec'] as object), ttlSecondsAfterFinished: 0 } };
}

for (const phase of ['PreDelete', 'PostDelete']) {
  test(`a hook of a deletion that ended while no operator ran has run once: ${phase}`, async () => {
    const world = quietWorld();
    const key = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'hook' };
    let runs = 0;
    world.api.watch(({ before, after }) => {
      if (before === undefined && after?.kind === 'Job') runs += 1;
    });
    world.commit([fleeting('hook', phase), configMap('other', '1')]);
    world.create({ spec: automated }, { finalizers });
    await world.until('it is synced', () => world.shop().status?.sync?.status === 'Synced');
    world.store.remove(name);
    await world.until('the hook runs', () => world.api.get(key) !== undefined);
    world.process.kill();
    await world.pass(30_000);
    assert.notEqual(world.api.get(key)?.metadata.deletionTimestamp, undefined);
    world.start();
    await world.until('it is gone', () => world.store.get(name) === undefined);
    assert.equal(runs, 1);
    assert.equal(world.api.get(key), undefined);
    assert.deepEqual(left(world), []);
  });
}

test('a hook of a deletion waits for one of an earlier run that somebody holds, and says for whom', async () => {
  const world = quietWorld();
  const key = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'before' };
  world.commit([job('before', 'PreSync,PreDelete'), configMap('other', '1')]);
  world.create({ spec: automated }, { finalizers });
  await world.until('it is synced', () => world.shop().status?.sync?.status === 'Synced');
  const { uid } = world.api.get(key)?.metadata ?? {};
  world.api.edit(key, (object) => ({ ...object, metadata: { ...object.metadata, finalizers: ['example.com/audit'] } }));
  world.store.remove(name);
  const told = (): string => world.shop().status?.conditions?.[0]?.message ?? '';
  await world.until('it is told', () => told().includes('batch/Job/before'));
  assert.match(told(), /^PreDelete hook: waiting for deletion of an earlier run's hook, held by example\.com\/audit,/);
  await world.pass(60_000);
  assert.deepEqual(left(world), ['other']);
  world.api.edit(key, (object) => ({ ...object, metadata: { ...object.metadata, finalizers: [] } }));
  await world.until('it runs', () => ![undefined, uid].includes(world.api.get(key)?.metadata.uid));
  await world.until('it is gone', () => world.store.get(name) === undefined);
  assert.deepEqual(left(world), []);
});

test('a hook of a deletion that is taken away while it runs is run anew', async () => {
  const world = quietWorld();
  const key = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'before' };
  world.commit([job('before', 'PreDelete'), configMap('other', '1')]);
  world.create({ spec: automated }, { finalizers });
  await world.until('it is synced', () => world.shop().status?.sync?.status === 'Synced');
  world.store.remove(name);
  await world.until('the hook runs', () => world.api.get(key) !== undefined);
  const { uid } = world.api.get(key)?.metadata ?? {};
  world.api.edit(key, () => undefined);
  await world.until('it runs again', () => ![undefined, uid].includes(world.api.get(key)?.metadata.uid));
  await world.until('it is gone', () => world.store.get(name) === undefined);
});

test('nothing is done about an Application that is not to be looked at, its deletion included', async () => {
  const world = quietWorld();
  world.commit([configMap('other', '1')]);
  world.create({ spec: automated }, { finalizers, annotations: { [annotation.skipReconcile]: 'T' } });
  await world.pass(5_000);
  assert.deepEqual([left(world), world.journal.writes], [[], 0]);
  world.store.remove(name);
  await world.pass(60_000);
  assert.notEqual(world.store.get(name), undefined);
  world.patch({ metadata: { annotations: { [annotation.skipReconcile]: 'false' } } });
  await world.until('it is gone', () => world.store.get(name) === undefined);
});
