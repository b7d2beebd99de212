import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { NO_COMMIT } from './git-repository.ts';
import { githubPush, gitlabPush, type Push, sendWebhook } from './webhook.ts';

const push: Push = {
  repoURL: 'http://127.0.0.1:3000/team/shop.git',
  ref: 'refs/heads/main',
  before: '1'.repeat(40),
  after: '2'.repeat(40),
  changes: { added: ['a.yaml'], modified: ['b/c.yaml'], removed: [] },
  message: 'change prices\n\nall of them',
  secret: 'se"cret',
};

test('a GitHub push names the repository, the commits and the files, and is signed', () => {
  const { headers, body } = githubPush(push);
  const payload = JSON.parse(body);
  assert.equal(headers['x-github-event'], 'push');
  assert.equal(headers['x-hub-signature-256'], `sha256=${createHmac('sha256', 'se"cret').update(body).digest('hex')}`);
  assert.equal(headers['x-hub-signature'], `sha1=${createHmac('sha1', 'se"cret').update(body).digest('hex')}`);
  assert.deepEqual(
    [payload.ref, payload.before, payload.after, payload.created, payload.deleted],
    [push.ref, push.before, push.after, false, false],
  );
  assert.equal(payload.repository.html_url, 'http://127.0.0.1:3000/team/shop');
  assert.equal(payload.repository.clone_url, push.repoURL);
  assert.equal(payload.repository.full_name, 'team/shop');
  assert.equal(payload.repository.default_branch, 'main');
  const { added, modified, removed } = payload.commits[0];
  assert.deepEqual({ added, modified, removed }, push.changes);
  assert.equal(payload.head_commit.id, push.after);
});

test('a GitLab push carries the token; a tag push is an event of its own', () => {
  const { headers, body } = gitlabPush(push);
  const payload = JSON.parse(body);
  assert.equal(headers['x-gitlab-event'], 'Push Hook');
  assert.equal(headers['x-gitlab-token'], 'se"cret');
  assert.equal(payload.object_kind, 'push');
  assert.equal(payload.project.web_url, 'http://127.0.0.1:3000/team/shop');
  assert.equal(payload.project.git_http_url, push.repoURL);
  assert.equal(payload.project.path_with_namespace, 'team/shop');
  assert.equal(payload.checkout_sha, push.after);
  assert.equal(payload.commits[0].title, 'change prices');
  assert.deepEqual(payload.commits[0].modified, ['b/c.yaml']);

  const tag = gitlabPush({ ...push, ref: 'refs/tags/v1' });
  assert.equal(tag.headers['x-gitlab-event'], 'Tag Push Hook');
  assert.equal(JSON.parse(tag.body).object_kind, 'tag_push');
});

test('without a secret nothing is signed; a deleted branch has no commits', () => {
  const { secret, ...open } = push;
  assert.equal(secret, 'se"cret');
  const github = githubPush({ ...open, repoURL: 'http://127.0.0.1:3000/shop.git', after: NO_COMMIT });
  assert.ok(!('x-hub-signature-256' in github.headers));
  const payload = JSON.parse(github.body);
  assert.equal(payload.deleted, true);
  assert.equal(payload.head_commit, null);
  assert.deepEqual(payload.commits, []);
  assert.equal(payload.repository.html_url, 'http://127.0.0.1:3000/shop');
  const gitlab = gitlabPush({ ...open, after: NO_COMMIT });
  assert.ok(!('x-gitlab-token' in gitlab.headers));
  assert.equal(JSON.parse(gitlab.body).checkout_sha, null);
  assert.throws(() => githubPush({ ...open, repoURL: 'http://127.0.0.1:3000/' }), /names no repository/);
});

test('a webhook is delivered as it was signed', async () => {
  let received: { headers: IncomingHttpHeaders; body: string } | undefined;
  const receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received = { headers: request.headers, body };
    response.writeHead(202).end('taken');
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/api/webhook`;
  const webhook = githubPush(push);
  const answer = await sendWebhook(url, webhook);
  assert.deepEqual([answer.status, answer.body], [202, 'taken']);
  assert.equal(received?.body, webhook.body);
  assert.equal(received?.headers['x-hub-signature-256'], webhook.headers['x-hub-signature-256']);
  assert.equal(received?.headers['content-type'], 'application/json');

  receiver.removeAllListeners('request');
  await assert.rejects(sendWebhook(url, webhook, { timeoutMs: 100 }), /timeout/i);
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await assert.rejects(sendWebhook(url, webhook), /fetch failed/);
});
