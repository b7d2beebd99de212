import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { applicationsPath } from '../harness/applications.ts';
import { patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;

before(async () => {
  stage = await startStage({ name: 'beside', node: 'none' });
});
after(() => stage?.close());

const configMap = (name: string, data: Record<string, string>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `not so after a minute: ${what}`);
    await sleep(50);
  }
}

const versionOf = async (name: string): Promise<string> =>
  String(
    ((await stage.kube.get(`${applicationsPath}/${name}`)) as { metadata: { resourceVersion: string } }).metadata
      .resourceVersion,
  );
const readyz = async (): Promise<string> => (await fetch(`${stage.operator.url}/readyz?verbose`)).text();
const metric = async (pattern: RegExp): Promise<boolean> => pattern.test(await stage.operator.metrics());

test('with --read-only everything that would change is told, and nothing is written', async () => {
  const repository = await stage.repository('shop', {
    'a.yaml': configMap('a', { value: '1' }),
    'b.yaml': configMap('b', {}),
  });
  await stage.application('shop', repository);
  await stage.settles('shop');
  await stage.restartOperator('stop', { args: ['--read-only'] });
  const version = await versionOf('shop');
  await stage.push(repository, {
    'a.yaml': configMap('a', { value: '2' }),
    'b.yaml': null,
    'c.yaml': configMap('c', {}),
  });
  const told = (action: string) =>
    metric(new RegExp(`^mooring_preview_objects\\{namespace="argocd",name="shop",action="${action}"\\} 1$`, 'm'));
  for (const action of ['create', 'update', 'prune']) await until(`${action} is told`, () => told(action));
  const lines = (await stage.log()).filter(({ msg, message }) =>
    /a sync would change these/.test(String(msg ?? message)),
  );
  assert.match(JSON.stringify(lines.at(-1)), /create ConfigMap.*c.*|update ConfigMap/);
  assert.match(await readyz(), /\[\+\]other-controllers .*--read-only/);
  assert.ok(await metric(/^mooring_leader 0$/m));
  // A refresh is answered by a status, too: here by none.
  await stage.kube.merge(`${applicationsPath}/shop`, {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
  });
  const annotated = await versionOf('shop');
  assert.notEqual(annotated, version);
  await sleep(1_000);
  assert.equal(await versionOf('shop'), annotated);
  await stage.kube.merge(`${applicationsPath}/shop`, {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': null } },
  });
  await stage.restartOperator('stop');
  await stage.settles('shop', await repository.resolve('main'));
});

test("beside Argo CD's application controller it says so and writes nothing, and goes on when that is gone", async () => {
  const podsPath = '/api/v1/namespaces/argocd/pods';
  await stage.kube.create(podsPath, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'argocd-application-controller-0',
      labels: { 'app.kubernetes.io/name': 'argocd-application-controller' },
    },
    spec: { containers: [{ name: 'controller', image: 'argocd' }] },
  });
  await until('it is told', async () =>
    /\[-\]other-controllers: .*argocd-application-controller-0/.test(await readyz()),
  );
  const repository = await stage.repository('late', { 'a.yaml': configMap('a', {}) });
  await stage.application('late', repository);
  const version = await versionOf('late');
  await sleep(1_000);
  assert.equal(await versionOf('late'), version);
  await stage.kube.remove(`${podsPath}/argocd-application-controller-0?gracePeriodSeconds=0`);
  await stage.settles('late');
  assert.match(await readyz(), /\[\+\]other-controllers ok/);
});
