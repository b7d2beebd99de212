import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Application } from '@mooring/crds';
import { createCache } from './adapters/kube/cache.ts';
import { recordOf } from './adapters/kube/record.ts';
import { createRenderCache } from './adapters/render/cache.ts';
import { createMetrics } from './adapters/telemetry/metrics.ts';
import { indexUsers } from './controllers/repository/users.ts';
import { createRunner } from './controllers/runner.ts';
import type { StoreChange } from './world/store.ts';
import { noMetrics } from './world/telemetry.ts';

// What comes and goes for years must leave nothing behind. Each part lives through as many comings and goings as a large installation has in months.
const count = 20_000;
/** Bytes that a part may have more afterwards: about 50 for each round would be a leak. */
const slackBytes = 1_000_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function heapAfter(run: () => void | Promise<void>): Promise<number> {
  await run();
  // What was promised is over first.
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  collect();
  return process.memoryUsage().heapUsed;
}

/** Lives through the rounds twice: the first time fills what is filled once. */
async function keepsNothing(round: (index: number) => void | Promise<void>): Promise<void> {
  const live = async (first: number): Promise<void> => {
    for (let index = first; index < first + count; index += 1) await round(index);
  };
  const before = await heapAfter(() => live(0));
  const after = await heapAfter(() => live(count));
  assert.ok(after - before < slackBytes, `${Math.round((after - before) / 1_000)} kB more after ${count} rounds`);
}

test('runs of Applications and repositories that are gone', async () => {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const waiting: (() => void)[] = [];
  const runner = createRunner(
    { kind: 'Repository', groupOf: (key) => key, run: async () => ({ do: 'await' }) as never },
    {
      queueLength: 10,
      atOnce: 4,
      perGroup: 4,
      waitingAtOnce: 10,
      placeKeptMs: 20,
      backoffFirstMs: 1,
      backoffLastMs: 1,
    },
    {
      clock: {
        now: () => 0,
        after: (_, next) => {
          waiting.push(next);
          return () => {};
        },
      },
      log,
      metrics: noMetrics,
      onCrash: (thrown) => assert.fail(String(thrown)),
    },
  );
  await keepsNothing(async (index) => {
    const runs = runner.runs;
    runner.wake(`https://git.example.com/${index}`, 0);
    for (const next of waiting.splice(0)) next();
    while (runner.runs === runs) await new Promise((resolve) => setImmediate(resolve));
    runner.forget(`https://git.example.com/${index}`);
  });
});

test('objects of a cluster that are relisted, marked, asked for and gone', async () => {
  const cache = createCache(() => {});
  await keepsNothing((index) => {
    const metadata = {
      name: `object-${index}`,
      namespace: 'shop',
      uid: `uid-${index}`,
      resourceVersion: String(index + 1),
      annotations: { 'argocd.argoproj.io/tracking-id': `app-${index}:/ConfigMap:shop/object-${index}` },
      managedFields: [{ manager: 'kubectl-client-side-apply', operation: 'Update' as const }],
    };
    const record = recordOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata } as never, () => undefined);
    const { resourceVersion } = record;
    cache.seen(record);
    cache.want(`app-${index}`, [record.key]);
    cache.setMark(record.key, { desiredHash: 'x', resourceVersion, isCovered: true, isAsked: false });
    if (index % 2 === 0) cache.gone(record);
    // One that nobody told of is missed at the end of the next list.
    else cache.beginList({ group: '', kind: 'ConfigMap', namespace: '' })(String(index + 2));
    cache.want(`app-${index}`, []);
  });
  assert.equal(cache.size, 0);
});

test('renders of Applications that are gone', async () => {
  const names = new Map<string, string>();
  const cache = createRenderCache(1_000_000, 3, (key) => names.delete(key));
  const outcome = { manifests: [], warnings: [], sourceType: 'Directory', rendered: false } as const;
  await keepsNothing((index) => {
    names.set(`app-${index}`, 'render');
    cache.put(`app-${index}`, { reads: [], surroundings: {} as never, outcome, bytes: 5_000 });
  });
  assert.equal(names.size, cache.size().entries);
});

test('repositories that nobody uses any more', async () => {
  const apps = new Map<string, Application>();
  let tell = (_: StoreChange): void => {};
  const users = indexUsers({
    applications: () => [...apps.values()],
    application: ({ name }) => apps.get(name),
    subscribe: (listener) => {
      tell = listener;
      return () => {};
    },
  });
  await keepsNothing((index) => {
    const name = `app-${index}`;
    const repoURL = `https://git.example.com/${index}`;
    apps.set(name, { metadata: { namespace: 'argocd', name }, spec: { source: { repoURL } } } as Application);
    tell({ kind: 'Application', name: { namespace: 'argocd', name } });
    assert.equal(users.of(repoURL).length, 1);
    apps.delete(name);
    tell({ kind: 'Application', name: { namespace: 'argocd', name } });
  });
});

test('series of Applications that are gone', async () => {
  const metrics = createMetrics({ version: '1' });
  let current = '';
  metrics.ask({ isApplication: (id) => id === `argocd/${current}`, serverOf: () => 'here' });
  await keepsNothing((index) => {
    current = `app-${index}`;
    const app = { namespace: 'argocd', name: current, project: 'default', server: 'here' };
    metrics.synced({ ...app, durationMs: 1, phase: 'Succeeded', dryRun: false });
    metrics.drifted(app, 1);
    metrics.deployed({ ...app, result: 'succeeded', sinceCommitMs: 1 });
    current = '';
    // As the store tells of a deletion; many at once are tidied up together.
    if (index % 100 === 0) metrics.tidy();
  });
});
