import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { applicationCrd, appProjectCrd, type CustomResourceDefinition } from '@mooring/crds';
import { type ApiServer, apiServerOf } from '../harness/api-server.ts';
import { type Bare, startBare, until, type Watched } from './fixture.ts';

let bare: Bare;
let apiServer: ApiServer;
/** One process for all tests, as they are in order: what is mended is mended without a restart. */
let operator: Watched;

before(async () => {
  bare = await startBare('e2e-start');
  apiServer = await apiServerOf(bare.cluster);
});
after(async () => {
  await bare?.close();
  apiServer?.close();
});

/** Lines that tell of it. An API server that is just starting may be told of in other ways, too. */
async function refusals(): Promise<number> {
  return (await operator.told('APIServerUnreachable')).filter((message) => message.includes('ECONNREFUSED')).length;
}

const unreachable = /^api-server: https:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/m;

test('without an API server it lives and says so once, and goes on by itself when there is one', async () => {
  await apiServer.stop();
  operator = await bare.operate(bare.cluster.kubeconfigPath);
  await operator.says(503, unreachable);
  assert.equal((await fetch(`${operator.url}/livez`)).status, 200);
  await apiServer.start();
  await operator.says(503, /^crds: the cluster does not serve Applications and AppProjects/m);
  assert.equal(await refusals(), 1);
  assert.equal((await operator.told('CRDsMissing')).length, 1);
  await until('both are told by Events', async () => {
    const warnings = await bare.warnings();
    return ['APIServerUnreachable Namespace/argocd', 'CRDsMissing Namespace/argocd'].every((one) =>
      warnings.includes(one),
    );
  });
});

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Replaces the CRD of Applications by one whose version is changed. */
async function replace(
  change: (version: CustomResourceDefinition['spec']['versions'][number]) => object,
): Promise<void> {
  const { metadata, spec, ...rest } = applicationCrd;
  const path = `${definitions}/${metadata.name}`;
  await bare.kube.remove(path);
  await until('the CRD is gone', async () => (await bare.kube.find(path)) === undefined);
  await bare.kube.create(definitions, { ...rest, metadata, spec: { ...spec, versions: spec.versions.map(change) } });
}

test('CRDs of another version are told by what is wrong with them, and it starts with the right ones', async () => {
  await replace((version) => ({ ...version, name: 'v1beta1' }));
  await operator.says(503, /^crds: the cluster serves argoproj\.io only as v1beta1, not as v1alpha1: install/m);
  await bare.kube.create(definitions, appProjectCrd);
  await operator.says(503, /^crds: the cluster does not serve Application \(applications\.argoproj\.io\): install/m);
  await replace((version) => ({ ...version, subresources: { status: {} } }));
  await operator.says(503, /^crds: applications\.argoproj\.io has a status subresource/m);
  assert.ok(!(await operator.metrics()).includes('argocd_app_info{'));

  await replace(({ schema, ...version }) => {
    const { properties = {} } = schema.openAPIV3Schema;
    const { info: _, ...fields } = properties['spec']?.properties ?? {};
    const spec = { ...properties['spec'], properties: fields };
    return {
      ...version,
      schema: { openAPIV3Schema: { ...schema.openAPIV3Schema, properties: { ...properties, spec } } },
    };
  });
  await operator.says(
    503,
    /^crds: applications\.argoproj\.io is of another version: it does not know spec\.info: install/m,
  );
  await replace((version) => version);
  await operator.says(200, /^ok\n$/);
  assert.equal((await operator.told('CRDsOfAnotherVersion')).length, 3);
  assert.ok((await bare.warnings()).includes('CRDsOfAnotherVersion Namespace/argocd'));
  await bare.application('first');
  await bare.settles('first');
});

const settings = '/api/v1/namespaces/argocd/configmaps';

test('a setting that cannot be used is told once, by an Event of its ConfigMap too, until it is corrected', async () => {
  const data = { 'timeout.reconciliation': 'soon' };
  await bare.kube.create(settings, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm' }, data });
  await operator.says(200, /^settings: argocd-cm: timeout\.reconciliation is "soon", but must be a duration.*\nok\n$/);
  for (const value of ['a', 'b', 'c']) await bare.kube.merge(`${settings}/argocd-cm`, { data: { unrelated: value } });
  await until('it is told by an Event', async () =>
    (await bare.warnings()).includes('SettingInvalid ConfigMap/argocd-cm'),
  );
  await bare.application('beside-a-bad-setting');
  await bare.settles('beside-a-bad-setting');
  await bare.kube.merge(`${settings}/argocd-cm`, { data: { 'kustomize.buildOptions': '--load_restrictor none' } });
  await operator.says(
    200,
    /^settings: argocd-cm: kustomize\.buildOptions is "--load_restrictor none", but .*has no flag/m,
  );
  await bare.kube.merge(`${settings}/argocd-cm`, {
    data: { 'timeout.reconciliation': '3m', 'kustomize.buildOptions': null },
  });
  await operator.says(200, /^ok\n$/);
  assert.equal((await operator.told('SettingInvalid')).length, 2);
});

test('an API server that is gone for a while leaves it ready, and it goes on where it was', async () => {
  const before = await refusals();
  await apiServer.stop();
  await operator.says(200, unreachable);
  await apiServer.start();
  await operator.says(200, /^ok\n$/);
  assert.equal(await refusals(), before + 1);
  await bare.application('after-an-outage');
  await bare.settles('after-an-outage');
});

test('all that was one process, which no bug stopped, and which ends as it should', async () => {
  assert.ok(operator.isRunning());
  assert.match(await operator.metrics(), /^mooring_reconcile_crashes_total 0$/m);
  assert.equal(await operator.stop(), 0);
});
