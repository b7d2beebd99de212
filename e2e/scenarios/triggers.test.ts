import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GitRepository } from '../git-server/git-repository.ts';
import { githubPush, gitlabPush, sendWebhook } from '../git-server/webhook.ts';
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

test('without a webhook the repository is polled', async () => {
  await stage.kube.create('/api/v1/namespaces/argocd/configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data: { 'timeout.reconciliation': '2s', 'timeout.reconciliation.jitter': '0s' },
  });
  for (const value of ['3', '4']) await arrives((await commit(value)).after);
});
