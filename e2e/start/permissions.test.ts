import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { applicationsPath, installMooring } from '../harness/applications.ts';
import { configMap, configMapPath } from '../harness/stage.ts';
import { type Bare, startBare, until, type Watched, writeKubeconfig } from './fixture.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

let bare: Bare;
let operator: Watched;
/** Of a service account that is allowed nothing but what these tests grant. */
let kubeconfigPath: string;

before(async () => {
  bare = await startBare('e2e-permissions');
  await installMooring(bare.kube);
  for (const name of ['team-a', 'team-b'])
    await bare.kube.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await bare.cluster.kubectl('-n', 'argocd', 'create', 'serviceaccount', 'mooring');
  const token = (await bare.cluster.kubectl('-n', 'argocd', 'create', 'token', 'mooring')).trim();
  kubeconfigPath = await writeKubeconfig(bare, 'mooring', { token });
});
after(() => bare?.close());

const rbac = 'rbac.authorization.k8s.io/v1';

/** Makes the rules the account's in a namespace, in place of those it had there. */
async function grant(namespace: string, ...rules: readonly Rule[]): Promise<void> {
  const path = `/apis/${rbac}/namespaces/${namespace}`;
  const metadata = { name: 'mooring' };
  await bare.kube.apply(`${path}/roles/mooring`, { apiVersion: rbac, kind: 'Role', metadata, rules });
  await bare.kube.apply(`${path}/rolebindings/mooring`, {
    apiVersion: rbac,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'mooring' },
    subjects: [{ kind: 'ServiceAccount', name: 'mooring', namespace: 'argocd' }],
  });
}

const rule = (group: string, resources: string, verbs: string): Rule => ({
  apiGroups: [group],
  resources: resources.split(','),
  verbs: verbs.split(','),
});
const everything = rule('*', '*', '*');
const own = [
  rule('argoproj.io', 'applications', 'list,watch,patch'),
  rule('argoproj.io', 'appprojects', 'list,watch,create'),
  rule('', 'secrets,configmaps', 'list,watch'),
  rule('', 'events', 'create,patch'),
];

const lacking =
  /the account system:serviceaccount:argocd:mooring may not patch applications\.argoproj\.io; list, watch secrets; create, patch events in the namespace argocd: bind it there to a Role with the rules \{.*"argoproj\.io".*patch.*\}, \{.*secrets.*\}, \{.*events.*\}/;

test('what its account lacks in its namespace is told once with the rules that grant it, and it starts when it has them', async () => {
  await grant('argocd', rule('argoproj.io', 'applications,appprojects', 'list,watch'), rule('', 'configmaps', '*'));
  operator = await bare.operate(kubeconfigPath);
  await operator.says(503, new RegExp(`^permissions: ${lacking.source}$`, 'm'));
  assert.equal((await fetch(`${operator.url}/livez`)).status, 200);
  await grant('argocd', ...own.slice(0, 1), rule('argoproj.io', 'appprojects', 'list,watch'), ...own.slice(2));
  await operator.says(503, /^default-project: .*cannot create resource "appprojects"/m);
  await grant('argocd', ...own);
  await operator.says(200, /^ok\n$/);
  // While a grant takes effect, some of it may be missing for a moment.
  const told = (await operator.told('PermissionsMissing')).filter((message) => lacking.test(message));
  assert.equal(told.length, 1);
  await until('it is told by Events', async () => {
    const warnings = await bare.warnings();
    return ['PermissionsMissing', 'DefaultProjectMissing'].every((one) => warnings.includes(`${one} Namespace/argocd`));
  });
});

const secrets = '/api/v1/namespaces/argocd/secrets';
const twoMaps = { 'a.yaml': configMap('a', { value: '1' }), 'b.yaml': configMap('b', { value: '1' }) };

test('single namespaces of its own cluster are looked after with Roles in those alone', async () => {
  await bare.application('everywhere', twoMaps, 'team-a');
  await bare.condition(
    'everywhere',
    'ComparisonError',
    /may not list and watch .*: grant it, or set resource\.respectRBAC in argocd-cm, or namespaces in/,
  );
  await grant('team-a', everything);
  await bare.kube.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'in-cluster', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
    stringData: { name: 'in-cluster', server: 'https://kubernetes.default.svc', namespaces: 'team-a' },
  });
  await bare.settles('everywhere');
  await bare.application('abroad', twoMaps, 'team-b');
  await bare.condition('abroad', 'ComparisonError', /namespace "team-b" for ConfigMap "a" is not managed/);
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: made}\n';
  await bare.application('above', { 'namespace.yaml': namespace }, 'team-a');
  await bare.condition(
    'above',
    'ComparisonError',
    /cluster level Namespace "made" can not be managed when in namespaced mode/,
  );
  assert.equal(await bare.kube.find(configMapPath('team-b', 'a')), undefined);
});

/** Changes the Secret of the cluster, so that it is opened anew with what is allowed by now. */
async function reopen(): Promise<void> {
  await bare.kube.merge(`${secrets}/in-cluster`, { stringData: { name: `in-cluster-${performance.now()}` } });
}

for (const mode of ['normal', 'strict']) {
  test(`with resource.respectRBAC: ${mode} a kind that may not be listed stops those who have objects of it`, async () => {
    const name = `with-secret-${mode}`;
    await grant('team-a', everything);
    await reopen();
    const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: ${mode}}\nstringData: {a: b}\n`;
    await bare.application(name, { 'secret.yaml': secret }, 'team-a');
    await bare.settles(name);
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm' } };
    await bare.kube.apply(`${configMapPath('argocd')}/argocd-cm`, {
      ...config,
      data: { 'resource.respectRBAC': mode },
    });
    await grant('team-a', rule('', 'configmaps', '*'));
    await reopen();
    await bare.condition(name, 'ComparisonError', /may not list and watch secrets in the namespace team-a/);
    await bare.application(`maps-${mode}`, { 'a.yaml': configMap(mode, { value: '1' }) }, 'team-a');
    await bare.settles(`maps-${mode}`);
    // It goes only when it can be seen whether anything is left.
    await bare.kube.merge(`${applicationsPath}/${name}`, {
      metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
    });
    await bare.kube.remove(`${applicationsPath}/${name}`);
    await bare.condition(name, 'DeletionError', /may not list and watch secrets in the namespace team-a/);
    assert.ok(await bare.kube.find(`/api/v1/namespaces/team-a/secrets/${mode}`));
    await grant('team-a', rule('', 'configmaps,secrets', '*'));
    await reopen();
    await until('it is gone', async () => (await bare.kube.find(`${applicationsPath}/${name}`)) === undefined);
    assert.equal(await bare.kube.find(`/api/v1/namespaces/team-a/secrets/${mode}`), undefined);
  });
}

test('all that was one process, which no bug stopped', async () => {
  assert.match(await operator.metrics(), /^mooring_reconcile_crashes_total 0$/m);
  assert.equal(await operator.stop(), 0);
});
