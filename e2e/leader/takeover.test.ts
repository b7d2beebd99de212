import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '@mooring/crds';
import type { Fate, ProxiedWrite } from '../faults/fault-proxy.ts';
import type { GitRepository } from '../git-server/git-repository.ts';
import { applicationsPath, isSettled } from '../harness/applications.ts';
import type { AnyObject } from '../harness/kube.ts';
import {
  applicationOf,
  isOfLease,
  partOf,
  type Replica,
  startDeafServer,
  startTroupe,
  type Troupe,
  until,
} from './replicas.ts';

/** What the issue promises, in milliseconds. */
const promised = { afterSigterm: 3_000, afterKill: 20_000 };
const patienceMs = 60_000;
const apps = 5;

let troupe: Troupe;
let repository: GitRepository;
/** Those that run, the leader first. */
let leader: Replica;
let standby: Replica;

const files = (value: string): Record<string, string> => ({
  'first.json': partOf('first', value, 0),
  'second.json': partOf('second', value, 1),
  'third.json': partOf('third', value, 2),
});

before(async () => {
  troupe = await startTroupe('e2e-leader');
  repository = await troupe.git.createRepository('shop');
  const commit = await repository.commit({ files: files('0'), message: 'first' });
  for (let index = 0; index < apps; index += 1)
    await troupe.kube.create(applicationsPath, applicationOf(`shop-${index}`, repository.url));
  leader = await troupe.start('one');
  await troupe.untilHolds('one', patienceMs);
  standby = await troupe.start('two');
  await settles(commit);
});
after(() => troupe?.close());

async function settles(commit: string): Promise<void> {
  await troupe.view.until(
    `all at ${commit.slice(0, 7)}`,
    (seen) => seen.size === apps && [...seen.values()].every((app) => isSettled(app, commit)),
    patienceMs,
  );
}

/** Milliseconds of `performance.now()` at which the first Application is Synced at the commit. */
async function firstSynced(commit: string): Promise<number> {
  const isAt = (app: Application): boolean => isSettled(app, commit);
  await troupe.view.until(`one at ${commit.slice(0, 7)}`, (seen) => [...seen.values()].some(isAt), patienceMs);
  return performance.now();
}

/** Everything that an operator could have an effect on. */
async function everything(): Promise<string[]> {
  const lists = await Promise.all([
    troupe.kube.list(applicationsPath),
    ...Array.from({ length: apps }, (_, index) => troupe.kube.list(`/api/v1/namespaces/shop-${index}/configmaps`)),
  ]);
  const told = ({ metadata }: AnyObject): string =>
    JSON.stringify([
      metadata.namespace,
      metadata.name,
      metadata.uid,
      metadata.resourceVersion,
      metadata['managedFields'],
    ]);
  return lists.flat().map(told).sort();
}

test('a replica that stands by is ready, writes nothing, and says who leads', async () => {
  assert.equal((await fetch(`${standby.process.url}/readyz`)).status, 200);
  assert.deepEqual(
    standby.writes.map(({ method, path }) => `${method} ${path}`),
    [],
  );
  assert.doesNotMatch(await standby.process.metrics(), /argocd_app_info\{/, 'series of Applications are told once');
  assert.match(await leader.process.metrics(), /argocd_app_info\{/);
});

test('a webhook that reaches the one that stands by is answered by the leader', async () => {
  const { commit, at, status } = await troupe.push(repository, files('by way of the standby'), standby);
  assert.equal(status, 200);
  const took = (await firstSynced(commit)) - at;
  await settles(commit);
  assert.ok(took < 10_000, `it came by the webhook and not by the poll: ${took} ms`);
  assert.deepEqual(standby.writes, []);
});

test('after SIGTERM the other one leads within 3 s, also while a pass hangs, and finds what was committed meanwhile', async (context) => {
  const deaf = await startDeafServer();
  await troupe.kube.create(applicationsPath, applicationOf('hangs', `${deaf.url}/hangs.git`));
  await deaf.reached;
  const at = performance.now();
  const stopped = leader.process.stop().then((code) => ({ code, ms: performance.now() - at }));
  const commit = await repository.commit({ files: files('in the gap'), message: 'in the gap' });
  const hold = await troupe.untilHolds(standby.name, patienceMs);
  const released = troupe.holds.findLast(({ holder }) => holder === '');
  const took = hold.at - at;
  const firstAt = await firstSynced(commit);
  const { code, ms: exitMs } = await stopped;
  await troupe.kube.remove(`${applicationsPath}/hangs`);
  await settles(commit);
  await deaf.close();
  assert.equal(code, 0);
  assert.ok(exitMs > 1_000, 'it has waited for the pass');
  context.diagnostic(
    `lead taken ${took.toFixed(0)} ms after SIGTERM, ${(hold.at - (released?.at ?? 0)).toFixed(0)} ms after it was given up; ` +
      `first Application at a commit made in between ${(firstAt - hold.at).toFixed(0)} ms later; ended within ${exitMs.toFixed(0)} ms`,
  );
  assert.ok(took <= promised.afterSigterm, `${took} ms`);
  leader = standby;
  standby = await troupe.start('three');
});

test('after a kill the other one leads within 20 s', async (context) => {
  const at = performance.now();
  await leader.process.kill();
  const commit = await repository.commit({ files: files('after a kill'), message: 'after a kill' });
  const { at: heldAt } = await troupe.untilHolds(standby.name, patienceMs);
  const took = heldAt - at;
  const firstAt = await firstSynced(commit);
  context.diagnostic(
    `lead taken ${took.toFixed(0)} ms after SIGKILL; first Application at a commit made in between ${(firstAt - heldAt).toFixed(0)} ms later`,
  );
  assert.ok(took <= promised.afterKill, `${took} ms`);
  await settles(commit);
  leader = standby;
  standby = await troupe.start('four');
});

test('a leader that is stopped in the middle of a sync has no effect when it goes on', async (context) => {
  const old = leader;
  const stoppedAt = Promise.withResolvers<void>();
  old.decide = (write) => {
    // The second wave: the answer is the last thing that it waits for, and a third wave and the status are still to be written.
    if (!write.path.includes('/configmaps/second')) return { do: 'pass' };
    old.process.signal('SIGSTOP');
    stoppedAt.resolve();
    return { do: 'pass' };
  };
  const stopped = troupe.push(repository, files('stopped'), standby);
  await stoppedAt.promise;
  const at = performance.now();
  const { at: heldAt } = await troupe.untilHolds(standby.name, patienceMs);
  const { commit } = await stopped;
  await settles(commit);
  const { commit: later } = await troupe.push(repository, files('later'), standby);
  await settles(later);
  context.diagnostic(`lead taken ${(heldAt - at).toFixed(0)} ms after SIGSTOP`);

  old.decide = () => ({ do: 'pass' });
  old.writes.length = 0;
  const before = await everything();
  old.process.signal('SIGCONT');
  await old.logs('"code":"not-leading"');
  assert.deepEqual(await everything(), before, 'what it was in the middle of is left out');
  assert.deepEqual(
    old.writes.filter((write) => !isOfLease(write) || write.status < 400),
    [],
  );
  assert.equal(troupe.holds.at(-1)?.holder, standby.name);
  const { commit: last, status } = await troupe.push(repository, files('after SIGCONT'), old);
  assert.equal(status, 200, 'it hands deliveries on');
  await settles(last);
  [leader, standby] = [standby, old];
});

test('a Lease that cannot be written costs nothing for a while, then the lead, and comes back by itself', async (context) => {
  const { holds } = troupe;
  const changes = holds.length;
  let refused = 0;
  const refuse =
    (status: number) =>
    (write: ProxiedWrite): Fate => {
      if (!isOfLease(write)) return { do: 'pass' };
      refused += 1;
      return { do: 'answer', stored: false, status, headers: {}, body: '' };
    };
  const pass = (): Fate => ({ do: 'pass' });
  leader.decide = refuse(500);
  await until('two renewals were refused', () => refused >= 2);
  leader.writes.length = 0;
  leader.decide = pass;
  await until('the Lease is renewed', () => leader.writes.some(isOfLease));

  const startedAt = performance.now();
  // Nobody may write it now.
  leader.decide = standby.decide = refuse(403);
  await leader.logs('"msg":"this replica leads no more"');
  context.diagnostic(
    `the lead was lost ${(performance.now() - startedAt).toFixed(0)} ms after the Lease could not be written any more`,
  );
  leader.writes.length = 0;
  const { commit, status } = await troupe.push(repository, files('nobody leads'), leader);
  assert.equal(status, 202);
  const refresh = { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } } };
  const looked = '"msg":"looked at the Application"';
  await leader.logsAgain(looked, () =>
    standby.logsAgain(looked, () => troupe.kube.merge(`${applicationsPath}/shop-0`, refresh)),
  );
  assert.deepEqual(leader.writes, []);
  assert.deepEqual(
    standby.writes.filter((write) => !isOfLease(write)),
    [],
  );
  leader.decide = standby.decide = pass;
  await settles(commit);
  assert.ok(holds.length <= changes + 1, JSON.stringify(holds));
  assert.ok(leader.process.isRunning() && standby.process.isRunning(), 'nobody ends for it');
});
