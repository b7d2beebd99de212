import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@mooring/operator/adapters/kube/client.ts';
import { startReflector } from '@mooring/operator/adapters/kube/reflector.ts';
import { listPage } from '@mooring/operator/adapters/kube/request.ts';
import type { KindChoice } from '@mooring/operator/adapters/kube/watched-kinds.ts';
import { keyOf } from '@mooring/operator/model/resource-key.ts';
import type { ApplyOptions } from '@mooring/operator/world/cluster.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { startFaultProxy } from '../faults/fault-proxy.ts';
import { type ApiServer, apiServerOf } from '../harness/api-server.ts';
import {
  configMap,
  connectionTo,
  permitAll,
  startWire,
  tracked,
  until,
  viewOptions,
  type Watched,
  type Wire,
  watchCluster,
} from './fixture.ts';

let real: Cluster;
let wire: Wire;
let view: Watched;
let apiServer: ApiServer | undefined;

before(async () => {
  real = await startCluster({ name: 'kube-watch', node: 'none' });
  wire = await startWire(real.server);
  view = await watchCluster(real, wire.server);
});

after(async () => {
  await view?.close();
  await wire?.close();
  apiServer?.close();
  await real?.stop();
});

const serverSide: ApplyOptions = { how: 'server-side', validate: true, guard: permitAll };
const path = '/api/v1/namespaces/default/configmaps';
const configMaps = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
  verbs: [],
} as const;

function hasRecord(object: KubeObject): boolean {
  return view.cluster.record(keyOf(object)) !== undefined;
}

const widget: KubeObject = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'first', namespace: 'default' },
  spec: { size: 1 },
};
const definition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
};

describe('kinds that come and go', () => {
  test('a definition and its first object can be applied one right after the other', async () => {
    await view.cluster.apply(definition, serverSide);
    const stored = await view.cluster.apply(tracked('widgets', widget), serverSide);
    assert.ok(stored.metadata.uid);
    assert.equal(view.cluster.scopeOf('example.com', 'Widget'), 'Namespaced');
    assert.ok(view.cluster.apiVersions.includes('example.com/v1/Widget'));
  });

  test('objects of the new kind are watched', async () => {
    await real.api.call('POST', '/apis/example.com/v1/namespaces/default/widgets', {
      ...widget,
      metadata: { name: 'second', namespace: 'default' },
    });
    await until('the second is seen', () =>
      hasRecord({ ...widget, metadata: { name: 'second', namespace: 'default' } }),
    );
    await real.kubectl('patch', 'widget', 'first', '--type=merge', '-p', '{"spec":{"size":2}}');
    await until('drift is told', () => view.changes.some(({ what, app }) => what === 'drift' && app === 'widgets'));
  });

  test('a definition that goes takes its kind and its objects out of the view', async () => {
    await real.kubectl('delete', 'crd', 'widgets.example.com', '--wait=false');
    await until('the objects are gone', () => !hasRecord(widget));
    await until('the kind is gone', () => view.cluster.scopeOf('example.com', 'Widget') === undefined);
    assert.ok(view.changes.some(({ what, app }) => what === 'gone' && app === 'widgets'));
  });

  test('a definition that somebody else adds is found', async () => {
    await until('the old one is gone', async () => (await view.cluster.get(keyOf(definition))) === undefined);
    await real.api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    await until('the kind is served', () => view.cluster.scopeOf('example.com', 'Widget') === 'Namespaced');
    await real.api.call('POST', '/apis/example.com/v1/namespaces/default/widgets', widget);
    await until('its object is seen', () => hasRecord(widget));
  });
});

/** A kind of two versions; the one that is not stored needs a webhook, where `webhook` says which. */
function gadgets(webhook: string | undefined): KubeObject {
  const version = (name: string, storage: boolean): object => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gadgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' },
      versions: [version('v2', false), version('v1', true)],
      conversion:
        webhook === undefined
          ? { strategy: 'None', webhook: null }
          : {
              strategy: 'Webhook',
              webhook: { clientConfig: { url: webhook }, conversionReviewVersions: ['v1'] },
            },
    },
  };
}

describe('kinds that cannot be seen', () => {
  test('a conversion webhook that is down takes its own kind out of sight, and no other', async () => {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const gadget = tracked('gadgets', {
      apiVersion: 'example.com/v1',
      kind: 'Gadget',
      metadata: { name: 'one', namespace: 'default' },
    });
    await real.api.call('POST', definitions, gadgets(undefined));
    await until('the view knows the kind', () => view.cluster.scopeOf('example.com', 'Gadget') !== undefined);
    await view.cluster.apply(gadget, serverSide);
    await view.cluster.apply(tracked('beside', configMap('beside', {})), serverSide);
    // Nothing listens there.
    await real.api.call('PATCH', `${definitions}/gadgets.example.com`, gadgets('https://127.0.0.1:9/convert'));
    await until('lists of it fail', async () => {
      try {
        await real.api.call('GET', '/apis/example.com/v2/namespaces/default/gadgets');
        return false;
      } catch {
        return true;
      }
    });
    const late = await watchCluster(real, wire.server);
    assert.equal(late.fault(), undefined);
    const [unseen, ...others] = late.cluster.unseen();
    assert.deepEqual([unseen?.kind, unseen?.fault.code, others], ['Gadget', 'cluster-unreachable', []]);
    assert.match(unseen?.fault.message ?? '', /gadgets\.example\.com cannot be seen/);
    assert.equal(late.cluster.tracked('beside').length, 1);
    wire.reset();
    await until('the view that was there before knows it too', () => view.cluster.unseen().length === 1);
    assert.equal(view.fault(), undefined);
    await real.api.call('PATCH', `${definitions}/gadgets.example.com`, gadgets(undefined));
    for (const one of [late, view]) {
      await until('it is seen again', () => one.cluster.unseen().length === 0, 30_000);
      assert.equal(one.cluster.tracked('gadgets').length, 1);
    }
    await late.close();
    await real.kubectl('delete', 'crd', 'gadgets.example.com');
  });

  test('a load balancer with nothing behind it leaves no view that is empty or out of date and believed', async () => {
    const proxy = await startFaultProxy(real);
    const seen = await watchCluster(real, proxy.server);
    try {
      proxy.down(503);
      await until('the view knows', () => seen.fault()?.code === 'cluster-unreachable', 10_000);
      proxy.down(undefined);
      await until('the view follows', () => seen.fault() === undefined && seen.cluster.unseen().length === 0, 20_000);
    } finally {
      await seen.close();
      await proxy.close();
    }
  });
});

describe('broken connections', () => {
  test('a reset of every connection loses no event', async () => {
    const objects = Array.from({ length: 20 }, (_, index) =>
      tracked('resets', configMap(`reset-${index}`, { a: '0' })),
    );
    for (const object of objects) await view.cluster.apply(object, serverSide);
    for (let round = 1; round <= 5; round++) {
      await until('each kind has a watch', () => wire.count() > 40);
      wire.reset();
      for (const { metadata } of objects)
        await real.api.call('PATCH', `${path}/${metadata.name}`, { data: { a: String(round) } });
      const versions = new Map<string, string>();
      for (const { metadata } of objects)
        versions.set(
          metadata.name ?? '',
          (await real.api.call('GET', `${path}/${metadata.name}`)).metadata.resourceVersion,
        );
      await until('every edit is seen', () =>
        objects.every(
          (object) => view.cluster.record(keyOf(object))?.resourceVersion === versions.get(object.metadata.name ?? ''),
        ),
      );
    }
    await until('every watch is back', () => view.fault() === undefined);
    const drifts = view.changes.filter(({ what, app }) => app === 'resets' && what === 'drift');
    assert.ok(drifts.length >= objects.length, 'each drift is told at least once');
  });

  test('while a cluster cannot be reached the view says so, and follows it again within 10 s', async () => {
    const object = tracked('cut', configMap('cut', { a: '0' }));
    await view.cluster.apply(object, serverSide);
    view.followed.length = 0;
    wire.cut(true);
    await until('the view knows', () => view.fault()?.code === 'cluster-unreachable', 5_000);
    const started = performance.now();
    await assert.rejects(view.cluster.get(keyOf(object)), { name: 'Fault', code: 'cluster-unreachable' });
    assert.ok(performance.now() - started < 2_000, 'it does not keep the caller waiting');
    await real.api.call('PATCH', `${path}/cut`, { data: { a: '1' } });
    await sleep(4_000);
    assert.equal(view.changes.filter(({ app }) => app === 'cut').length, 0);
    const healed = performance.now();
    wire.cut(false);
    await until(
      'the drift is told',
      () => view.changes.some(({ app, what }) => app === 'cut' && what === 'drift'),
      10_000,
    );
    await until('the view follows', () => view.fault() === undefined, 10_000);
    console.log(`# followed again ${Math.round(performance.now() - healed)} ms after the cut ended`);
    assert.deepEqual(view.followed, ['cluster-unreachable', undefined]);
  });
});

describe('lists', () => {
  test('a version that is too old is listed anew, and what went meanwhile is dropped', async () => {
    const kept = tracked('expired', configMap('expired-kept', { a: '0' }));
    const lost = tracked('expired', configMap('expired-lost', { a: '0' }));
    await view.cluster.apply(kept, serverSide);
    await view.cluster.apply(lost, serverSide);
    const counts = { lists: 0, seen: new Set<string>() };
    const client = createClient(connectionTo(real, wire.server), viewOptions());
    const reflector = startReflector(client, configMaps, { namespace: 'default', metadataOnly: true }, viewOptions(), {
      seen: (object) => counts.seen.add(object.metadata.name ?? ''),
      gone: (object) => counts.seen.delete(object.metadata.name ?? ''),
      listBegan: () => {
        counts.lists++;
        counts.seen.clear();
      },
      listEnded: () => {},
      live: () => {},
      failing: () => {},
    });
    await until('listed', () => counts.seen.has('expired-lost'));
    assert.equal(counts.lists, 1);

    view.changes.length = 0;
    wire.cut(true);
    await real.api.call('PATCH', `${path}/expired-kept`, { data: { a: '1' } });
    await real.api.call('DELETE', `${path}/expired-lost`);
    // A kind may go meanwhile, and nothing tells of its definition's end.
    assert.ok(hasRecord(widget));
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await real.api.call('DELETE', `${definitions}/widgets.example.com`);
    await until('it is gone', async () => {
      const { items } = await real.api.call('GET', definitions);
      return items.every((item: KubeObject) => item.metadata.name !== 'widgets.example.com');
    });
    // A fresh API server's watch cache begins at its start: it cannot go on from a version before it.
    apiServer = await apiServerOf(real);
    await apiServer.stop();
    await apiServer.start();
    const healed = performance.now();
    wire.cut(false);
    await until('listed anew', () => counts.lists === 2 && counts.seen.has('expired-kept'));
    await until('both are told', () => view.changes.filter(({ app }) => app === 'expired').length === 2);
    assert.deepEqual(
      view.changes
        .filter(({ app }) => app === 'expired')
        .map(({ key, what }) => `${key.name} ${what}`)
        .sort(),
      ['expired-kept drift', 'expired-lost gone'],
    );
    assert.ok(!counts.seen.has('expired-lost'));
    await until('the whole view follows', () => view.fault() === undefined);
    await until('the kind is gone', () => view.cluster.scopeOf('example.com', 'Widget') === undefined);
    assert.ok(!hasRecord(widget));
    console.log(
      `# the whole view followed ${Math.round(performance.now() - healed)} ms after the API server's restart`,
    );
    reflector.stop();
    await client.close();
  });

  test('a server without streaming lists is listed in pages', async () => {
    for (let index = 0; index < 25; index++) await view.cluster.apply(configMap(`page-${index}`, {}), serverSide);
    const options = viewOptions();
    const limits = { ...options.limits, listPageSize: 10 };
    const client = createClient(connectionTo(real), { ...options, limits });
    const pages: string[] = [];
    const old = {
      ...client,
      send: (request: Parameters<typeof client.send>[0]) => {
        pages.push(request.query['continue'] === undefined ? 'first' : 'next');
        return client.send(request);
      },
      stream: (request: Parameters<typeof client.stream>[0], listener: Parameters<typeof client.stream>[1]) => {
        const query: Record<string, string> = { ...request.query };
        // The API server answers this as one does that knows no streaming list: 422.
        if (query['sendInitialEvents'] !== undefined) delete query['resourceVersionMatch'];
        return client.stream({ ...request, query }, listener);
      },
    };
    const seen = new Set<string>();
    let isLive = false;
    const reflector = startReflector(
      old,
      configMaps,
      { namespace: 'default', metadataOnly: true },
      { ...options, limits },
      {
        seen: (object) => {
          assert.equal(object.kind, 'ConfigMap');
          seen.add(object.metadata.name ?? '');
        },
        gone: (object) => seen.delete(object.metadata.name ?? ''),
        listBegan: () => {},
        listEnded: () => {},
        live: () => {
          isLive = true;
        },
        failing: () => {},
      },
    );
    await until('live', () => isLive);
    const { items } = (await client.send(
      listPage(configMaps, { namespace: 'default', metadataOnly: true }, 500, undefined),
    )) as { items: KubeObject[] };
    assert.deepEqual([...seen].sort(), items.map(({ metadata }) => metadata.name ?? '').sort());
    assert.equal(pages[0], 'first');
    assert.ok(pages.length >= 3, `${pages.length} pages`);
    await real.kubectl('delete', 'cm', 'page-3');
    await until('the watch goes on after the pages', () => !seen.has('page-3'));
    reflector.stop();
    await client.close();
  });
});

test('a kind that the settings come to leave out is let go, and seen again when they do not', async () => {
  const left = new Set<string>();
  let changed = (): void => {};
  const kinds: KindChoice = {
    isExcluded: (_, kind) => left.has(kind),
    subscribe: (listener) => {
      changed = listener;
      return () => {};
    },
  };
  const own = await watchCluster(real, real.server, { kinds });
  try {
    const object = tracked('left-out', configMap('left-out', { a: '1' }));
    const { record } = own.cluster;
    await own.cluster.apply(object, serverSide);
    assert.ok(record(keyOf(object)));
    const before = own.facts().kinds;
    left.add('ConfigMap');
    changed();
    assert.equal(record(keyOf(object)), undefined);
    assert.equal(own.facts().kinds, before - 1);
    assert.deepEqual(own.cluster.tracked('left-out'), []);
    left.clear();
    changed();
    await until('it is seen again', () => record(keyOf(object)) !== undefined);
  } finally {
    await own.close();
  }
});
