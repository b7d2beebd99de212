import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GitRepository } from '../git-server/git-repository.ts';
import { applicationsPath } from '../harness/applications.ts';
import { selfSigned } from '../harness/certificate.ts';
import { freePort } from '../harness/operator-process.ts';
import { configMap, configMapPath, ownServer, patienceMs, type Stage, startStage } from '../harness/stage.ts';
import { type ReceivedSpan, type Receiver, startReceiver } from './receiver.ts';

let stage: Stage;
let receiver: Receiver;
let repository: GitRepository;
let grpc: number;
let http: number;

const variables = (address: string): Record<string, string> => ({
  ARGOCD_APPLICATION_CONTROLLER_OTLP_ADDRESS: address,
  ARGOCD_APPLICATION_CONTROLLER_OTLP_HEADERS: 'authorization=Bearer canary',
  ARGOCD_APPLICATION_CONTROLLER_OTLP_ATTRS: 'deployment.environment.name:test',
});

before(async () => {
  [grpc, http] = [await freePort(), await freePort()];
  const listen = (port: number): object => ({ endpoint: `127.0.0.1:${port}`, include_metadata: true });
  receiver = await startReceiver({ protocols: { grpc: listen(grpc), http: listen(http) } });
  stage = await startStage({ name: 'e2e-traces', node: 'simulated', env: variables(`127.0.0.1:${grpc}`) });
  repository = await stage.repository('shop', {
    ...Object.fromEntries(Object.entries(cart('1')).map(([name, text]) => [`cart/${name}`, text])),
    'catalog/deployment.yaml': deployment('catalog', '1'),
    'other/settings.yaml': configMap('settings', {}),
  });
  for (const path of ['cart', 'catalog', 'other']) {
    await stage.application(path, repository, {
      source: { repoURL: repository.url, path, targetRevision: 'main' },
      destination: { server: ownServer, namespace: path },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        retry: { limit: 0 },
        syncOptions: ['CreateNamespace=true'],
      },
    });
  }
  for (const name of ['cart', 'catalog', 'other']) await stage.settles(name);
});
after(async () => {
  await stage?.close();
  await receiver?.stop();
});

/** Two waves and a hook that takes a second. */
function cart(value: string): Record<string, string> {
  return {
    'settings.yaml': configMap('settings', { value }),
    'deployment.yaml': deployment('cart', value, { 'argocd.argoproj.io/sync-wave': '1' }),
    'hook.yaml': JSON.stringify({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'smoke', annotations: { 'argocd.argoproj.io/hook': 'PostSync' } },
      spec: { template: podOf('smoke', value, { restartPolicy: 'Never' }, ['sleep', '1']) },
    }),
  };
}

function deployment(name: string, value: string, annotations: Record<string, string> = {}): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, annotations },
    spec: { selector: { matchLabels: { app: name } }, template: podOf(name, value) },
  });
}

function podOf(name: string, value: string, spec: object = {}, command?: string[]): object {
  const container = { name, image: 'shop', env: [{ name: 'VALUE', value }], ...(command && { command }) };
  return { metadata: { labels: { app: name } }, spec: { ...spec, containers: [container] } };
}

/** Waits for the end of the trace whose first span the test holds for, and answers that span and all of the trace. */
async function trace(
  what: string,
  test: (span: ReceivedSpan) => boolean,
): Promise<{ root: ReceivedSpan; spans: readonly ReceivedSpan[] }> {
  const spans = await receiver.until(what, (all) => all.some(test));
  const root = spans.find(test) as ReceivedSpan;
  return { root, spans: spans.filter(({ traceId }) => traceId === root.traceId) };
}

const commitTrace = (commit: string): ReturnType<typeof trace> =>
  trace(
    `trace of commit ${commit}`,
    ({ name, attributes }) => name === 'commit' && attributes['argocd.revision'] === commit,
  );

const childrenOf = (spans: readonly ReceivedSpan[], parent: ReceivedSpan): ReceivedSpan[] =>
  spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);

const namesOf = (spans: readonly ReceivedSpan[]): string[] => spans.map(({ name }) => name).sort();

/** Every span but the first has its parent in the trace, and begins and ends inside of it. */
function assertTree(root: ReceivedSpan, spans: readonly ReceivedSpan[]): void {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  assert.equal(byId.size, spans.length);
  for (const span of spans) {
    if (span === root) continue;
    const parent = byId.get(span.parentSpanId);
    assert.ok(parent, `${span.name} has no parent`);
    assert.ok(span.start >= parent.start, `${span.name} begins before ${parent.name}`);
    assert.ok(span.end <= parent.end, `${span.name} ends after ${parent.name}`);
    assert.ok(span.end >= span.start, `${span.name} ends before it begins`);
  }
}

test('a commit for two Applications is one trace, from the webhook to the last object Healthy', async () => {
  const files = { ...cart('2'), 'deployment.yaml': deployment('cart', '2', { 'argocd.argoproj.io/sync-wave': '1' }) };
  const commit = await stage.push(repository, {
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`cart/${name}`, text])),
    'catalog/deployment.yaml': deployment('catalog', '2'),
  });
  const { root, spans } = await commitTrace(commit);
  for (const name of ['cart', 'catalog']) await stage.settles(name, commit);
  assertTree(root, spans);
  assert.equal(root.parentSpanId, '');
  assert.equal(root.failure, undefined);
  assert.deepEqual(root.attributes, {
    'argocd.repo.url': repository.url,
    'argocd.revision': commit,
    'mooring.trigger': 'webhook',
    'mooring.applications': 2,
    'mooring.applications.failed': 0,
  });
  assert.deepEqual(namesOf(childrenOf(spans, root)), ['application cart', 'application catalog', 'fetch', 'resolve']);
  const others = receiver.spans.filter(
    ({ traceId, attributes }) => traceId !== root.traceId && attributes['argocd.revision'] === commit,
  );
  assert.deepEqual(others, []);

  const app = (name: string): ReceivedSpan => spans.find((span) => span.name === `application ${name}`) as ReceivedSpan;
  for (const name of ['cart', 'catalog']) {
    const { attributes } = app(name);
    assert.equal(attributes['argocd.app.namespace'], 'argocd');
    assert.deepEqual([attributes['argocd.sync.status'], attributes['argocd.health.status']], ['Synced', 'Healthy']);
    const [first] = childrenOf(spans, app(name))
      .filter((span) => span.name === 'reconcile')
      .sort((a, b) => (a.start < b.start ? -1 : 1));
    const steps = new Set(namesOf(childrenOf(spans, first as ReceivedSpan)));
    assert.deepEqual([...steps], ['diff', 'observe', 'publish', 'render', 'resolve', 'sync']);
  }

  const waves = childrenOf(spans, app('cart'))
    .filter(({ name }) => name.startsWith('wave '))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
  assert.deepEqual(
    waves.map((wave) => [wave.name, ...namesOf(childrenOf(spans, wave))]),
    [
      ['wave Sync 0', 'apply ConfigMap'],
      ['wave Sync 1', 'apply Deployment'],
      ['wave PostSync 0', 'apply Job'],
    ],
  );
  for (const [index, wave] of waves.slice(1).entries())
    assert.ok(wave.start >= (waves[index] as ReceivedSpan).end, `${wave.name} began too early`);
  const hook = spans.find(({ name }) => name === 'apply Job');
  assert.equal(hook?.attributes['argocd.hook.type'], 'PostSync');
  assert.ok(hook.end - hook.start >= 1_000_000_000n, 'the hook ends before its Job');

  // The operation of catalog is over when its Deployment is applied; the trace waits for its pods.
  const [wave] = childrenOf(spans, app('catalog')).filter(({ name }) => name.startsWith('wave '));
  const [rollout] = childrenOf(spans, wave as ReceivedSpan);
  assert.deepEqual(
    ['group', 'kind', 'namespace', 'name'].map((part) => rollout?.attributes[`argocd.resource.${part}`]),
    ['apps', 'Deployment', 'catalog', 'catalog'],
  );
  const applied = rollout?.events.find(({ name }) => name === 'applied');
  const live = await stage.kube.get('/apis/apps/v1/namespaces/catalog/deployments/catalog');
  assert.equal(live['status'].observedGeneration, live.metadata['generation']);
  assert.ok(applied !== undefined && rollout !== undefined && applied.at < rollout.end);

  for (const app of ['cart', 'catalog'])
    await logged(
      app,
      ({ application, revision, reason }) =>
        application === app && revision === commit && reason === 'OperationCompleted',
    );
  const lines = (await stage.log()).filter((line) => line['trace_id'] === root.traceId);
  const seen = lines.find(({ msg }) => msg === 'a commit was seen');
  assert.deepEqual([seen?.['revision'], seen?.['applications']], [commit, 2]);
  for (const name of ['cart', 'catalog']) {
    const own = lines.filter((line) => line['application'] === name);
    assert.ok(
      own.some(({ reason }) => reason === 'OperationCompleted'),
      `no line of ${name}`,
    );
    for (const line of own) {
      assert.equal(line['namespace'], 'argocd');
      assert.equal(line['span_id'], app(name).spanId);
    }
  }
});

test('metrics tell how many spans were sent, and which trace a deployment belongs to', async () => {
  const commit = await repository.resolve('main');
  const { root } = await commitTrace(commit);
  const answer = await fetch(`${stage.operator.url}/metrics`, {
    headers: { accept: 'application/openmetrics-text;version=1.0.0' },
  });
  const text = await answer.text();
  const buckets = text.split('\n').filter((line) => line.startsWith('mooring_seen_to_synced_seconds_bucket'));
  assert.ok(
    buckets.some((line) => line.includes(`# {trace_id="${root.traceId}"}`)),
    buckets.join('\n'),
  );
  const sent = /^mooring_spans_total\{result="sent"\} (\d+)/m.exec(text)?.[1];
  assert.ok(Number(sent) > 0, text);
});

test('what is sent says who sends it, with the headers and attributes of the settings', () => {
  const [span] = receiver.spans;
  assert.equal(span?.resource['service.name'], 'mooring');
  assert.ok(span.resource['service.version']);
  assert.ok(span.resource['service.instance.id']);
  assert.equal(span.resource['deployment.environment.name'], 'test');
  assert.deepEqual(span.headers['authorization'], ['Bearer canary']);
});

test('a webhook that is a part of a trace is continued in it', async () => {
  const traceId = 'f00d5eed0000000000000000c0ffee01';
  const commit = await stage.push(
    repository,
    { 'other/settings.yaml': configMap('settings', { value: '2' }) },
    { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'ci=build-7' },
  );
  const { root, spans } = await commitTrace(commit);
  assertTree(root, spans);
  assert.deepEqual([root.traceId, root.parentSpanId, root.traceState], [traceId, '00f067aa0ba902b7', 'ci=build-7']);
  assert.ok((await stage.log()).some((line) => line['trace_id'] === traceId && line['application'] === 'other'));

  const silent = 'f00d5eed0000000000000000c0ffee02';
  const next = await stage.push(
    repository,
    { 'other/settings.yaml': configMap('settings', { value: '3' }) },
    { traceparent: `00-${silent}-00f067aa0ba902b7-00` },
  );
  await stage.settles('other', next);
  // One that its sender does not record is not recorded here either; the log still tells what belongs together.
  await logged(silent, (line) => line['trace_id'] === silent && line['application'] === 'other');
  assert.ok(!receiver.spans.some((span) => span.traceId === silent));
});

test('what a person asks for, and what is healed, are traces of their own', async () => {
  const rootOf = (trigger: string): ReturnType<typeof trace> =>
    trace(
      `trace of ${trigger}`,
      ({ name, attributes }) => name === 'operation other' && attributes['mooring.trigger'] === trigger,
    );
  await stage.kube.merge(`${applicationsPath}/other`, {
    operation: { initiatedBy: { username: 'ann' }, sync: { syncOptions: ['Replace=true'] } },
  });
  const asked = await rootOf('person');
  assertTree(asked.root, asked.spans);
  assert.equal(asked.root.failure, undefined);
  assert.ok(asked.spans.some(({ name }) => name === 'reconcile'));

  await stage.kube.merge(configMapPath('other', 'settings'), { data: { value: 'drifted' } });
  const healed = await rootOf('self-heal');
  assertTree(healed.root, healed.spans);
  assert.ok(healed.spans.some(({ name }) => name === 'apply ConfigMap'));
  assert.notEqual(healed.root.traceId, asked.root.traceId);
});

const untaken = 'traces are not taken by the receiver of --otlp-address';

/** Waits for a line of the log: what it tells of may be seen before it. */
async function logged(what: string, test: (line: Record<string, unknown>) => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await stage.log()).some(test)) {
    assert.ok(performance.now() < deadline, `no line of ${what}`);
    await sleep(50);
  }
}

test('a sync that fails ends its trace, and says why', async () => {
  const commit = await stage.push(repository, {
    'other/broken.yaml': configMap('broken', {}).replace('"data"', '"dota"'),
  });
  const { root, spans } = await commitTrace(commit);
  assertTree(root, spans);
  assert.match(root.failure ?? '', /ConfigMap\/other\/broken/);
  const object = spans.find(({ name, failure }) => name === 'apply ConfigMap' && failure !== undefined);
  assert.match(object?.failure ?? '', /dota/);
  await stage.settles('other', await stage.push(repository, { 'other/broken.yaml': null }));
});

test('OTLP/HTTP and ids for X-Ray', async () => {
  await stage.restartOperator('stop', { env: variables(`http://127.0.0.1:${http}`), args: ['--trace-ids', 'xray'] });
  const before = Math.floor(Date.now() / 1_000);
  const commit = await stage.push(repository, { 'other/settings.yaml': configMap('settings', { value: '4' }) });
  const { root, spans } = await commitTrace(commit);
  assertTree(root, spans);
  const seconds = Number.parseInt(root.traceId.slice(0, 8), 16);
  assert.ok(seconds >= before && seconds <= Date.now() / 1_000, root.traceId);
  assert.deepEqual(root.headers['content-type'], ['application/x-protobuf']);
});

test('a receiver is spoken to by TLS where it is told so, and only if somebody vouches for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-traces-'));
  const { key, certificate } = await selfSigned(folder);
  const port = await freePort();
  const tls = { key_file: key, cert_file: certificate };
  const secure = await startReceiver({ protocols: { grpc: { endpoint: `127.0.0.1:${port}`, tls } } });
  try {
    const env = { ...variables(`127.0.0.1:${port}`), ARGOCD_APPLICATION_CONTROLLER_OTLP_INSECURE: 'false' };
    await stage.restartOperator('stop', { env });
    await stage.push(repository, { 'other/settings.yaml': configMap('settings', { value: '5' }) });
    await logged('the certificate', (line) => line['msg'] === untaken && /self-signed/.test(String(line['error'])));
    await stage.restartOperator('stop', { env: { ...env, NODE_EXTRA_CA_CERTS: certificate } });
    await stage.push(repository, { 'other/settings.yaml': configMap('settings', { value: '6' }) });
    await secure.until('span', (spans) => spans.some(({ name }) => name === 'commit'));
  } finally {
    await secure.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test('a receiver that is down keeps nothing waiting, and is told of once', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    for (const port of [(silent.address() as AddressInfo).port, await freePort()]) {
      await stage.restartOperator('stop', { env: variables(`127.0.0.1:${port}`) });
      for (const value of ['7', '8', '9']) {
        const commit = await stage.push(repository, { 'other/settings.yaml': configMap(`s${port}`, { value }) });
        await stage.settles('other', commit);
      }
      const spans = /^mooring_spans_total\{result="sent"\} (\d+)$/m.exec(await stage.operator.metrics());
      assert.equal(spans?.[1], '0');
      const before = performance.now();
      await stage.operator.stop();
      // One request may take ten seconds.
      assert.ok(performance.now() - before < 5_000, 'stopping waits for the receiver');
    }
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  }
  const lines = (await stage.log()).filter(({ msg }) => msg === untaken);
  const refused = lines.filter(({ error }) => /ECONNREFUSED/.test(String(error)));
  assert.equal(refused.length, 1, JSON.stringify(lines));
  assert.ok(!JSON.stringify(await stage.log()).includes('canary'));
});
