import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@mooring/operator/adapters/kube/client.ts';
import { openView } from '@mooring/operator/adapters/kube/cluster.ts';
import { applyObject, noneSeen } from '@mooring/operator/adapters/kube/request.ts';
import { isOlder } from '@mooring/operator/adapters/kube/resource-version.ts';
import { compare } from '@mooring/operator/engine/diff/compare.ts';
import { Fault } from '@mooring/operator/model/fault.ts';
import { hookHold } from '@mooring/operator/model/finalizers.ts';
import type { Guard } from '@mooring/operator/model/guard.ts';
import { keyOf } from '@mooring/operator/model/resource-key.ts';
import type { ApplyOptions } from '@mooring/operator/world/cluster.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import { type Cluster, type Json, startCluster } from '../cluster/cluster.ts';
import {
  configMap,
  connectionTo,
  permitAll,
  tracked,
  until,
  viewOptions,
  type Watched,
  watchCluster,
} from './fixture.ts';

let real: Cluster;
let view: Watched;

before(async () => {
  real = await startCluster({ name: 'kube-writes', node: 'none' });
  view = await watchCluster(real);
});

after(async () => {
  await view?.close();
  await real?.stop();
});

const serverSide: ApplyOptions = { how: 'server-side', validate: true, guard: permitAll };

function apply(object: KubeObject, options: ApplyOptions = serverSide): Promise<KubeObject> {
  return view.cluster.apply(object, options);
}

function recordOf(object: KubeObject) {
  const record = view.cluster.record(keyOf(object));
  assert.ok(record, `${object.kind} ${object.metadata.name} is in the view`);
  return record;
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Fault, `a Fault was expected, not ${String(thrown)}`);
  return thrown;
}

/** Waits until every event so far has been seen: one more write of each kind, and its echo. */
async function settle(): Promise<void> {
  await sleep(150);
}

describe('writing objects', () => {
  test('server-side apply creates, updates and leaves alone, and the view holds it at once', async () => {
    const first = await apply(tracked('writes', configMap('one', { a: '1', b: '2' })));
    assert.equal(recordOf(first).resourceVersion, first.metadata.resourceVersion);
    assert.equal(recordOf(first).app, 'writes');
    assert.ok(recordOf(first).ownedHash);

    const second = await apply(tracked('writes', configMap('one', { a: '3' })));
    assert.deepEqual(second['data'], { a: '3' }, 'a field that is left out is removed');
    assert.notEqual(recordOf(second).resourceVersion, first.metadata.resourceVersion);

    const third = await apply(tracked('writes', configMap('one', { a: '3' })));
    assert.equal(third.metadata.resourceVersion, second.metadata.resourceVersion, 'no change, no version');
    await settle();
    assert.deepEqual(view.changes.splice(0), [], 'own writes are not told');
  });

  test('a mark vouches for an object until its owned fields change', async () => {
    const object = await apply(tracked('marks', configMap('marked', { a: '1' })));
    const { resourceVersion } = object.metadata;
    const equal = { desiredHash: 'hash of the manifest', resourceVersion, isCovered: true, isAsked: false };
    view.cluster.setMark(keyOf(object), equal);
    assert.equal(view.cluster.mark(keyOf(object))?.desiredHash, 'hash of the manifest');
    assert.equal(view.cluster.mark(keyOf(object))?.ownedHash, recordOf(object).ownedHash);
    await real.kubectl('patch', 'cm', 'marked', '--type=merge', '-p', '{"data":{"a":"x"}}');
    await until('drift is told', () => view.changes.length > 0);
    assert.deepEqual(view.changes.splice(0), [{ app: 'marks', key: keyOf(object), what: 'drift' }]);
    assert.notEqual(view.cluster.mark(keyOf(object))?.ownedHash, recordOf(object).ownedHash);
    await real.kubectl('delete', 'cm', 'marked');
    await until('the end is told', () => view.changes.length > 0);
    assert.deepEqual(view.changes.splice(0), [{ app: 'marks', key: keyOf(object), what: 'gone' }]);
    assert.equal(view.cluster.mark(keyOf(object)), undefined);
  });

  test('two namespaces hold objects of the same name apart', async () => {
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
    const here = await apply(tracked('here', configMap('same', { at: 'default' })));
    const there = await apply(tracked('there', configMap('same', { at: 'other' }, 'other')));
    assert.notEqual(recordOf(here).uid, recordOf(there).uid);
    assert.deepEqual(
      view.cluster.tracked('here').map((record) => record.key.namespace),
      ['default'],
    );
    assert.deepEqual(
      view.cluster.tracked('there').map((record) => record.key.namespace),
      ['other'],
    );
    const copy = {
      ...there,
      metadata: { name: 'copy', namespace: 'other', annotations: there.metadata.annotations ?? {} },
    };
    await real.api.call('POST', '/api/v1/namespaces/other/configmaps', {
      ...copy,
      metadata: { ...copy.metadata, name: 'copy' },
    });
    await until(
      'the copy is seen',
      () => view.cluster.record({ group: '', kind: 'ConfigMap', namespace: 'other', name: 'copy' }) !== undefined,
    );
    assert.equal(view.cluster.tracked('there').length, 1, 'a copied tracking id counts for nothing');
  });

  test('a view of one namespace sees nothing else', async () => {
    const narrow = await openView(
      connectionTo(real),
      { server: real.server, namespaces: ['other'], clusterResources: false },
      viewOptions(),
      {
        changed: () => {},
        followed: () => {},
        outdated: () => {},
      },
    );
    assert.ok(narrow.cluster.record({ group: '', kind: 'ConfigMap', namespace: 'other', name: 'same' }));
    assert.equal(
      narrow.cluster.record({ group: '', kind: 'ConfigMap', namespace: 'default', name: 'same' }),
      undefined,
    );
    assert.equal(narrow.cluster.record({ group: '', kind: 'Namespace', namespace: '', name: 'other' }), undefined);
    await narrow.close();
  });

  test('an object is read in the version that is asked for', async () => {
    const scaler: KubeObject = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaler', namespace: 'default' },
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      },
    };
    await apply(scaler);
    assert.equal((await view.cluster.get(keyOf(scaler), 'autoscaling/v1'))?.apiVersion, 'autoscaling/v1');
    assert.equal((await view.cluster.get(keyOf(scaler)))?.apiVersion, 'autoscaling/v2');
    assert.equal((await view.cluster.get(keyOf(scaler), 'autoscaling/v9'))?.apiVersion, 'autoscaling/v2');
  });

  test('a delete with another uid is refused, with the right one done, and done twice is fine', async () => {
    const object = await apply(tracked('gone', configMap('short-lived', { a: '1' })));
    const record = recordOf(object);
    const wrong = await faultOf(
      view.cluster.remove(
        { ...record, uid: '00000000-0000-0000-0000-000000000000' },
        { propagation: 'background', guard: permitAll },
      ),
    );
    assert.equal(wrong.code, 'object-conflict');
    assert.ok(await view.cluster.get(record.key));
    await view.cluster.remove(record, { propagation: 'background', guard: permitAll });
    assert.equal(view.cluster.record(record.key), undefined);
    assert.deepEqual(view.cluster.tracked('gone'), []);
    assert.equal(await view.cluster.get(record.key), undefined);
    await view.cluster.remove(record, { propagation: 'background', guard: permitAll });
    await settle();
    assert.equal(view.cluster.record(record.key), undefined, 'an older event does not bring it back');
    assert.deepEqual(view.changes.splice(0), []);
  });

  test('an object that another Application has taken over since it was seen is not deleted', async () => {
    const object = await apply(tracked('giver', configMap('handed-over', { a: '1' })));
    const record = recordOf(object);
    // The other Application's write reaches the API server before the delete, and its event after.
    const taken = tracked('taker', configMap('handed-over', { a: '1' }));
    await real.api.call(
      'PATCH',
      '/api/v1/namespaces/default/configmaps/handed-over',
      { metadata: { annotations: taken.metadata.annotations } },
      { contentType: 'application/merge-patch+json' },
    );
    assert.equal(
      (await faultOf(view.cluster.remove(record, { propagation: 'background', guard: permitAll }))).code,
      'object-conflict',
    );
    assert.ok(await view.cluster.get(record.key));
    assert.equal(recordOf(object).app, 'taker', 'the view holds whose it is now');
    await until('both are told', () => view.changes.length >= 2);
    await settle();
    assert.deepEqual(
      view.changes.splice(0).map(({ app, what }) => `${app} ${what}`),
      ['giver gone', 'taker new'],
    );
  });

  test('an object that only changed since it was seen is deleted', async () => {
    const object = await apply(tracked('busy', configMap('busy', { a: '1' })));
    const record = recordOf(object);
    await real.kubectl('patch', 'cm', 'busy', '--type=merge', '-p', '{"data":{"b":"x"}}');
    await view.cluster.remove(record, { propagation: 'background', guard: permitAll });
    assert.equal(await view.cluster.get(record.key), undefined);
    await settle();
    view.changes.splice(0);
  });

  test('an apply that is late takes no effect on what came since', async () => {
    const client = createClient(connectionTo(real), viewOptions());
    const kind = {
      group: '',
      version: 'v1',
      kind: 'ConfigMap',
      plural: 'configmaps',
      scope: 'Namespaced',
      verbs: [],
    } as const;
    const late = async (name: string, over: Parameters<typeof applyObject>[3]): Promise<KubeObject> =>
      (await client.send(applyObject(kind, configMap(name, { a: 'late' }), serverSide, over))) as KubeObject;
    const first = await apply(configMap('late', { a: '1' }));
    const { uid = '', resourceVersion = '' } = first.metadata;
    await apply(configMap('late', { a: '2' }));
    assert.equal((await faultOf(late('late', { uid, resourceVersion }))).code, 'object-conflict');
    assert.equal((await faultOf(late('late', noneSeen))).code, 'object-conflict');
    assert.equal((await faultOf(late('late-gone', { uid, resourceVersion }))).code, 'object-conflict');
    assert.deepEqual((await view.cluster.get(keyOf(first)))?.['data'], { a: '2' });
    const created = await late('late-new', noneSeen);
    assert.deepEqual(
      created.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
      ['argocd-controller Apply'],
    );
    await client.close();
    await settle();
    view.changes.splice(0);
  });

  test('an object that changes all the time is applied over as it is then', async () => {
    const path = '/api/v1/namespaces/default/configmaps/restless';
    await apply(tracked('restless', configMap('restless', { a: '0' })));
    let turns = 0;
    let isOver = false;
    const restless = (async () => {
      for (; !isOver; turns += 1)
        await real.api.call(
          'PATCH',
          path,
          { data: { other: String(turns) } },
          { contentType: 'application/merge-patch+json' },
        );
    })();
    for (let value = 1; value <= 20; value += 1) {
      const stored = await apply(tracked('restless', configMap('restless', { a: String(value) })));
      assert.equal((stored['data'] as Record<string, string>)['a'], String(value));
    }
    isOver = true;
    await restless;
    assert.ok(turns > 0);
    await settle();
    view.changes.splice(0);
  });

  test('an object that somebody has created anew is applied over, once the view knows of it', async () => {
    const object = configMap('anew', { a: '1' });
    await apply(object);
    const path = '/api/v1/namespaces/default/configmaps/anew';
    await real.api.call('DELETE', path);
    const other = (await real.api.call(
      'POST',
      '/api/v1/namespaces/default/configmaps',
      object,
    )) as unknown as KubeObject;
    for (let tries = 0; ; tries += 1) {
      const fault = await apply(configMap('anew', { a: '2' })).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (fault === undefined) break;
      assert.ok(fault instanceof Fault && fault.code === 'object-conflict' && tries === 0, String(fault));
      assert.equal(recordOf(object).uid, other.metadata.uid, 'the view holds the one that is there');
    }
    assert.equal(recordOf(object).uid, other.metadata.uid);
  });

  test('an object with a finalizer stays in the view, as being deleted', async () => {
    const object = configMap('held', {});
    const held = await apply({ ...object, metadata: { ...object.metadata, finalizers: ['example.com/hold'] } });
    await view.cluster.remove(recordOf(held), { propagation: 'foreground', guard: permitAll });
    assert.equal(recordOf(held).deleting, true);
    await view.cluster.patch(keyOf(held), { metadata: { finalizers: null } });
    await until('it is gone', () => view.cluster.record(keyOf(held)) === undefined);
  });

  test('a hook that is held is let go alone or with its deletion, and nobody else’s finalizer is touched', async () => {
    const held = async (name: string, ...finalizers: string[]): Promise<KubeObject> => {
      const object = tracked('holds', configMap(name, {}));
      return apply({ ...object, metadata: { ...object.metadata, finalizers: [...finalizers, hookHold] } });
    };
    const names = (): readonly string[] => view.cluster.held().map(({ key }) => key.name);
    const kept = await held('kept', 'example.com/hold');
    assert.deepEqual(names(), ['kept']);
    // Somebody has changed it since it was seen.
    await real.kubectl('annotate', 'cm', 'kept', 'example.com/by=hand');
    await view.cluster.letGo(recordOf(kept));
    assert.deepEqual((await view.cluster.get(keyOf(kept)))?.metadata.finalizers, ['example.com/hold']);
    assert.deepEqual(names(), []);

    const leaving = await held('leaving');
    await real.kubectl('delete', 'cm', 'leaving', '--wait=false');
    await until('it is being deleted', () => recordOf(leaving).deleting);
    assert.deepEqual(names(), ['leaving']);
    const record = recordOf(leaving);
    await view.cluster.letGo(record);
    assert.equal(view.cluster.record(keyOf(leaving)), undefined, 'it is gone with the finalizer');
    await view.cluster.letGo(record);

    for (const propagation of ['background', 'foreground'] as const) {
      const doomed = await held(`doomed-${propagation}`);
      await view.cluster.remove(recordOf(doomed), { propagation, guard: permitAll });
      await until('it is gone', () => view.cluster.record(keyOf(doomed)) === undefined);
    }
    const anew = await held('made-anew');
    const next = await apply(tracked('holds', configMap('made-anew', {})), {
      how: 'recreate',
      validate: true,
      guard: permitAll,
    });
    assert.notEqual(next.metadata.uid, anew.metadata.uid);
    await view.cluster.remove(recordOf(next), { propagation: 'background', guard: permitAll });
    await view.cluster.remove(recordOf(kept), { propagation: 'background', guard: permitAll });
    await view.cluster.patch(keyOf(kept), { metadata: { finalizers: null } });
    await until('it is gone', () => view.cluster.record(keyOf(kept)) === undefined);
    await settle();
    view.changes.splice(0);
  });

  test('create refuses what exists, replace puts the whole object, recreate makes a new one', async () => {
    const object = tracked('ways', configMap('ways', { a: '1' }));
    const created = await apply(object, { how: 'create', validate: true, guard: permitAll });
    assert.equal(
      (await faultOf(apply(object, { how: 'create', validate: true, guard: permitAll }))).code,
      'object-conflict',
    );
    await real.kubectl('annotate', 'cm', 'ways', 'example.com/by=hand');
    const replaced = await apply({ ...object, data: { b: '2' } }, { how: 'replace', validate: true, guard: permitAll });
    assert.equal(replaced.metadata.uid, created.metadata.uid);
    assert.deepEqual(replaced['data'], { b: '2' });
    assert.equal(replaced.metadata.annotations?.['example.com/by'], undefined);
    assert.ok(recordOf(replaced).ownedHash, 'what was put is owned too, so that drift shows');
    const recreated = await apply(object, { how: 'recreate', validate: true, guard: permitAll });
    assert.notEqual(recreated.metadata.uid, created.metadata.uid);
    assert.equal(recordOf(recreated).uid, recreated.metadata.uid);
    const missing = await apply(configMap('ways-new', { a: '1' }), {
      how: 'replace',
      validate: true,
      guard: permitAll,
    });
    assert.ok(missing.metadata.uid);
    await settle();
    assert.deepEqual(view.changes.splice(0), []);
  });

  test('what was put, then applied, loses what the manifest leaves out', async () => {
    await apply(configMap('moved', { a: '1', b: '2' }), { how: 'replace', validate: true, guard: permitAll });
    const applied = await apply(configMap('moved', { a: '1' }));
    assert.deepEqual(applied['data'], { a: '1' });
    assert.deepEqual(
      applied.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
      ['argocd-controller Apply'],
    );
  });

  test('what kubectl applied is taken over, so that fields left out are removed', async () => {
    const old = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'by-kubectl', namespace: 'default' },
      data: { keep: '1', drop: '2' },
    };
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(old) };
    await real.api.call('POST', '/api/v1/namespaces/default/configmaps?fieldManager=kubectl-client-side-apply', {
      ...old,
      metadata: { ...old.metadata, annotations },
    });
    await until('it is seen', () => view.cluster.record(keyOf(old)) !== undefined);
    const applied = await apply(configMap('by-kubectl', { keep: '1' }));
    assert.deepEqual(applied['data'], { keep: '1' });
    assert.equal(applied.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'], undefined);
  });

  test('an object that the API server names is in the view under that name', async () => {
    const created = await apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-', namespace: 'default' } },
      { how: 'create', validate: true, guard: permitAll },
    );
    assert.match(created.metadata.name ?? '', /^made-.+/);
    assert.equal(recordOf(created).uid, created.metadata.uid);
    assert.equal(view.cluster.record({ group: '', kind: 'ConfigMap', namespace: 'default', name: '' }), undefined);
  });

  test('what may not be is neither written nor deleted, by what the cluster serves at that moment', async () => {
    const asked: string[] = [];
    const guard: Guard = ({ key, scope }) => {
      asked.push(`${scope} ${key.kind} ${key.name}`);
      return key.kind === 'ClusterRole' || key.name === 'held' ? 'not in this project' : undefined;
    };
    const held = configMap('held', { a: '1' });
    const role: KubeObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'r' },
    };
    for (const how of ['server-side', 'create', 'replace', 'recreate'] as const) {
      for (const object of [held, role]) {
        const fault = await faultOf(apply(object, { how, validate: true, guard }));
        assert.equal(fault.code, 'object-refused');
        assert.match(fault.message, /(ConfigMap\/default\/held|ClusterRole\/r): not in this project$/);
        assert.equal(await view.cluster.get(keyOf(object)), undefined);
      }
    }
    // As where the kind came to be served since the manifest was made ready for a namespace.
    const misplaced = { ...role, metadata: { name: 'r', namespace: 'default' } };
    const other = await faultOf(apply(misplaced));
    assert.match(
      other.message,
      /ClusterRole\/default\/r: the cluster has come to serve ClusterRole for the whole cluster/,
    );
    const homeless: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'homeless' } };
    assert.match((await faultOf(apply(homeless))).message, /serve ConfigMap in namespaces/);
    assert.equal(await view.cluster.get(keyOf(role)), undefined);
    await apply(held);
    const kept = await faultOf(view.cluster.remove(recordOf(held), { propagation: 'background', guard }));
    assert.equal(kept.code, 'object-refused');
    assert.ok(await view.cluster.get(keyOf(held)));
    assert.deepEqual([...new Set(asked)], ['Namespaced ConfigMap held', 'Cluster ClusterRole r']);
  });

  test('a dry run checks and changes nothing', async () => {
    const answer = await apply(configMap('dry', { a: '1' }), { ...serverSide, dryRun: true });
    assert.ok(answer.metadata.uid);
    assert.equal(await view.cluster.get(keyOf(answer)), undefined);
    assert.equal(view.cluster.record(keyOf(answer)), undefined);
  });

  test('digits that a double cannot hold reach the API server and come back', async () => {
    await apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'numbers.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'numbers', singular: 'number', kind: 'Number', listKind: 'NumberList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
    const number = {
      apiVersion: 'example.com/v1',
      kind: 'Number',
      metadata: { name: 'big', namespace: 'default' },
      spec: { big: JSON.rawJSON('9007199254740993') },
    };
    const stored = await apply(number);
    assert.match(JSON.stringify(stored), /"big":9007199254740993[,}]/);
    assert.match(JSON.stringify(await view.cluster.get(keyOf(number))), /"big":9007199254740993[,}]/);
  });
});

describe('what server-side apply cannot do', () => {
  const jsonPatch = 'application/json-patch+json';
  const deploymentsPath = '/apis/apps/v1/namespaces/default/deployments';
  const servicesPath = '/api/v1/namespaces/default/services';
  const edit = (path: string, operations: unknown): Promise<Json> =>
    real.api.call('PATCH', `${path}?fieldManager=hand`, operations, { contentType: jsonPatch });
  const service = (name: string, ports: readonly unknown[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: name }, ports },
  });
  const deployment = (name: string, pod: Record<string, unknown>, container: Record<string, unknown>): KubeObject => {
    const labels = { app: name };
    const containers = [{ name: 'main', image: 'example.com/main:1', ...container }];
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'default' },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { ...pod, containers } },
      },
    };
  };
  const isQuiet = (object: KubeObject, live: KubeObject): void =>
    assert.deepEqual(compare(object, live).differences, [], 'nothing differs afterwards');
  const ownersOf = ({ metadata }: KubeObject) =>
    metadata.managedFields
      ?.filter(({ subresource = '' }) => subresource === '')
      .map(({ manager, operation }) => `${manager} ${operation}`)
      .sort();

  test('a port whose number was changed by hand is healed, and ports of others stay', async () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'metrics', port: 9153 },
    ];
    const wish = service('ports', ports);
    await apply(wish);
    await edit(`${servicesPath}/ports`, [
      { op: 'add', path: '/spec/ports/-', value: { name: 'others', port: 7000 } },
      { op: 'replace', path: '/spec/ports/1/port', value: 9999 },
    ]);
    await apply(wish, { ...serverSide, dryRun: true });
    const healed = await apply(wish);
    const numbers = (healed['spec'] as Json).ports.map(({ name, port }: Json) => `${name} ${port}`);
    assert.deepEqual(numbers.sort(), ['dns 53', 'metrics 9153', 'others 7000']);
    assert.deepEqual(ownersOf(healed), ['argocd-controller Apply', 'hand Update']);
    isQuiet(wish, healed);
    assert.equal((await apply(wish)).metadata.resourceVersion, healed.metadata.resourceVersion);

    // A single port needs no name, but two do.
    const single = service('single', [{ port: 80 }]);
    await apply(single);
    await edit(`${servicesPath}/single`, [{ op: 'replace', path: '/spec/ports/0/port', value: 8080 }]);
    assert.deepEqual(
      ((await apply(single))['spec'] as Json).ports.map(({ port }: Json) => port),
      [80],
    );

    const web = deployment('named', {}, { ports: [{ name: 'http', containerPort: 80 }] });
    await apply(web);
    await edit(`${deploymentsPath}/named`, [
      { op: 'replace', path: '/spec/template/spec/containers/0/ports/0/containerPort', value: 81 },
      { op: 'replace', path: '/spec/replicas', value: 1 },
    ]);
    const { replicas, template } = (await apply(web))['spec'] as Json;
    assert.equal(replicas, 0);
    assert.deepEqual(
      template.spec.containers[0].ports.map(({ containerPort }: Json) => containerPort),
      [80],
    );
  });

  test('a refusal that is not about items of others is one, and nothing is taken over', async () => {
    await apply(service('wrong', [{ name: 'a', port: 1 }]));
    const path = `${servicesPath}/wrong`;
    await edit(path, [{ op: 'add', path: '/spec/ports/-', value: { name: 'others', port: 2 } }]);
    const owners = (await real.api.call('GET', path)).metadata.managedFields;
    const twice = [
      { name: 'a', port: 1 },
      { name: 'a', port: 3 },
    ];
    assert.match((await faultOf(apply(service('wrong', twice)))).message, /Duplicate value: "a"/);
    assert.deepEqual((await real.api.call('GET', path)).metadata.managedFields, owners);
  });

  test('a list with a key twice is written as it is, changed, healed and mended', async () => {
    const warnings: string[] = [];
    const warned: ApplyOptions = { ...serverSide, warn: (warning) => warnings.push(warning) };
    const manifest = (env: readonly unknown[], more: Record<string, unknown> = {}): KubeObject => {
      const ports = [
        { containerPort: 80, name: 'http' },
        { containerPort: 80, name: 'web' },
      ];
      const hostAliases = [
        { ip: '10.0.0.1', hostnames: ['a'] },
        { ip: '10.0.0.1', hostnames: ['b'] },
      ];
      return tracked('twice', deployment('twice', { hostAliases }, { env, ports, ...more }));
    };
    const level = (value: string) => ({ name: 'LOG_LEVEL', value });
    const podOf = (object: KubeObject): Json => (object['spec'] as Json).template.spec;
    const envOf = (object: KubeObject) => podOf(object).containers[0].env;
    const first = manifest([level('info'), { name: 'B', value: 'b' }, level('debug')], { tty: true });
    assert.ok((await apply(first, { ...serverSide, dryRun: true })).metadata.uid);
    const created = await apply(first, warned);
    assert.match(warnings[0] ?? '', /\.env: duplicate entries for key \[name="LOG_LEVEL"\]/);
    assert.match(warnings[0] ?? '', /\.hostAliases: duplicate entries for key \[ip="10\.0\.0\.1"\]/);
    assert.deepEqual(envOf(created), [level('info'), { name: 'B', value: 'b' }, level('debug')]);
    assert.deepEqual(podOf(created).hostAliases, podOf(first).hostAliases);
    isQuiet(first, created);
    const { ownedHash } = recordOf(created);
    assert.equal((await apply(first)).metadata['generation'], created.metadata['generation'], 'no change');
    assert.equal(recordOf(created).ownedHash, ownedHash);

    // Another value, and a field that is gone; what others have added stays.
    const path = `${deploymentsPath}/twice`;
    await edit(path, [
      { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: 'OURS', value: '1' } },
    ]);
    const second = manifest([level('info'), level('warn')]);
    const live = await view.cluster.get(keyOf(second));
    const pointers = compare(second, live as KubeObject).differences.map(({ pointer }) => pointer);
    assert.ok(
      pointers.some((pointer) => pointer.endsWith('/tty')),
      pointers.join(', '),
    );
    const changed = await apply(second);
    assert.deepEqual(envOf(changed), [level('info'), level('warn'), { name: 'OURS', value: '1' }]);
    assert.equal(podOf(changed).containers[0].tty, undefined);
    isQuiet(second, changed);

    // An edit of one of the two is drift.
    await settle();
    view.changes.length = 0;
    const drifted = await edit(path, [
      { op: 'replace', path: '/spec/template/spec/containers/0/env/1/value', value: 'hand' },
    ]);
    assert.equal(compare(second, drifted as unknown as KubeObject).differences.length, 1);
    await until('drift is told', () => view.changes.some(({ what }) => what === 'drift'));
    const healed = await apply(second);
    assert.deepEqual(envOf(healed), [level('info'), level('warn'), { name: 'OURS', value: '1' }]);
    isQuiet(second, healed);

    // With each key once it is applied, and ours by that.
    const mended = tracked('twice', deployment('twice', {}, { env: [level('warn')] }));
    const applied = await apply(mended);
    assert.deepEqual(
      new Set(envOf(applied).map(({ name, value }: Json) => `${name}=${value}`)),
      new Set(['LOG_LEVEL=warn', 'OURS=1']),
    );
    assert.equal(envOf(applied).length, 2);
    assert.deepEqual([podOf(applied).hostAliases, podOf(applied).containers[0].ports], [undefined, undefined]);
    assert.equal(applied.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'], undefined);
    assert.deepEqual(ownersOf(applied), ['argocd-controller Apply', 'hand Update']);
    isQuiet(mended, applied);
  });

  test('a key comes twice into a list of an object that was applied', async () => {
    const manifest = (env: readonly unknown[], more: Record<string, unknown> = {}) =>
      deployment('later', {}, { env, ...more });
    const a = (value: string) => ({ name: 'A', value });
    await apply(manifest([a('1'), { name: 'GONE', value: '1' }], { stdin: true }));
    const wish = manifest([a('1'), a('2')]);
    const put = await apply(wish);
    const { env, stdin } = (put['spec'] as Json).template.spec.containers[0];
    assert.deepEqual([env, stdin], [[a('1'), a('2')], undefined]);
    assert.deepEqual(ownersOf(put), ['argocd-controller Update']);
    isQuiet(wish, put);
    const back = manifest([a('3')]);
    const applied = await apply(back);
    assert.deepEqual((applied['spec'] as Json).template.spec.containers[0].env, [a('3')]);
    assert.deepEqual(ownersOf(applied), ['argocd-controller Apply']);
    isQuiet(back, applied);
  });
});

describe('refusals', () => {
  test('an unknown kind names the kind and what to do', async () => {
    const fault = await faultOf(
      apply({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'default' } }),
    );
    assert.equal(fault.code, 'object-refused');
    assert.match(
      fault.message,
      /could not find example\.com\/Widget for requested resource .* in example\.com\/v1\. Make sure the "Widget" CRD is installed/,
    );
  });

  test('an unknown field is refused where fields are checked, and ignored where not', async () => {
    const odd = { ...configMap('odd', { a: '1' }), speck: 1 };
    const fault = await faultOf(apply(odd));
    assert.equal(fault.code, 'object-refused');
    assert.match(fault.message, /ConfigMap\/default\/odd.*speck/);
    const ignored = await apply(odd, { how: 'replace', validate: false, guard: permitAll });
    assert.equal(ignored['speck'], undefined);
  });

  test('a missing namespace and an invalid value are refused in the words of the API server', async () => {
    const nowhere = await faultOf(apply(configMap('x', {}, 'nowhere')));
    assert.equal(nowhere.code, 'object-refused');
    assert.match(nowhere.message, /namespaces "nowhere" not found/);
    const invalid = await faultOf(
      apply({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 's', namespace: 'default' },
        spec: { ports: [{ port: 70000 }] },
      }),
    );
    assert.equal(invalid.code, 'object-refused');
    assert.match(invalid.message, /70000/);
  });

  test('another uid is a conflict, and names that no object can have do not reach the API server', async () => {
    const object = await apply(configMap('uid', {}));
    const conflict = await faultOf(
      apply(configMap('uid', { a: '1' }), { ...serverSide, uid: '00000000-0000-0000-0000-000000000000' }),
    );
    assert.equal(conflict.code, 'object-conflict');
    assert.ok(
      (await apply(configMap('uid', { a: '1' }), { ...serverSide, uid: object.metadata.uid ?? '' })).metadata.uid,
    );
    for (const name of ['..', '.', '', 'a/b'])
      assert.equal((await faultOf(apply(configMap(name, {})))).code, 'object-refused');
  });

  test('no refusal repeats a value of a Secret', async () => {
    const canary = 'c4n4ry-value';
    const encoded = Buffer.from(canary).toString('base64');
    const secret = (fields: Record<string, unknown>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
      ...fields,
    });
    const bad = [
      secret({ data: canary }),
      secret({ data: { key: canary } }),
      secret({ data: { key: [canary] } }),
      secret({ data: { [`not valid ${canary}`]: encoded } }),
      secret({ stringData: { key: { deep: canary } } }),
      secret({ stringData: canary }),
      secret({ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': encoded } }),
      secret({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': canary } }),
      { ...secret({ stringData: { key: canary } }), metadata: { name: 's', namespace: 'nowhere' } },
    ];
    for (const object of bad) {
      for (const how of ['server-side', 'create', 'replace'] as const) {
        const fault = await faultOf(apply(object, { how, validate: true, guard: permitAll }));
        const all = JSON.stringify([fault.message, fault.data, String(fault.cause ?? ''), fault.stack]);
        assert.ok(!all.includes(canary) && !all.includes(encoded), `${how}: ${all}`);
      }
    }
  });
});

describe('drift is told by our own managedFields entry alone', () => {
  const deployment: KubeObject = tracked('drift', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', labels: { app: 'web', tier: 'front' } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'example.com/web:1',
              env: [{ name: 'A', value: '1' }],
              ports: [{ containerPort: 80 }],
            },
          ],
        },
      },
    },
  });
  const path = '/apis/apps/v1/namespaces/default/deployments/web';
  const strategic = 'application/strategic-merge-patch+json';
  const merge = 'application/merge-patch+json';
  const server = 'application/apply-patch+yaml';
  const patch = (body: unknown, contentType: string, where = path): Promise<Json> =>
    real.api.call('PATCH', `${where}${where.includes('?') ? '' : '?fieldManager=hand'}`, body, { contentType });
  const container = (fields: Record<string, unknown>): unknown => ({
    spec: { template: { spec: { containers: [{ name: 'web', ...fields }] } } },
  });
  const minimal = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' } };

  const cases: readonly { readonly name: string; readonly drifts: boolean; readonly edit: () => Promise<unknown> }[] = [
    {
      name: 'a status write',
      drifts: false,
      edit: () =>
        patch({ status: { observedGeneration: 1, replicas: 2, unavailableReplicas: 2 } }, merge, `${path}/status`),
    },
    {
      name: 'a foreign annotation',
      drifts: false,
      edit: () => patch({ metadata: { annotations: { 'example.com/by': 'hand' } } }, merge),
    },
    {
      name: 'an added env item',
      drifts: false,
      edit: () => patch(container({ env: [{ name: 'B', value: '2' }] }), strategic),
    },
    {
      name: 'an added sidecar',
      drifts: false,
      edit: () =>
        patch(
          { spec: { template: { spec: { containers: [{ name: 'side', image: 'example.com/side:1' }] } } } },
          strategic,
        ),
    },
    { name: 'a merge patch of equal values', drifts: false, edit: () => patch({ spec: { replicas: 2 } }, merge) },
    {
      name: 'an apply of equal values by another manager',
      drifts: false,
      edit: () => patch({ ...minimal, spec: { replicas: 2 } }, server, `${path}?fieldManager=hand&force=true`),
    },
    { name: 'a merge patch of a value', drifts: true, edit: () => patch({ spec: { replicas: 5 } }, merge) },
    {
      name: 'the scale subresource',
      drifts: true,
      edit: () => patch({ spec: { replicas: 4 } }, merge, `${path}/scale`),
    },
    {
      name: 'an edited list item',
      drifts: true,
      edit: () => patch(container({ env: [{ name: 'A', value: '9' }] }), strategic),
    },
    { name: 'a removed label', drifts: true, edit: () => patch({ metadata: { labels: { tier: null } } }, merge) },
    {
      name: 'a removed list item',
      drifts: true,
      edit: () => patch(container({ env: [{ name: 'A', $patch: 'delete' }] }), strategic),
    },
    {
      name: 'a PUT',
      drifts: true,
      edit: async () =>
        real.api.call('PUT', `${path}?fieldManager=hand`, changeImage(await real.api.call('GET', path))),
    },
    {
      name: 'a forced apply by another manager',
      drifts: true,
      edit: () => patch({ ...minimal, spec: { replicas: 7 } }, server, `${path}?fieldManager=hand&force=true`),
    },
    {
      name: 'an update under our own name',
      drifts: true,
      edit: () => patch({ spec: { replicas: 8 } }, merge, `${path}?fieldManager=argocd-controller`),
    },
    {
      name: 'cleared managedFields with an edit',
      drifts: true,
      edit: () => patch({ metadata: { managedFields: [{}] }, spec: { replicas: 9 } }, merge),
    },
    {
      name: 'forged managedFields with an edit',
      drifts: true,
      edit: async () => real.api.call('PUT', `${path}?fieldManager=hand`, forge(await real.api.call('GET', path))),
    },
  ];

  // The Deployment controller writes its status meanwhile.
  function whateverItsVersion(live: Json): Json {
    delete live.metadata.resourceVersion;
    return live;
  }

  function changeImage(live: Json): Json {
    live.spec.template.spec.containers[0].image = 'example.com/web:2';
    return whateverItsVersion(live);
  }

  function forge(live: Json): Json {
    live.spec.replicas = 3;
    live.metadata.managedFields = live.metadata.managedFields.map((entry: Json) =>
      entry.manager === 'argocd-controller' ? { ...entry, time: '2020-01-01T00:00:00Z' } : entry,
    );
    return whateverItsVersion(live);
  }

  for (const { name, drifts, edit } of cases) {
    test(`${name}: ${drifts ? 'drift' : 'none'}`, async () => {
      if (await view.cluster.get(keyOf(deployment)))
        await view.cluster.remove(recordOf(deployment), { propagation: 'background', guard: permitAll });
      await apply(deployment);
      await settle();
      view.changes.length = 0;
      const before = recordOf(deployment);
      const edited = (await edit()) as Json;
      const live = await real.api.call('GET', path);
      await until(
        'the edit is seen',
        () => !isOlder(recordOf(deployment).resourceVersion, live.metadata.resourceVersion),
      );
      assert.ok(edited);
      assert.equal(recordOf(deployment).ownedHash !== before.ownedHash, drifts);
      assert.equal(view.changes.filter(({ what }) => what === 'drift').length, drifts ? 1 : 0);
      const healed = await apply(deployment);
      assert.equal((healed['spec'] as Json).replicas, 2);
      assert.equal(
        (healed['spec'] as Json).template.spec.containers.find((one: Json) => one.name === 'web').image,
        'example.com/web:1',
      );
    });
  }
});
