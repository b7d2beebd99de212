import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { applicationsPath } from '../harness/applications.ts';
import { configMap, configMapPath, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;

before(async () => {
  stage = await startStage({ name: 'e2e-differences', node: 'none' });
});
after(() => stage?.close());

const automated = { automated: { prune: true, selfHeal: true } };
const deploymentPath = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments/web`;

function deployment(image: string): string {
  const labels = { app: 'web' };
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
    },
  });
}

const until: Stage['until'] = (name, what, test) => stage.until(name, what, test);

test('what is ignored is no drift, and a sync leaves it alone where it is told to respect it', async () => {
  const repository = await stage.repository('respected', { 'web.yaml': deployment('web:1') });
  const ignoreDifferences = [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }];
  for (const name of ['respected', 'overruled']) {
    await stage.application(name, repository, {
      ignoreDifferences,
      syncPolicy: {
        ...automated,
        syncOptions: ['CreateNamespace=true', ...(name === 'respected' ? ['RespectIgnoreDifferences=true'] : [])],
      },
    });
    await until(name, 'is synced', (app) => app.status?.sync?.status === 'Synced');
    // No pod is needed to see who wins.
    await stage.kube.merge(deploymentPath(name), { spec: { replicas: 3, paused: true } });
  }
  const commit = await stage.push(repository, { 'web.yaml': deployment('web:2') });
  for (const name of ['respected', 'overruled'])
    await until(name, 'is at the commit', ({ status }) => status?.operationState?.syncResult?.revision === commit);
  const spec = async (name: string) => (await stage.kube.get(deploymentPath(name)))['spec'];
  const respected = await spec('respected');
  assert.equal(respected.template.spec.containers[0].image, 'web:2');
  assert.equal(respected.replicas, 3);
  assert.equal((await spec('overruled')).replicas, 0);
});

test('a difference that is no longer ignored is seen', async () => {
  const repository = await stage.repository('noticed', { 'a.yaml': configMap('a', { value: 'git' }) });
  await stage.application('noticed', repository, {
    ignoreDifferences: [{ kind: 'ConfigMap', group: '', jsonPointers: ['/data/value'] }],
    syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] },
  });
  await stage.settles('noticed');
  await stage.kube.merge(configMapPath('noticed', 'a'), { data: { value: 'hand' } });
  await stage.kube.merge(`${applicationsPath}/noticed`, {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
  });
  await until('noticed', 'was looked at', ({ metadata }) => !metadata.annotations?.['argocd.argoproj.io/refresh']);
  assert.equal(stage.view.get('noticed')?.status?.sync?.status, 'Synced');
  await stage.kube.merge(`${applicationsPath}/noticed`, { spec: { ignoreDifferences: null } });
  await until('noticed', 'is out of sync', (app) => app.status?.sync?.status === 'OutOfSync');
});

test('an object of two Applications is told to the one that does not have it, and can keep a sync from happening', async () => {
  const repository = await stage.repository('shared', { 'a.yaml': configMap('a', { value: '1' }) });
  const destination = { server: 'https://kubernetes.default.svc', namespace: 'shared' };
  const syncOptions = ['CreateNamespace=true', 'FailOnSharedResource=true'];
  await stage.application('owner', repository, {
    destination,
    syncPolicy: { ...automated, syncOptions: ['CreateNamespace=true'] },
  });
  await stage.settles('owner');
  await stage.application('claimant', repository, { destination, syncPolicy: { syncOptions } });
  const claimant = await until('claimant', 'is warned', ({ status }) => (status?.conditions?.length ?? 0) > 0);
  const warning = 'ConfigMap/a is part of applications argocd/claimant and owner';
  assert.deepEqual(
    claimant.status?.conditions?.map(({ type, message }) => ({ type, message })),
    [{ type: 'SharedResourceWarning', message: warning }],
  );
  await stage.kube.merge(`${applicationsPath}/claimant`, { operation: { sync: {} } });
  const failed = await until('claimant', 'fails', ({ status }) => status?.operationState?.phase === 'Failed');
  assert.equal(failed.status?.operationState?.message, `Shared resource found: ${warning}`);
  const tracking = 'argocd.argoproj.io/tracking-id';
  const trackingId = async () =>
    ((await stage.kube.get(configMapPath('shared', 'a'))).metadata['annotations'] as Record<string, string>)[tracking];
  assert.equal(await trackingId(), 'owner:/ConfigMap:shared/a');
  await stage.kube.merge(`${applicationsPath}/claimant`, { operation: { sync: { syncOptions: [] } } });
  await until('claimant', 'takes it over', ({ status }) => status?.operationState?.phase === 'Succeeded');
  // The owner heals by itself, and so takes it back.
  await until('owner', 'heals', ({ status }) => status?.operationState?.operation.sync?.autoHealAttemptsCount === 1);
  const loser = await until('claimant', 'has lost it', ({ status }) => status?.sync?.status === 'OutOfSync');
  assert.deepEqual(
    loser.status?.conditions?.map(({ message }) => message),
    [warning],
  );
  assert.equal(await trackingId(), 'owner:/ConfigMap:shared/a');
});

test('what a project forbids meanwhile is left alone', async () => {
  const repository = await stage.repository('tightened', {
    'a.yaml': configMap('a', {}),
    'b.yaml': JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'b' } }),
  });
  const projects = '/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects';
  await stage.kube.create(projects, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'tight', namespace: 'argocd' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ name: 'in-cluster', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }],
    },
  });
  await stage.application('tightened', repository, { project: 'tight' });
  await stage.settles('tightened');
  await stage.kube.merge(`${projects}/tight`, {
    spec: { namespaceResourceBlacklist: [{ group: '', kind: 'ServiceAccount' }] },
  });
  const commit = await stage.push(repository, { 'b.yaml': null, 'a.yaml': configMap('a', { value: '2' }) });
  await stage.settles('tightened', commit);
  assert.ok(await stage.kube.find('/api/v1/namespaces/tightened/serviceaccounts/b'));
});

test('a sync may bring its own manifests; broken ones are told by their place', async () => {
  const repository = await stage.repository('local', { 'a.yaml': configMap('a', { value: 'git' }) });
  await stage.application('local', repository, { syncPolicy: { syncOptions: ['CreateNamespace=true'] } });
  const sync = (manifests: readonly string[]) =>
    stage.kube.merge(`${applicationsPath}/local`, { operation: { sync: { manifests } } });
  await sync([configMap('a', { value: 'local' })]);
  await until('local', 'is synced', (app) => app.status?.operationState?.phase === 'Succeeded');
  assert.equal((await stage.kube.get(configMapPath('local', 'a')))['data'].value, 'local');
  await until('local', 'differs from Git', (app) => app.status?.sync?.status === 'OutOfSync');
  await sync(['{"kind": "ConfigMap"']);
  const failed = await until('local', 'is refused', (app) => app.status?.operationState?.phase === 'Error');
  assert.match(failed.status?.operationState?.message ?? '', /operation\.sync\.manifests\[0\]/);
  assert.equal((await stage.kube.get(configMapPath('local', 'a')))['data'].value, 'local');
});
