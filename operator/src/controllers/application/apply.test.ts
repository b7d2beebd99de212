import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fault } from '../../model/fault.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { Task } from '../../model/plan.ts';
import { keyText } from '../../model/resource-key.ts';
import type { Cluster } from '../../world/cluster.ts';
import { applyTasks } from './apply.ts';

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
function clusterOf(records: readonly LiveRecord[], remove: Cluster['remove']) {
  const view = new Map(records.map((record) => [keyText(record.key), record]));
  const cluster = { record: (key) => view.get(keyText(key)), remove } as Partial<Cluster> as Cluster;
  return { view, cluster };
}

const conflict = new Fault('object-conflict', 'it is another object now');

describe('pruning', () => {
  test('an object that another Application takes over at that moment is not ours to prune, and no failure', async () => {
    const record = recordOf('moved', 'giver');
    const { view, cluster } = clusterOf([record], async () => {
      view.set(keyText(record.key), { ...record, app: 'taker' });
      throw conflict;
    });
    const [outcome] = await applyTasks([pruneOf(record)], {
      cluster,
      operation: {},
      syncOptions: [],
      ignoreDifferences: [],
    });
    assert.deepEqual(outcome?.result, { status: 'Pruned', message: 'pruned (gone already)', hookPhase: 'Succeeded' });
  });

  test('a conflict over an object that stays ours is a failure', async () => {
    const record = recordOf('busy', 'giver');
    const { cluster } = clusterOf([record], () => Promise.reject(conflict));
    const [outcome] = await applyTasks([pruneOf(record)], {
      cluster,
      operation: {},
      syncOptions: [],
      ignoreDifferences: [],
    });
    assert.equal(outcome?.result.status, 'SyncFailed');
  });
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
  await assert.rejects(applyTasks(tasks, { cluster, operation: {}, syncOptions: [], ignoreDifferences: [] }), {
    code: 'cluster-unreachable',
  });
  assert.equal(underWay, 0);
});
