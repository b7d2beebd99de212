import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Application, applicationCrd, appProjectCrd } from '@mooring/crds';
import { createClient, type KubeClient } from '@mooring/operator/adapters/kube/client.ts';
import { createClusters } from '@mooring/operator/adapters/kube/clusters.ts';
import { fromKubeconfig } from '@mooring/operator/adapters/kube/connect.ts';
import { plainGet } from '@mooring/operator/adapters/kube/request.ts';
import { createEvents } from '@mooring/operator/adapters/store/events.ts';
import { createStore, type OpenStore } from '@mooring/operator/adapters/store/store.ts';
import type { Check, Problem, Report } from '@mooring/operator/world/readiness.ts';
import type { StoreChange } from '@mooring/operator/world/store.ts';
import { type Cluster, type Json, startCluster } from '../cluster/cluster.ts';
import { configMap, connectionTo, keepLog, permitAll, startWire, until, viewOptions } from './fixture.ts';

let real: Cluster;
let client: KubeClient;
let opened: OpenStore;
const changes: StoreChange[] = [];
const problems = new Map<Check, readonly Problem[]>();
let notes: readonly string[] = [];
const report: Report = (check, found, told = []) => {
  problems.set(check, found);
  if (check === 'settings') notes = told;
};
const namespace = 'argocd';
const log = keepLog();

before(async () => {
  real = await startCluster({ name: 'kube-store', node: 'none' });
  await real.api.call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  client = createClient(await fromKubeconfig({ path: real.kubeconfigPath }), viewOptions());
});

after(async () => {
  opened?.close();
  await client?.close();
  await real?.stop();
});

const applications = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`;

function application(name: string): Json {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace },
    spec: {
      project: 'default',
      source: { repoURL: 'https://git.example.com/a.git', path: '.' },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
    },
  };
}

async function create(kind: 'secrets' | 'configmaps', name: string, fields: Json, type?: string): Promise<void> {
  const labels = type === undefined ? {} : { 'argocd.argoproj.io/secret-type': type };
  await real.api.call('POST', `/api/v1/namespaces/${namespace}/${kind}`, { metadata: { name, labels }, ...fields });
}

function found(name: string): Application {
  const app = opened.store.application({ namespace, name });
  assert.ok(app, `the Application ${name} is in the store`);
  return app;
}

describe('the store', () => {
  test('says what to install where the CRDs are missing', async () => {
    opened = createStore(client, { ...viewOptions(), log, namespace, purpose: 'operate', report });
    opened.store.subscribe((change) => changes.push(change));
    await until('it is told', () => problems.has('crds'));
    assert.deepEqual(
      problems.get('crds')?.map(({ reason }) => reason),
      ['CRDsMissing'],
    );
    assert.match(problems.get('crds')?.[0]?.message ?? '', /install those of this version \(kubectl apply/);
    assert.deepEqual([problems.get('permissions'), problems.get('api-server')], [[], []]);
  });

  test('opens by itself once they are there, and creates the default project', async () => {
    for (const crd of [applicationCrd, appProjectCrd])
      await real.api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
    await opened.ready;
    assert.deepEqual(Object.fromEntries(problems), { 'api-server': [], crds: [], permissions: [], settings: [] });
    assert.deepEqual(opened.store.applications(), []);
    await opened.store.ensureDefaultProject();
    await opened.store.ensureDefaultProject();
    assert.deepEqual(opened.store.project('default')?.spec.sourceRepos, ['*']);
    assert.deepEqual(changes.splice(0), []);
  });

  test('tells of Applications that others write, and not of its own patches', async () => {
    await real.api.call('POST', applications, application('shop'));
    await until('it is told', () => changes.length > 0);
    assert.deepEqual(changes.splice(0), [{ kind: 'Application', name: { namespace, name: 'shop' } }]);

    const patched = await opened.store.patchApplication(found('shop'), {
      status: { sync: { status: 'Synced', comparedTo: { source: { repoURL: 'x' }, destination: {} } } },
    });
    assert.equal(patched.status?.sync?.status, 'Synced');
    assert.equal(found('shop').metadata.resourceVersion, patched.metadata.resourceVersion);
    await sleep(200);
    assert.deepEqual(changes.splice(0), []);

    await real.kubectl('-n', namespace, 'annotate', 'application', 'shop', 'argocd.argoproj.io/refresh=normal');
    await until('it is told', () => changes.length > 0);
    assert.equal(found('shop').metadata.annotations?.['argocd.argoproj.io/refresh'], 'normal');
    const cleared = await opened.store.patchApplication(found('shop'), {
      metadata: { annotations: { 'argocd.argoproj.io/refresh': null } },
    });
    assert.equal(cleared.metadata.annotations?.['argocd.argoproj.io/refresh'], undefined);
    assert.equal(cleared.status?.sync?.status, 'Synced');
  });

  test('a patch of an Application that was created anew, or is gone, changes nothing', async () => {
    const old = found('shop');
    await real.kubectl('-n', namespace, 'delete', 'application', 'shop');
    await until('it is gone', () => opened.store.application({ namespace, name: 'shop' }) === undefined);
    await assert.rejects(opened.store.patchApplication(old, { status: {} }), { code: 'object-missing' });
    await real.api.call('POST', applications, application('shop'));
    await assert.rejects(opened.store.patchApplication(old, { operation: { sync: {} } }), { code: 'object-conflict' });
    assert.equal((await real.api.call('GET', `${applications}/shop`)).operation, undefined);
    await until('the new one is seen', () => opened.store.application({ namespace, name: 'shop' }) !== undefined);
    changes.length = 0;
  });

  test('reads credentials from Secrets as they come', async () => {
    const url = 'https://git.example.com/team/app';
    assert.deepEqual(opened.store.repository(url, 'default'), { url });
    await create(
      'secrets',
      'creds',
      { stringData: { url: 'https://git.example.com/team', username: 'ci', password: 'p1' } },
      'repo-creds',
    );
    await until('it is told', () => changes.some(({ kind }) => kind === 'Repository'));
    assert.deepEqual(opened.store.repository(url, 'default'), { url, username: 'ci', password: 'p1' });
    await create(
      'secrets',
      'repo',
      { stringData: { url: `${url}.git`, type: 'git', username: 'own', password: 'p2', insecure: 'true' } },
      'repository',
    );
    await until('it is read', () => opened.store.repository(url, 'default').username === 'own');
    assert.deepEqual(opened.store.repository(url, 'default'), { url, username: 'own', password: 'p2', insecure: true });
    await real.kubectl('-n', namespace, 'delete', 'secret', 'repo', 'creds');
    await until('both are forgotten', () => opened.store.repository(url, 'default').username === undefined);
  });

  test('reads settings as they come', async () => {
    assert.equal(opened.store.settings().pollIntervalMs, 120_000);
    await create('configmaps', 'argocd-cm', {
      data: { 'timeout.reconciliation': '1h30m', 'timeout.reconciliation.jitter': 'soon', 'helm.enable': 'false' },
    });
    await create('secrets', 'argocd-secret', { stringData: { 'webhook.github.secret': 'hook' } });
    await create('configmaps', 'argocd-cmd-params-cm', { data: { 'controller.sync.wave.delay.seconds': '5' } });
    await until(
      'they are read',
      () =>
        opened.store.settings().pollIntervalMs === 5_400_000 &&
        opened.store.settings().waveDelayMs === 5_000 &&
        opened.store.settings().webhookSecrets['github.secret'] === 'hook',
    );
    const settings = opened.store.settings();
    assert.equal(settings.renderers['helm.enable'], 'false');
    const [problem] = problems.get('settings') ?? [];
    assert.match(problem?.message ?? '', /^argocd-cm: timeout\.reconciliation\.jitter is "soon", but must be/);
    assert.deepEqual([problem?.about?.kind, problem?.about?.name], ['ConfigMap', 'argocd-cm']);
  });

  test('names what is set and not read, wherever it is said, in one line', async () => {
    const actions = 'resource.customizations.actions.apps_Deployment';
    const patch = JSON.stringify({ data: { [actions]: 'x' } });
    await real.kubectl('-n', namespace, 'patch', 'configmap', 'argocd-cm', '--type=merge', `--patch=${patch}`);
    const orphaned = JSON.stringify({ spec: { orphanedResources: { warn: true } } });
    await real.kubectl('-n', namespace, 'patch', 'appproject', 'default', '--type=merge', `--patch=${orphaned}`);
    await until('both are told', () => notes.length === 2);
    assert.match(
      notes[0] ?? '',
      /^argocd-cm resource\.customizations\.actions\.apps_Deployment is not read \(hint\): ./,
    );
    assert.match(notes[1] ?? '', /^AppProject default spec orphanedResources is not read \(hint\): ./);
    const lines = log.lines.filter(({ message }) => message === 'some settings are not read');
    assert.equal(lines.at(-1)?.fields['unread'], notes.join('; '));
  });

  test('a project has the rules of global projects, and those of it that are taken away', async () => {
    const globalProjects = '- {projectName: everybody, labelSelector: {}}';
    const patch = JSON.stringify({ data: { globalProjects } });
    await real.kubectl('-n', namespace, 'patch', 'configmap', 'argocd-cm', '--type=merge', `--patch=${patch}`);
    await real.api.call('POST', applications.replace('applications', 'appprojects'), {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'everybody', namespace },
      spec: { namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }] },
    });
    const denied = () => opened.store.project('default')?.spec.namespaceResourceBlacklist;
    await until('it is denied', () => denied()?.length === 1);
    changes.splice(0);
    await real.kubectl('-n', namespace, 'delete', 'appproject', 'everybody');
    await until('who had its rules is told', () =>
      changes.some((change) => change.kind === 'AppProject' && change.name.name === 'default'),
    );
    assert.equal(denied(), undefined);
  });
});

describe('clusters', () => {
  test('are found by name and by address', async () => {
    const clusters = createClusters(connectionTo(real), opened.clusters, viewOptions());
    assert.equal(clusters.locate({ name: 'in-cluster' }).server, 'https://kubernetes.default.svc');
    assert.equal(
      clusters.locate({ server: 'https://kubernetes.default.svc/' }).server,
      'https://kubernetes.default.svc',
    );
    assert.throws(() => clusters.locate({ name: 'in-cluster', server: 'https://kubernetes.default.svc' }), {
      code: 'spec-invalid',
    });
    assert.throws(() => clusters.locate({}), { code: 'spec-invalid' });
    assert.throws(() => clusters.locate({ name: 'nowhere' }), { code: 'cluster-unknown' });
    assert.throws(() => clusters.locate({ server: 'https://nowhere' }), { code: 'cluster-unknown' });
    await assert.rejects(clusters.open('https://nowhere'), { code: 'cluster-unknown' });
    await clusters.close();
  });

  test('one that is down fails at once and alone, and is opened once it is back', async (t) => {
    const wire = await startWire(real.server);
    t.after(() => wire.close());
    wire.cut(true);
    const tls = { caData: real.caData, certData: real.certData, keyData: real.keyData };
    await create(
      'secrets',
      'far',
      { stringData: { name: 'far', server: wire.server, config: JSON.stringify({ tlsClientConfig: tls }) } },
      'cluster',
    );
    await until('the Secret is read', () => opened.clusters.clusters().length === 1);
    const options = viewOptions();
    const clusters = createClusters(connectionTo(real), opened.clusters, {
      ...options,
      limits: { ...options.limits, clusterRetryMs: 500 },
    });
    t.after(() => clusters.close());
    const address = clusters.locate({ name: 'far' }).server;
    const told: unknown[] = [];
    // A machine that is busy may lose the other cluster for a moment.
    clusters.subscribe((change) => change.server === address && told.push(change));
    const near = clusters.open('https://kubernetes.default.svc');
    await assert.rejects(clusters.open(address), { code: 'cluster-unreachable' });
    const started = performance.now();
    await assert.rejects(clusters.open(address), { code: 'cluster-unreachable' });
    assert.ok(performance.now() - started < 50, 'nobody waits for it twice');
    assert.match((await near).version, /^1\.\d+\.\d+/);

    wire.cut(false);
    await until('it is told', () => told.length > 0);
    assert.deepEqual(told, [{ server: address, app: undefined }]);
    const far = await clusters.open(address);
    const stored = await far.apply(configMap('from-afar', { a: '1' }), {
      how: 'server-side',
      validate: true,
      guard: permitAll,
    });
    assert.equal(
      far.record({ group: '', kind: 'ConfigMap', namespace: 'default', name: 'from-afar' })?.uid,
      stored.metadata.uid,
    );

    // Kinds of CustomResourceDefinitions are told of alone, perhaps before the cluster as a whole is.
    const isFollowed = () => clusters.facts().find(({ server }) => server === address)?.isFollowed;
    told.length = 0;
    wire.cut(true);
    await until('its loss is told', () => told.length > 0 && isFollowed() === false);
    await assert.rejects(clusters.open(address), { code: 'cluster-unreachable' });
    assert.ok(await clusters.open('https://kubernetes.default.svc'), 'the other is as it was');
    told.length = 0;
    wire.cut(false);
    await until('its return is told', () => told.length > 0 && isFollowed() === true);

    told.length = 0;
    await real.kubectl('-n', namespace, 'delete', 'secret', 'far');
    await until('its end is told', () => told.length > 0);
    await assert.rejects(clusters.open(address), { code: 'cluster-unknown' });
  });

  test('one whose credentials are refused, or whose Secret is no good, says so', async () => {
    const tls = { caData: real.caData };
    const cases: readonly (readonly [string, Json, RegExp])[] = [
      ['token', { bearerToken: 'no-such-token', tlsClientConfig: tls }, /Unauthorized/],
      ['aws', { awsAuthConfig: { clusterName: 'x' } }, /awsAuthConfig is not supported yet/],
      ['exec', { execProviderConfig: { command: 'x' } }, /execProviderConfig is not supported yet/],
      ['authority', {}, /cannot be reached: .*certificate/],
    ];
    const clusters = createClusters(connectionTo(real), opened.clusters, viewOptions());
    for (const [name, config, message] of cases) {
      await create(
        'secrets',
        name,
        { stringData: { name, server: `${real.server}/`, config: JSON.stringify(config) } },
        'cluster',
      );
      await until('the Secret is read', () => opened.clusters.clusters().length === 1);
      await assert.rejects(clusters.open(clusters.locate({ name }).server), message);
      await real.kubectl('-n', namespace, 'delete', 'secret', name);
      await until('the Secret is gone', () => opened.clusters.clusters().length === 0);
    }
    await clusters.close();
  });
});

describe('Events', () => {
  test('are written about the Application, and repeats are counted', async () => {
    const events = createEvents(client, { ...viewOptions(), log });
    const app = found('shop');
    const notice = { type: 'Normal', reason: 'OperationCompleted', message: 'synced' } as const;
    events.notify(app, notice);
    await until('the first is sent', () => events.counts().sent === 1);
    events.notify(app, notice);
    await until('the second is sent', () => events.counts().sent === 2);
    events.notify(app, { ...notice, type: 'Warning', message: 'é'.repeat(2_000) });
    await events.close();
    const { items } = await real.api.call('GET', `/api/v1/namespaces/${namespace}/events`);
    assert.equal(items.length, 2);
    const repeated = items.find((event: Json) => event.type === 'Normal');
    assert.equal(repeated.count, 2);
    assert.deepEqual(
      [
        repeated.involvedObject.kind,
        repeated.involvedObject.name,
        repeated.involvedObject.uid,
        repeated.source.component,
      ],
      ['Application', 'shop', app.metadata.uid, 'argocd-application-controller'],
    );
    assert.deepEqual(events.counts(), { sent: 3, dropped: 0, failed: 0 });
  });

  test('about the operator are kept while the API server is away', async () => {
    const wire = await startWire(real.server);
    const far = createClient(connectionTo(real, wire.server), viewOptions());
    const events = createEvents(far, { ...viewOptions(), log });
    wire.cut(true);
    const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'mooring-0', uid: 'u-0' };
    events.warn(pod, 'APIServerUnreachable', 'nobody there');
    // Tried four times, it fails later than the Event.
    await assert.rejects(far.send(plainGet('/version')), { code: 'cluster-unreachable' });
    assert.equal(events.counts().sent, 0);
    wire.cut(false);
    await until('it is sent', () => events.counts().sent === 1);
    await events.close();
    await far.close();
    await wire.close();
    const { items } = await real.api.call('GET', `/api/v1/namespaces/${namespace}/events`);
    const sent = items.find((event: Json) => event.reason === 'APIServerUnreachable');
    assert.deepEqual([sent.type, sent.involvedObject, sent.source.component], ['Warning', pod, 'mooring']);
  });

  test('that cannot be sent are counted and thrown at nobody', async () => {
    const options = viewOptions();
    const events = createEvents(client, { ...options, limits: { ...options.limits, eventsWaiting: 2 }, log });
    const homeless = { ...found('shop'), metadata: { ...found('shop').metadata, namespace: 'nowhere' } };
    for (let index = 0; index < 5; index++)
      events.notify(homeless, { type: 'Normal', reason: 'ResourceUpdated', message: `update ${index}` });
    await events.close();
    assert.deepEqual(events.counts(), { sent: 0, dropped: 2, failed: 3 });
  });
});
