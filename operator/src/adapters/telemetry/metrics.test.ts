import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '@mooring/crds';
import { collected, definitions } from './definitions.ts';
import { createMetrics } from './metrics.ts';
import { createFleet, serverOf } from './testdata/fleet.ts';

const app = { namespace: 'argocd', name: 'shop', project: 'default', server: 'https://shop.example.com' };
const trace = '0af7651916cd43dd8448eb211c80319c';
const openMetrics = 'application/openmetrics-text;version=1.0.0';

/** Names of the series that a scrape holds, without what histograms put behind them. */
function namesIn(text: string): ReadonlySet<string> {
  return new Set(
    Array.from(text.matchAll(/^([a-z_]+?)(?:_bucket|_sum|_count)?(?:\{.*\})? \S+/gm), ([, name = '']) => name),
  );
}

test('every metric that is defined is in the scrape of an operator that has worked, with its very labels', async () => {
  const { metrics } = createFleet(3, 2);
  metrics.crashed();
  const { body } = await metrics.scrape();
  for (const { name, type, labels } of definitions) {
    const line = new RegExp(`^${name}${type === 'histogram' ? '_count' : ''}(?:\\{(.*)\\})? `, 'm').exec(body);
    assert.ok(line, `${name} is missing`);
    const found = Array.from((line[1] ?? '').matchAll(/([a-z0-9_]+)="/g), ([, label]) => label);
    const expected = name.endsWith('_labels') ? [...labels, found.at(-1)] : labels;
    assert.deepEqual(found.sort(), [...expected].sort(), name);
  }
});

test('counters end in _total, without which OpenMetrics knows none, and nothing else does', async () => {
  for (const { name, type } of definitions) assert.equal(name.endsWith('_total'), type === 'counter', name);
  const { body } = await createMetrics().scrape();
  assert.doesNotMatch(body, /^# TYPE \S+_total (?!counter)/m);
});

test('a password in the address of a repository is in no series', async () => {
  const repoURL = 'https://ada:s3cret-canary@git.example.com/Shop.git';
  const owner = { metadata: { name: 'shop', namespace: 'argocd' }, spec: { source: { repoURL }, destination: {} } };
  const metrics = createMetrics({ applications: () => [owner as Application] });
  metrics.gitAsked({ repository: repoURL, kind: 'fetch', durationMs: 1, failed: true });
  metrics.pushed(repoURL);
  const { body } = await metrics.scrape();
  assert.doesNotMatch(body, /canary|ada/);
  for (const name of ['argocd_app_info', 'argocd_git_fetch_fail_total', 'argocd_webhook_requests_total'])
    assert.match(body, new RegExp(`^${name}\\{.*repo="https://git\\.example\\.com/shop"`, 'm'));
});

test('what is deleted leaves no trace, and work that ends after it brings none back', async () => {
  const { metrics, applications, clusters } = createFleet(6, 3);
  const gone = applications.get('argocd/app-4');
  const before = (await metrics.scrape()).body;
  for (const trace of ['"app-4"', 'deploy-4"', '"app-5"', serverOf(2)]) assert.ok(before.includes(trace), trace);
  applications.delete('argocd/app-4');
  clusters.delete(serverOf(2));
  // As of a deletion of their cluster.
  for (const name of ['app-2', 'app-5']) {
    const left = applications.get(`argocd/${name}`);
    if (left) applications.set(`argocd/${name}`, { ...left, spec: { ...left.spec, destination: {} } });
  }
  metrics.tidy();
  const overtaken = { ...app, name: 'app-4', server: serverOf(1) };
  const cut = { ...app, name: 'app-5', server: serverOf(2) };
  for (const late of [overtaken, cut]) {
    metrics.reconciled({ ...late, durationMs: 1 });
    metrics.synced({ ...late, durationMs: 1, phase: 'Succeeded', dryRun: false });
    metrics.deployed({ ...late, result: 'succeeded', sinceCommitMs: 1, sinceSeenMs: 1 });
    metrics.kubeAsked({ server: late.server, verb: 'Get', status: undefined, durationMs: 1 });
  }
  metrics.drifted(overtaken, 3);
  metrics.gitAsked({ repository: gone?.spec.source?.repoURL ?? '', kind: 'fetch', durationMs: 1, failed: true });
  const after = (await metrics.scrape()).body;
  const left = after.split('\n').filter((line) => /"app-4"|deploy-4"/.test(line) || line.includes(serverOf(2)));
  assert.deepEqual(left, []);
  assert.match(after, /^mooring_drift_objects\{namespace="argocd",name="app-5"\} 2$/m);
  assert.match(after, /^argocd_app_sync_total\{namespace="argocd",name="app-3",/m);
});

test('a cluster that comes back, and an Application of the same name, begin anew', async () => {
  const { metrics, applications, clusters } = createFleet(1, 1);
  const [[id, shop] = ['', {} as Application]] = applications;
  applications.clear();
  clusters.clear();
  metrics.tidy();
  applications.set(id, shop);
  clusters.add(serverOf(0));
  const facts = { ...app, name: 'app-0', server: serverOf(0) };
  metrics.synced({ ...facts, durationMs: 1, phase: 'Failed', dryRun: false });
  const syncs = (await metrics.scrape()).body.split('\n').filter((line) => line.startsWith('argocd_app_sync_total'));
  assert.deepEqual(
    syncs.map((line) => line.replace(/.*phase/, 'phase')),
    ['phase="Failed",dry_run="false"} 1'],
  );
});

test('counters and delivery times of an Application are there before anything happens to it, and are not begun twice', async () => {
  const metrics = createMetrics();
  metrics.reconciled({ ...app, durationMs: 1 });
  const { body } = await metrics.scrape();
  for (const series of [
    'mooring_deployments_total{.*result="failed"',
    'mooring_app_degraded_total{',
    'mooring_drift_healed_total{',
    'mooring_commit_to_synced_seconds_count{',
    'mooring_seen_to_synced_seconds_count{',
    'mooring_restore_seconds_count{',
  ])
    assert.match(body, new RegExp(`^${series.replace('{', '\\{')}.*\\} 0$`, 'm'));
  metrics.restored({ ...app, durationMs: 1 });
  metrics.reconciled({ ...app, durationMs: 1 });
  assert.match((await metrics.scrape()).body, /^mooring_restore_seconds_count\{.*\} 1$/m);
});

test('only requests about objects that a pass makes are its own, whatever else is under way', async () => {
  const metrics = createMetrics();
  const request = { server: app.server, verb: 'Patch', status: 200, durationMs: 1 } as const;
  const object = { plural: 'configmaps', namespace: 'shop' };
  const began = Promise.withResolvers<void>();
  const pass = metrics.during({ ...app, dryRun: true, traceId: trace }, async () => {
    await began.promise;
    metrics.kubeAsked({ ...request, object });
    metrics.kubeAsked(request);
  });
  metrics.kubeAsked({ ...request, object });
  began.resolve();
  await pass;
  const { body } = await metrics.scrape(openMetrics);
  const own = body.split('\n').filter((line) => line.startsWith('argocd_app_k8s_request_total{'));
  assert.deepEqual(own, [
    'argocd_app_k8s_request_total{namespace="argocd",name="shop",project="default",server="https://shop.example.com",response_code="200",verb="Patch",resource_kind="configmaps",resource_namespace="shop",dry_run="true"} 1',
  ]);
  assert.match(body, /^mooring_kube_requests_total\{.*\} 3$/m);
  assert.match(
    body,
    new RegExp(`^mooring_kube_request_seconds_bucket\\{.*le="0.001".*\\} 3 # \\{trace_id="${trace}"\\} 0.001 `, 'm'),
  );
});

test('exemplars go where a trace tells why, and only where one is recorded', async () => {
  const { metrics } = createFleet(1, 1);
  const { body, contentType } = await metrics.scrape(openMetrics);
  assert.match(contentType, /^application\/openmetrics-text; version=1\.0\.0/);
  assert.match(body, /# EOF\n$/);
  const bearers = Array.from(
    body.matchAll(/^(\w+)_bucket\{.*\} \d+ # \{trace_id="[0-9a-f]{32}"\} \S+ \d+/gm),
    ([, name]) => name,
  );
  assert.deepEqual(
    [...new Set(bearers)].sort(),
    definitions.flatMap(({ name, exemplars }) => (exemplars ? [name] : [])).sort(),
  );
  const plain = await metrics.scrape();
  assert.doesNotMatch(plain.body, /trace_id/);
  assert.match(plain.contentType, /^text\/plain; version=0\.0\.4/);
  const silent = createMetrics();
  silent.reconciled({ ...app, durationMs: 1 });
  assert.doesNotMatch((await silent.scrape(openMetrics)).body, /trace_id/);
});

test('both formats hold the same series, in whatever order they are asked for', async () => {
  const { metrics } = createFleet(2, 1);
  const names = [];
  for (const accept of [openMetrics, undefined, openMetrics, undefined])
    names.push(namesIn((await metrics.scrape(accept)).body));
  for (const other of names) assert.deepEqual([...other].sort(), [...(names[0] ?? [])].sort());
  assert.ok(names[0]?.has('process_cpu_seconds_total'), 'those of Node are there');
});

test('a clock that was set back makes no negative times', async () => {
  let now = 1_000_000;
  const metrics = createMetrics({ now: () => now });
  metrics.drifted(app, 1);
  now -= 5_000;
  metrics.deployed({ ...app, result: 'succeeded', sinceCommitMs: -60_000 });
  metrics.stepped({ step: 'diff', durationMs: -3 });
  const { body } = await metrics.scrape();
  assert.doesNotMatch(body, /^(?:mooring|argocd)_.* -/m);
});

test('drift is as old as the first look that found it', async () => {
  let now = 0;
  const metrics = createMetrics({ now: () => now });
  const ages: string[] = [];
  for (const [at, objects] of [
    [0, 0],
    [10_000, 2],
    [20_000, 1],
    [30_000, 0],
    [40_000, 3],
  ] as const) {
    now = at;
    metrics.drifted(app, objects);
    now += 5_000;
    ages.push(/^mooring_drift_age_seconds\{.*\} (\S+)$/m.exec((await metrics.scrape()).body)?.[1] ?? '');
  }
  assert.deepEqual(ages, ['0', '5', '15', '0', '5']);
});

test('an operation is as old as its start says, while it is under way', async () => {
  const { metrics, applications } = createFleet(2, 1);
  const age = async (phase: 'Running' | 'Terminating' | 'Succeeded'): Promise<string | undefined> => {
    const [[id, shop] = []] = applications;
    assert.ok(id !== undefined && shop !== undefined);
    const operationState = { phase, startedAt: '2026-01-01T00:00:00Z', operation: {} };
    applications.set(id, { ...shop, status: { ...shop.status, operationState } });
    metrics.ask({ now: () => Date.parse('2026-01-01T01:00:30Z') });
    const { body } = await metrics.scrape();
    return /^mooring_operation_age_seconds\{.*name="app-0"\} (\S+)$/m.exec(body)?.[1];
  };
  assert.deepEqual([await age('Running'), await age('Terminating'), await age('Succeeded')], ['3630', '3630', '0']);
});

test('a replica that does not lead tells of itself alone', async () => {
  const { metrics } = createFleet(2, 1);
  metrics.ask({ isLeader: () => false });
  const names = namesIn((await metrics.scrape()).body);
  for (const definition of Object.values(collected))
    assert.equal(names.has(definition.name), !('leader' in definition), definition.name);
});

test('a scrape with 1,000 Applications on 5 clusters takes no more than 50 ms of the processor', async (t) => {
  const { metrics } = createFleet(1_000, 5);
  const times: number[] = [];
  let body = '';
  for (let run = 0; run < 12; run += 1) {
    const before = process.cpuUsage();
    ({ body } = await metrics.scrape(run % 2 === 0 ? openMetrics : undefined));
    // As it goes to the network.
    Buffer.from(body);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  t.diagnostic(`${series} series, ${body.length} bytes, ${times.map((ms) => ms.toFixed(0)).join(' ')} ms`);
  assert.ok(series > 15_000 && series < 30_000, `${series} series`);
  // What else the machine does slows some of them down.
  assert.ok(Math.min(...times) <= 50, `${times.join(' ')} ms`);
});
