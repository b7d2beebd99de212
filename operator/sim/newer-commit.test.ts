import assert from 'node:assert/strict';
import test from 'node:test';
import { equalJson } from '../src/model/merge-patch.ts';
import { automated, configMap, deployment, job, type QuietWorld, quietWorld } from './quiet-world.ts';

const wave = (number: number) => ({ 'argocd.argoproj.io/sync-wave': String(number) });

function isAt(world: QuietWorld, commit: string, name = 'shop'): boolean {
  const { sync, health, operationState } = world.shop(name).status ?? {};
  return (
    sync?.revision === commit &&
    sync.status === 'Synced' &&
    health?.status === 'Healthy' &&
    operationState?.phase === 'Succeeded' &&
    operationState.syncResult?.revision === commit
  );
}

const isRunning = (world: QuietWorld, commit: string): boolean =>
  world.shop().status?.operationState?.phase === 'Running' &&
  world.shop().status?.operationState?.syncResult?.revision === commit;

for (const [what, extra] of [
  ['a hook', () => job('hook', 'PreSync')],
  ['a wave', (value: number) => ({ ...deployment('first', wave(-1)), spec: { replicas: value } })],
] as const) {
  test(`commits that are announced while ${what} runs are synced when the sync is over`, async () => {
    const world = quietWorld();
    const commit = (value: number): string => world.commit([extra(value), configMap('a', String(value))]);
    const first = commit(1);
    world.create({ spec: automated });
    await world.until('the first is synced', () => isAt(world, first));
    const second = commit(2);
    world.announce();
    await world.until('the second is being synced', () => isRunning(world, second));
    const third = commit(3);
    world.announce();
    await world.until('the third is told of', () => world.shop().status?.sync?.revision === third);
    assert.ok(isRunning(world, second), 'the third comes in the middle');
    assert.equal(world.shop().status?.sync?.status, 'OutOfSync');
    const fourth = commit(4);
    world.announce();
    await world.until('the last is synced', () => isAt(world, fourth));
    assert.equal(world.shop().status?.conditions, undefined);
    assert.deepEqual(world.journal.violations, []);
  });
}

test('where a wave never becomes healthy a condition says that a newer commit waits, and what to do', async () => {
  const world = quietWorld();
  const bad = world.commit([deployment('first', { ...wave(-1), 'simulation/outcome': 'stuck' }), configMap('a', '1')]);
  world.create({ spec: automated });
  await world.until('it is stuck', () =>
    /waiting for healthy/.test(world.shop().status?.operationState?.message ?? ''),
  );
  assert.equal(world.shop().status?.conditions, undefined);
  const good = world.commit([deployment('first', wave(-1)), configMap('a', '2')]);
  world.announce();
  await world.until('it is told', () => world.shop().status?.sync?.revision === good);
  const { sync, conditions = [] } = world.shop().status ?? {};
  assert.equal(sync?.status, 'OutOfSync');
  const [condition] = conditions;
  assert.equal(condition?.type, 'mooring.dev/NewerCommitWaits');
  for (const part of [good, bad, 'waiting for healthy state of apps/Deployment/first', '"phase":"Terminating"'])
    assert.ok(condition.message.includes(part), condition.message);
  world.patch({ status: { operationState: { phase: 'Terminating' } } });
  await world.until('the mended one is synced', () => isAt(world, good));
  assert.equal(world.shop().status?.conditions, undefined);
});

test('what is wrong with a newer commit is shown while the sync goes on', async () => {
  const world = quietWorld();
  const first = world.commit([job('hook', 'PreSync'), configMap('a', '1')]);
  world.create({ spec: automated });
  await world.until('it is being synced', () => isRunning(world, first));
  world.repository.commit('prod/all.json', '[{');
  world.announce();
  await world.until('it is told', () => world.shop().status?.conditions?.[0]?.type === 'ComparisonError');
  const { sync, operationState } = world.shop().status ?? {};
  assert.deepEqual([sync?.status, operationState?.phase], ['Unknown', 'Running']);
  await world.until('the sync is over', () => world.shop().status?.operationState?.phase === 'Succeeded');
});

test('a commit that is announced while Git cannot be reached is found once it can, in the middle of a sync, too', async () => {
  const world = quietWorld();
  const bad = world.commit([deployment('first', { 'simulation/outcome': 'stuck' }), configMap('a', '1', wave(1))]);
  world.create({ spec: automated });
  await world.until('it is stuck', () => isRunning(world, bad));
  const good = world.commit([deployment('first'), configMap('a', '2', wave(1))]);
  world.faults.gitDown = () => true;
  world.announce();
  await world.pass(5_000);
  world.faults.gitDown = () => false;
  await world.until('it is told', () => world.shop().status?.sync?.revision === good, 120_000);
  assert.equal(world.shop().status?.conditions?.[0]?.type, 'mooring.dev/NewerCommitWaits');
});

test('a commit that is announced while Git cannot be reached is live as soon as the sync is over and Git is back', async () => {
  const world = quietWorld();
  const first = world.commit([job('hook', 'PreSync'), configMap('a', '1')]);
  world.create({ spec: automated });
  await world.until('it is being synced', () => isRunning(world, first));
  const second = world.commit([configMap('a', '2')]);
  world.faults.gitDown = () => true;
  world.announce();
  await world.until('the sync is over', () => world.shop().status?.operationState?.phase === 'Succeeded');
  await world.pass(1_000);
  world.faults.gitDown = () => false;
  await world.until('the second is synced', () => isAt(world, second), 5_000);
});

test('an operator that starts in the middle of a sync asks what else was pushed, and again where it gets no answer', async () => {
  const world = quietWorld();
  const bad = world.commit([deployment('first', { 'simulation/outcome': 'stuck' }), configMap('a', '1', wave(1))]);
  world.create({ spec: automated });
  await world.until('it is stuck', () => isRunning(world, bad));
  world.process.kill();
  const good = world.commit([deployment('first'), configMap('a', '2', wave(1))]);
  world.faults.gitDown = () => true;
  world.start();
  await world.pass(5_000);
  world.faults.gitDown = () => false;
  await world.until('it is told', () => world.shop().status?.sync?.revision === good, 120_000);
});

test('a branch that is set back while its commit is being synced is followed', async () => {
  const world = quietWorld();
  const first = world.commit([configMap('a', '1')]);
  world.create({ spec: automated });
  await world.until('the first is synced', () => isAt(world, first));
  const second = world.commit([configMap('a', '2')]);
  world.announce();
  const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
  await world.until('the second is being synced', () => equalJson(world.api.get(key)?.['data'], { value: '2' }), 5_000);
  assert.equal(world.shop().status?.sync?.revision, first);
  world.repository.reset(first);
  world.announce();
  await world.until('the second is synced', () => world.shop().status?.sync?.revision === second, 5_000);
  await world.until('the first is synced again', () => isAt(world, first));
});

test('an Application that is made right after a push, or moved to what was just pushed, does not wait for the next poll', async () => {
  const world = quietWorld();
  const first = world.commit([configMap('a', '1')]);
  world.create({ spec: automated });
  await world.until('the first is synced', () => isAt(world, first));
  const second = world.commit([configMap('b', '1')], 'other');
  const source = { repoURL: world.repository.url, path: 'other' };
  world.create({ spec: { ...automated, source } }, { name: 'other' });
  await world.until('the other is synced', () => isAt(world, second, 'other'), 2_000);
  const third = world.commit([configMap('c', '1')], 'moved');
  world.patch({ spec: { source: { path: 'moved' } } });
  await world.until('it is moved', () => isAt(world, third), 2_000);
  assert.ok(!world.journal.notes.some((note) => note.includes('no such folder')), 'nothing is said to be missing');
  world.store.remove({ namespace: 'argocd', name: 'shop' });
  const fourth = world.commit([configMap('a', '2')]);
  world.create({ spec: automated });
  await world.until('the first is made anew', () => isAt(world, fourth), 2_000);
});
