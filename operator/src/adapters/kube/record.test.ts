import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject, ManagedFieldsEntry } from '@mooring/renderer-contract';
import { appOf, ownedHash, recordOf } from './record.ts';

const ingress = { group: 'networking.k8s.io', kind: 'Ingress', namespace: 'shop', name: 'web' };

describe('a tracking id', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['its own', 'cart:networking.k8s.io/Ingress:shop/web', 'cart'],
    ['its own, from a group that the kind has left', 'cart:extensions/Ingress:shop/web', 'cart'],
    ['of an Application in another namespace', 'team_cart:networking.k8s.io/Ingress:shop/web', 'team_cart'],
    ['of another name', 'cart:networking.k8s.io/Ingress:shop/other', undefined],
    ['of another namespace', 'cart:networking.k8s.io/Ingress:dev/web', undefined],
    ['of another kind', 'cart:networking.k8s.io/NetworkPolicy:shop/web', undefined],
    ['of another group', 'cart:example.com/Ingress:shop/web', undefined],
    ['without an Application', ':networking.k8s.io/Ingress:shop/web', undefined],
    ['cut short', 'cart:networking.k8s.io/Ingress', undefined],
    ['that is none', 'cart', undefined],
    ['empty', '', undefined],
  ];
  for (const [what, id, app] of cases) test(`${what}: ${app ?? 'nobody'}`, () => assert.equal(appOf(id, ingress), app));

  test('of the core group and of a cluster-scoped object with colons in its name', () => {
    assert.equal(appOf('cart:/Secret:shop/db', { group: '', kind: 'Secret', namespace: 'shop', name: 'db' }), 'cart');
    const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'system:web:reader' };
    assert.equal(appOf('cart:rbac.authorization.k8s.io/ClusterRole:shop/system:web:reader', role), 'cart');
    assert.equal(appOf('cart:rbac.authorization.k8s.io/ClusterRole:/system:web:reader', role), 'cart');
    assert.equal(appOf('cart:rbac.authorization.k8s.io/ClusterRole:shop/system:web', role), undefined);
  });
});

describe('the hash of what we own', () => {
  const entry = (fields: Partial<ManagedFieldsEntry>): ManagedFieldsEntry => ({
    manager: 'argocd-controller',
    operation: 'Apply',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsV1: { 'f:data': { 'f:a': {} } },
    ...fields,
  });
  const own = ownedHash([entry({})]);

  test('is 22 characters, whoever else owns something', () => {
    assert.match(own ?? '', /^[A-Za-z0-9_-]{22}$/);
    assert.equal(
      ownedHash([entry({ manager: 'kubectl', operation: 'Update' }), entry({}), entry({ subresource: 'status' })]),
      own,
    );
  });

  test('changes with the fields, the time and the version', () => {
    const others = [
      entry({ fieldsV1: { 'f:data': {} } }),
      entry({ time: '2026-01-01T00:00:01Z' }),
      entry({ apiVersion: 'v2' }),
      entry({ operation: 'Update' }),
    ];
    assert.equal(new Set([own, ...others.map((other) => ownedHash([other]))]).size, 5);
  });

  test('is that of the Apply entry where there is an Update entry too', () => {
    assert.equal(ownedHash([entry({ operation: 'Update', fieldsV1: {} }), entry({})]), own);
  });

  test('is undefined where we own nothing', () => {
    assert.equal(ownedHash(undefined), undefined);
    assert.equal(ownedHash([entry({ manager: 'kubectl' }), entry({ subresource: 'scale' })]), undefined);
  });
});

describe('a record', () => {
  const object: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u1',
      resourceVersion: '42',
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-02T00:00:00Z',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'u0' }],
      annotations: {
        'argocd.argoproj.io/tracking-id': 'cart:apps/Deployment:shop/web',
        'argocd.argoproj.io/sync-wave': '3',
        'helm.sh/resource-policy': 'keep',
        'example.com/other': 'x',
      },
    },
    status: { large: 'x'.repeat(1000) },
  };

  test('holds what is acted on, and nothing else', () => {
    assert.deepEqual(
      recordOf(object, () => ({ status: 'Healthy' })),
      {
        key: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
        apiVersion: 'apps/v1',
        uid: 'u1',
        resourceVersion: '42',
        createdAt: Date.UTC(2026, 0, 1),
        deleting: true,
        owners: ['u0'],
        app: 'cart',
        health: { status: 'Healthy' },
        ownedHash: undefined,
        ownedAt: 0,
        hints: { 'argocd.argoproj.io/sync-wave': '3', 'helm.sh/resource-policy': 'keep' },
      },
    );
  });

  test('is made even of an object that a health rule stumbles over', () => {
    const record = recordOf(object, () => {
      throw new TypeError('conditions is not iterable');
    });
    assert.deepEqual(record.health, {
      status: 'Unknown',
      message: 'its health cannot be told: conditions is not iterable',
    });
  });
});

test('a record of a kind that is watched by metadata only is the same from a watch and from the answer to a write', () => {
  const metadata = {
    name: 'web',
    namespace: 'shop',
    annotations: { 'argocd.argoproj.io/tracking-id': 'cart:apps.kruise.io/CloneSet:shop/web' },
  };
  const spec = { template: { spec: { containers: [{ name: 'main', image: 'shop:1' }] } } };
  const seen = { apiVersion: 'apps.kruise.io/v1', kind: 'CloneSet', metadata };
  const none = (): undefined => undefined;
  assert.deepEqual(recordOf({ ...seen, spec }, none, false), recordOf(seen, none, false));
  assert.deepEqual(recordOf({ ...seen, spec }, none).images, ['shop:1']);
});
