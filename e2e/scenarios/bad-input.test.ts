import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GitRepository } from '../git-server/git-repository.ts';
import { startGitServer } from '../git-server/git-server.ts';
import { applicationsPath, isSettled } from '../harness/applications.ts';
import type { AnyObject } from '../harness/kube.ts';
import { configMap, configMapPath, ownServer, patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;

before(async () => {
  stage = await startStage({ name: 'e2e-bad-input', node: 'none' });
});
after(() => stage?.close());

const good = { 'a.yaml': configMap('a', { value: '1' }), 'b.yaml': configMap('b', { value: '1' }) };

/** An Application that is Synced with the ConfigMaps `a` and `b`. */
async function settled(name: string): Promise<GitRepository> {
  const repository = await stage.repository(name, good);
  await stage.application(name, repository);
  await stage.settles(name);
  return repository;
}

/** Waits for a condition of this type whose message matches everything given, and answers the message. */
async function condition(name: string, type: string, ...expected: readonly RegExp[]): Promise<string> {
  let found = '';
  await stage.view.until(
    `${name} gets ${type} that says ${expected.join(' and ')}`,
    (apps) => {
      const conditions = apps.get(name)?.status?.conditions ?? [];
      const match = conditions.find((one) => one.type === type && expected.every((part) => part.test(one.message)));
      found = match?.message ?? '';
      return match !== undefined;
    },
    patienceMs,
  );
  return found;
}

/** Waits for the one Event that warns of it. */
async function warned(name: string, reason: string, message: string): Promise<void> {
  const isOfIt = (event: AnyObject): boolean => event['involvedObject'].name === name && event['reason'] === reason;
  for (const until = Date.now() + patienceMs; ; await sleep(100)) {
    const events = (await stage.kube.list('/api/v1/namespaces/argocd/events')).filter(isOfIt);
    if (events.length === 0 && Date.now() < until) continue;
    assert.deepEqual(
      events.map((event) => [event['type'], event['message']]),
      [['Warning', message]],
    );
    return;
  }
}

/** What every scenario ends with: nothing was pruned meanwhile, and the cause gone means the trouble gone. */
async function recovers(name: string, revision?: string): Promise<void> {
  await stage.until(name, 'recovers', (app) => isSettled(app, revision) && (app.status?.conditions ?? []).length === 0);
}

async function nothingPruned(name: string): Promise<void> {
  for (const object of ['a', 'b'])
    assert.ok(await stage.kube.find(configMapPath(name, object)), `${object} was pruned`);
}

test('broken YAML is named by file and line; nothing is pruned, others go on', async () => {
  const repository = await settled('broken-yaml');
  const other = await settled('beside-broken-yaml');
  await stage.push(repository, { 'b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b\n' });
  const told = await condition('broken-yaml', 'ComparisonError', /b\.yaml/, /line \d+|:\d+/);
  await warned('broken-yaml', 'ComparisonError', told);
  assert.equal(stage.view.get('broken-yaml')?.status?.sync?.status, 'Unknown');
  const commit = await stage.push(other, { 'a.yaml': configMap('a', { value: '2' }) });
  await recovers('beside-broken-yaml', commit);
  await nothingPruned('broken-yaml');
  await recovers('broken-yaml', await stage.push(repository, { 'b.yaml': configMap('b', { value: '2' }) }));
});

test('a path that is not there is named', async () => {
  const repository = await settled('no-path');
  const source = { repoURL: repository.url, path: 'nowhere', targetRevision: 'main' };
  await stage.kube.merge(`${applicationsPath}/no-path`, { spec: { source } });
  await condition('no-path', 'ComparisonError', /nowhere/, /exist/);
  await nothingPruned('no-path');
  await stage.kube.merge(`${applicationsPath}/no-path`, { spec: { source: { ...source, path: '.' } } });
  await recovers('no-path');
});

test('a branch that is not there is named, and found once it is there', async () => {
  const repository = await settled('no-branch');
  await stage.kube.merge(`${applicationsPath}/no-branch`, { spec: { source: { targetRevision: 'next' } } });
  await condition('no-branch', 'ComparisonError', /next/);
  await nothingPruned('no-branch');
  await repository.setBranch('next', 'main');
  await recovers('no-branch');
});

test('a chart whose template fails says why and where', async () => {
  const chart = {
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
    'templates/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {value: "{{ required "set .Values.color" .Values.color }}"}\n`,
    'values.yaml': 'color: red\n',
  };
  const repository = await stage.repository('bad-chart', chart);
  await stage.application('bad-chart', repository);
  await recovers('bad-chart');
  await stage.push(repository, { 'values.yaml': 'color:\n' });
  await condition('bad-chart', 'ComparisonError', /set \.Values\.color/, /templates\/a\.yaml/);
  assert.ok(await stage.kube.find(configMapPath('bad-chart', 'a')));
  await recovers('bad-chart', await stage.push(repository, { 'values.yaml': 'color: blue\n' }));
});

test('a Git server that is down, or that asks for credentials, is told apart', async () => {
  const git = await startGitServer();
  try {
    const repository = await git.createRepository('flaky');
    await repository.commit({ files: good, message: 'first' });
    await stage.application('flaky', repository);
    await recovers('flaky');
    const refresh = { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } } };
    await git.setFault({ kind: 'down' });
    await stage.kube.merge(`${applicationsPath}/flaky`, refresh);
    await condition('flaky', 'ComparisonError', /flaky\.git/);
    await nothingPruned('flaky');
    await git.setFault({ kind: 'unauthorized' });
    await condition('flaky', 'ComparisonError', /credential|Secret/i);
    await nothingPruned('flaky');
    await git.setFault(undefined);
    await recovers('flaky');
  } finally {
    await git.close();
  }
});

test('a repository with a password is read with the Secret that names it', async () => {
  const git = await startGitServer();
  try {
    const repository = await git.createRepository('private', { users: { ann: 'correct horse' } });
    await repository.commit({ files: good, message: 'first' });
    await stage.application('private', repository);
    const message = await condition('private', 'ComparisonError', /credential|Secret/i);
    assert.doesNotMatch(message, /correct horse/);
    await stage.kube.create('/api/v1/namespaces/argocd/secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'private', labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
      stringData: { type: 'git', url: repository.url, username: 'ann', password: 'correct horse' },
    });
    await recovers('private');
  } finally {
    await git.close();
  }
});

test('a forbidden source, destination or kind is refused before the first write', async () => {
  const repository = await stage.repository('fenced', {
    ...good,
    'c.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: c}\n',
  });
  const project = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'fence', namespace: 'argocd' },
    spec: { sourceRepos: ['http://elsewhere/*'], destinations: [{ server: ownServer, namespace: 'other' }] },
  };
  const projects = '/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects';
  await stage.kube.create(projects, project);
  await stage.kube.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'fenced' } });
  await stage.application('fenced', repository, { project: 'fence' });
  await condition('fenced', 'InvalidSpecError', /fenced\.git/, /not permitted/);
  await stage.kube.merge(`${projects}/fence`, { spec: { sourceRepos: ['*'] } });
  await condition('fenced', 'InvalidSpecError', /destination/);
  await stage.kube.merge(`${projects}/fence`, {
    spec: {
      destinations: [{ server: ownServer, namespace: 'fenced' }],
      namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }],
    },
  });
  await stage.view.until(
    'the sync is refused',
    (apps) => {
      const results = apps.get('fenced')?.status?.operationState?.syncResult?.resources ?? [];
      return results.some(
        ({ kind, status, message }) =>
          kind === 'Secret' && status === 'SyncFailed' && /not permitted/.test(message ?? ''),
      );
    },
    patienceMs,
  );
  assert.equal(await stage.kube.find('/api/v1/namespaces/fenced/secrets/c'), undefined);
  await recovers('fenced', await stage.push(repository, { 'c.yaml': null }));
});

test('an unknown cluster and an unreachable one are told apart, and others go on', async () => {
  const repository = await stage.repository('far', good);
  const destination = { server: 'https://127.0.0.1:9', namespace: 'far' };
  await stage.application('far', repository, { destination });
  await condition('far', 'InvalidSpecError', /127\.0\.0\.1:9/);
  await stage.kube.create('/api/v1/namespaces/argocd/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'far', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
    stringData: { name: 'far', server: destination.server, config: JSON.stringify({ bearerToken: 'none' }) },
  });
  await condition('far', 'ComparisonError', /127\.0\.0\.1:9/);
  assert.equal(stage.view.get('far')?.status?.health?.status, 'Unknown');
  await settled('beside-far');
  await stage.kube.merge(`${applicationsPath}/far`, { spec: { destination: { server: ownServer } } });
  await recovers('far');
});

test('an object that the API server refuses is named, and the others are applied', async () => {
  const repository = await stage.repository('refused', {
    'a.yaml': configMap('a', { value: '1' }),
    'b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {value: [1, 2]}\n',
  });
  await stage.application('refused', repository);
  await stage.view.until(
    'the refusal is told',
    (apps) => {
      const state = apps.get('refused')?.status?.operationState;
      const result = state?.syncResult?.resources?.find(({ name }) => name === 'b');
      return result?.status === 'SyncFailed' && /b/.test(state?.message ?? '') && (result.message ?? '') !== '';
    },
    patienceMs,
  );
  assert.ok(await stage.kube.find(configMapPath('refused', 'a')));
  await recovers('refused', await stage.push(repository, { 'b.yaml': configMap('b', { value: '1' }) }));
});

test('a refused Secret names the field, and neither garbles the words nor gives a value away', async () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls' }, type: 'kubernetes.io/tls' };
  const data = { stringData: { 'tls.crt': 'c4n4ry', note: 'e' } };
  const repository = await stage.repository('tls', { 'tls.json': JSON.stringify({ ...secret, ...data }) });
  await stage.application('tls', repository);
  await stage.until('tls', 'tells the refusal', (app) => {
    const message = app.status?.operationState?.syncResult?.resources?.[0]?.message ?? '';
    return /Invalid: data\[tls\.key\] \(FieldValueRequired\); its message is left out/.test(message);
  });
  assert.doesNotMatch(JSON.stringify(stage.view.get('tls')?.status), /c4n4ry|\+{8}/);
  await recovers('tls', await stage.push(repository, { 'tls.json': null, 'a.yaml': configMap('a', { value: '1' }) }));
});

test('10 MB of manifests are refused by name and size', async () => {
  const repository = await settled('huge');
  const big = Array.from({ length: 11 }, (_, index) =>
    configMap(`big-${index}`, { value: 'x'.repeat(1_000_000) }),
  ).join('---\n');
  await stage.push(repository, { 'big.yaml': big });
  await condition('huge', 'ComparisonError', /big\.yaml/, /bytes|MB/);
  await nothingPruned('huge');
  await recovers('huge', await stage.push(repository, { 'big.yaml': null }));
});

test('a conversion webhook that is down keeps nobody waiting but those with objects of its kind, and nothing is left behind', async () => {
  const version = (name: string, storage: boolean): object => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  });
  const names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' };
  const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.com';
  const conversion = (value: object): Promise<unknown> => stage.kube.merge(definition, { spec: { conversion: value } });
  await stage.kube.apply(definition, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gadgets.example.com' },
    spec: { group: 'example.com', scope: 'Namespaced', names, versions: [version('v2', false), version('v1', true)] },
  });
  const gadget = JSON.stringify({ apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'one' } });
  const gadgetPath = '/apis/example.com/v1/namespaces/with-gadget/gadgets/one';
  const repository = await stage.repository('with-gadget', { 'gadget.json': gadget });
  await stage.application('with-gadget', repository);
  await recovers('with-gadget');
  const other = await settled('without-gadget');

  const clientConfig = { url: 'https://127.0.0.1:9/convert' };
  await conversion({ strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } });
  await stage.restartOperator('stop');
  await condition('with-gadget', 'ComparisonError', /gadgets\.example\.com cannot be seen/);
  await recovers('without-gadget', await stage.push(other, { 'a.yaml': configMap('a', { value: '2' }) }));
  await stage.kube.merge(`${applicationsPath}/with-gadget`, {
    metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  });
  await stage.kube.remove(`${applicationsPath}/with-gadget`);
  await condition('with-gadget', 'DeletionError', /gadgets\.example\.com cannot be seen/);

  await conversion({ strategy: 'None', webhook: null });
  await stage.view.until('it goes', (apps) => !apps.has('with-gadget'), patienceMs);
  assert.equal(await stage.kube.find(gadgetPath), undefined);
  await stage.kube.remove(definition);
});
