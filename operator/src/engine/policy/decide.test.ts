import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, ApplicationSource, OperationState, ResourceStatus, SyncPolicy } from '@mooring/crds';
import type { Change } from '../../model/change.ts';
import type { DesiredObject } from '../../model/desired.ts';
import type { LiveRecord } from '../../model/live.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { type Decision, decide, driftOf } from './decide.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const commit = 'c'.repeat(40);
const source: ApplicationSource = { repoURL: 'https://git.example.com/shop.git', path: 'prod', targetRevision: 'main' };

function at(secondsAgo: number): string {
  return new Date(now - secondsAgo * 1_000).toISOString().replace('.000Z', 'Z');
}

function key(name: string) {
  return { group: '', kind: 'ConfigMap', namespace: 'shop', name };
}

function desired(name: string): DesiredObject {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
  return {
    key: key(name),
    object,
    hash: name,
    origin: { path: 'a.yaml' },
    wave: 0,
    options: syncOptionsOf([], undefined),
  };
}

function live(name: string, options?: string): LiveRecord {
  return {
    key: key(name),
    apiVersion: 'v1',
    uid: name,
    resourceVersion: '1',
    createdAt: 0,
    deleting: false,
    owners: [],
    app: 'shop',
    health: undefined,
    ownedHash: undefined,
    ownedAt: 0,
    hints: options === undefined ? undefined : { 'argocd.argoproj.io/sync-options': options },
  };
}

const same: Extract<Change, { action: 'none' }> = {
  action: 'none',
  key: key('a'),
  desired: desired('a'),
  live: live('a'),
};
function applied(time: string, app = 'shop'): Change {
  return { ...same, live: { ...live('a'), app, ownedAt: Date.parse(time) } };
}

const missing: Change = { action: 'create', key: key('b'), desired: desired('b') };
const drifted: Change = {
  action: 'update',
  key: key('c'),
  desired: desired('c'),
  live: live('c'),
  differences: [],
  certain: 0,
};
const left: Change = { action: 'prune', key: key('d'), live: live('d'), ignored: false };
const ignored: Change = { action: 'prune', key: key('e'), live: live('e'), ignored: true };
const kept: Change = { action: 'prune', key: key('f'), live: live('f', 'Prune=false'), ignored: false };

interface Given {
  readonly policy?: SyncPolicy;
  readonly state?: Partial<OperationState>;
  readonly asked?: Application['operation'];
  readonly changes?: readonly Change[];
  readonly spec?: Partial<Application['spec']>;
  /** Objects of the last status. */
  readonly resources?: readonly ResourceStatus[];
  readonly unrecorded?: boolean;
  readonly holds?: readonly string[];
  readonly otherThan?: string;
}

function decided({
  policy,
  state,
  asked,
  changes = [same, missing],
  spec,
  resources,
  unrecorded = false,
  holds = [],
  otherThan,
}: Given): Decision {
  const app: Application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: { project: 'default', source, destination: {}, ...(policy && { syncPolicy: policy }), ...spec },
    ...(asked && { operation: asked }),
    ...(state && {
      status: {
        operationState: { operation: { sync: {} }, phase: 'Succeeded', startedAt: at(600), ...state },
        ...(resources && { resources: resources.map((one) => ({ version: 'v1', namespace: 'shop', ...one })) }),
      },
    }),
  };
  return decide({ app, tracking: 'shop', commit, changes: { changes }, now, unrecorded, holds, otherThan });
}

const auto: SyncPolicy = { automated: { prune: true, selfHeal: true } };
const done: Partial<OperationState> = {
  phase: 'Succeeded',
  finishedAt: at(590),
  syncResult: { revision: commit, source },
};
const automatic = { sync: { source, revision: commit, prune: true }, initiatedBy: { automated: true } };

const cases: readonly [what: string, given: Given, does: Decision['do'], reason: RegExp][] = [
  ['rests without a policy', {}, 'rest', /manual/],
  [
    'syncs once more what could not be recorded',
    { policy: auto, changes: [same], unrecorded: true },
    'sync',
    /new rev/,
  ],
  ['rests once it is', { policy: auto, changes: [same], state: done, unrecorded: true }, 'rest', /synced/],
  ['rests where the policy is switched off', { policy: { automated: { enabled: false } } }, 'rest', /manual/],
  ['rests where nothing differs', { policy: auto, changes: [same, ignored] }, 'rest', /synced/],
  ['syncs a new revision', { policy: { automated: {} } }, 'sync', /new revision/],
  [
    'syncs after a success of another revision',
    { policy: auto, state: { ...done, syncResult: { revision: 'x', source } } },
    'sync',
    /new revision/,
  ],
  [
    'syncs after a failure of another revision',
    { policy: auto, state: { ...done, phase: 'Failed', syncResult: { revision: 'x', source } } },
    'sync',
    /new revision/,
  ],
  [
    'syncs the same revision of another source',
    {
      policy: { automated: {} },
      state: { ...done, syncResult: { revision: commit, source: { ...source, path: 'other' } } },
    },
    'sync',
    /new revision/,
  ],
  [
    'takes a branch and the commit it stands for as the same',
    {
      policy: { automated: {} },
      state: { ...done, syncResult: { revision: commit, source: { ...source, targetRevision: 'HEAD' } } },
    },
    'rest',
    /does not heal/,
  ],
  [
    'knows the one source of a list',
    { policy: { automated: {} }, state: done, spec: { sources: [source] } },
    'rest',
    /does not heal/,
  ],
  [
    'takes no rehearsal for a sync',
    { policy: { automated: {} }, state: { ...done, operation: { sync: { dryRun: true } } } },
    'sync',
    /new revision/,
  ],
  [
    'does not try a revision again that failed',
    { policy: auto, state: { ...done, phase: 'Failed', message: 'no' } },
    'refuse',
    /^Failed last sync attempt to \[c+\]: no$/,
  ],
  [
    'leaves drift alone without selfHeal',
    { policy: { automated: { prune: true } }, state: done, changes: [drifted] },
    'rest',
    /does not heal/,
  ],
  ['heals drift', { policy: auto, state: done, changes: [same, drifted] }, 'sync', /differs from Git/],
  ['heals by pruning', { policy: auto, state: done, changes: [same, left] }, 'sync', /differs from Git/],
  [
    'does not heal what the Application says must not be pruned',
    { policy: { ...auto, syncOptions: ['Prune=false'] }, state: done, changes: [same, left] },
    'rest',
    /must not be pruned/,
  ],
  [
    'does not heal what must not be pruned',
    { policy: auto, state: done, changes: [same, kept] },
    'rest',
    /must not be pruned/,
  ],
  [
    'rests where only pruning is left that the policy does not do',
    { policy: { automated: { selfHeal: true } }, changes: [same, left] },
    'rest',
    /only pruning/,
  ],
  [
    'syncs what else there is where the policy does not prune',
    { policy: { automated: {} }, changes: [missing, left] },
    'sync',
    /new revision/,
  ],
  ['never deletes everything', { policy: auto, changes: [left, kept] }, 'refuse', /wipe out all resources/],
  [
    'deletes everything where it is allowed to',
    { policy: { automated: { prune: true, allowEmpty: true } }, changes: [left] },
    'sync',
    /new revision/,
  ],
  ['starts what is asked for', { asked: { sync: {} }, changes: [same] }, 'sync', /asked for/],
  ['starts what is asked for before its own', { policy: auto, asked: { sync: {} } }, 'sync', /asked for/],
  ['goes on with an operation', { policy: auto, state: { phase: 'Running' } }, 'sync', /goes on/],
  [
    'goes on with an operation whatever else is asked for',
    { state: { phase: 'Running' }, asked: { sync: {} } },
    'sync',
    /goes on/,
  ],
  ['brings to an end what is terminated', { state: { phase: 'Terminating' } }, 'sync', /goes on/],
  [
    'brings to an end what is terminated while it waits for its next try',
    { state: { phase: 'Terminating', finishedAt: at(1) } },
    'sync',
    /goes on/,
  ],
  [
    'lets an operation that was asked for wait while another waits for its next try',
    {
      asked: { sync: {} },
      state: { phase: 'Running', finishedAt: at(1), retryCount: 1, operation: { sync: {}, retry: { limit: 2 } } },
    },
    'rest',
    /waiting to try again/,
  ],
  [
    'lets an automated try give way to a person',
    { policy: auto, asked: { sync: {} }, state: { ...done, phase: 'Running', retryCount: 1, operation: automatic } },
    'sync',
    /asked for/,
  ],
  [
    'lets an automated try give way to a newer revision',
    {
      policy: auto,
      state: { ...done, phase: 'Running', retryCount: 1, operation: automatic, syncResult: { revision: 'x', source } },
    },
    'sync',
    /new revision/,
  ],
  [
    'brings an automated try to an end that a newer revision made needless',
    {
      policy: auto,
      changes: [same],
      state: { ...done, phase: 'Running', retryCount: 1, operation: automatic, syncResult: { revision: 'x', source } },
    },
    'sync',
    /^try 2$/,
  ],
  [
    'waits after an error',
    { policy: auto, state: { ...done, phase: 'Error', finishedAt: at(20) } },
    'refuse',
    /started again at /,
  ],
  [
    'starts again after an error',
    { policy: auto, state: { ...done, phase: 'Error', finishedAt: at(61) } },
    'sync',
    /could not be carried out/,
  ],
];
for (const [what, given, does, reason] of cases) {
  test(`the policy ${what}`, () => {
    const decision = decided(given);
    assert.equal(decision.do, does);
    assert.match(decision.reason, reason);
  });
}

test('an automated sync says what it does', () => {
  const decision = decided({ policy: { ...auto, syncOptions: ['CreateNamespace=true'] } });
  assert.deepEqual(decision.do === 'sync' && decision.state, {
    operation: {
      sync: { source, revision: commit, prune: true, syncOptions: ['CreateNamespace=true'] },
      initiatedBy: { automated: true },
      retry: { limit: 5 },
    },
    phase: 'Running',
    startedAt: at(0),
  });
});

test('metadata of the namespace that the last sync did not give is brought in by a whole sync', () => {
  const managed = { ...auto, managedNamespaceMetadata: { labels: { team: 'x' } } };
  const outdated = decided({ policy: managed, state: done, changes: [same] });
  assert.equal(outdated.do, 'sync');
  assert.equal(outdated.do === 'sync' && outdated.state.operation.sync?.resources, undefined);
  const { managedNamespaceMetadata } = managed;
  const given = { ...done, syncResult: { revision: commit, source, managedNamespaceMetadata } };
  assert.equal(decided({ policy: managed, state: given, changes: [same] }).do, 'rest');
  const { automated: _, ...manual } = managed;
  assert.equal(decided({ policy: manual, state: done, changes: [same] }).do, 'rest');
});

test('a heal names what differs, and counts', () => {
  const decision = decided({ policy: auto, state: done, changes: [same, drifted, left] });
  const sync = decision.do === 'sync' ? decision.state.operation.sync : undefined;
  assert.deepEqual(
    sync?.resources?.map(({ name }) => name),
    ['c', 'd'],
  );
  assert.equal(sync?.autoHealAttemptsCount, 1);
});

test('a heal of more than 1,000 objects is one of the whole, as a list of them has no room in a status', () => {
  const many = (count: number): Change[] =>
    Array.from({ length: count }, (_, index) => ({ ...drifted, key: key(`object-${index}`) }));
  const syncOf = (changes: readonly Change[]) => {
    const decision = decided({ policy: auto, state: done, changes });
    return decision.do === 'sync' ? decision.state.operation.sync : undefined;
  };
  assert.equal(syncOf(many(1_000))?.resources?.length, 1_000);
  const whole = syncOf(many(1_001));
  assert.equal(whole?.resources, undefined);
  assert.equal(whole?.autoHealAttemptsCount, 1);
});

const heals: readonly [secondsAgo: number, attempts: number, expected: number | 'rest'][] = [
  [0, 0, 1],
  [1, 1, 'rest'],
  [3, 1, 2],
  [5, 2, 'rest'],
  [7, 2, 3],
  [299, 9, 'rest'],
  [301, 9, 10],
  [331, 9, 1],
];
for (const [secondsAgo, attempts, expected] of heals) {
  test(`heal ${attempts + 1}, ${secondsAgo} s after the last, is ${expected === 'rest' ? 'held back' : `attempt ${expected}`}`, () => {
    const state = { ...done, finishedAt: at(secondsAgo), operation: { sync: { autoHealAttemptsCount: attempts } } };
    const decision = decided({ policy: auto, state, changes: [drifted] });
    if (expected !== 'rest') {
      assert.equal(decision.do === 'sync' && decision.state.operation.sync?.autoHealAttemptsCount, expected);
      return;
    }
    assert.ok(decision.do === 'rest' && (decision.againMs ?? 0) > 0);
  });
}

test('a try begins anew when its wait is over, and keeps what the operation is', () => {
  const operation = { sync: {}, retry: { limit: 2, backoff: { duration: '10s' } } };
  const waiting = {
    operation,
    phase: 'Running',
    retryCount: 1,
    syncResult: {
      revision: commit,
      source,
      resources: [{ group: '', version: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'b' }],
    },
  } as const;
  const early = decided({ state: { ...waiting, finishedAt: at(4) } });
  assert.deepEqual(early, { do: 'rest', reason: 'waiting to try again', againMs: 6_000 });
  const due = decided({ state: { ...waiting, finishedAt: at(10) } });
  assert.ok(due.do === 'sync' && !due.fresh);
  assert.deepEqual(due.state, {
    ...waiting,
    startedAt: at(600),
    syncResult: { revision: commit, source, resources: [] },
  });
});

test('no wait begins anew because the clock was set back', () => {
  const operation = { sync: {}, retry: { limit: 2, backoff: { duration: '10s' } } };
  const retried = decided({ state: { operation, phase: 'Running', retryCount: 1, finishedAt: at(-3_600) } });
  assert.equal(retried.do, 'sync');
  const policy = { automated: { selfHeal: true } };
  const healed = decided({
    policy,
    changes: [drifted],
    state: { ...done, startedAt: at(-3_601), finishedAt: at(-3_600) },
  });
  assert.equal(healed.do, 'sync');
});

test('operations that follow each other within a second start in different ones', () => {
  const started = (startedAt: string): string | undefined => {
    const decision = decided({ asked: { sync: {} }, state: { ...done, startedAt } });
    return decision.do === 'sync' ? decision.state.startedAt : undefined;
  };
  assert.equal(started(at(0)), at(-1));
  assert.equal(started(at(-1)), at(-2));
  assert.equal(started(at(1)), at(0));
  assert.equal(started(at(-3_600)), at(0), 'a clock that went back is not followed');
});

const lost: readonly [what: string, given: Given, does: Decision['do']][] = [
  ['an object that was applied since', { changes: [applied(at(500))] }, 'sync'],
  ['an object that the last operation may have applied', { changes: [applied(at(589))] }, 'rest'],
  ['an object of another Application', { changes: [applied(at(500), 'other')] }, 'rest'],
  ['an object that was pruned since', { changes: [same], resources: [{ kind: 'ConfigMap', name: 'gone' }] }, 'sync'],
  [
    'an object that was never to be pruned',
    { changes: [same], resources: [{ kind: 'ConfigMap', name: 'gone', requiresPruning: true }] },
    'rest',
  ],
  ['a hook that is gone', { changes: [same], resources: [{ kind: 'Job', name: 'gone', hook: true }] }, 'rest'],
  ['a revision that is recorded', { changes: [applied(at(500))], state: done }, 'rest'],
  ['a person to sync', { changes: [applied(at(500))], policy: {} }, 'rest'],
];
for (const [what, given, does] of lost) {
  test(`a sync whose end was lost is ${does === 'sync' ? '' : 'not '}seen by ${what}`, () => {
    const state = { ...done, syncResult: { revision: 'earlier', source } };
    const decision = decided({ policy: auto, state, ...given });
    assert.equal(decision.do, does);
    if (decision.do === 'sync') assert.equal(decision.state.operation.sync?.revision, commit);
  });
}

test('drift is what differs though the revision was brought in', () => {
  const app = (state: Partial<OperationState>): Application => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop' },
    spec: { project: 'default', source, destination: {} },
    status: { operationState: { operation: {}, phase: 'Succeeded', startedAt: at(600), ...state } },
  });
  const changes = { changes: [same, drifted, missing, left] };
  assert.equal(driftOf({ app: app(done), commit, changes }), 2);
  assert.equal(driftOf({ app: app({ ...done, phase: 'Failed' }), commit, changes }), 0);
  assert.equal(driftOf({ app: app(done), commit: 'other', changes }), 0);
});

const held: readonly [what: string, given: Given, phase: OperationState['phase'] | undefined][] = [
  ['an automated sync', { policy: auto }, undefined],
  ['a sync that a person asks for', { asked: { sync: {}, initiatedBy: { username: 'ann' } } }, 'Error'],
  ['a sync that nobody signed', { asked: { sync: {} } }, 'Error'],
  ['manifests that are brought along', { asked: { sync: { manifests: ['{}'] } } }, 'Error'],
  ['a sync under way', { policy: auto, state: { phase: 'Running', operation: automatic } }, 'Error'],
  ['an operation that is to end', { policy: auto, state: { phase: 'Terminating', operation: automatic } }, 'Error'],
];
for (const [what, given, phase] of held) {
  test(`nothing passes a hold: ${what}`, () => {
    const decision = decided({ ...given, holds: ['one', 'two'] });
    assert.ok(decision.do === 'refuse');
    assert.equal(decision.reason, 'one; two');
    assert.equal(decision.state?.phase, phase);
    assert.equal(decision.state?.finishedAt, phase && at(0));
  });
}

test('after errors in a row the pauses grow, and each sync says how many there were', () => {
  let state: Partial<OperationState> = {
    ...done,
    phase: 'Error',
    message: 'no',
    operation: automatic,
    finishedAt: at(0),
  };
  const pauses: unknown[] = [];
  for (let errors = 0; errors < 4; errors += 1) {
    const resting = decided({ policy: auto, state });
    assert.ok(resting.do === 'refuse' && resting.condition === 'SyncError', resting.do);
    assert.match(resting.reason, new RegExp(`: no; it is started again at .*ended so: ${errors + 1}$`));
    pauses.push(resting.againMs);
    const later = decided({ policy: auto, state: { ...state, finishedAt: at(3_600) } });
    assert.ok(later.do === 'sync');
    state = { ...state, operation: later.state.operation };
  }
  assert.deepEqual(pauses, [60_000, 120_000, 240_000, 480_000]);
  const other = decided({ policy: auto, state: { ...state, syncResult: { revision: 'x', source } } });
  assert.ok(other.do === 'sync' && other.state.operation.info === undefined, 'another commit begins anew');
});

test('what the automated policy would undo at once is refused, and says the way out', () => {
  const asked = { sync: { revision: 'c0' }, initiatedBy: { username: 'ann' } };
  const refused = decided({ policy: auto, asked, otherThan: 'main' });
  assert.ok(refused.do === 'refuse');
  assert.match(refused.reason, /^Cannot sync to c0: auto-sync currently set to main.*automated\.enabled: false/);
  assert.equal(refused.state?.phase, 'Error');
  for (const given of [
    { policy: auto, asked },
    { asked, otherThan: 'main' },
    { policy: { automated: { enabled: false } }, asked, otherThan: 'main' },
    { policy: auto, asked: { ...asked, sync: { revision: 'c0', dryRun: true } }, otherThan: 'main' },
    { policy: auto, otherThan: 'main', state: { ...done, phase: 'Running' as const, operation: asked } },
  ])
    assert.equal(decided(given).do, 'sync', JSON.stringify(given));
});
