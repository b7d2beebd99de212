import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, ApplicationStatus } from '@mooring/crds';
import { createClock } from '../../../sim/clock.ts';
import { createSimTracer, type RecordedSpan } from '../../../sim/tracer.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { Task, TaskResult } from '../../model/plan.ts';
import { addressKey } from '../../model/repository-url.ts';
import { type Action, awaitChange, requeueAfter } from '../action.ts';
import { createTraces, type SeenCommit } from '../traces.ts';
import { createAppTrace } from './trace.ts';

const repoURL = 'https://ada:canary@git.example.com/shop.git';
const source = { repoURL, path: '.' };

function appOf(status: ApplicationStatus = {}): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: { project: 'web', source, destination: {} },
    status,
  } as Application;
}

/** The status that one commit has brought about. */
function statusOf(
  commit: string,
  { sync = 'Synced', health = 'Healthy', phase = 'Succeeded', message = '' } = {},
): ApplicationStatus {
  return {
    sync: { status: sync, revision: commit },
    health: { status: health },
    operationState: { phase, message, startedAt: '', operation: {}, syncResult: { revision: commit, resources: [] } },
  } as unknown as ApplicationStatus;
}

function bench() {
  const clock = createClock(1_000);
  const tracer = createSimTracer(clock);
  const traces = createTraces(tracer, clock, { tracesOpen: 2, traceMs: 600_000 });
  const trace = createAppTrace({ namespace: 'argocd', name: 'shop' }, traces);
  const commit = (id: string, trigger: SeenCommit['trigger'] = 'poll') =>
    traces.ofCommit(addressKey(repoURL) ?? '', {
      repository: repoURL,
      commit: id,
      trigger,
      startMs: clock.now(),
    });
  const named = (name: string): RecordedSpan[] => tracer.spans.filter((span) => span.name === name);
  /** One pass, that begins now and ends with this status. */
  const passes = (status: ApplicationStatus, action: Action = awaitChange): void =>
    trace.pass().end(appOf(status), action);
  /** A pass that begins or carries on an operation. */
  const operates = (id: string, fresh: boolean, operation: object): void =>
    trace.operate({ app: appOf(), state: { operation, phase: 'Running', startedAt: '' }, fresh, source, commit: id });
  return { clock, tracer, traces, trace, commit, named, passes, operates };
}

const automated = { initiatedBy: { automated: true }, sync: {} };
const healing = { initiatedBy: { automated: true }, sync: { autoHealAttemptsCount: 1 } };

for (const [what, status, action, ending] of [
  ['Synced and Healthy', statusOf('b'), awaitChange, { failure: undefined, outcome: undefined }],
  [
    'Synced and Suspended',
    statusOf('b', { health: 'Suspended' }),
    awaitChange,
    { failure: undefined, outcome: undefined },
  ],
  ['Synced, and looked at again', statusOf('b'), requeueAfter(0), undefined],
  ['Progressing', statusOf('b', { health: 'Progressing' }), awaitChange, undefined],
  ['Degraded', statusOf('b', { health: 'Degraded' }), awaitChange, undefined],
  ['in the middle of a sync', statusOf('b', { phase: 'Running' }), awaitChange, undefined],
  [
    'failed',
    statusOf('b', { phase: 'Failed', message: 'no quota' }),
    awaitChange,
    { failure: 'the sync has failed: no quota', outcome: 'the sync has failed: no quota' },
  ],
  ['failed, and tried again', statusOf('b', { phase: 'Failed' }), requeueAfter(5_000), undefined],
  ['left to a person', statusOf('b', { sync: 'OutOfSync' }), awaitChange, { failure: undefined, outcome: 'OutOfSync' }],
  [
    'not to be rendered',
    { ...statusOf('a', { sync: 'Unknown' }), conditions: [{ type: 'ComparisonError', message: 'line 3' }] },
    awaitChange,
    { failure: 'line 3', outcome: 'line 3' },
  ],
  ['at a newer commit', statusOf('c'), awaitChange, { failure: undefined, outcome: 'superseded' }],
  ['busy with an older commit', statusOf('a', { phase: 'Running' }), awaitChange, undefined],
  [
    'busy with an older commit, and OutOfSync at this one',
    { ...statusOf('a', { phase: 'Running' }), sync: { status: 'OutOfSync', revision: 'b' } as never },
    awaitChange,
    undefined,
  ],
] as readonly (readonly [
  string,
  ApplicationStatus,
  Action,
  { failure: string | undefined; outcome: string | undefined } | undefined,
])[]) {
  test(`a commit is ${ending === undefined ? 'on its way' : 'through'} where the Application is ${what}`, () => {
    const { trace, commit, named, passes } = bench();
    trace.join(commit('b'), 'b', 'web');
    passes(status, action);
    const [app] = named('application shop');
    const [root] = named('commit');
    assert.equal(app?.endMs !== undefined, ending !== undefined);
    assert.equal(root?.endMs !== undefined, ending !== undefined);
    if (ending === undefined) return;
    assert.deepEqual({ failure: app?.failure, outcome: app?.attributes['mooring.outcome'] }, ending);
    assert.equal(root?.failure, ending.failure);
  });
}

test('a commit is through when the last of its Applications is, and tells which failed', () => {
  const { traces, trace, commit, named, passes } = bench();
  const other = createAppTrace({ namespace: 'argocd', name: 'other' }, traces);
  trace.join(commit('b'), 'b', 'web');
  other.join(commit('b'), 'b', 'web');
  passes(statusOf('b'));
  assert.equal(named('commit')[0]?.endMs, undefined);
  other.pass().end(appOf(statusOf('b', { phase: 'Failed', message: 'no' })), awaitChange);
  const [root] = named('commit');
  assert.equal(root?.failure, '1 of 2 Applications: argocd/other: the sync has failed: no');
  assert.equal(root.attributes['argocd.repo.url'], 'https://***@git.example.com/shop.git');
  assert.equal(named('commit').length, 1);
});

test('a commit takes the place of one that is on its way; the same one once more begins anew', () => {
  const { trace, commit, named, passes, tracer } = bench();
  trace.join(commit('b'), 'b', 'web');
  trace.join(commit('c'), 'c', 'web');
  const [first] = named('application shop');
  assert.deepEqual([first?.attributes['mooring.outcome'], first?.failure], ['superseded', undefined]);
  passes(statusOf('c'));
  trace.join(commit('b'), 'b', 'web');
  passes(statusOf('b'));
  assert.equal(new Set(named('commit').map(({ traceId }) => traceId)).size, 3);
  assert.deepEqual(tracer.problems(), []);
});

test('an Application is told once of a commit', () => {
  const { trace } = bench();
  assert.deepEqual(['b', 'b', 'c', 'b'].map(trace.isNews), [true, false, true, true]);
});

test('a pass that began before the Application was woken for the commit says nothing of it', () => {
  const { trace, commit, named } = bench();
  const late = trace.pass();
  trace.join(commit('b'), 'b', 'web');
  late.end(appOf(statusOf('a')), awaitChange);
  assert.equal(named('application shop')[0]?.endMs, undefined);
  assert.deepEqual(named('reconcile'), []);
});

test('a pass without a trace has an id for its lines, and records nothing', () => {
  const { trace, tracer, passes } = bench();
  const pass = trace.pass();
  const id = trace.traceId;
  pass.begin?.('render')();
  pass.end(appOf(statusOf('a')), awaitChange);
  assert.match(id ?? '', /^[0-9a-f]{32}$/);
  passes(statusOf('a'));
  assert.notEqual(trace.traceId, id);
  assert.deepEqual(tracer.spans, []);
});

test('an automated sync that nobody told of begins the trace of its commit, with what the pass did before', async () => {
  const { clock, trace, commit, named, operates, tracer } = bench();
  const pass = trace.pass();
  const id = trace.traceId;
  const end = pass.begin?.('render');
  await clock.passUntil(1_200);
  end?.();
  operates('b', true, automated);
  pass.begin?.('sync')('no quota');
  pass.end(appOf(statusOf('b')), awaitChange);
  const [root] = named('commit');
  assert.deepEqual([root?.traceId, root?.startMs, root?.attributes['mooring.trigger']], [id, 1_000, 'application']);
  assert.deepEqual([named('render')[0]?.startMs, named('render')[0]?.endMs], [1_000, 1_200]);
  assert.equal(named('reconcile')[0]?.failure, 'no quota');
  // What the repository is asked later finds the commit known.
  assert.equal(trace.isNews('b'), false);
  assert.notEqual(commit('b').span.traceId, id);
  assert.deepEqual(
    tracer.problems().filter((problem) => !problem.startsWith('commit')),
    [],
  );
});

test('a part that joins a trace late leaves out what was before that trace', async () => {
  const { clock, trace, commit, operates, passes, tracer } = bench();
  const pass = trace.pass();
  pass.begin?.('resolve')();
  const end = pass.begin?.('render');
  await clock.passUntil(1_500);
  commit('b');
  await clock.passUntil(2_000);
  end?.();
  operates('b', true, automated);
  pass.end(appOf(statusOf('b', { phase: 'Running' })), awaitChange);
  passes(statusOf('b'));
  assert.deepEqual(tracer.problems(), []);
  assert.deepEqual(
    tracer.spans.filter(({ parent }) => parent?.name === 'reconcile').map(({ name, startMs }) => [name, startMs]),
    [['render', 1_500]],
  );
});

for (const [what, operation, trigger] of [
  ['a person asks for', { initiatedBy: { username: 'ann' } }, 'person'],
  ['heals', healing, 'self-heal'],
] as const) {
  test(`an operation that ${what} is a trace of its own, over all its passes`, () => {
    const { trace, named, operates, passes } = bench();
    const pass = trace.pass();
    operates('b', true, operation);
    pass.end(appOf(statusOf('b', { phase: 'Running' })), awaitChange);
    const next = trace.pass();
    operates('b', false, operation);
    next.end(appOf(statusOf('b')), requeueAfter(0));
    passes(statusOf('b'));
    const [root] = named('operation shop');
    assert.equal(root?.attributes['mooring.trigger'], trigger);
    assert.equal(root.attributes['argocd.app.project'], 'web');
    assert.notEqual(root.endMs, undefined);
    assert.equal(named('reconcile').length, 3);
    assert.equal(named('operation shop').length, 1);
  });
}

test('a heal of what a commit brings is a part of that trace', () => {
  const { trace, commit, named, operates } = bench();
  trace.join(commit('b'), 'b', 'web');
  trace.pass();
  operates('b', true, healing);
  assert.deepEqual(named('operation shop'), []);
});

test('an operation that was under way before a restart is recorded from then on', () => {
  const { trace, named, operates } = bench();
  trace.pass();
  operates('b', false, automated);
  assert.equal(named('commit')[0]?.attributes['mooring.trigger'], 'application');
});

test('a trace that takes too long ends, and so do the oldest beyond the bound, and all where the operator stops', async () => {
  const { clock, traces, trace, commit, named } = bench();
  trace.join(commit('b'), 'b', 'web');
  await clock.passUntil(700_000);
  assert.equal(named('commit')[0]?.failure, 'not Synced and Healthy after 10 minutes');

  const others = ['1', '2', '3'].map((name) => createAppTrace({ namespace: 'argocd', name }, traces));
  for (const [index, other] of others.entries()) other.join(commit(`c${index}`), `c${index}`, 'web');
  assert.deepEqual(
    named('commit').map(({ failure }) => failure),
    ['not Synced and Healthy after 10 minutes', 'too many commits are on their way', undefined, undefined],
  );
  traces.close('the operator stopped');
  assert.ok(named('commit').every(({ endMs }) => endMs !== undefined));
  assert.equal(named('application 3')[0]?.attributes['mooring.outcome'], 'the operator stopped');
});

function taskOf(name: string, wave: number, more: Partial<Task> = {}): Task {
  const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name };
  return {
    id: `Sync ${name}`,
    key,
    apiVersion: 'v1',
    phase: 'Sync',
    wave,
    rank: 3,
    action: 'apply',
    unchanged: false,
    isHook: false,
    ...more,
  };
}

const applied: TaskResult = { status: 'Synced', message: 'created', hookPhase: 'Running' };
const viewOf = (...records: readonly object[]) => ({
  record: ({ name }: { name: string }) =>
    (records as readonly (LiveRecord & { name: string })[]).find((record) => record.name === name),
});

test('a wave lasts until its objects are healthy, and an object until it is', async () => {
  const { clock, trace, commit, named, passes, tracer } = bench();
  trace.join(commit('b'), 'b', 'web');
  const [a, b, c] = [taskOf('a', 0), taskOf('b', 0), taskOf('c', 1)];
  assert.match(trace.task(a)?.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  trace.task(b);
  for (const task of [a, b]) trace.taskDone(task, applied);
  trace.observe(viewOf({ name: 'a' }, { name: 'b', health: { status: 'Progressing' } }));
  assert.deepEqual(
    named('apply ConfigMap').map(({ endMs }) => endMs),
    [1_000, undefined],
  );
  await clock.passUntil(2_000);
  trace.observe(viewOf({ name: 'b', health: { status: 'Healthy' } }));
  assert.equal(named('wave Sync 0')[0]?.endMs, undefined);
  await clock.passUntil(3_000);
  trace.task(c);
  assert.equal(named('wave Sync 0')[0]?.endMs, 3_000);
  trace.taskDone(c, applied);
  passes(statusOf('b', { health: 'Progressing' }));
  assert.equal(named('wave Sync 1')[0]?.endMs, undefined);
  await clock.passUntil(4_000);
  trace.observe(viewOf({ name: 'c' }));
  passes(statusOf('b'));
  assert.deepEqual([named('wave Sync 1')[0]?.endMs, named('commit')[0]?.endMs], [4_000, 4_000]);
  assert.deepEqual(tracer.problems(), []);
});

test('what an operation still does for another commit is no part of the one that waits', () => {
  const { trace, commit, named, operates, passes } = bench();
  trace.join(commit('b'), 'b', 'web');
  const pass = trace.pass();
  operates('a', false, automated);
  assert.equal(trace.task(taskOf('old', 0)), undefined);
  pass.end(appOf(statusOf('a', { phase: 'Running' })), awaitChange);
  assert.equal(named('application shop')[0]?.endMs, undefined);
  trace.pass();
  operates('b', true, automated);
  assert.notEqual(trace.task(taskOf('new', 0)), undefined);
  passes(statusOf('b'));
  assert.deepEqual(
    named('wave Sync 0').map(({ attributes }) => attributes['argocd.revision']),
    ['b'],
  );
});

test('what is refused fails its span, what is pruned lasts until it is gone, and what is not written has none', () => {
  const { trace, commit, named } = bench();
  trace.join(commit('b'), 'b', 'web');
  for (const task of [taskOf('same', 0, { unchanged: true }), taskOf('kept', 0, { action: 'skip' })])
    assert.equal(trace.task(task), undefined);
  const bad = taskOf('bad', 0);
  trace.task(bad);
  trace.taskDone(bad, { status: 'SyncFailed', message: 'not allowed', hookPhase: 'Failed' });
  assert.equal(named('apply ConfigMap')[0]?.failure, 'not allowed');
  const live = { name: 'old', uid: 'u', deleting: true };
  const old = taskOf('old', 0, { action: 'prune', live: live as unknown as LiveRecord });
  trace.task(old);
  trace.taskDone(old, { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded' });
  trace.observe(viewOf(live));
  assert.equal(named('prune ConfigMap')[0]?.endMs, undefined);
  trace.observe(viewOf());
  assert.notEqual(named('prune ConfigMap')[0]?.endMs, undefined);
});

test('a hook that ends Degraded has failed', () => {
  const { trace, commit, named } = bench();
  trace.join(commit('b'), 'b', 'web');
  const hook = taskOf('hook', 0, { isHook: true, phase: 'PostSync' });
  trace.task(hook);
  trace.taskDone(hook, applied);
  trace.observe(viewOf({ name: 'hook', health: { status: 'Degraded', message: 'exit 1' } }));
  const [span] = named('apply ConfigMap');
  assert.deepEqual([span?.failure, span?.attributes['argocd.hook.type']], ['exit 1', 'PostSync']);
});

test('an Application that is deleted leaves the trace', () => {
  const { trace, commit, named } = bench();
  trace.join(commit('b'), 'b', 'web');
  trace.gone();
  assert.deepEqual(
    [named('application shop')[0]?.attributes['mooring.outcome'], named('commit')[0]?.failure],
    ['deleted', undefined],
  );
});

test('a trace that is over is joined no more', () => {
  const { traces, trace, commit, named } = bench();
  const seen = commit('b');
  seen.enter('a look', () => seen.leave('a look'));
  traces.close('another replica leads');
  trace.join(seen, 'b', 'web');
  assert.equal(trace.span, undefined);
  assert.deepEqual(named('application shop'), []);
});
