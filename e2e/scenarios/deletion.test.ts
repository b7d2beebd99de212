import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Application } from '@mooring/crds';
import { applicationsPath } from '../harness/applications.ts';
import { configMap, configMapPath, patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;

before(async () => {
  // Its pods do what their commands say: `false` fails, `sleep N` takes N seconds.
  stage = await startStage({ name: 'e2e-deletion', node: 'simulated' });
});
after(() => stage?.close());

const cascade = 'resources-finalizer.argocd.argoproj.io';
const jobsPath = (namespace: string): string => `/apis/batch/v1/namespaces/${namespace}/jobs`;

function hook(name: string, phase: string, command: readonly string[], policy = 'HookSucceeded'): string {
  return JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: { 'argocd.argoproj.io/hook': phase, 'argocd.argoproj.io/hook-delete-policy': policy },
    },
    spec: {
      backoffLimit: 0,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox', command }] } },
    },
  });
}

const settles = (name: string, revision?: string): Promise<Application> => stage.settles(name, revision);

const goes = (name: string): Promise<unknown> =>
  stage.view.until(`${name} is gone`, (apps) => !apps.has(name), patienceMs);

test('hooks run before and after a deletion, in that order, and hold it until they are done', async () => {
  const repository = await stage.repository('hooked', {
    'a.yaml': configMap('a', {}),
    'before.yaml': hook('before', 'PreDelete', ['sleep', '1']),
    'after.yaml': hook('after', 'PostDelete', ['sleep', '1']),
  });
  await stage.application('hooked', repository);
  const app = await settles('hooked');
  assert.deepEqual(app.metadata.finalizers?.toSorted(), [
    'post-delete-finalizer.argocd.argoproj.io',
    'post-delete-finalizer.argocd.argoproj.io/cleanup',
    'pre-delete-finalizer.argocd.argoproj.io',
    'pre-delete-finalizer.argocd.argoproj.io/cleanup',
  ]);
  assert.deepEqual(await stage.kube.list(jobsPath('hooked')), [], 'a sync runs none of them');
  await stage.kube.merge(`${applicationsPath}/hooked`, {
    metadata: { finalizers: [...(app.metadata.finalizers ?? []), cascade] },
  });
  const told: string[] = [];
  const note = (type: string, name: string): void => {
    if (!told.includes(`${type} ${name}`)) told.push(`${type} ${name}`);
  };
  const stops = [
    stage.kube.watch(jobsPath('hooked'), (type, { metadata }) => note(type, metadata.name)),
    stage.kube.watch(configMapPath('hooked'), (type, { metadata }) => {
      if (metadata.name === 'a') note(type, 'a');
    }),
  ];
  await stage.kube.remove(`${applicationsPath}/hooked`);
  await goes('hooked');
  for (const stop of stops) stop();
  const order = ['ADDED before', 'DELETED a', 'ADDED after'].map((what) => told.indexOf(what));
  assert.ok(
    order.every((place, index) => place >= 0 && (index === 0 || place > (order[index - 1] ?? 0))),
    told.join(', '),
  );
  assert.equal(await stage.kube.find(configMapPath('hooked', 'a')), undefined);
});

test('a hook that fails keeps everything, says so, and is tried again once it is mended', async () => {
  const repository = await stage.repository('broken-hook', {
    'a.yaml': configMap('a', {}),
    'before.yaml': hook('before', 'PreDelete', ['false']),
  });
  await stage.application('broken-hook', repository);
  const app = await settles('broken-hook');
  await stage.kube.merge(`${applicationsPath}/broken-hook`, {
    metadata: { finalizers: [...(app.metadata.finalizers ?? []), cascade] },
  });
  await stage.kube.remove(`${applicationsPath}/broken-hook`);
  await stage.view.until(
    'the failure is told',
    (apps) =>
      (apps.get('broken-hook')?.status?.conditions ?? []).some(
        ({ type, message }) => type === 'DeletionError' && /PreDelete hook\(s\) failed: .*before/.test(message),
      ),
    patienceMs,
  );
  assert.ok(await stage.kube.find(configMapPath('broken-hook', 'a')));
  await stage.push(repository, { 'before.yaml': hook('before', 'PreDelete', ['true']) });
  await goes('broken-hook');
  assert.equal(await stage.kube.find(configMapPath('broken-hook', 'a')), undefined);
});

test('an Application without hooks loses the finalizers of those that it had', async () => {
  const repository = await stage.repository('unhooked', {
    'a.yaml': configMap('a', {}),
    'after.yaml': hook('after', 'PostDelete', ['true']),
  });
  await stage.application('unhooked', repository);
  assert.equal((await settles('unhooked')).metadata.finalizers?.length, 2);
  const commit = await stage.push(repository, { 'after.yaml': null });
  await stage.view.until(
    'it has none',
    (apps) => {
      const app = apps.get('unhooked');
      return app?.status?.sync?.revision === commit && app.metadata.finalizers === undefined;
    },
    patienceMs,
  );
});

test('an Application whose cluster is no destination any more can go', async () => {
  const repository = await stage.repository('homeless', { 'a.yaml': configMap('a', {}) });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'elsewhere', namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
    stringData: {
      name: 'elsewhere',
      server: 'https://127.0.0.1:1',
      config: JSON.stringify({ tlsClientConfig: { insecure: true } }),
    },
  };
  await stage.kube.create('/api/v1/namespaces/argocd/secrets', secret);
  await stage.application('homeless', repository, { destination: { name: 'elsewhere', namespace: 'homeless' } });
  await stage.kube.merge(`${applicationsPath}/homeless`, { metadata: { finalizers: [cascade] } });
  await stage.kube.remove(`${applicationsPath}/homeless`);
  await stage.view.until(
    'it waits for the cluster',
    (apps) => (apps.get('homeless')?.status?.conditions ?? []).some(({ type }) => type === 'DeletionError'),
    patienceMs,
  );
  await stage.kube.remove('/api/v1/namespaces/argocd/secrets/elsewhere');
  await goes('homeless');
});

test('a hook that goes by itself when it is done has run', async () => {
  const job = JSON.parse(hook('fleeting', 'PreSync', ['true'], 'HookFailed'));
  job.spec.ttlSecondsAfterFinished = 0;
  const repository = await stage.repository('fleeting', {
    'a.yaml': configMap('a', {}),
    'job.yaml': JSON.stringify(job),
  });
  await stage.application('fleeting', repository, {
    syncPolicy: { automated: {}, retry: { limit: 0 }, syncOptions: ['CreateNamespace=true'] },
  });
  await stage.view.until(
    'the sync is over',
    (apps) => apps.get('fleeting')?.status?.operationState?.finishedAt !== undefined,
    patienceMs,
  );
  const state = stage.view.get('fleeting')?.status?.operationState;
  assert.equal(state?.phase, 'Succeeded', state?.message ?? '');
  assert.ok(await stage.kube.find(configMapPath('fleeting', 'a')));
});

test('a hook that ended and was to go while no operator ran has run once, and tells its end', async () => {
  const job = JSON.parse(hook('once', 'PreSync', ['sleep', '2'], 'BeforeHookCreation'));
  job.spec.ttlSecondsAfterFinished = 0;
  const repository = await stage.repository('once', {
    'a.yaml': configMap('a', {}),
    'job.yaml': JSON.stringify(job),
  });
  const path = `${jobsPath('once')}/once`;
  let runs = 0;
  let isLeaving = false;
  const stop = stage.kube.watch(jobsPath('once'), (type, { metadata }) => {
    if (type === 'ADDED') runs += 1;
    isLeaving ||= metadata.deletionTimestamp !== undefined;
  });
  await stage.application('once', repository);
  await stage.until('once', 'waits for its hook', ({ status }) =>
    /waiting for completion of hook/.test(status?.operationState?.message ?? ''),
  );
  await stage.operator.kill();
  const until = Date.now() + patienceMs;
  while (!isLeaving && Date.now() < until) await sleep(50);
  const left = await stage.kube.get(path);
  assert.match(String(left.metadata['finalizers']), /argocd\.argoproj\.io\/hook-finalizer/, 'it is held');
  await stage.restartOperator('kill');
  const { status } = await stage.until('once', 'has synced', (app) => app.status?.operationState?.phase !== 'Running');
  assert.equal(status?.operationState?.phase, 'Succeeded', status?.operationState?.message ?? '');
  assert.ok(await stage.kube.find(configMapPath('once', 'a')));
  while ((await stage.kube.find(path)) !== undefined && Date.now() < until) await sleep(50);
  assert.equal(await stage.kube.find(path), undefined, 'it is let go');
  stop();
  assert.equal(runs, 1);
});

test('a namespace that is deleted while a hook runs is not held', async () => {
  const job = JSON.parse(hook('long', 'PreSync', ['sleep', '600'], 'BeforeHookCreation'));
  // Without its pods it would never end.
  job.spec.backoffLimit = 6;
  const repository = await stage.repository('swept', {
    'a.yaml': configMap('a', {}),
    'job.yaml': JSON.stringify(job),
  });
  await stage.application('swept', repository, { syncPolicy: { syncOptions: ['CreateNamespace=true'] } });
  await stage.kube.merge(`${applicationsPath}/swept`, { operation: { sync: {} } });
  await stage.until('swept', 'waits for its hook', ({ status }) =>
    /waiting for completion of hook/.test(status?.operationState?.message ?? ''),
  );
  await stage.kube.remove('/api/v1/namespaces/swept');
  const { status } = await stage.until('swept', 'fails', (app) => app.status?.operationState?.phase === 'Failed');
  assert.match(status?.operationState?.message ?? '', /batch\/Job\/long was deleted before it was done/);
  const until = Date.now() + patienceMs;
  while ((await stage.kube.find('/api/v1/namespaces/swept')) !== undefined && Date.now() < until) await sleep(100);
  assert.equal(await stage.kube.find('/api/v1/namespaces/swept'), undefined);
});

test('a hook that somebody holds is not the next sync’s, which waits and says for whom', async () => {
  const job = JSON.parse(hook('held', 'PreSync', ['true']));
  job.metadata.finalizers = ['e2e.mooring.dev/hold'];
  const repository = await stage.repository('held', {
    'a.yaml': configMap('a', { v: '1' }),
    'job.yaml': JSON.stringify(job),
  });
  await stage.application('held', repository);
  await settles('held', await repository.resolve('main'));
  const path = `${jobsPath('held')}/held`;
  const { uid } = (await stage.kube.get(path)).metadata;
  const second = await stage.push(repository, { 'a.yaml': configMap('a', { v: '2' }) });
  const waiting = await stage.until('held', 'waits', ({ status }) =>
    /waiting for deletion/.test(status?.operationState?.message ?? ''),
  );
  assert.match(waiting.status?.operationState?.message ?? '', /e2e\.mooring\.dev\/hold.*batch\/Job\/held/);
  assert.equal((await stage.kube.get(configMapPath('held', 'a')))['data'].v, '1');
  await stage.kube.merge(path, { metadata: { finalizers: null } });
  await settles('held', second);
  assert.equal((await stage.kube.get(configMapPath('held', 'a')))['data'].v, '2');
  const next = await stage.kube.get(path);
  assert.notEqual(next.metadata.uid, uid);
  await stage.kube.merge(path, { metadata: { finalizers: null } });
});

test('what is pruned is gone before the next wave starts', async () => {
  const first = JSON.parse(configMap('first', {}));
  first.metadata.finalizers = ['e2e.mooring.dev/hold'];
  const later = configMap('later', {}, { 'argocd.argoproj.io/sync-wave': '1' });
  const repository = await stage.repository('lingering', { 'first.yaml': JSON.stringify(first) });
  await stage.application('lingering', repository);
  await settles('lingering');
  await stage.push(repository, { 'first.yaml': null, 'later.yaml': later });
  await stage.view.until(
    'it waits',
    (apps) => {
      const { message = '' } = apps.get('lingering')?.status?.operationState ?? {};
      return /^waiting for deletion of \/ConfigMap\/first \(since \S+\)$/.test(message);
    },
    patienceMs,
  );
  assert.equal(await stage.kube.find(configMapPath('lingering', 'later')), undefined);
  await stage.kube.merge(configMapPath('lingering', 'first'), { metadata: { finalizers: null } });
  await stage.view.until(
    'the sync is over',
    (apps) =>
      apps.get('lingering')?.status?.operationState?.phase === 'Succeeded' &&
      apps.get('lingering')?.status?.sync?.status === 'Synced',
    patienceMs,
  );
  assert.ok(await stage.kube.find(configMapPath('lingering', 'later')));
  assert.equal(await stage.kube.find(configMapPath('lingering', 'first')), undefined);
  const results = stage.view.get('lingering')?.status?.operationState?.syncResult?.resources ?? [];
  assert.deepEqual(results.map(({ name, status }) => `${name} ${status}`).toSorted(), ['first Pruned', 'later Synced']);
});
