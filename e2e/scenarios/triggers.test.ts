import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '@mooring/crds';
import type { GitRepository } from '../git-server/git-repository.ts';
import { githubPush, gitlabPush, sendWebhook } from '../git-server/webhook.ts';
import { applicationsPath } from '../harness/applications.ts';
import { configMap, patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;
let repository: GitRepository;

before(async () => {
  stage = await startStage({ name: 'e2e-triggers', node: 'none' });
  repository = await stage.repository('news', { 'a.yaml': configMap('a', { value: '0' }) });
  await stage.application('news', repository);
  await arrives(await repository.resolve('main'));
});
after(() => stage?.close());

const arrives = (commit: string): Promise<unknown> => stage.settles('news', commit);

/** A commit that nobody has told the operator of yet, and what a Git host would say of it. */
async function commit(value: string): Promise<Parameters<typeof githubPush>[0]> {
  const earlier = await repository.resolve('main');
  const later = await repository.commit({ files: { 'a.yaml': configMap('a', { value }) }, message: value });
  const changes = await repository.changes(earlier, later);
  return { repoURL: repository.url, ref: 'refs/heads/main', before: earlier, after: later, changes };
}

const hook = (): string => `${stage.operator.url}/api/webhook`;

test('a push of GitHub or GitLab is looked at when its secret is right, and refused when it is not', async () => {
  const secrets = { 'webhook.github.secret': 'hub', 'webhook.gitlab.secret': 'lab' };
  await stage.kube.create('/api/v1/namespaces/argocd/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'argocd-secret', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    stringData: secrets,
  });
  const deadline = performance.now() + patienceMs;
  const first = await commit('1');
  while ((await sendWebhook(hook(), githubPush({ ...first, secret: 'wrong' }))).status !== 401) {
    assert.ok(performance.now() < deadline, 'the secret is not looked at');
  }
  assert.equal((await sendWebhook(hook(), gitlabPush({ ...first, secret: 'wrong' }))).status, 401);
  const answer = await sendWebhook(hook(), githubPush({ ...first, secret: 'hub' }));
  assert.equal(answer.status, 200, answer.body);
  assert.ok(answer.ms < 1_000, `${answer.ms} ms`);
  await arrives(first.after);
  const second = await commit('2');
  assert.equal((await sendWebhook(hook(), gitlabPush({ ...second, secret: 'lab' }))).status, 200);
  await arrives(second.after);
});

test('what is no webhook is refused, whatever it is', async () => {
  for (const [headers, body] of [
    [{}, '{}'],
    [{ 'x-github-event': 'push' }, 'null'],
    [{ 'x-gitlab-event': 'Push Hook' }, '[]'],
  ] as const) {
    const answer = await fetch(hook(), { method: 'POST', headers, body });
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
  }
  assert.equal((await fetch(hook())).status, 405);
});

test('a push while a wave waits is shown at once, and synced when the sync is over', async () => {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'none' }] } };
  const spec = { selector: { matchLabels: { app: 'web' } }, template };
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec };
  const wave = { 'argocd.argoproj.io/sync-wave': '1' };
  const files = { 'web.yaml': JSON.stringify(web), 'after.yaml': configMap('after', { value: '1' }, wave) };
  const waves = await stage.repository('waves', files);
  const first = await waves.resolve('main');
  await stage.application('waves', waves);
  // No node runs it, so that it never gets healthy.
  const isWaiting = (app: Application): boolean =>
    /waiting for healthy/.test(app.status?.operationState?.message ?? '');
  await stage.until('waves', 'waits', isWaiting);
  const second = await waves.commit({ files: { 'web.yaml': null }, message: 'mended' });
  const changes = await waves.changes(first, second);
  const push = { repoURL: waves.url, ref: 'refs/heads/main', before: first, after: second, changes };
  assert.equal((await sendWebhook(hook(), githubPush({ ...push, secret: 'hub' }))).status, 200);
  const told = await stage.until('waves', 'tells', ({ status }) => status?.sync?.revision === second);
  assert.equal(told.status?.sync?.status, 'OutOfSync');
  assert.deepEqual(
    told.status.conditions?.map(({ type }) => type),
    ['mooring.dev/NewerCommitWaits'],
  );
  assert.equal(told.status.operationState?.syncResult?.revision, first);
  await stage.kube.merge(`${applicationsPath}/waves`, { status: { operationState: { phase: 'Terminating' } } });
  const { status } = await stage.settles('waves', second);
  assert.equal(status?.conditions, undefined);
});

test('without a webhook the repository is polled', async () => {
  await stage.kube.create('/api/v1/namespaces/argocd/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data: { 'timeout.reconciliation': '2s', 'timeout.reconciliation.jitter': '0s' },
  });
  for (const value of ['3', '4']) await arrives((await commit(value)).after);
});
