import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { applicationsPath } from '../harness/applications.ts';
import { configMap, configMapPath, patienceMs, type Stage, startStage } from '../harness/stage.ts';

let stage: Stage;
let second: Cluster;

before(async () => {
  stage = await startStage({ name: 'e2e-clusters-1', node: 'none' });
  second = await startCluster({ name: 'e2e-clusters-2', node: 'none' });
});
after(async () => {
  await second?.stop();
  await stage?.close();
});

test('an Application reaches another cluster by a cluster Secret, and one that goes away harms nobody', async () => {
  const repository = await stage.repository('east', { 'a.yaml': configMap('a', { value: '1' }) });
  await stage.kube.create('/api/v1/namespaces/argocd/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'east', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
    stringData: {
      name: 'east',
      server: second.server,
      config: JSON.stringify({
        tlsClientConfig: { caData: second.caData, certData: second.certData, keyData: second.keyData },
      }),
    },
  });
  await stage.application('east', repository, { destination: { name: 'east', namespace: 'east' } });
  await stage.application('here', repository);
  for (const name of ['east', 'here']) {
    await stage.settles(name);
  }
  const object = await second.api.call('GET', configMapPath('east', 'a'));
  assert.equal(object.data.value, '1');
  assert.equal(await stage.kube.find(configMapPath('east', 'a')), undefined);

  await second.api.call('PATCH', configMapPath('east', 'a'), { data: { value: 'by hand' } });
  await stage.view.until(
    'drift over there is healed',
    (apps) => (apps.get('east')?.status?.operationState?.operation.sync?.autoHealAttemptsCount ?? 0) > 0,
    patienceMs,
  );

  await second.stop();
  await stage.kube.merge(`${applicationsPath}/east`, {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
  });
  const commit = await stage.push(repository, { 'a.yaml': configMap('a', { value: '2' }) });
  await stage.settles('here', commit);
  await stage.view.until(
    'the loss is told',
    (apps) => {
      const { sync, health, conditions = [] } = apps.get('east')?.status ?? {};
      const told = conditions.some(
        ({ type, message }) => type === 'ComparisonError' && message.includes(second.server),
      );
      return told && sync?.status === 'Unknown' && health?.status === 'Unknown';
    },
    patienceMs,
  );

  const status = new RegExp(
    `^argocd_cluster_connection_status\\{server="${second.server}",k8s_version="1\\..*"\\} 0$`,
    'm',
  );
  // A request that fails is told at once; that the view is lost, when its watches have failed, too.
  const deadline = performance.now() + patienceMs;
  while (!status.test(await stage.operator.metrics())) {
    assert.ok(performance.now() < deadline, 'the metrics tell it, too');
    await sleep(50);
  }

  // While it cannot be reached, nothing there may be left behind; once nobody knows it any more, nobody waits for it.
  await stage.kube.merge(`${applicationsPath}/east`, {
    metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  });
  await stage.kube.remove(`${applicationsPath}/east`);
  const deletionError = (pattern: RegExp): Promise<number> =>
    stage.view.until(
      `the deletion says ${pattern}`,
      (apps) =>
        apps
          .get('east')
          ?.status?.conditions?.some(({ type, message }) => type === 'DeletionError' && pattern.test(message)) === true,
      patienceMs,
    );
  await deletionError(/cannot be reached/);
  await stage.kube.remove('/api/v1/namespaces/argocd/secrets/east');
  await deletionError(/no clusters with this name/);
  await stage.view.until('it goes', (apps) => !apps.has('east'), patienceMs);
});
