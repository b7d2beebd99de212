import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import type { Settings } from '../../world/store.ts';
import type { WebhookRefusal } from '../../world/telemetry.ts';
import type { TraceParent } from '../../world/tracer.ts';
import { announce } from './news.ts';
import { receiveWebhook } from './receive.ts';

const secret = 'correct horse';
const open: Settings['webhookSecrets'] = {};
const closed: Settings['webhookSecrets'] = { 'github.secret': secret, 'gitlab.secret': secret };

/** Hands in a delivery; answers the status, the body, the addresses that were looked at, those that were counted, and why it was refused. */
async function receive(
  headers: Readonly<Record<string, string>>,
  payload: unknown,
  webhookSecrets: Settings['webhookSecrets'] = open,
  users: (url: string) => number = () => 3,
) {
  const body = payload instanceof Uint8Array ? payload : new TextEncoder().encode(JSON.stringify(payload));
  const urls: string[] = [];
  const counted: (string | undefined)[] = [];
  const parents = new Set<TraceParent | undefined>();
  const refresh = (url: string, parent?: TraceParent): number => {
    urls.push(url);
    parents.add(parent);
    return users(url);
  };
  const refusals: WebhookRefusal[] = [];
  const answer = await receiveWebhook(
    { headers, body },
    {
      webhookSecrets,
      deliver: (news) => announce(news, { refresh, metrics: { pushed: (url) => counted.push(url) } }),
      refused: (refusal) => refusals.push(refusal),
    },
  );
  return { ...answer, urls, counted, parents: [...parents], refusals };
}

const github = {
  clone_url: 'https://github.com/shop/deploy.git',
  html_url: 'https://github.com/shop/deploy',
  ssh_url: 'git@github.com:shop/deploy.git',
  git_url: 'git://github.com/shop/deploy.git',
};
const gitlab = {
  git_http_url: 'https://gitlab.com/shop/deploy.git',
  web_url: 'https://gitlab.com/shop/deploy',
  git_ssh_url: 'git@gitlab.com:shop/deploy.git',
};
const push = { 'x-github-event': 'push' };
const hook = { 'x-gitlab-event': 'Push Hook' };

function sign(payload: unknown, key: string = secret): string {
  const bytes = payload instanceof Uint8Array ? payload : JSON.stringify(payload);
  return `sha256=${createHmac('sha256', key).update(bytes).digest('hex')}`;
}

test('a push of GitHub has every address of the repository looked at, once', async () => {
  const { status, body, urls } = await receive(push, { repository: { ...github, git_url: github.clone_url } });
  assert.deepEqual([status, body], [200, '3 applications use this repository\n']);
  assert.deepEqual(urls, [github.clone_url, github.html_url, github.ssh_url]);
});

test('a push that is a part of a trace has its repository looked at as one', async () => {
  const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'ci=7' };
  assert.deepEqual((await receive({ ...push, ...trace }, { repository: github })).parents, [trace]);
  const { traceparent } = trace;
  assert.deepEqual((await receive({ ...push, traceparent }, { repository: github })).parents, [{ traceparent }]);
  assert.deepEqual((await receive(push, { repository: github })).parents, [undefined]);
});

test('a push of GitLab has every address of the project looked at', async () => {
  for (const event of ['Push Hook', 'Tag Push Hook', 'System Hook']) {
    const { status, urls } = await receive({ 'x-gitlab-event': event }, { project: gitlab });
    assert.equal(status, 200);
    assert.deepEqual(urls, [gitlab.git_http_url, gitlab.web_url, gitlab.git_ssh_url]);
  }
});

test('a push is counted once, under an address that Applications use, and else under none', async () => {
  const repository = { repository: github };
  assert.deepEqual((await receive(push, repository)).counted, [github.clone_url]);
  const used = await receive(push, repository, open, (url) => (url === github.ssh_url ? 2 : 0));
  assert.deepEqual([used.body, used.counted], ['2 applications use this repository\n', [github.ssh_url]]);
  assert.deepEqual((await receive(push, repository, open, () => 0)).counted, [undefined], 'anybody can make names up');
  for (const other of [
    await receive({ 'x-github-event': 'ping' }, repository),
    await receive(push, repository, closed),
  ])
    assert.deepEqual(other.counted, []);
});

test('one address is enough', async () => {
  assert.deepEqual((await receive(push, { repository: { html_url: github.html_url, ssh_url: null } })).urls, [
    github.html_url,
  ]);
  assert.deepEqual((await receive(hook, { project: { web_url: gitlab.web_url } })).urls, [gitlab.web_url]);
});

const payload = { repository: github };
const signatures: readonly [what: string, signature: string | undefined, status: number][] = [
  ['a good signature', sign(payload), 200],
  ['none', undefined, 401],
  ['an empty one', '', 401],
  ['that of another secret', sign(payload, 'wrong'), 401],
  ['that of another body', sign({}), 401],
  ['one of the old kind', `sha1=${createHmac('sha1', secret).update(JSON.stringify(payload)).digest('hex')}`, 401],
  ['one that is cut', sign(payload).slice(0, -1), 401],
  ['one with wide characters of the same length', 'é'.repeat(71), 401],
];
for (const [what, signature, status] of signatures) {
  test(`GitHub with a secret, and ${what}: ${status}`, async () => {
    const headers = { ...push, ...(signature !== undefined && { 'x-hub-signature-256': signature }) };
    const answer = await receive(headers, payload, closed);
    assert.equal(answer.status, status);
    assert.equal(answer.urls.length > 0, status === 200);
    assert.ok(!answer.body.includes(secret));
  });
}

const tokens: readonly [token: string | undefined, status: number][] = [
  [secret, 200],
  [undefined, 401],
  ['', 401],
  [`${secret} `, 401],
  ['wrong', 401],
];
for (const [token, status] of tokens) {
  test(`GitLab with a secret, and the token ${JSON.stringify(token)}: ${status}`, async () => {
    const headers = { ...hook, ...(token !== undefined && { 'x-gitlab-token': token }) };
    const answer = await receive(headers, { project: gitlab }, closed);
    assert.equal(answer.status, status);
    assert.equal(answer.urls.length > 0, status === 200);
  });
}

const notJson = (text: string): Uint8Array => new TextEncoder().encode(text);
const bad: readonly [what: string, payload: unknown][] = [
  ['nothing', new Uint8Array()],
  ['no JSON', notJson('payload=%7B%7D')],
  ['half of it', notJson('{"repository":{"clone_url":"https://')],
  ['no UTF-8', new Uint8Array([0xff, 0xfe, 0x7b])],
  ['null', null],
  ['a list', [{ repository: github, project: gitlab }]],
  ['a number', 7],
  ['an empty object', {}],
  ['a repository that is null', { repository: null, project: null }],
  ['a repository that is a list', { repository: [github], project: [gitlab] }],
  ['a repository that is a text', { repository: 'x', project: 'x' }],
  [
    'addresses of other types',
    { repository: { clone_url: 5, html_url: {} }, project: { git_http_url: [], web_url: true } },
  ],
  ['empty addresses', { repository: { clone_url: '' }, project: { web_url: '' } }],
  [
    'addresses beyond all measure',
    { repository: { clone_url: 'x'.repeat(5_000) }, project: { web_url: 'x'.repeat(5_000) } },
  ],
  ['inherited fields', notJson('{"__proto__":{"repository":{"clone_url":"x"},"project":{"web_url":"x"}}}')],
  ['a million brackets', notJson('['.repeat(1_000_000))],
  ['ten megabytes', notJson(`{"commits":"${'x'.repeat(10_000_000)}"}`)],
];
for (const [what, given] of bad) {
  test(`a push with ${what} is refused, and nothing is looked at`, async () => {
    for (const headers of [push, hook]) {
      const { status, body, urls } = await receive(headers, given);
      assert.deepEqual([status, urls], [400, []]);
      assert.match(body, /^the payload names no (repository|project)\n$/);
    }
  });
}

const others: readonly Readonly<Record<string, string>>[] = [
  { 'x-github-event': 'ping' },
  { 'x-github-event': 'pull_request' },
  { 'x-gitlab-event': 'Note Hook' },
  { 'x-gitlab-event': '' },
];
for (const headers of others) {
  test(`${JSON.stringify(headers)} is in order and changes nothing`, async () => {
    const { status, body, urls } = await receive(headers, { repository: github, project: gitlab });
    assert.deepEqual([status, urls], [200, []]);
    assert.match(body, /^ignored: /);
  });
}

test('other events must be signed too', async () => {
  assert.equal((await receive({ 'x-github-event': 'ping' }, {}, closed)).status, 401);
  assert.equal((await receive({ 'x-github-event': 'ping', 'x-hub-signature-256': sign({}) }, {}, closed)).status, 200);
});

test('a delivery of nobody known is refused', async () => {
  const { status, body, urls } = await receive({ 'x-gitea-event': 'push' }, payload);
  assert.deepEqual([status, urls], [400, []]);
  assert.match(body, /github and gitlab/);
});

test('where a host has a secret, another one without is refused: a delivery in its name needs no secret', async () => {
  const onlyGithub = { 'github.secret': secret };
  const { status, body, urls, refusals } = await receive(hook, { project: gitlab }, onlyGithub);
  assert.deepEqual([status, urls], [401, []]);
  assert.match(body, /set webhook\.gitlab\.secret/);
  assert.deepEqual(refusals, [{ host: 'gitlab', reason: 'no-secret' }]);
  const headers = { ...push, 'x-hub-signature-256': sign(payload) };
  assert.equal((await receive(headers, payload, onlyGithub)).status, 200);
  assert.equal((await receive({ ...headers, ...hook }, payload, onlyGithub)).status, 200);
  assert.equal((await receive(hook, { project: gitlab }, { 'bitbucket.uuid': 'x' })).status, 401);
});

test('each refusal says of which host, and why', async () => {
  const because = async (...given: Parameters<typeof receive>) => (await receive(...given)).refusals;
  assert.deepEqual(await because({}, payload), [{ host: 'unknown', reason: 'unknown-host' }]);
  assert.deepEqual(await because(push, payload, closed), [{ host: 'github', reason: 'wrong-secret' }]);
  assert.deepEqual(await because(hook, {}), [{ host: 'gitlab', reason: 'payload' }]);
  assert.deepEqual(await because(push, payload), []);
});

test("GitHub's form, which it proposes, is read as its JSON is, and signed as it came", async () => {
  const json = JSON.stringify({ ref: 'refs/heads/ä + b & c', repository: github });
  const form = notJson(`x=1&payload=${encodeURIComponent(json).replaceAll('%20', '+')}&y=%zz`);
  const headers = { ...push, 'content-type': 'application/x-www-form-urlencoded' };
  assert.deepEqual((await receive(headers, form)).urls, Object.values(github));
  assert.equal((await receive({ ...headers, 'x-hub-signature-256': sign(form) }, form, closed)).status, 200);
  assert.equal((await receive({ ...headers, 'x-hub-signature-256': sign(json) }, form, closed)).status, 401);
  assert.equal((await receive(headers, notJson('nopayload=%7B%7D'))).status, 400);
});
