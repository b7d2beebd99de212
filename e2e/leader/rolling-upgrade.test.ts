import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application, OperationState } from '@mooring/crds';
import type { GitRepository } from '../git-server/git-repository.ts';
import { applicationsPath, isSettled } from '../harness/applications.ts';
import { applicationOf, partOf, type Replica, startTroupe, type Troupe, until } from './replicas.ts';

const apps = 50;
const patienceMs = 120_000;

let troupe: Troupe;
let repository: GitRepository;
let old: readonly Replica[];
const stops: (() => void)[] = [];
/** Uids of the Jobs of each hook and run. */
const jobs = new Map<string, Set<string>>();
/** Final phases of each operation of each Application, in order, without repetitions of one and the same. */
const ends = new Map<string, string[]>();

/** A Job that is done as soon as it is seen: it wants no pod. */
function hook(name: string, phase: string, policy: string): string {
  const annotations = { 'argocd.argoproj.io/hook': phase, 'argocd.argoproj.io/hook-delete-policy': policy };
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'run', image: 'none' }] } };
  const spec = { completions: 0, parallelism: 0, template };
  return JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, annotations }, spec });
}

const filesOf = (value: string): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: apps }, (_, index) => index).flatMap((index) => [
      [`${index}/before.json`, hook('before', 'PreSync', 'BeforeHookCreation')],
      [`${index}/first.json`, partOf('first', value, 0)],
      [`${index}/second.json`, partOf('second', value, 1)],
      [`${index}/after.json`, hook('after', 'PostSync', 'HookSucceeded')],
    ]),
  );

before(async () => {
  troupe = await startTroupe('e2e-upgrade');
  repository = await troupe.git.createRepository('shops');
  const commit = await repository.commit({ files: filesOf('0'), message: 'first' });
  stops.push(
    troupe.kube.watch('/apis/batch/v1/jobs', (type, { metadata }) => {
      const run = (metadata['annotations'] as Record<string, string> | undefined)?.['argocd.argoproj.io/hook-run'];
      if (type === 'DELETED' || run === undefined) return;
      const id = `${metadata.namespace} ${metadata.name} ${run}`;
      jobs.set(id, (jobs.get(id) ?? new Set()).add(metadata.uid ?? ''));
    }),
    troupe.kube.watch(applicationsPath, (_, object) => seeEnd(object as unknown as Application)),
  );
  for (let index = 0; index < apps; index += 1)
    await troupe.kube.create(applicationsPath, applicationOf(nameOf(index), repository.url, String(index)));
  const one = await troupe.start('one');
  await troupe.untilHolds('one', patienceMs);
  old = [one, await troupe.start('two')];
  await settles(commit);
});
after(async () => {
  for (const stop of stops) stop();
  await troupe?.close();
});

const nameOf = (index: number): string => `shop-${index}`;

function seeEnd({ metadata, status }: Application): void {
  const state = status?.operationState;
  if (state?.finishedAt === undefined || state.phase === 'Running') return;
  const seen = ends.get(metadata.name ?? '') ?? [];
  const end = endOf(state);
  if (seen.at(-1) !== end) ends.set(metadata.name ?? '', [...seen, end]);
}

function endOf({ phase, startedAt, finishedAt, syncResult }: OperationState): string {
  return `${syncResult?.revision} ${startedAt} ${phase} ${finishedAt}`;
}

function settles(commit: string): Promise<number> {
  const areSettled = (seen: ReadonlyMap<string, Application>): boolean =>
    seen.size === apps && [...seen.values()].every((app) => isSettled(app, commit));
  return troupe.view.until(`all at ${commit.slice(0, 7)}`, areSettled, patienceMs);
}

/** Waits until so many Applications have ended an operation at the commit. */
function untilEnded(count: number, commit: string): Promise<number> {
  const isEnded = ({ status }: Application): boolean =>
    status?.operationState?.syncResult?.revision === commit && status.operationState.phase === 'Succeeded';
  const areEnded = (seen: ReadonlyMap<string, Application>): boolean =>
    [...seen.values()].filter(isEnded).length >= count;
  return troupe.view.until(`${count} at ${commit.slice(0, 7)}`, areEnded, patienceMs);
}

test('an upgrade while 50 Applications are synced loses no operation and repeats none', async (context) => {
  const [one, two] = old as [Replica, Replica];
  const startedAt = performance.now();
  const three = await troupe.start('three');
  const { commit, status } = await troupe.push(repository, filesOf('1'), two);
  assert.equal(status, 200);
  await untilEnded(apps / 5, commit);
  const stopped = [one.process.stop()];
  await untilEnded((apps * 2) / 5, commit);
  await troupe.start('four');
  stopped.push(two.process.stop());
  await settles(commit);
  assert.deepEqual(await Promise.all(stopped), [0, 0]);
  const holders = troupe.holds.map(({ holder }) => holder);
  context.diagnostic(`${(performance.now() - startedAt).toFixed(0)} ms, the Lease went ${holders.join(' → ')}`);
  assert.ok(troupe.holds.length >= 3 && three.writes.length > 0, 'the lead changed in the middle of it');

  const endsOf = (name: string): string[] => (ends.get(name) ?? []).filter((end) => end.startsWith(commit));
  const names = Array.from({ length: apps }, (_, index) => nameOf(index));
  await until('every end was seen', () => names.every((name) => endsOf(name).length > 0));
  const problems: string[] = [];
  for (const name of names) {
    const revisions = troupe.view.get(name)?.status?.history?.map(({ revision }) => revision);
    if (revisions?.length !== 2 || revisions[1] !== commit) problems.push(`${name} has the history ${revisions}`);
    const mine = endsOf(name);
    if (mine.length !== 1 || !mine[0]?.includes(' Succeeded ')) problems.push(`${name} ended as ${mine.join(' and ')}`);
  }
  for (const [id, uids] of jobs) if (uids.size !== 1) problems.push(`the hook ${id} was run ${uids.size} times`);
  assert.deepEqual(problems, []);
  assert.equal(jobs.size, apps * 4, 'two hooks of two syncs of each');
});
