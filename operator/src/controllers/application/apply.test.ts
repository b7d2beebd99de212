import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentSpan } from '../../adapters/telemetry/untraced.ts';
import { Fault } from '../../model/fault.ts';
import type { Guard } from '../../model/guard.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { Task, TaskResult } from '../../model/plan.ts';
import { keyText } from '../../model/resource-key.ts';
import { defaultSyncOptions } from '../../model/sync-options.ts';
import type { Cluster } from '../../world/cluster.ts';
import { applyTasks, comingNamespaces } from './apply.ts';

function recordOf(name: string, app: string): LiveRecord {
  return {
    key: { group: '', kind: 'ConfigMap', namespace: 'shop', name },
    apiVersion: 'v1',
    uid: `uid-${name}`,
    resourceVersion: '1',
    createdAt: 0,
    deleting: false,
    owners: [],
    app,
    health: undefined,
    ownedHash: undefined,
    ownedAt: 0,
    hints: undefined,
  };
}

function pruneOf(live: LiveRecord): Task {
  return {
    id: `Sync ${keyText(live.key)}`,
    key: live.key,
    apiVersion: 'v1',
    phase: 'Sync',
    wave: 0,
    rank: 0,
    action: 'prune',
    unchanged: false,
    isHook: false,
    live,
  };
}

/** A cluster of records, of which `remove` does what the test says. */
function clusterOf(records: readonly LiveRecord[], remove: Cluster['remove'] = async () => {}) {
  const view = new Map(records.map((record) => [keyText(record.key), record]));
  const cluster = { record: (key) => view.get(keyText(key)), remove } as Partial<Cluster> as Cluster;
  return { view, cluster };
}

const guard: Guard = () => undefined;
const plain = { guard, tracking: 'shop', syncOptions: [], coming: new Set<string>(), ignoreDifferences: [] };
const conflict = new Fault('object-conflict', 'it is another object now');

describe('pruning', () => {
  test('an object that another Application takes over at that moment is not ours to prune, and no failure', async () => {
    const record = recordOf('moved', 'giver');
    const { view, cluster } = clusterOf([record], async () => {
      view.set(keyText(record.key), { ...record, app: 'taker' });
      throw conflict;
    });
    const [outcome] = await applyTasks([pruneOf(record)], { cluster, operation: {}, ...plain });
    const kept = { status: 'PruneSkipped', message: 'kept (taker tracks it now)', hookPhase: 'Succeeded' };
    assert.deepEqual(outcome?.result, kept);
  });

  test('an object that stays and is tracked no more is kept, one that went is gone', async () => {
    const record = recordOf('namespace', 'giver');
    const { view, cluster } = clusterOf([{ ...record, app: undefined }]);
    const prune = async (): Promise<unknown> =>
      (await applyTasks([pruneOf(record)], { cluster, operation: {}, ...plain }))[0]?.result;
    const kept = {
      status: 'PruneSkipped',
      message: 'kept (this Application tracks it no more)',
      hookPhase: 'Succeeded',
    };
    assert.deepEqual(await prune(), kept);
    view.delete(keyText(record.key));
    assert.deepEqual(await prune(), { status: 'Pruned', message: 'pruned (gone already)', hookPhase: 'Succeeded' });
  });

  test('a conflict over an object that stays ours is a failure', async () => {
    const record = recordOf('busy', 'giver');
    const { cluster } = clusterOf([record], () => Promise.reject(conflict));
    const [outcome] = await applyTasks([pruneOf(record)], { cluster, operation: {}, ...plain });
    assert.equal(outcome?.result.status, 'SyncFailed');
  });
});

test('writes are made for the span of their task, whose end is told however it comes', async () => {
  const record = recordOf('old', 'shop');
  const seen: (string | undefined)[] = [];
  const told: string[] = [];
  const trace = {
    task: ({ id }: Task) => ({ ...silentSpan('t'), traceparent: `span of ${id}` }),
    taskDone: ({ id }: Task, { message }: TaskResult) => void told.push(`${id}: ${message}`),
  };
  for (const fate of ['gone', 'refused', 'lost'] as const) {
    const { cluster } = clusterOf([record], async (_record, { traceparent }) => {
      seen.push(traceparent);
      if (fate === 'refused') throw new Fault('object-refused', 'no');
      if (fate === 'lost') throw new Fault('cluster-unreachable', 'out of reach');
    });
    const applied = applyTasks([pruneOf(record)], { cluster, operation: {}, ...plain, trace });
    if (fate === 'lost') await assert.rejects(applied, { code: 'cluster-unreachable' });
    else await applied;
  }
  const id = pruneOf(record).id;
  assert.deepEqual(
    seen,
    [1, 2, 3].map(() => `span of ${id}`),
  );
  assert.deepEqual(told, [`${id}: pruned`, `${id}: no`, `${id}: out of reach`]);
});

test('a cluster out of reach is told when no write is under way any more', async () => {
  const slow = recordOf('slow', 'shop');
  const lost = recordOf('lost', 'shop');
  let underWay = 0;
  const { cluster } = clusterOf([slow, lost], async (record) => {
    underWay += 1;
    if (record === lost) {
      underWay -= 1;
      throw new Fault('cluster-unreachable', 'the connection broke');
    }
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
  });
  const tasks = [pruneOf(slow), pruneOf(lost)];
  await assert.rejects(applyTasks(tasks, { cluster, operation: {}, ...plain }), {
    code: 'cluster-unreachable',
  });
  assert.equal(underWay, 0);
});

describe('deleting to create anew', () => {
  const forced = { sync: { syncStrategy: { apply: { force: true } } } };
  const otherName = '; what is immutable changes only with a new object: give it another name';

  /** How an object is written that the plan knew nothing of, or that was `owner`'s, where the first way is refused if `refuses` says so. */
  async function ways(kind: string, owner: string, replace: boolean, refuses: boolean): Promise<readonly string[]> {
    const group = kind === 'CustomResourceDefinition' ? 'apiextensions.k8s.io' : '';
    const namespace = kind === 'ConfigMap' ? 'shop' : '';
    const key = { group, kind, namespace, name: 'a' };
    const apiVersion = group === '' ? 'v1' : `${group}/v1`;
    const object = { apiVersion, kind, metadata: { name: 'a', ...(namespace !== '' && { namespace }) } };
    const { cluster } = clusterOf([{ ...recordOf('a', owner), key }], () => Promise.reject(conflict));
    const told: string[] = [];
    const writing: Cluster = {
      ...cluster,
      setMark: () => {},
      apply: async (stored, { how }) => {
        told.push(how);
        if (refuses && how !== 'recreate') throw new Fault('object-refused', 'field is immutable');
        return stored;
      },
    };
    const options = { ...defaultSyncOptions, replace };
    const desired = { key, object, hash: 'a', origin: { path: 'a.yaml' }, wave: 0, options };
    const task: Task = {
      ...pruneOf(recordOf('a', owner)),
      key,
      apiVersion,
      action: 'apply',
      desired,
    };
    const [outcome] = await applyTasks([task], { ...plain, cluster: writing, operation: forced });
    return [...told, ...(outcome?.result.status === 'SyncFailed' ? [outcome.result.message] : [])];
  }

  test('is for what is one’s own', async () => {
    assert.deepEqual(await ways('ConfigMap', 'shop', true, false), ['recreate']);
    assert.deepEqual(await ways('ConfigMap', 'shop', false, true), ['server-side', 'recreate']);
  });

  test('is not for what another Application has, or has come to have since the plan was made', async () => {
    const [told, ...writes] = await ways('ConfigMap', 'bank', true, false);
    assert.match(told ?? '', /ConfigMap\/shop\/a, which is part of application bank/);
    assert.deepEqual(writes, []);
    assert.deepEqual(await ways('ConfigMap', 'bank', false, true), ['server-side', `field is immutable${otherName}`]);
  });

  test('is never for a Namespace or a definition', async () => {
    assert.match((await ways('Namespace', 'shop', true, false))[0] ?? '', /Namespace\/a and everything in it/);
    assert.deepEqual(await ways('Namespace', 'shop', false, true), ['server-side', `field is immutable${otherName}`]);
    assert.deepEqual(await ways('CustomResourceDefinition', 'shop', true, false), ['replace']);
    assert.deepEqual(await ways('CustomResourceDefinition', 'shop', true, true), [
      'replace',
      `field is immutable${otherName}`,
    ]);
  });
});

describe('a rehearsal', () => {
  const dry = { ...plain, operation: { sync: { dryRun: true } } };

  function applyOf(kind: string, name: string, changes: Partial<Task> = {}): Task {
    const namespace = kind === 'Namespace' ? '' : 'shop';
    const key = { group: '', kind, namespace, name };
    const object = { apiVersion: 'v1', kind, metadata: { name, namespace } };
    return {
      id: `Sync ${keyText(key)}`,
      key,
      apiVersion: 'v1',
      phase: 'Sync',
      wave: 0,
      rank: 1,
      action: 'apply',
      unchanged: false,
      isHook: false,
      desired: { key, object, hash: name, origin: { path: 'a.yaml' }, wave: 0, options: defaultSyncOptions },
      ...changes,
    };
  }

  test('tells what would be done, and that it was not', async () => {
    const live = recordOf('there', 'shop');
    const { cluster } = clusterOf([live], () => Promise.reject(conflict));
    const answering = { ...cluster, apply: async (object) => object } as Cluster;
    const tasks = [
      applyOf('ConfigMap', 'new'),
      applyOf('ConfigMap', 'there', { live }),
      applyOf('ConfigMap', 'there', { live, unchanged: true }),
    ];
    const outcomes = await applyTasks(tasks, { cluster: answering, ...dry });
    assert.deepEqual(
      outcomes.map(({ result }) => [result.message, result.hookPhase]),
      [
        ['configmap/new created (dry run)', 'Succeeded'],
        ['configmap/there configured (dry run)', 'Succeeded'],
        ['configmap/there unchanged (dry run)', 'Succeeded'],
      ],
    );
  });

  test('does not ask about what goes into a namespace that the sync makes', async () => {
    const { cluster } = clusterOf([], () => Promise.reject(conflict));
    const refusing = {
      ...cluster,
      apply: () => Promise.reject(new Fault('object-refused', 'no namespace')),
    } as Cluster;
    const inside = applyOf('ConfigMap', 'a');
    const coming = comingNamespaces([applyOf('Namespace', 'shop'), inside], refusing);
    const results = async (names: ReadonlySet<string>) =>
      (await applyTasks([inside], { cluster: refusing, ...dry, coming: names })).map(({ result }) => result.message);
    assert.deepEqual(await results(coming), ['configmap/a created (dry run)']);
    assert.deepEqual(await results(new Set()), ['no namespace']);
  });
});
