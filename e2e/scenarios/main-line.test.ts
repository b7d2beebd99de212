import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Application } from '@mooring/crds';
import { applicationsPath } from '../harness/applications.ts';
import type { AnyObject } from '../harness/kube.ts';
import { configMap, configMapPath, patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;

before(async () => {
  stage = await startStage({ name: 'e2e-main-line', node: 'none' });
});
after(() => stage?.close());

const manual = { syncPolicy: { syncOptions: ['CreateNamespace=true'] } };

const settles = (name: string, revision?: string): Promise<Application> => stage.settles(name, revision);

const finishes = (name: string, phase: string): Promise<Application> =>
  stage.until(name, `ends ${phase}`, ({ operation, status }) => {
    const state = status?.operationState;
    return operation === undefined && state?.finishedAt !== undefined && state.phase === phase;
  });

const sync = (name: string, operation: object): Promise<AnyObject> =>
  stage.kube.merge(`${applicationsPath}/${name}`, { operation: { initiatedBy: { username: 'ann' }, sync: operation } });

/** A foreground deletion ends when the garbage collector has seen it. */
async function gone(path: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while ((await stage.kube.find(path)) !== undefined) {
    assert.ok(performance.now() < deadline, `${path} is still there`);
    await sleep(50);
  }
}

test('the project default is there', async () => {
  const project = await stage.kube.get('/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/default');
  assert.deepEqual(project['spec'].sourceRepos, ['*']);
  assert.deepEqual(project['spec'].clusterResourceWhitelist, [{ group: '*', kind: '*' }]);
});

test('a commit becomes objects, and the status says so as Argo CD does', async () => {
  const repository = await stage.repository('plain', {
    'a.yaml': configMap('a', { value: '1' }),
    'b.yaml': configMap('b', {}),
  });
  await stage.application('plain', repository);
  const commit = await repository.resolve('main');
  const app = await settles('plain', commit);
  const { status } = app;
  assert.deepEqual(
    status?.resources?.map(({ version, kind, namespace, name, status: synced }) => ({
      version,
      kind,
      namespace,
      name,
      synced,
    })),
    ['a', 'b'].map((name) => ({ version: 'v1', kind: 'ConfigMap', namespace: 'plain', name, synced: 'Synced' })),
  );
  assert.equal(status?.operationState?.phase, 'Succeeded');
  assert.equal(status?.operationState?.message, 'successfully synced (all tasks run)');
  assert.equal(status?.operationState?.operation.initiatedBy?.automated, true);
  assert.equal(status?.operationState?.syncResult?.revision, commit);
  assert.deepEqual(
    status?.history?.map(({ id, revision }) => ({ id, revision })),
    [{ id: 0, revision: commit }],
  );
  assert.equal(status?.sourceType, 'Directory');
  assert.equal(status?.controllerNamespace, 'argocd');
  assert.equal(status?.resourceHealthSource, 'appTree');
  assert.ok(status?.reconciledAt);
  assert.equal(status?.conditions, undefined);
  const object = await stage.kube.get(configMapPath('plain', 'a'));
  const annotations = object.metadata['annotations'] as Record<string, string>;
  assert.equal(annotations['argocd.argoproj.io/tracking-id'], 'plain:/ConfigMap:plain/a');

  const next = await stage.push(repository, { 'a.yaml': configMap('a', { value: '2' }) });
  await settles('plain', next);
  assert.equal((await stage.kube.get(configMapPath('plain', 'a')))['data'].value, '2');
  assert.equal(stage.view.get('plain')?.status?.history?.length, 2);
});

test('what Git no longer has is pruned, and nothing else', async () => {
  const repository = await stage.repository('pruned', {
    'a.yaml': configMap('a', {}),
    'b.yaml': configMap('b', {}),
    'kept.yaml': configMap('kept', {}, { 'argocd.argoproj.io/sync-options': 'Prune=false' }),
  });
  await stage.application('pruned', repository);
  await settles('pruned');
  const stranger = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'stranger' } };
  await stage.kube.create(configMapPath('pruned'), stranger);
  const live = await stage.kube.get(configMapPath('pruned', 'a'));
  const copy = { ...live, metadata: { name: 'copy', annotations: live.metadata['annotations'] } };
  await stage.kube.create(configMapPath('pruned'), copy);
  await stage.push(repository, { 'b.yaml': null, 'kept.yaml': null });
  await stage.view.until(
    'b is pruned',
    (apps) => {
      const results = apps.get('pruned')?.status?.operationState?.syncResult?.resources ?? [];
      return (
        results.some(({ name, status }) => name === 'b' && status === 'Pruned') &&
        results.some(({ name, status }) => name === 'kept' && status === 'PruneSkipped')
      );
    },
    patienceMs,
  );
  await gone(configMapPath('pruned', 'b'));
  for (const name of ['a', 'kept', 'stranger', 'copy'])
    assert.ok(await stage.kube.find(configMapPath('pruned', name)), `${name} was pruned`);
  assert.equal(stage.view.get('pruned')?.status?.sync?.status, 'OutOfSync');
});

const definitionOf = (kind: string, wave: string): string =>
  JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.toLowerCase()}s.needs.example`,
      annotations: { 'argocd.argoproj.io/sync-wave': wave },
    },
    spec: {
      group: 'needs.example',
      scope: 'Namespaced',
      names: { kind, plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase() },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });

test('what others need comes first, and a kind that nobody serves stops a sync before its first write', async () => {
  const inNamespace = (name: string, annotations: Record<string, string>): string => {
    const object = JSON.parse(configMap(name, { value: '1' }, annotations));
    return JSON.stringify({ ...object, metadata: { ...object.metadata, namespace: 'needs-late' } });
  };
  const wave = (number: string) => ({ 'argocd.argoproj.io/sync-wave': number });
  const repository = await stage.repository('needs', {
    'namespace.yaml': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'needs-late', annotations: wave('5') },
    }),
    'hook.yaml': inNamespace('before', { 'argocd.argoproj.io/hook': 'PreSync' }),
    'mid.yaml': inNamespace('mid', wave('2')),
    'definition.yaml': definitionOf('Late', '3'),
    'late.yaml': JSON.stringify({ apiVersion: 'needs.example/v1', kind: 'Late', metadata: { name: 'late' } }),
  });
  await stage.application('needs', repository, {
    syncPolicy: { automated: {}, retry: { limit: 0 }, syncOptions: ['CreateNamespace=true'] },
  });
  await settles('needs');
  const results = stage.view.get('needs')?.status?.operationState?.syncResult?.resources ?? [];
  assert.equal(results.find(({ kind, name }) => kind === 'Namespace' && name === 'needs-late')?.syncPhase, 'PreSync');

  await stage.push(repository, {
    'mid.yaml': inNamespace('mid', wave('-1')).replace('"1"', '"2"'),
    'stray.yaml': JSON.stringify({ apiVersion: 'nowhere.example/v1', kind: 'Stray', metadata: { name: 'stray' } }),
  });
  const failed = await finishes('needs', 'Failed');
  assert.match(
    failed.status?.operationState?.message ?? '',
    /not valid: Stray\/needs\/stray: The Kubernetes API could not find nowhere\.example\/Stray/,
  );
  const mid = async (): Promise<string> => (await stage.kube.get(configMapPath('needs-late', 'mid')))['data'].value;
  assert.equal(await mid(), '1');
  await sync('needs', { syncOptions: ['SkipDryRunOnMissingResource=true'] });
  await stage.until('needs', 'begins nevertheless', ({ operation, status }) => {
    const { message = '', phase } = status?.operationState ?? {};
    return operation === undefined && phase === 'Failed' && message.startsWith('one or more objects failed to apply');
  });
  assert.equal(await mid(), '2');
  await settles('needs', await stage.push(repository, { 'stray.yaml': null }));
});

test('nothing is pruned for a commit whose objects the API server refuses', async () => {
  const repository = await stage.repository('renamed', { 'old.yaml': configMap('old', {}) });
  await stage.application('renamed', repository, {
    syncPolicy: { automated: { prune: true }, retry: { limit: 0 }, syncOptions: ['CreateNamespace=true'] },
  });
  await settles('renamed');
  await stage.push(repository, { 'old.yaml': null, 'new.yaml': configMap('new', {}).replace('"data"', '"dota"') });
  const failed = await finishes('renamed', 'Failed');
  assert.match(failed.status?.operationState?.message ?? '', /reason: ConfigMap\/renamed\/new: failed .*dota/);
  assert.deepEqual(
    failed.status?.operationState?.syncResult?.resources?.map(({ name, status }) => ({ name, status })),
    [{ name: 'new', status: 'SyncFailed' }],
  );
  assert.ok(await stage.kube.find(configMapPath('renamed', 'old')));
  // What is pruned may be in the way of nothing that comes with its own namespace or kind.
  const commit = await stage.push(repository, {
    'new.yaml': null,
    'namespace.yaml': JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'renamed-2' } }),
    'there.yaml': configMap('new', {}).replace('"name":"new"', '"name":"new","namespace":"renamed-2"'),
  });
  await settles('renamed', commit);
  await gone(configMapPath('renamed', 'old'));
  assert.ok(await stage.kube.find(configMapPath('renamed-2', 'new')));
});

test('what only the pruned object stands in the way of is applied after the prune', async () => {
  const service = (name: string): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { type: 'NodePort', selector: { app: name }, ports: [{ port: 80, nodePort: 30_123 }] },
    });
  const repository = await stage.repository('port', { 'a.yaml': service('before') });
  await stage.application('port', repository);
  await settles('port');
  await settles('port', await stage.push(repository, { 'a.yaml': service('after') }));
  const services = await stage.kube.list('/api/v1/namespaces/port/services');
  assert.deepEqual(
    services.map(({ metadata }) => metadata.name),
    ['after'],
  );
});

test('drift is healed, and fields that Git does not name are left alone', async () => {
  const repository = await stage.repository('healed', {
    'a.yaml': configMap('a', { value: '1' }),
    'b.yaml': configMap('b', {}),
  });
  await stage.application('healed', repository);
  await settles('healed');
  await stage.kube.merge(configMapPath('healed', 'a'), {
    data: { value: 'by hand', other: 'stays' },
    metadata: { labels: { team: 'x' } },
  });
  await stage.kube.remove(configMapPath('healed', 'b'));
  await stage.view.until(
    'the heal is told',
    (apps) => (apps.get('healed')?.status?.operationState?.operation.sync?.autoHealAttemptsCount ?? 0) > 0,
    patienceMs,
  );
  await settles('healed');
  const deadline = performance.now() + patienceMs;
  let healed: AnyObject | undefined;
  while (performance.now() < deadline) {
    healed = await stage.kube.find(configMapPath('healed', 'a'));
    if (healed?.['data'].value === '1' && (await stage.kube.find(configMapPath('healed', 'b')))) break;
  }
  assert.deepEqual(healed?.['data'], { value: '1', other: 'stays' });
  assert.deepEqual(healed?.metadata['labels'], { team: 'x' });
  const metrics = await stage.operator.metrics();
  assert.match(metrics, /mooring_drift_healed_total\{namespace="argocd",name="healed"\} [1-9]/);
});

test('a manual sync runs by the operation field, and only then', async () => {
  const repository = await stage.repository('manual', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('manual', repository, manual);
  await stage.view.until(
    'it is OutOfSync',
    (apps) => apps.get('manual')?.status?.sync?.status === 'OutOfSync',
    patienceMs,
  );
  assert.equal(stage.view.get('manual')?.status?.health?.status, 'Missing');
  assert.equal(await stage.kube.find(configMapPath('manual', 'a')), undefined);
  await sync('manual', {});
  const app = await finishes('manual', 'Succeeded');
  assert.equal(app.status?.operationState?.operation.initiatedBy?.username, 'ann');
  await settles('manual');
  assert.equal(app.status?.history?.at(-1)?.initiatedBy?.username, 'ann');
});

test('a rollback syncs an earlier revision of the history', async () => {
  const repository = await stage.repository('rolled', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('rolled', repository, manual);
  await stage.view.until('it is seen', (apps) => apps.get('rolled')?.status?.sync?.status === 'OutOfSync', patienceMs);
  await sync('rolled', {});
  await settles('rolled');
  const first = await repository.resolve('main');
  const second = await stage.push(repository, { 'a.yaml': configMap('a', { value: '2' }) });
  await stage.view.until(
    'the commit is seen',
    (apps) => apps.get('rolled')?.status?.sync?.revision === second,
    patienceMs,
  );
  await sync('rolled', {});
  await settles('rolled', second);
  const source = stage.view.get('rolled')?.status?.history?.[0]?.source;
  await sync('rolled', { revision: first, source, syncStrategy: { apply: {} } });
  await stage.view.until(
    'it is rolled back',
    (apps) =>
      apps.get('rolled')?.status?.operationState?.syncResult?.revision === first &&
      apps.get('rolled')?.status?.operationState?.phase === 'Succeeded',
    patienceMs,
  );
  assert.equal((await stage.kube.get(configMapPath('rolled', 'a')))['data'].value, '1');
  await stage.view.until(
    'it differs from main',
    (apps) => apps.get('rolled')?.status?.sync?.status === 'OutOfSync',
    patienceMs,
  );
});

test('a refresh looks again and takes its annotation away', async () => {
  const repository = await stage.repository('refreshed', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('refreshed', repository);
  await settles('refreshed');
  const commit = await repository.commit({
    files: { 'a.yaml': configMap('a', { value: '2' }) },
    message: 'unannounced',
  });
  for (const kind of ['normal', 'hard']) {
    await stage.kube.merge(`${applicationsPath}/refreshed`, {
      metadata: { annotations: { 'argocd.argoproj.io/refresh': kind } },
    });
    await stage.view.until(
      'the refresh is over',
      (apps) => apps.get('refreshed')?.metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined,
      patienceMs,
    );
    await settles('refreshed', commit);
  }
});

test('waves and hooks run in order, and a failed hook fails the sync', async () => {
  const job = (name: string, annotations: Record<string, string>): string =>
    `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations } })}\n`;
  const repository = await stage.repository('waves', {
    'pre.yaml': job('pre', {
      'argocd.argoproj.io/hook': 'PreSync',
      'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded',
    }),
    'one.yaml': configMap('one', {}, { 'argocd.argoproj.io/sync-wave': '-1' }),
    'two.yaml': configMap('two', {}),
    'three.yaml': configMap('three', {}, { 'argocd.argoproj.io/sync-wave': '5' }),
    'post.yaml': job('post', { 'argocd.argoproj.io/hook': 'PostSync' }),
  });
  await stage.application('waves', repository);
  const app = await settles('waves');
  const results = app.status?.operationState?.syncResult?.resources ?? [];
  assert.deepEqual(
    results
      .map(({ name, syncPhase, hookPhase }) => ({ name, syncPhase, hookPhase }))
      .filter(({ name }) => name !== 'waves'),
    [
      { name: 'pre', syncPhase: 'PreSync', hookPhase: 'Succeeded' },
      { name: 'one', syncPhase: 'Sync', hookPhase: 'Succeeded' },
      { name: 'two', syncPhase: 'Sync', hookPhase: 'Succeeded' },
      { name: 'three', syncPhase: 'Sync', hookPhase: 'Succeeded' },
      { name: 'post', syncPhase: 'PostSync', hookPhase: 'Succeeded' },
    ],
  );
  const created = async (name: string): Promise<number> =>
    Date.parse(String((await stage.kube.get(configMapPath('waves', name))).metadata['creationTimestamp']));
  assert.ok((await created('one')) <= (await created('two')));
  assert.ok((await created('two')) < (await created('three')), 'a wave waits for the one before it');
  await gone(configMapPath('waves', 'pre'));
  assert.ok(await stage.kube.find(configMapPath('waves', 'post')));
});

test('a definition and an instance of it arrive in one sync', async () => {
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'boats.e2e.mooring.dev' },
    spec: {
      group: 'e2e.mooring.dev',
      names: { kind: 'Boat', plural: 'boats', singular: 'boat' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
  const repository = await stage.repository('boats', {
    'crd.json': JSON.stringify(crd),
    'boat.json': JSON.stringify({
      apiVersion: 'e2e.mooring.dev/v1',
      kind: 'Boat',
      metadata: { name: 'one' },
      spec: { sails: 2 },
    }),
  });
  await stage.application('boats', repository);
  await settles('boats');
  assert.ok(await stage.kube.find('/apis/e2e.mooring.dev/v1/namespaces/boats/boats/one'));
  await stage.push(repository, {
    'boat.json': JSON.stringify({
      apiVersion: 'e2e.mooring.dev/v1',
      kind: 'Boat',
      metadata: { name: 'one' },
      spec: { sails: 3 },
    }),
  });
  await stage.view.until(
    'the instance changes',
    (apps) => apps.get('boats')?.status?.history?.length === 2,
    patienceMs,
  );
  await settles('boats');
});

test('Helm and Kustomize sources are detected and rendered', async () => {
  const repository = await stage.repository('kinds', {
    'base/kustomization.yaml': 'resources: [a.yaml]\n',
    'base/a.yaml': configMap('a', { value: 'base' }),
    'dev/kustomization.yaml': 'namePrefix: dev-\nresources: [../base]\n',
    'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
    'chart/values.yaml': 'value: default\n',
    'chart/templates/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-a"}\ndata: {value: "{{ .Values.value }}"}\n',
  });
  const source = (path: string, more: object = {}) => ({
    source: { repoURL: repository.url, targetRevision: 'main', path, ...more },
  });
  await stage.application('kinds-overlay', repository, source('dev'));
  await stage.application(
    'kinds-chart',
    repository,
    source('chart', { helm: { parameters: [{ name: 'value', value: 'given' }] } }),
  );
  assert.equal((await settles('kinds-overlay')).status?.sourceType, 'Kustomize');
  assert.equal((await settles('kinds-chart')).status?.sourceType, 'Helm');
  assert.equal((await stage.kube.get(configMapPath('kinds-overlay', 'dev-a')))['data'].value, 'base');
  assert.equal((await stage.kube.get(configMapPath('kinds-chart', 'kinds-chart-a')))['data'].value, 'given');
});

test('an Application that goes takes its objects along, if its finalizer says so', async () => {
  const repository = await stage.repository('going', { 'a.yaml': configMap('a', {}) });
  for (const name of ['going', 'staying']) await stage.application(name, repository);
  await settles('going');
  await settles('staying');
  await stage.kube.merge(`${applicationsPath}/going`, {
    metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  });
  for (const name of ['going', 'staying']) await stage.kube.remove(`${applicationsPath}/${name}`);
  await stage.view.until('both are gone', (apps) => !apps.has('going') && !apps.has('staying'), patienceMs);
  assert.equal(await stage.kube.find(configMapPath('going', 'a')), undefined);
  assert.ok(await stage.kube.find(configMapPath('staying', 'a')));
});

test('objects stay when their Application goes, if its own options say so and theirs do not overrule it', async () => {
  const repository = await stage.repository('keeping', {
    'kept.yaml': configMap('kept', {}),
    'dropped.yaml': configMap('dropped', {}, { 'argocd.argoproj.io/sync-options': 'Delete=true,Prune=true' }),
  });
  await stage.application('keeping', repository, {
    syncPolicy: {
      automated: { prune: true, selfHeal: true },
      syncOptions: ['CreateNamespace=true', 'Delete=false', 'Prune=false'],
    },
  });
  await settles('keeping');
  await stage.push(repository, { 'kept.yaml': null, 'other.yaml': configMap('other', {}) });
  await stage.view.until(
    'the prune is skipped',
    (apps) =>
      (apps.get('keeping')?.status?.operationState?.syncResult?.resources ?? []).some(
        ({ name, status }) => name === 'kept' && status === 'PruneSkipped',
      ),
    patienceMs,
  );
  await stage.kube.merge(`${applicationsPath}/keeping`, {
    metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  });
  await stage.kube.remove(`${applicationsPath}/keeping`);
  await stage.view.until('it is gone', (apps) => !apps.has('keeping'), patienceMs);
  for (const name of ['kept', 'other']) assert.ok(await stage.kube.find(configMapPath('keeping', name)), name);
  await gone(configMapPath('keeping', 'dropped'));
});

test('a sync that is asked for takes the newest commit, also one that nobody told of', async () => {
  const repository = await stage.repository('newest', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('newest', repository, manual);
  await sync('newest', {});
  await finishes('newest', 'Succeeded');
  const commit = await repository.commit({ files: { 'a.yaml': configMap('a', { value: '2' }) }, message: 'untold' });
  await sync('newest', {});
  await stage.view.until(
    'it is brought in',
    (apps) => {
      const state = apps.get('newest')?.status?.operationState;
      return state?.phase === 'Succeeded' && state.syncResult?.revision === commit;
    },
    10_000,
  );
  assert.equal((await stage.kube.get(configMapPath('newest', 'a')))['data'].value, '2');
});

test('a killed operator goes on where it was, and writes nothing that is there already', async () => {
  const repository = await stage.repository('killed', {
    'a.yaml': configMap('a', { value: '1' }),
    'b.yaml': configMap('b', {}, { 'argocd.argoproj.io/sync-wave': '1' }),
  });
  await stage.application('killed', repository);
  await settles('killed');
  const before = (await stage.kube.get(configMapPath('killed', 'a'))).metadata.resourceVersion;
  await stage.restartOperator('kill');
  const commit = await stage.push(repository, {
    'b.yaml': configMap('b', { value: '2' }, { 'argocd.argoproj.io/sync-wave': '1' }),
  });
  await settles('killed', commit);
  assert.equal((await stage.kube.get(configMapPath('killed', 'a'))).metadata.resourceVersion, before);
});

test('what somebody changes of an Application while it is synced costs no entry of its history', async () => {
  const repository = await stage.repository('touched', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.application('touched', repository);
  const touch = async (): Promise<void> => {
    for (let time = 0; time < 30; time++)
      await stage.kube.merge(`${applicationsPath}/touched`, { metadata: { labels: { time: `${time}` } } });
  };
  await touch();
  await stage.settles('touched');
  const commits = [await repository.resolve('main')];
  for (const value of ['2', '3']) {
    const commit = await stage.push(repository, { 'a.yaml': configMap('a', { value }) });
    await touch();
    await stage.settles('touched', commit);
    commits.push(commit);
  }
  const recorded = (app: Application): unknown => app.status?.history?.map(({ revision }) => revision);
  await stage.until('touched', 'has its history', (app) => isDeepStrictEqual(recorded(app), commits));
});

test('metrics, Events and health checks are there', async () => {
  const metrics = await stage.operator.metrics();
  assert.match(metrics, /argocd_app_info\{[^}]*name="plain"[^}]*sync_status="Synced"[^}]*\} 1/);
  assert.match(metrics, /argocd_app_reconcile_count\{/);
  assert.match(metrics, /mooring_drift_objects/);
  for (const path of ['/livez', '/healthz', '/readyz'])
    assert.equal((await fetch(stage.operator.url + path)).status, 200);
  const events = await stage.kube.list('/api/v1/namespaces/argocd/events');
  const reasons = new Set(
    events.filter((event) => event['involvedObject'].name === 'plain').map((event) => event['reason']),
  );
  for (const reason of ['OperationStarted', 'OperationCompleted', 'ResourceUpdated'])
    assert.ok(reasons.has(reason), reason);
});

test('every log line of a pass names the application, the revision and the pass', async () => {
  const lines = (await stage.log()).filter(
    ({ application, reason }) => application === 'plain' && reason === 'OperationCompleted',
  );
  assert.ok(lines.length >= 2);
  for (const line of lines) {
    assert.equal(line['namespace'], 'argocd');
    assert.match(String(line['revision']), /^[0-9a-f]{40}$/);
  }
  assert.equal(new Set(lines.map(({ trace_id: trace }) => trace)).size, lines.length);
});
