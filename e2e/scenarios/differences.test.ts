import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Application } from '@mooring/crds';
import { applicationsPath } from '../harness/applications.ts';
import { assertRestartsAlike } from '../harness/restarts.ts';
import { configMap, configMapPath, patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;

before(async () => {
  stage = await startStage({ name: 'e2e-differences', node: 'none' });
});
after(() => stage?.close());
afterEach(() => assertRestartsAlike(stage));

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
  assert.ok(failed.status?.operationState?.message?.startsWith(`Shared resource found: ${warning}`));
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

const namespacePath = (name: string): string => `/api/v1/namespaces/${name}`;
const namespace = (name: string, annotations: Record<string, string> = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { mesh: 'enabled' }, annotations } });

test('Force with Replace deletes no Namespace and nothing of another Application, which is told before', async () => {
  const files = { 'a.yaml': configMap('a', {}), 'namespace.yaml': namespace('forced') };
  const repository = await stage.repository('forced', files);
  const destination = { server: 'https://kubernetes.default.svc', namespace: 'forced' };
  await stage.application('kept', repository, { destination, syncPolicy: automated });
  await stage.settles('kept');
  const { uid } = (await stage.kube.get(namespacePath('forced'))).metadata;
  await stage.application('taker', repository, {
    destination,
    syncPolicy: { automated: {}, retry: { limit: 0 }, syncOptions: ['Replace=true', 'Force=true'] },
  });
  const refused = await until('taker', 'is refused', ({ status }) => status?.operationState?.phase === 'Failed');
  const message = refused.status?.operationState?.message ?? '';
  assert.match(message, /Namespace\/forced and everything in it/);
  assert.match(message, /ConfigMap\/forced\/a, which is part of application kept/);
  const warnings = refused.status?.conditions?.filter(({ type }) => type === 'SharedResourceWarning') ?? [];
  assert.equal(warnings.length, 2);
  assert.equal((await stage.kube.get(namespacePath('forced'))).metadata['uid'], uid);

  // A sync of one step: the warning is there before its objects are taken.
  const told: string[] = [];
  const stop = stage.kube.watch(applicationsPath, (_, object) => {
    const { status } = object as unknown as Application;
    const isWarned = status?.conditions?.some(({ type }) => type === 'SharedResourceWarning') === true;
    if (object.metadata.name === 'teller') told.push(`${status?.operationState?.phase} ${isWarned}`);
  });
  await stage.application('teller', repository, { destination, syncPolicy: { automated: {}, retry: { limit: 0 } } });
  await until('teller', 'has taken them', ({ status }) => status?.operationState?.phase === 'Succeeded');
  stop();
  assert.ok(told.includes('Running true'), told.join(', '));
});

test('a Namespace that leaves Git for CreateNamespace is not deleted, and its metadata is healed', async () => {
  const repository = await stage.repository('handed', {
    'a.yaml': configMap('a', { value: '1' }),
    'namespace.yaml': namespace('handed'),
  });
  const managedNamespaceMetadata = { labels: { team: 'shop' } };
  const syncPolicy = { ...automated, syncOptions: ['CreateNamespace=true'] };
  await stage.application('handed', repository, { syncPolicy });
  await stage.settles('handed');
  const { uid } = (await stage.kube.get(namespacePath('handed'))).metadata;
  const commit = await stage.push(repository, { 'a.yaml': configMap('a', { value: '2' }), 'namespace.yaml': null });
  await stage.settles('handed', commit);
  const { metadata } = await stage.kube.get(namespacePath('handed'));
  const { annotations, labels } = metadata as unknown as Record<string, Record<string, string> | undefined>;
  assert.deepEqual([metadata['uid'], metadata['deletionTimestamp']], [uid, undefined]);
  assert.equal(labels?.['mesh'], undefined);
  assert.equal(annotations?.['argocd.argoproj.io/tracking-id'], undefined);

  await stage.kube.merge(`${applicationsPath}/handed`, { spec: { syncPolicy: { managedNamespaceMetadata } } });
  const team = async () => ((await stage.kube.get(namespacePath('handed'))).metadata['labels'] as never)['team'];
  const marked = await until('handed', 'has marked it', ({ status }) => {
    const { phase, syncResult } = status?.operationState ?? {};
    return phase === 'Succeeded' && syncResult?.managedNamespaceMetadata !== undefined;
  });
  assert.equal(await team(), 'shop');
  await stage.kube.merge(namespacePath('handed'), { metadata: { labels: { team: 'touched' } } });
  await until('handed', 'heals it', ({ status }) => {
    const { phase, startedAt } = status?.operationState ?? {};
    return phase === 'Succeeded' && startedAt !== marked.status?.operationState?.startedAt;
  });
  assert.equal(await team(), 'shop');
});

test('what a project forbids meanwhile is left alone', async () => {
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'tightened' } };
  const repository = await stage.repository('tightened', {
    'a.yaml': configMap('a', {}),
    'b.yaml': JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'b' } }),
    'role.yaml': JSON.stringify({ ...role, rules: [] }),
  });
  const projects = '/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects';
  const permitted = {
    sourceRepos: ['*'],
    destinations: [{ name: 'in-cluster', namespace: '*' }],
    clusterResourceWhitelist: [{ group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' }],
  };
  await stage.kube.create(projects, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'tight', namespace: 'argocd' },
    spec: permitted,
  });
  await stage.application('tightened', repository, {
    project: 'tight',
    syncPolicy: { ...automated, syncOptions: ['CreateNamespace=true'], retry: { limit: 0 } },
  });
  const refused = await until('tightened', 'may not', ({ status }) => status?.operationState?.phase === 'Failed');
  assert.match(refused.status?.operationState?.message ?? '', /resource :Namespace is not permitted in project tight/);
  assert.equal(await stage.kube.find(namespacePath('tightened')), undefined);
  await stage.kube.create('/api/v1/namespaces', JSON.parse(namespace('tightened')));
  await stage.kube.merge(`${applicationsPath}/tightened`, { operation: { sync: {} } });
  await stage.settles('tightened');
  await stage.kube.merge(`${projects}/tight`, {
    spec: { namespaceResourceBlacklist: [{ group: '', kind: 'ServiceAccount' }] },
  });
  const commit = await stage.push(repository, { 'b.yaml': null, 'a.yaml': configMap('a', { value: '2' }) });
  await stage.settles('tightened', commit);
  assert.ok(await stage.kube.find('/api/v1/namespaces/tightened/serviceaccounts/b'));

  await stage.kube.merge(`${projects}/tight`, {
    spec: { destinations: [{ server: 'https://elsewhere.example.com', namespace: '*' }] },
  });
  await until('tightened', 'has no destination', ({ status }) =>
    /destination/.test(status?.conditions?.[0]?.message ?? ''),
  );
  await stage.kube.merge(`${applicationsPath}/tightened`, {
    metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  });
  await stage.kube.remove(`${applicationsPath}/tightened`);
  await stage.view.until('it is gone', (apps) => !apps.has('tightened'), patienceMs);
  assert.ok(await stage.kube.find('/apis/rbac.authorization.k8s.io/v1/clusterroles/tightened'));
  assert.ok(await stage.kube.find(configMapPath('tightened', 'a')));
});

test('a port edited by hand is healed, and a variable named twice runs, is told and leaves no loop', async () => {
  const twice = (env: readonly unknown[]): string => {
    const object = JSON.parse(deployment('web:1'));
    object.spec.template.spec.containers[0].env = env;
    return JSON.stringify(object);
  };
  const level = (value: string) => ({ name: 'LOG_LEVEL', value });
  const ports = [
    { name: 'dns', port: 5333, protocol: 'UDP' },
    { name: 'metrics', port: 9153 },
  ];
  const service = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'dns' }, spec: { ports } });
  const files = { 'service.yaml': service, 'web.yaml': twice([level('info'), level('debug')]) };
  const repository = await stage.repository('lists', files);
  await stage.application('lists', repository);
  const isDone = ({ status }: Application): boolean =>
    status?.sync?.status === 'Synced' && status.operationState?.phase === 'Succeeded';
  const first = await until('lists', 'is synced', isDone);
  const results = first.status?.operationState?.syncResult?.resources ?? [];
  const { message = '' } = results.find(({ kind }) => kind === 'Deployment') ?? {};
  assert.match(message, /created; server-side apply .*\.env: duplicate entries for key \[name="LOG_LEVEL"\]/);

  const servicePath = '/api/v1/namespaces/lists/services/dns';
  await stage.cluster.api.call('PATCH', servicePath, [{ op: 'replace', path: '/spec/ports/1/port', value: 9999 }], {
    contentType: 'application/json-patch+json',
  });
  const startedAt = first.status?.operationState?.startedAt;
  const healed = await until(
    'lists',
    'heals',
    (app) => isDone(app) && app.status?.operationState?.startedAt !== startedAt,
  );
  // Nothing was healed before, as nothing had differed.
  assert.equal(healed.status?.operationState?.operation.sync?.autoHealAttemptsCount, 1);
  const numbers = (await stage.kube.get(servicePath))['spec'].ports.map(({ port }: { port: number }) => port);
  assert.deepEqual(numbers.sort(), [5333, 9153]);

  const commit = await stage.push(repository, { 'web.yaml': twice([level('debug')]) });
  await until(
    'lists',
    'is mended',
    (app) => isDone(app) && app.status?.operationState?.syncResult?.revision === commit,
  );
  assert.deepEqual((await stage.kube.get(deploymentPath('lists')))['spec'].template.spec.containers[0].env, [
    level('debug'),
  ]);
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

test('drift is seen every time, and so is what is set back, made and deleted by hand, without a sync', async () => {
  const syncPolicy = { syncOptions: ['CreateNamespace=true'] };
  const says = (name: string, sync: string, health = 'Healthy') =>
    until(
      name,
      `is ${sync} and ${health}`,
      ({ status }) => [status?.sync?.status, status?.health?.status].join() === [sync, health].join(),
    );
  const config = await stage.repository('again', { 'a.yaml': configMap('a', { value: 'git' }) });
  await stage.application('again', config, { syncPolicy });
  await stage.kube.create('/api/v1/namespaces', { metadata: { name: 'again' } });
  await says('again', 'OutOfSync', 'Missing');
  // Nobody tracks what is made by hand.
  await stage.kube.create(configMapPath('again'), JSON.parse(configMap('a', { value: 'git' })));
  await says('again', 'OutOfSync', 'Healthy');
  await stage.kube.remove(configMapPath('again', 'a'));
  await says('again', 'OutOfSync', 'Missing');
  const web = await stage.repository('again-web', { 'web.yaml': deployment('web:1') });
  await stage.application('again-web', web, { syncPolicy });
  const setImage = (image: string) =>
    stage.kube.merge(deploymentPath('again-web'), {
      spec: { template: { spec: { containers: [{ name: 'web', image }] } } },
    });
  const setValue = (value: string) => stage.kube.merge(configMapPath('again', 'a'), { data: { value } });
  for (const [name, set, own, other] of [
    ['again', setValue, 'git', 'hand'],
    ['again-web', setImage, 'web:1', 'web:2'],
  ] as const) {
    await stage.kube.merge(`${applicationsPath}/${name}`, { operation: { sync: {} } });
    await until(name, 'is synced', ({ status }) => status?.sync?.status === 'Synced');
    for (let time = 0; time < 2; time += 1) {
      await set(other);
      await until(name, 'has drifted', ({ status }) => status?.sync?.status === 'OutOfSync');
      await set(own);
      await until(name, 'is as in Git again', ({ status }) => status?.sync?.status === 'Synced');
    }
  }
});
