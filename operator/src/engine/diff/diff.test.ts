import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import type { DesiredObject } from '../../model/desired.ts';
import type { AppliedMark, LiveRecord, LiveSet } from '../../model/live.ts';
import { keyOf, keyText } from '../../model/resource-key.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { diff, isVouchedFor } from './diff.ts';

function config(name: string, value: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data: { value } };
}

function desiredOf(object: KubeObject, rest: Partial<DesiredObject> = {}): DesiredObject {
  const hash = JSON.stringify(object);
  return {
    key: keyOf(object),
    object,
    hash,
    origin: { path: 'a.yaml' },
    wave: 0,
    options: syncOptionsOf([], undefined),
    ...rest,
  };
}

function recordOf(name: string, rest: Partial<LiveRecord> = {}): LiveRecord {
  return {
    key: keyOf(config(name, '')),
    apiVersion: 'v1',
    uid: name,
    resourceVersion: '1',
    createdAt: 0,
    deleting: false,
    owners: [],
    app: 'store',
    health: undefined,
    ownedHash: 'mine',
    ownedAt: 0,
    hints: undefined,
    ...rest,
  };
}

interface World {
  readonly live?: readonly (readonly [object: KubeObject, mark?: AppliedMark])[];
  readonly others?: readonly LiveRecord[];
}

function liveSet({ live = [], others = [] }: World): LiveSet {
  const text = (object: KubeObject) => keyText(keyOf(object));
  return {
    desired: new Map(live.map(([object]) => [text(object), recordOf(object.metadata.name ?? '')])),
    marks: new Map(live.flatMap(([object, mark]) => (mark === undefined ? [] : [[text(object), mark] as const]))),
    objects: new Map(live.map(([object]) => [text(object), object])),
    others,
  };
}

function changesOf(
  desired: readonly DesiredObject[],
  world: World,
  rules: { readonly revisionChanged?: boolean } = {},
) {
  return diff({ objects: desired, warnings: [] }, liveSet(world), { ignoreDifferences: [], ...rules }).changes;
}

test('what is not there is created', () => {
  const [change] = changesOf([desiredOf(config('a', '1'))], {});
  assert.equal(change?.action, 'create');
});

test('what is equal needs nothing, whether or not it has a mark', () => {
  const desired = desiredOf(config('a', '1'));
  assert.equal(changesOf([desired], { live: [[config('a', '1')]] })[0]?.action, 'none');
  assert.equal(
    changesOf([desired], {
      live: [[config('a', '1'), { desiredHash: 'other', resourceVersion: '1', ownedHash: 'mine', isAsked: false }]],
    })[0]?.action,
    'none',
  );
});

test('what its mark vouches for is not looked at', () => {
  const desired = desiredOf(config('a', '1'));
  const {
    desired: records,
    marks,
    others,
  } = liveSet({
    live: [[config('a', '1'), { desiredHash: desired.hash, resourceVersion: '0', ownedHash: 'mine', isAsked: false }]],
  });
  const change = diff(
    { objects: [desired], warnings: [] },
    { desired: records, marks, others, objects: new Map() },
    { ignoreDifferences: [] },
  );
  assert.equal(change.changes[0]?.action, 'none');
});

test('a mark of an object of which others own what is asked for is for one version of it', () => {
  const desired = desiredOf(config('a', '1'));
  const vouches = (resourceVersion: string): boolean =>
    isVouchedFor(desired, recordOf('a'), {
      desiredHash: desired.hash,
      resourceVersion,
      ownedHash: undefined,
      isAsked: false,
    });
  assert.equal(vouches('1'), true);
  assert.equal(vouches('0'), false);
});

test('an object that nothing vouches for must be there to be compared', () => {
  const { desired: records, marks, others } = liveSet({ live: [[config('a', '1')]] });
  assert.throws(
    () =>
      diff(
        { objects: [desiredOf(config('a', '1'))], warnings: [] },
        { desired: records, marks, others, objects: new Map() },
        { ignoreDifferences: [] },
      ),
    /\/ConfigMap\/shop\/a was not observed/,
  );
});

test('hooks are no changes, and are not pruned where they are left over', () => {
  const hook = desiredOf(config('hook', '1'), { hook: { phases: ['PreSync'], deletePolicies: [] } });
  const others = [
    recordOf('hook'),
    recordOf('old-hook', { hints: { 'argocd.argoproj.io/hook': 'PreSync' } }),
    recordOf('old-helm-hook', { hints: { 'helm.sh/hook': 'test' } }),
  ];
  assert.deepEqual(changesOf([hook], { others }), []);
});

test('what is tracked and not desired is pruned, in order, save for what goes by itself', () => {
  const others = [
    recordOf('b'),
    recordOf('a', { hints: { 'argocd.argoproj.io/compare-options': 'IgnoreExtraneous, ServerSideDiff=true' } }),
    recordOf('leaving', { deleting: true }),
    recordOf('owned', { owners: ['x'] }),
  ];
  const changes = changesOf([], { others });
  assert.deepEqual(
    changes.map((change) => [change.action, change.key.name, change.action === 'prune' && change.ignored]),
    [
      ['prune', 'a', true],
      ['prune', 'b', false],
    ],
  );
});

test('nothing that is desired is ever pruned', () => {
  const desired = desiredOf(config('a', '1'));
  assert.deepEqual(
    changesOf([desired], { others: [recordOf('a')] }).map(({ action }) => action),
    ['create'],
  );
});

test('ignored differences are none', () => {
  const set = { objects: [desiredOf(config('a', '1'))], warnings: [] };
  const rules = { ignoreDifferences: [{ kind: 'ConfigMap', jsonPointers: ['/data/value'] }] };
  assert.equal(diff(set, liveSet({ live: [[config('a', '2')]] }), rules).changes[0]?.action, 'none');
});
