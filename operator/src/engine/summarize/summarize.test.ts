import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, ApplicationStatus, OperationState } from '@mooring/crds';
import type { Change } from '../../model/change.ts';
import type { DesiredObject } from '../../model/desired.ts';
import { Fault, faultRules } from '../../model/fault.ts';
import type { LiveRecord, LiveSet } from '../../model/live.ts';
import { keyText } from '../../model/resource-key.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { conditionMessage } from './fault-message.ts';
import { type Comparison, cut, type Findings, summarize, timestamp } from './summarize.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const source = { repoURL: 'https://git.example.com/shop.git', path: 'prod' };

function app(status?: ApplicationStatus, spec: Partial<Application['spec']> = {}): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: { project: 'default', source, destination: { server: 'https://a' }, ...spec },
    ...(status && { status }),
  };
}

function desired(kind: string, name: string, changes: Partial<DesiredObject> = {}): DesiredObject {
  const object = { apiVersion: 'v1', kind, metadata: { name } };
  const key = { group: '', kind, namespace: 'shop', name };
  return { key, object, hash: name, origin: { path: 'a' }, wave: 0, options: syncOptionsOf([], undefined), ...changes };
}

const record = {
  apiVersion: 'v1',
  uid: 'u',
  resourceVersion: '1',
  createdAt: 0,
  deleting: false,
  owners: [],
  app: 'shop',
  health: undefined,
  ownedHash: undefined,
  ownedAt: 0,
  hints: undefined,
};
const web = desired('Service', 'web', { wave: 2 });
const job = desired('Pod', 'migrate', { hook: { phases: ['PreSync'], deletePolicies: [] } });
const leftKey = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'old' };
const same = { action: 'none', key: web.key, desired: web, live: { ...record, key: web.key } } satisfies Change;
const missing: Change = { action: 'create', key: web.key, desired: web };
const left: Change = { action: 'prune', key: leftKey, live: { ...record, key: leftKey }, ignored: false };

function liveSet(records: readonly LiveRecord[], others: readonly LiveRecord[] = []): LiveSet {
  const desired = new Map(records.map((one) => [keyText(one.key), one]));
  return { desired, marks: new Map(), objects: new Map(), others };
}

const comparison: Comparison = {
  commit: 'c1',
  source,
  sourceType: 'Directory',
  desired: { objects: [web, job], warnings: [] },
  changes: { changes: [same] },
  live: liveSet([same.live]),
  health: { status: 'Healthy', causes: [] },
  shared: [],
  namespace: undefined,
};

function summary(changes: Partial<Findings>): ApplicationStatus {
  return summarize({
    app: app(),
    comparison,
    faults: [],
    refusal: undefined,
    state: undefined,
    deployed: false,
    controllerNamespace: 'argocd',
    now,
    messageLength: 200,
    applicationBytes: 100_000,
    replaced: new Set(),
    ...changes,
  });
}

test('a first look tells everything', () => {
  assert.deepEqual(summary({}), {
    sync: { status: 'Synced', revision: 'c1', comparedTo: { source, destination: { server: 'https://a' } } },
    health: { status: 'Healthy', lastTransitionTime: timestamp(now) },
    resources: [{ version: 'v1', kind: 'Service', namespace: 'shop', name: 'web', status: 'Synced', syncWave: 2 }],
    sourceType: 'Directory',
    summary: {},
    controllerNamespace: 'argocd',
    resourceHealthSource: 'appTree',
    reconciledAt: timestamp(now),
  });
});

test('while an automated Application is synced to another commit a condition says that its own one waits', () => {
  const state: OperationState = {
    operation: {},
    phase: 'Running',
    startedAt: timestamp(now),
    message: 'waiting for healthy state of apps/Deployment/web',
    syncResult: { revision: 'c0', source },
  };
  const typesOf = (changes: Partial<Findings>): unknown =>
    summary({ app: app(undefined, { syncPolicy: { automated: {} } }), state, ...changes }).conditions?.map(
      ({ type }) => type,
    );
  assert.deepEqual(typesOf({}), ['mooring.dev/NewerCommitWaits']);
  assert.equal(typesOf({ comparison: { ...comparison, commit: 'c0' } }), undefined);
  assert.equal(typesOf({ state: { ...state, phase: 'Succeeded' } }), undefined);
  assert.equal(typesOf({ app: app() }), undefined);
  assert.equal(typesOf({ app: app(undefined, { syncPolicy: { automated: { enabled: false } } }) }), undefined);
  const told = app(summary({ app: app(undefined, { syncPolicy: { automated: {} } }), state }));
  assert.equal(told.status?.conditions?.length, 1);
  assert.equal(typesOf({ app: told, comparison: undefined, state: { ...state, phase: 'Failed' } }), undefined);
});

test('images of a kind that is watched by metadata only are those that Git names, whatever a write has told last', () => {
  const spec = { template: { spec: { containers: [{ name: 'main', image: 'shop:1' }] } } };
  const metadata = { name: 'clones' };
  const clones = desired('CloneSet', 'clones', {
    object: { apiVersion: 'apps.kruise.io/v1', kind: 'CloneSet', metadata, spec },
  });
  const live = (images?: readonly string[]): LiveRecord => ({ ...record, key: clones.key, ...(images && { images }) });
  const imagesIn = (records: readonly LiveRecord[]): unknown =>
    summary({ comparison: { ...comparison, desired: { objects: [clones], warnings: [] }, live: liveSet(records) } })
      .summary?.images;
  assert.deepEqual(imagesIn([live()]), ['shop:1']);
  assert.deepEqual(imagesIn([live(['shop:0'])]), ['shop:0'], 'of a kind that is watched as a whole it is the live one');
  assert.equal(imagesIn([]), undefined);
});

test('a look that finds nothing new changes nothing, not even the time', () => {
  const first = summary({});
  assert.equal(summary({ app: app(first), now: now + 60_000 }), first);
  const troubled = summary({ comparison: undefined, faults: [new Fault('render-failed', 'no')] });
  assert.equal(
    summary({
      app: app(troubled),
      comparison: undefined,
      faults: [new Fault('render-failed', 'no')],
      now: now + 5_000,
    }),
    troubled,
  );
});

test('a namespace that a sync made and somebody touched is OutOfSync, and no resource', () => {
  const namespace = { desired: web, isOutdated: true };
  const { sync, resources } = summary({ comparison: { ...comparison, namespace } });
  assert.deepEqual([sync?.status, resources?.length], ['OutOfSync', summary({}).resources?.length]);
  const kept = { desired: web, isOutdated: false };
  assert.equal(summary({ comparison: { ...comparison, namespace: kept } }).sync?.status, 'Synced');
});

test('what is missing or left over is OutOfSync', () => {
  const { sync, resources } = summary({ comparison: { ...comparison, changes: { changes: [missing, left] } } });
  assert.equal(sync?.status, 'OutOfSync');
  assert.deepEqual(
    resources?.map(({ name, status, requiresPruning }) => [name, status, requiresPruning]),
    [
      ['old', 'OutOfSync', true],
      ['web', 'OutOfSync', undefined],
    ],
  );
});

test('a leftover that is ignored keeps nothing from being Synced', () => {
  const changes: Change[] = [same, { ...left, ignored: true } as Change];
  const { sync, resources } = summary({ comparison: { ...comparison, changes: { changes } } });
  assert.deepEqual([sync?.status, resources?.map(({ status }) => status)], ['Synced', ['OutOfSync', 'Synced']]);
});

test('the summary names the addresses of what is live, and those of the Application', () => {
  const live = liveSet(
    [{ ...record, key: web.key, links: ['https://b', 'https://a'], images: ['web:2'] }],
    [{ ...record, key: leftKey, images: ['old:1', 'web:2'] }],
  );
  const annotations = { 'link.argocd.argoproj.io/docs': 'https://docs', other: 'https://other' };
  const { metadata, ...rest } = app();
  const { summary: found } = summary({
    app: { ...rest, metadata: { ...metadata, annotations } },
    comparison: { ...comparison, live },
  });
  assert.deepEqual(found, {
    externalURLs: ['https://a', 'https://b', 'https://docs'],
    images: ['old:1', 'web:2'],
  });
});

test('hooks are listed while they exist, and what is skipped always is', () => {
  const annotations = { 'argocd.argoproj.io/hook': 'Skip' };
  const skipped = desired('ConfigMap', 'skipped', {
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'skipped', annotations } },
    hook: { phases: [], deletePolicies: [] },
  });
  const gone = desired('Pod', 'gone', { hook: { phases: ['PostSync'], deletePolicies: [] } });
  const earlier = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'job-abc' };
  const hints = { 'argocd.argoproj.io/hook': 'Sync' };
  const { resources } = summary({
    comparison: {
      ...comparison,
      desired: { objects: [web, job, gone, skipped], warnings: [] },
      live: liveSet([same.live, { ...record, key: job.key }], [{ ...record, key: earlier, hints }]),
    },
  });
  assert.deepEqual(
    resources?.map(({ name, hook, status }) => [name, hook, status]),
    [
      ['skipped', undefined, undefined],
      ['migrate', true, undefined],
      ['web', undefined, 'Synced'],
      ['job-abc', true, undefined],
    ],
  );
});

test('what the project forbids is Unknown, and what asks before it goes says so', () => {
  const forbidden: Change = { action: 'create', key: web.key, desired: { ...web, forbidden: 'no' } };
  const asking: Change = {
    action: 'prune',
    key: leftKey,
    live: { ...record, key: leftKey, hints: { 'argocd.argoproj.io/sync-options': 'Prune=confirm' } },
    ignored: false,
  };
  const { sync, resources } = summary({ comparison: { ...comparison, changes: { changes: [forbidden] } } });
  assert.deepEqual([sync?.status, resources?.[0]?.status], ['OutOfSync', 'Unknown']);
  const asked = summary({ comparison: { ...comparison, changes: { changes: [asking] } } }).resources;
  assert.equal(asked?.[0]?.requiresDeletionConfirmation, true);
});

test('health keeps the time of its last change, and tells its causes of now', () => {
  const later = (before: ApplicationStatus['health'], health: Comparison['health']) =>
    summary({ app: app({ health: before! }), comparison: { ...comparison, health }, now: now + 60_000 }).health;
  const before = { status: 'Healthy', lastTransitionTime: timestamp(now) } as const;
  const first = later(before, { status: 'Degraded', message: 'a', causes: ['a'] });
  const lastTransitionTime = timestamp(now + 60_000);
  assert.deepEqual(first, { status: 'Degraded', message: 'a', lastTransitionTime });
  assert.equal(later(first, { status: 'Degraded', message: 'a', causes: ['a'] }), first);
  assert.deepEqual(later(first, { status: 'Degraded', message: 'a and b', causes: ['a', 'b'] }), {
    ...first,
    message: 'a and b',
  });
  assert.deepEqual(later(first, { status: 'Healthy', causes: [] }), { status: 'Healthy', lastTransitionTime });
});

test('of what is on its way the message stays while it names anything that still is', () => {
  const told = { status: 'Progressing', message: 'a and b', lastTransitionTime: timestamp(now) } as const;
  const later = (message: string, causes: readonly string[]) =>
    summary({
      app: app({ health: told }),
      comparison: { ...comparison, health: { status: 'Progressing', message, causes } },
    }).health;
  assert.equal(later('b', ['b']), told);
  assert.deepEqual(later('c', ['c']), { ...told, message: 'c' });
});

test('conditions keep the time of their first sight while they say the same', () => {
  const faults = [new Fault('render-failed', 'bad')];
  const first = summary({ comparison: undefined, faults });
  const again = summary({
    app: app(first),
    comparison: undefined,
    faults: [...faults, new Fault('object-refused', 'new')],
    now: now + 9_000,
  });
  assert.deepEqual(again.conditions, [
    { type: 'ComparisonError', message: conditionMessage(faults[0]!), lastTransitionTime: timestamp(now) },
    { type: 'SyncError', message: 'new', lastTransitionTime: timestamp(now + 9_000) },
  ]);
  assert.equal('conditions' in summary({ app: app(again) }), false, 'a good look clears them');
});

test('a refusal and warnings are conditions', () => {
  const warnings = [{ type: 'RepeatedResourceWarning', message: 'twice' }] as const;
  const { conditions } = summary({
    refusal: { type: 'SyncError', message: 'Failed last sync' },
    comparison: { ...comparison, desired: { ...comparison.desired, warnings } },
  });
  assert.deepEqual(
    conditions?.map(({ type, message }) => `${type} ${message}`),
    ['SyncError Failed last sync', 'RepeatedResourceWarning twice'],
  );
});

test('a pass over another revision keeps what was found of the one that the spec names', () => {
  const warning = { type: 'RepeatedResourceWarning', message: 'twice', lastTransitionTime: 't' } as const;
  const refusal = { type: 'SyncError', message: 'no', lastTransitionTime: 't' } as const;
  const before = { ...summary({}), conditions: [warning, refusal] };
  const { conditions, sync } = summary({ app: app(before), comparison: undefined });
  assert.deepEqual([conditions, sync], [[warning], before.sync]);
});

const blind: readonly [code: ConstructorParameters<typeof Fault>[0], health: string][] = [
  ['render-failed', 'Healthy'],
  ['repository-unreachable', 'Healthy'],
  ['cluster-unreachable', 'Unknown'],
  ['destination-forbidden', 'Unknown'],
  ['spec-invalid', 'Unknown'],
];
for (const [code, health] of blind) {
  test(`blind for ${code}, the revision stays, sync is Unknown and health ${health}`, () => {
    const status = summary({ app: app(summary({})), comparison: undefined, faults: [new Fault(code, 'no')] });
    assert.deepEqual([status.sync?.status, status.sync?.revision, status.health?.status], ['Unknown', 'c1', health]);
    const known = faultRules[code].condition === 'ComparisonError' ? 'Unknown' : 'Synced';
    assert.deepEqual(
      status.resources?.map(({ name, status: sync }) => [name, sync]),
      [['web', known]],
    );
  });
}

function deployed(count: number, limit?: number): ApplicationStatus {
  let status: ApplicationStatus = {};
  for (let index = 0; index < count; index += 1) {
    const state: OperationState = {
      operation: { initiatedBy: { username: 'ada' } },
      phase: 'Succeeded',
      startedAt: `s${index}`,
      finishedAt: `f${index}`,
      syncResult: { revision: `c${index}`, source },
    };
    const spec = limit === undefined ? {} : { revisionHistoryLimit: limit };
    status = summary({ app: app(status, spec), state, deployed: true });
  }
  return status;
}

test('the history holds the last ten syncs, and ids grow', () => {
  const { history } = deployed(13);
  assert.deepEqual(
    history?.map(({ id }) => id),
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  assert.deepEqual(history?.at(-1), {
    id: 12,
    revision: 'c12',
    source,
    deployStartedAt: 's12',
    deployedAt: 'f12',
    initiatedBy: { username: 'ada' },
  });
});

test('the history is as long as the spec says', () => {
  assert.deepEqual(
    deployed(5, 2).history?.map(({ id }) => id),
    [3, 4],
  );
  assert.deepEqual(deployed(5, 0).history, []);
});

test('what was not deployed is not in the history', () => {
  const before = deployed(1);
  const state: OperationState = { ...before.operationState!, phase: 'Failed', startedAt: 's9' };
  assert.deepEqual(summary({ app: app(before), state }).history, before.history);
});

test('an Application that holds Applications is an app of apps', () => {
  const child = desired('Application', 'child', {
    key: { group: 'argoproj.io', kind: 'Application', namespace: 'argocd', name: 'child' },
  });
  assert.deepEqual(summary({ comparison: { ...comparison, desired: { objects: [child], warnings: [] } } }).summary, {
    isAppOfApps: true,
  });
});

test('a message that is too long is cut, and says so', () => {
  assert.equal(cut('short', 20), 'short');
  assert.equal(cut('x'.repeat(50), 20), `${'x'.repeat(6)} … (shortened)`);
  assert.equal(cut('x'.repeat(50), 20).length, 20);
});
