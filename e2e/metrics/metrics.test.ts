import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { definitions } from '@mooring/operator/adapters/telemetry/definitions.ts';
import { NO_COMMIT } from '../git-server/git-repository.ts';
import { githubPush, sendWebhook } from '../git-server/webhook.ts';
import { applicationsPath } from '../harness/applications.ts';
import { configMap, configMapPath, ownServer, patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;

before(async () => {
  stage = await startStage({ name: 'e2e-metrics', node: 'none' });
  await stage.kube.create('/api/v1/namespaces/argocd/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cmd-params-cm', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data: { 'controller.metrics.application.labels': 'team-name', 'controller.metrics.cluster.labels': 'tier' },
  });
});
after(() => stage?.close());

/** Scrapes until every pattern is found, and answers that scrape. */
async function scrapeUntil(...patterns: readonly RegExp[]): Promise<string> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const text = await stage.operator.metrics();
    const missing = patterns.find((pattern) => !pattern.test(text));
    if (missing === undefined) return text;
    assert.ok(performance.now() < deadline, `${missing} is not in the scrape:\n${relatives(missing, text)}`);
    await sleep(50);
  }
}

/** What a scrape says of the metric that a pattern is about. */
function relatives(pattern: RegExp, text: string): string {
  const name = /[a-z_]{8,}/.exec(pattern.source)?.[0] ?? '';
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .join('\n');
}

/** The value of the one series that begins so. */
function seriesValue(text: string, series: string): number {
  const found = text.split('\n').filter((line) => line.startsWith(series));
  assert.equal(found.length, 1, `${series}: ${found.join('\n')}`);
  return Number(found[0]?.split(' ').at(-1));
}

const automated = (policy: object) => ({
  syncPolicy: { automated: policy, syncOptions: ['CreateNamespace=true'], retry: { limit: 0 } },
});

test('a commit is timed from its date to the end of its sync, and is a deployment', async () => {
  const repository = await stage.repository('shop', { 'a.yaml': configMap('a', { value: '1' }) });
  const { metadata } = await stage.application('shop', repository);
  await stage.kube.merge(`${applicationsPath}/${metadata.name}`, { metadata: { labels: { 'team-name': 'till' } } });
  await stage.settles('shop');
  const commit = await stage.push(repository, { 'a.yaml': configMap('a', { value: '2' }) });
  await stage.settles('shop', commit);
  const place = `namespace="argocd",project="default",dest_server="${ownServer}"`;
  const text = await scrapeUntil(
    /^mooring_app_commit_to_synced_seconds\{namespace="argocd",name="shop"\}/m,
    /^argocd_app_labels\{namespace="argocd",name="shop",project="default",label_team_name="till"\} 1$/m,
    /^argocd_app_k8s_request_total\{namespace="argocd",name="shop",.*response_code="201",verb="Patch",resource_kind="configmaps",resource_namespace="shop",dry_run="false"\} 1$/m,
    /^argocd_app_k8s_request_total\{namespace="argocd",name="shop",.*response_code="200",verb="Patch",resource_kind="configmaps",resource_namespace="shop",dry_run="false"\} 1$/m,
  );
  assert.ok(
    !/^argocd_app_k8s_request_total\{.*resource_kind="(?:events|applications)"/m.test(text),
    'those are its own',
  );
  // The first revision is the beginning of the Application, and no delivery.
  for (const name of ['mooring_commit_to_synced_seconds', 'mooring_seen_to_synced_seconds'])
    assert.equal(seriesValue(text, `${name}_count{${place}}`), 1, name);
  const sinceCommit = seriesValue(text, 'mooring_app_commit_to_synced_seconds{');
  const sinceSeen = seriesValue(text, `mooring_seen_to_synced_seconds_sum{${place}}`);
  assert.ok(
    sinceCommit < patienceMs / 1_000 && sinceSeen > 0 && sinceSeen <= sinceCommit + 0.1,
    `${sinceSeen} of ${sinceCommit}`,
  );
  const app = `namespace="argocd",name="shop",project="default",dest_server="${ownServer}"`;
  assert.equal(seriesValue(text, `mooring_deployments_total{${app},result="succeeded"}`), 1);
  assert.equal(seriesValue(text, `mooring_deployments_total{${app},result="failed"}`), 0);
  assert.equal(seriesValue(text, `argocd_app_sync_total{${app},phase="Succeeded",dry_run="false"}`), 2);
});

test('a sync that fails, repositories that do not answer, and trouble with health are counted', async () => {
  const bad = await stage.repository('broken', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('broken', bad, automated({ prune: true }));
  await stage.settles('broken');
  await stage.push(bad, { 'a.yaml': configMap('No_Name', {}) });
  const nowhere = await stage.repository('nowhere', { 'a.yaml': configMap('a', {}) });
  const source = { repoURL: nowhere.url, path: '.', targetRevision: '0'.repeat(40) };
  await stage.application('nowhere', nowhere, { source });
  const lost = { ...source, repoURL: nowhere.url.replace('nowhere', 'not-there'), targetRevision: 'main' };
  await stage.application('lost', nowhere, { source: lost });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'job' },
    spec: { restartPolicy: 'Never', containers: [{ name: 'job', image: 'mooring.local/job:v1' }] },
  };
  await stage.application('sick', await stage.repository('sick', { 'pod.yaml': JSON.stringify(pod) }));
  await stage.until('sick', 'waits', ({ status }) => status?.health?.status === 'Progressing');
  for (const [phase, health] of [
    ['Failed', 'Degraded'],
    ['Succeeded', 'Healthy'],
  ] as const) {
    await stage.kube.merge('/api/v1/namespaces/sick/pods/job/status', { status: { phase } });
    await stage.until('sick', `is ${health}`, ({ status }) => status?.health?.status === health);
  }
  await scrapeUntil(
    /^mooring_deployments_total\{namespace="argocd",name="broken",.*result="failed"\} 1$/m,
    /^argocd_app_condition\{namespace="argocd",name="broken",.*condition="SyncError"\} 1$/m,
    /^argocd_git_fetch_fail_total\{repo="[^"]*\/nowhere"\} [1-9]/m,
    /^argocd_git_lsremote_fail_total\{repo="[^"]*\/not-there"\} [1-9]/m,
    /^mooring_app_degraded_total\{namespace="argocd",name="sick",.*\} 1$/m,
    /^mooring_restore_seconds_count\{.*\} 1$/m,
  );
});

test('drift has an age until it is gone, and a heal is counted', async () => {
  const repository = await stage.repository('drift', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('drift', repository, automated({}));
  await stage.settles('drift');
  await stage.kube.merge(configMapPath('drift', 'a'), { data: { value: 'by hand' } });
  await scrapeUntil(
    /^mooring_drift_objects\{namespace="argocd",name="drift"\} 1$/m,
    /^mooring_drift_age_seconds\{namespace="argocd",name="drift"\} (?!0$)/m,
  );
  await stage.kube.merge(`${applicationsPath}/drift`, { spec: automated({ selfHeal: true }) });
  await scrapeUntil(
    /^mooring_drift_objects\{namespace="argocd",name="drift"\} 0$/m,
    /^mooring_drift_age_seconds\{namespace="argocd",name="drift"\} 0$/m,
    /^mooring_drift_healed_total\{namespace="argocd",name="drift"\} 1$/m,
  );
});

test('a webhook of a repository that nobody uses makes no series of its own', async () => {
  const repoURL = 'https://git.example.com/made/up.git';
  const changes = { added: [], modified: [], removed: [] };
  const push = githubPush({ repoURL, ref: 'refs/heads/main', before: NO_COMMIT, after: '1'.repeat(40), changes });
  await sendWebhook(`${stage.operator.url}/api/webhook`, push);
  const text = await scrapeUntil(
    /^argocd_webhook_requests_total\{repo=""\} 1$/m,
    /^argocd_webhook_requests_total\{repo="[^"]*\/shop"\} 1$/m,
  );
  assert.ok(!text.includes('made/up'));
  const refused = await fetch(`${stage.operator.url}/api/webhook`, { method: 'POST', body: '{}' });
  assert.equal(refused.status, 400);
  await scrapeUntil(/^mooring_webhook_refused_total\{host="unknown",reason="unknown-host"\} 1$/m);
});

test('after all that, every metric that is defined is in the scrape, once a cluster has a Secret with labels', async () => {
  // The same cluster by another address: an Application over there is on a cluster of its own, as far as the operator knows.
  const { server, caData, certData, keyData } = stage.cluster;
  await stage.kube.create('/api/v1/namespaces/argocd/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'east', labels: { 'argocd.argoproj.io/secret-type': 'cluster', tier: 'prod' } },
    stringData: { name: 'east', server, config: JSON.stringify({ tlsClientConfig: { caData, certData, keyData } }) },
  });
  const repository = await stage.repository('eastern', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('eastern', repository, { destination: { name: 'east', namespace: 'eastern' } });
  await stage.settles('eastern');
  await stage.kube.merge(configMapPath('eastern', 'a'), { data: { value: 'by hand' } });
  const text = await scrapeUntil(
    new RegExp(`^argocd_cluster_labels\\{server="${server}",name="east",label_tier="prod"\\} 1$`, 'm'),
    new RegExp(`^argocd_cluster_connection_status\\{server="${server}",k8s_version="1\\.[^"]+"\\} 1$`, 'm'),
    new RegExp(`^argocd_cluster_events_total\\{server="${server}",group="",kind="ConfigMap"\\} [1-9]`, 'm'),
    /^mooring_cache_bytes\{cache="git"\} [1-9]/m,
    /^mooring_events_total\{result="sent"\} [1-9]/m,
  );
  // Of spans something is told only where traces are sent, and of what would change only where nothing is written: see e2e/traces and e2e/start.
  const elsewhere = ['mooring_spans_total', 'mooring_preview_objects'];
  const told = definitions.filter(({ name }) => !elsewhere.includes(name));
  const missing = told.filter(({ name }) => !new RegExp(`^${name}(?:_count)?[{ ]`, 'm').test(text));
  assert.deepEqual(missing, []);
  for (const cache of ['renders', 'blobs', 'trees', 'live'])
    assert.ok(seriesValue(text, `mooring_cache_bytes{cache="${cache}"}`) > 0, cache);
  const answer = await fetch(`${stage.operator.url}/metrics`, {
    headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' },
  });
  assert.match(answer.headers.get('content-type') ?? '', /^application\/openmetrics-text; version=1\.0\.0/);
  assert.equal((await answer.text()).slice(-7), '\n# EOF\n');
});

test('of Applications and a cluster that are deleted no trace is left', async () => {
  for (const name of ['broken', 'eastern']) await stage.kube.remove(`${applicationsPath}/${name}`);
  await stage.kube.remove('/api/v1/namespaces/argocd/secrets/east');
  const deadline = performance.now() + patienceMs;
  const traces = async (): Promise<string[]> =>
    (await stage.operator.metrics())
      .split('\n')
      .filter((line) => /broken|east/.test(line) || line.includes(stage.cluster.server));
  while ((await traces()).length > 0 && performance.now() < deadline) await sleep(50);
  assert.deepEqual(await traces(), []);
  // What was under way then must not bring any back.
  const repository = await stage.repository('later', { 'a.yaml': configMap('a', {}) });
  await stage.application('later', repository);
  await stage.settles('later');
  await scrapeUntil(/^argocd_app_info\{namespace="argocd",name="later"/m);
  assert.deepEqual(await traces(), []);
});
