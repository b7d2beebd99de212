import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { hasHealthRule, healthOf } from '../../engine/health/health.ts';
import { operatorLimits } from '../../model/limits.ts';
import { systemClock, systemRandom } from '../time/system.ts';
import { openView } from './cluster.ts';
import { usualKinds } from './watched-kinds.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'migrate' };
const hook = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'migrate',
    namespace: 'shop',
    uid: 'uid-1',
    resourceVersion: '5',
    annotations: { 'argocd.argoproj.io/tracking-id': 'cart:/ConfigMap:shop/migrate' },
  },
};

const discovery: Readonly<Record<string, unknown>> = {
  '/version': { gitVersion: 'v1.37.2' },
  '/apis': { kind: 'APIGroupDiscoveryList', items: [] },
  '/api': {
    kind: 'APIGroupDiscoveryList',
    items: [
      {
        metadata: {},
        versions: [
          {
            version: 'v1',
            resources: [
              {
                resource: 'configmaps',
                responseKind: { kind: 'ConfigMap' },
                scope: 'Namespaced',
                verbs: ['get', 'list', 'watch'],
              },
            ],
          },
        ],
      },
    ],
  },
};

test('an object that ended while its GET was under way does not come back into the view', async () => {
  let watch: ServerResponse | undefined;
  const asked = Promise.withResolvers<ServerResponse>();
  const ended = Promise.withResolvers<void>();
  const tell = (type: string, object: unknown): void => void watch?.write(`${JSON.stringify({ type, object })}\n`);
  const server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://shop');
    response.setHeader('content-type', 'application/json');
    if (pathname.endsWith('/migrate')) return asked.resolve(response);
    if (!searchParams.has('watch')) return response.end(JSON.stringify(discovery[pathname]));
    watch = response;
    tell('ADDED', hook);
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    tell('BOOKMARK', { ...hook, metadata: { resourceVersion: '6', annotations } });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  const view = await openView(
    { server: `http://127.0.0.1:${bound.port}` },
    { server: 'https://shop.example.com', namespaces: [], clusterResources: true },
    {
      clock: systemClock,
      random: systemRandom,
      limits: operatorLimits,
      log: quiet,
      healthOf,
      hasHealthRule,
      respectRbac: () => 'off',
      kinds: usualKinds,
    },
    {
      changed: ({ what }) => {
        if (what === 'gone') ended.resolve();
      },
      followed: () => {},
      outdated: () => {},
    },
  );
  try {
    assert.equal(view.cluster.record(key)?.uid, 'uid-1');
    const answer = view.cluster.get(key);
    const response = await asked.promise;
    tell('DELETED', { ...hook, metadata: { ...hook.metadata, resourceVersion: '7' } });
    await ended.promise;
    response.end(JSON.stringify(hook));
    assert.equal((await answer)?.metadata.uid, 'uid-1');
    assert.equal(view.cluster.record(key), undefined);
  } finally {
    await view.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
