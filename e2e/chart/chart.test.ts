import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Application, applicationCrd, appProjectCrd } from '@mooring/crds';
import type { GitRepository } from '../git-server/git-repository.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { isSettled } from '../harness/applications.ts';
import type { OperatorProcess } from '../harness/operator-process.ts';
import { configMap, configMapPath, ownServer, patienceMs } from '../harness/stage.ts';
import { until } from '../kube/fixture.ts';
import { openPlace, type Place, shellBlocks } from './fixture.ts';

let place: Place;
let git: GitServer;
let repository: GitRepository;

before(async () => {
  place = await openPlace('e2e-chart');
  git = await startGitServer();
  repository = await git.createRepository('shop');
  await repository.commit({ files: { 'deploy/a.yaml': configMap('a', { value: '1' }) }, message: 'first' });
});
after(async () => {
  await git?.close();
  await place?.close();
});

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const crdNames = ['applications.argoproj.io', 'appprojects.argoproj.io'];
const deploymentPath = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}/deployments`;
const applicationPath = (namespace: string, name: string): string =>
  `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications/${name}`;

async function application(namespace: string, name: string): Promise<Application> {
  return (await place.kube.get(applicationPath(namespace, name))) as unknown as Application;
}

/** Waits until an Application is as wanted, and answers it. */
async function untilApplication(
  namespace: string,
  name: string,
  what: string,
  isSo: (app: Application) => boolean,
): Promise<Application> {
  await until(`${namespace}/${name} ${what}`, async () => isSo(await application(namespace, name)), patienceMs);
  return application(namespace, name);
}

const labelsOf = async (path: string): Promise<Record<string, string>> =>
  (await place.kube.get(path)).metadata['labels'] as Record<string, string>;

const isThere = async (path: string): Promise<boolean> => (await place.kube.find(path)) !== undefined;

/** Commands of the chart's README, in their order. */
const says = await shellBlocks(new URL('../../charts/mooring/README.md', import.meta.url));
const [install = '', highAvailability = '', upgrade = '', uninstall = '', removeAll = ''] = says;

test('installed, upgraded and uninstalled as its README says; what was deployed runs on', async () => {
  const { kube, shell } = place;
  assert.equal(says.length, 5);
  const { run } = shell;
  await place.namespace('argocd');

  const notes = (await run(install)).split('NOTES:\n')[1] ?? '';
  for (const name of crdNames) {
    const conditionsOf = async (): Promise<{ type: string; status: string }[]> =>
      (await kube.get(`${crdPath}/${name}`))['status']?.conditions ?? [];
    await until(`${name} is served`, async () =>
      (await conditionsOf()).some(({ type, status }) => type === 'Established' && status === 'True'),
    );
  }
  // The second step of the notes, for a repository that is there.
  const [, apply = ''] = /^( {5}kubectl apply -f - <<END\n.*?^ {5}END)$/ms.exec(notes) ?? [];
  const named = apply.replace('https://git.example.com/team/shop.git', repository.url);
  assert.notEqual(named, apply);
  await shell.run(named.replace(/^ {5}/gm, ''));
  await kube.merge(applicationPath('argocd', 'first'), {
    metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  });

  let operator = await place.operatorAs({ namespace: 'argocd', name: 'mooring' });
  const settled = await untilApplication('argocd', 'first', 'settles', isSettled);
  const deployed = await kube.get(configMapPath('first', 'a'));

  await run(highAvailability);
  const [deployment] = await kube.list(deploymentPath('argocd'));
  assert.equal(deployment?.['spec'].replicas, 2);
  assert.ok(await isThere('/apis/policy/v1/namespaces/argocd/poddisruptionbudgets/mooring'));

  await shell.helm(
    ...['upgrade', 'mooring', 'charts/mooring', '--namespace', 'argocd', '--reset-then-reuse-values'],
    ...['--set', 'crds.additionalLabels.team=platform', '--set-string', 'configs.cm.timeout\\.reconciliation=300s'],
  );
  await run(upgrade);
  const [upgraded] = await kube.list(deploymentPath('argocd'));
  assert.equal(upgraded?.['spec'].replicas, 2);
  assert.equal((await labelsOf(`${crdPath}/${crdNames[0]}`))['team'], 'platform');
  assert.deepEqual((await kube.get(configMapPath('argocd', 'argocd-cm')))['data'], {
    'timeout.reconciliation': '300s',
  });

  await operator.stop();
  await run(uninstall);
  await until('the Deployment is gone', async () => (await kube.list(deploymentPath('argocd'))).length === 0);
  for (const name of crdNames) assert.ok(await isThere(`${crdPath}/${name}`), name);
  assert.equal((await application('argocd', 'first')).metadata.uid, settled.metadata.uid);
  const unchanged = async (): Promise<void> => {
    const { uid, resourceVersion } = (await kube.get(configMapPath('first', 'a'))).metadata;
    assert.deepEqual([uid, resourceVersion], [deployed.metadata.uid, deployed.metadata.resourceVersion]);
  };
  await unchanged();

  await run(install);
  operator = await place.operatorAs({ namespace: 'argocd', name: 'mooring' });
  const commit = await repository.commit({ files: { 'other/b.yaml': configMap('b', {}) }, message: 'second' });
  await kube.merge(applicationPath('argocd', 'first'), {
    metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } },
  });
  await untilApplication('argocd', 'first', 'goes on', (app) => isSettled(app, commit));
  await unchanged();
  await operator.stop();

  await run(uninstall);
});

test('its pods are admitted where Pod Security is restricted', async () => {
  const { kube, shell } = place;
  await place.namespace('secured');
  const pods = '/api/v1/namespaces/secured/pods';
  const privileged = { containers: [{ name: 'a', image: 'a', securityContext: { privileged: true } }] };
  await assert.rejects(
    kube.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: privileged }),
    /violates PodSecurity/,
  );
  await shell.helm('install', 'mooring', 'charts/mooring', '--namespace', 'secured', '--set', 'crds.install=false');
  await until('a pod is there', async () => (await kube.list(pods)).length === 1, patienceMs);
  await shell.helm('uninstall', 'mooring', '--namespace', 'secured');
});

describe('the API server takes every object without a warning', () => {
  before(async () => {
    // What of Prometheus' operator an API server must know to take its objects.
    for (const kind of ['ServiceMonitor', 'PrometheusRule']) {
      const plural = `${kind.toLowerCase()}s`;
      const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
      const name = `${plural}.monitoring.coreos.com`;
      await place.kube.apply(`${crdPath}/${name}`, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name },
        spec: {
          group: 'monitoring.coreos.com',
          scope: 'Namespaced',
          names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        },
      });
      await until(`${name} is served`, () =>
        isThere('/apis/monitoring.coreos.com/v1').then(
          async (is) => is && JSON.stringify(await place.kube.get('/apis/monitoring.coreos.com/v1')).includes(plural),
        ),
      );
    }
    for (const name of ['argocd', 'gitops', 'shop-dev', 'shop-prod']) await place.namespace(name);
  });

  const dryRun = 'kubectl apply --server-side --force-conflicts --dry-run=server --filename';
  const ways = ['argo-cd', 'default', 'full', 'ha', 'monitoring', 'namespaced', 'read-only'];
  for (const name of ways) {
    test(`ci/${name}-values.yaml`, async () => {
      const values = `charts/mooring/ci/${name}-values.yaml`;
      // What is said to be dropped, or to violate a policy, is a warning only.
      const printed = await place.shell.run(
        `helm template mooring charts/mooring --namespace argocd --values ${values} | ${dryRun} - 2>&1`,
      );
      assert.doesNotMatch(printed, /warning/i);
      assert.match(printed, /deployment\.apps\/\S+ serverside-applied \(server dry run\)/);
    });
  }

  test('all of ci/ was looked at', async () => {
    const files = (await place.shell.run('ls charts/mooring/ci')).trim().split('\n');
    assert.deepEqual(
      files,
      ways.map((name) => `${name}-values.yaml`),
    );
  });

  for (const file of ['install.yaml', 'namespace-install.yaml']) {
    test(file, async () => {
      // Those of the release before it are still there.
      const printed = await place.shell.run(
        `kubectl apply -n argocd --server-side --force-conflicts -f charts/${file} 2>&1`,
      );
      assert.doesNotMatch(printed, /warning/i);
      assert.match(printed, /deployment\.apps\/mooring serverside-applied$/m);
      await place.shell.run(`kubectl delete --namespace argocd --selector app.kubernetes.io/instance=mooring \
        deployments,services,serviceaccounts,configmaps,secrets,networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings`);
    });
  }
});

test('takes the place of an argo-cd release, whose objects have the same names', async () => {
  const { shell } = place;
  // What of such a release is in the way: definitions that are kept, and a ConfigMap.
  const chart = join(place.cluster.dir, 'argo-cd');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: argo-cd\nversion: 1.0.0\n');
  const keep = { 'helm.sh/resource-policy': 'keep' };
  const objects = [applicationCrd, appProjectCrd].map(({ metadata, ...crd }) => ({
    ...crd,
    metadata: { ...metadata, annotations: keep },
  }));
  const cm = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm', namespace: 'argocd' } };
  for (const [index, object] of [...objects, cm].entries())
    await writeFile(join(chart, 'templates', `${index}.yaml`), JSON.stringify(object));
  await shell.helm('install', 'argocd', chart, '--namespace', 'argocd', '--take-ownership', '--force-conflicts');
  const installed = ['install', 'mooring', 'charts/mooring', '--namespace', 'argocd'];
  await assert.rejects(shell.helm(...installed), /invalid ownership metadata/);
  await shell.helm('uninstall', 'argocd', '--namespace', 'argocd');
  await assert.rejects(shell.helm(...installed), /invalid ownership metadata/);
  await shell.helm(...installed, '--take-ownership');
  assert.ok(await isThere(configMapPath('argocd', 'argocd-cm')));
  assert.equal((await labelsOf(`${crdPath}/${crdNames[0]}`))['app.kubernetes.io/instance'], 'mooring');
  await shell.run(uninstall);
});

describe('the account may do what its size says, and no more', () => {
  const modes = ['cluster-admin', 'namespaced', 'read-only'] as const;
  type Mode = (typeof modes)[number];
  /** Namespace of the operator, of what it may deploy to in the mode `namespaced`, and of somebody else. */
  const own = (mode: Mode): string => `mooring-${mode}`;
  const target = 'web-target';
  const other = 'web-other';
  const every: readonly Mode[] = modes;
  const writers: readonly Mode[] = ['cluster-admin', 'namespaced'];

  /** Verb, group/resource, namespace, and the modes in which it is allowed. */
  const rights: readonly (readonly [
    verb: string,
    resource: string,
    namespace: 'own' | 'target' | 'other' | '',
    allowed: readonly Mode[],
  ])[] = [
    ['list', 'argoproj.io/applications', 'own', every],
    ['watch', 'argoproj.io/applications', 'own', every],
    ['patch', 'argoproj.io/applications', 'own', writers],
    ['delete', 'argoproj.io/applications', 'own', ['cluster-admin']],
    ['create', 'argoproj.io/applications', 'own', ['cluster-admin']],
    ['create', 'argoproj.io/appprojects', 'own', writers],
    ['update', 'argoproj.io/appprojects', 'own', ['cluster-admin']],
    ['watch', '/secrets', 'own', every],
    ['create', '/secrets', 'own', ['cluster-admin']],
    ['list', '/configmaps', 'own', ['cluster-admin', 'read-only']],
    ['patch', '/configmaps', 'own', ['cluster-admin']],
    ['create', '/events', 'own', writers],
    ['patch', '/events', 'own', writers],
    ['update', 'coordination.k8s.io/leases', 'own', writers],
    ['create', 'coordination.k8s.io/leases', 'own', writers],
    ['patch', 'coordination.k8s.io/leases', 'own', ['cluster-admin']],
    ['delete', 'coordination.k8s.io/leases', 'own', ['cluster-admin']],
    ['list', '/pods', 'own', every],
    ['create', '/pods', 'own', ['cluster-admin']],
    ['list', 'apps/deployments', 'target', every],
    ['patch', 'apps/deployments', 'target', ['cluster-admin', 'namespaced']],
    // Takes the finalizer off a hook.
    ['patch', 'batch/jobs', 'target', ['cluster-admin', 'namespaced']],
    ['create', '/secrets', 'target', ['cluster-admin', 'namespaced']],
    ['create', 'rbac.authorization.k8s.io/rolebindings', 'target', ['cluster-admin', 'namespaced']],
    ['escalate', 'rbac.authorization.k8s.io/roles', 'target', ['cluster-admin', 'namespaced']],
    ['list', 'apps/deployments', 'other', ['cluster-admin', 'read-only']],
    ['get', '/secrets', 'other', ['cluster-admin', 'read-only']],
    ['patch', 'apps/deployments', 'other', ['cluster-admin']],
    ['delete', '/configmaps', 'other', ['cluster-admin']],
    ['create', '/events', 'other', ['cluster-admin']],
    ['patch', 'argoproj.io/applications', 'other', ['cluster-admin']],
    ['list', '/nodes', '', ['cluster-admin', 'read-only']],
    ['create', '/namespaces', '', ['cluster-admin']],
    ['patch', 'rbac.authorization.k8s.io/clusterroles', '', ['cluster-admin']],
    ['impersonate', '/users', '', ['cluster-admin']],
  ];

  async function mayDo(mode: Mode, verb: string, path: string, namespace: string): Promise<boolean> {
    const [group, resource] = path.split('/');
    const answer = await place.kube.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${own(mode)}:mooring`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${own(mode)}`, 'system:authenticated'],
        resourceAttributes: { verb, group, resource, namespace },
      },
    });
    return answer['status'].allowed;
  }

  before(async () => {
    for (const name of [target, other]) await place.namespace(name);
    // Three of one release name side by side: their objects outside of their namespaces do not meet.
    for (const mode of modes) {
      const sets = [
        `rbac.mode=${mode}`,
        'crds.install=false',
        ...(mode === 'namespaced' ? [`rbac.namespaces={${target}}`] : []),
      ];
      await place.namespace(own(mode));
      const args = ['install', 'mooring', 'charts/mooring', '--namespace', own(mode), '--set', sets.join(',')];
      await place.shell.helm(...args);
    }
  });

  for (const mode of modes) {
    test(`${mode}, asked of the API server`, async () => {
      const spaces = { own: own(mode), target, other, '': '' };
      for (const [verb, resource, namespace, allowed] of rights) {
        const may = await mayDo(mode, verb, resource, spaces[namespace]);
        assert.equal(may, allowed.includes(mode), `${verb} ${resource} in ${namespace}`);
      }
    });
  }

  async function createApplication(mode: Mode, namespace: string): Promise<void> {
    const path = `/apis/argoproj.io/v1alpha1/namespaces/${own(mode)}/applications`;
    await place.kube.create(path, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: namespace, namespace: own(mode) },
      spec: {
        project: 'default',
        source: { repoURL: repository.url, path: 'deploy', targetRevision: 'main' },
        destination: { server: ownServer, namespace },
        syncPolicy: { automated: { selfHeal: true } },
      },
    });
  }

  /** Runs the operator with this account while `work` goes on. */
  async function withOperator(mode: Mode, work: () => Promise<void>): Promise<void> {
    const operator: OperatorProcess = await place.operatorAs({ namespace: own(mode), name: 'mooring' });
    try {
      await work();
    } finally {
      await operator.stop();
    }
  }

  test('the operator deploys with the account of `namespaced` where it may, and says so where it may not', async () => {
    await createApplication('namespaced', target);
    await createApplication('namespaced', other);
    await withOperator('namespaced', async () => {
      await untilApplication(own('namespaced'), target, 'settles', isSettled);
      const isTold = /namespace \\"web-other\\" for ConfigMap \\"a\\" is not managed/;
      await untilApplication(own('namespaced'), other, 'is refused', (app) =>
        isTold.test(JSON.stringify(app.status?.conditions ?? [])),
      );
    });
    assert.ok(await isThere(configMapPath(target, 'a')));
    assert.ok(!(await isThere(configMapPath(other, 'a'))));
  });

  test('the operator tells with the account of `read-only` what it would change, and changes nothing', async () => {
    const projects = `/apis/argoproj.io/v1alpha1/namespaces/${own('read-only')}/appprojects`;
    await place.kube.create(projects, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'default' },
      spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] },
    });
    await createApplication('read-only', other);
    const operator = await place.operatorAs({ namespace: own('read-only'), name: 'mooring' }, ['--read-only']);
    try {
      const told = /^mooring_preview_objects\{namespace="mooring-read-only",name="web-other",action="create"\} 1$/m;
      await until('it is told', async () => told.test(await operator.metrics()), patienceMs);
      assert.equal((await fetch(`${operator.url}/readyz`)).status, 200);
    } finally {
      await operator.stop();
    }
    assert.equal((await application(own('read-only'), other)).status, undefined);
    assert.ok(!(await isThere(configMapPath(other, 'a'))));
  });
});

test('removed altogether as its README says; what was deployed runs on', async () => {
  const { kube, shell } = place;
  await shell.run(install);
  await kube.merge(applicationPath('argocd', 'first'), {
    metadata: { finalizers: ['resources-finalizer.argocd.argoproj.io'] },
  });
  const { uid } = (await kube.get(configMapPath('first', 'a'))).metadata;
  await shell.run(uninstall);
  await shell.run(removeAll);
  for (const name of crdNames) assert.ok(!(await isThere(`${crdPath}/${name}`)), name);
  assert.equal((await kube.get(configMapPath('first', 'a'))).metadata.uid, uid);
});
