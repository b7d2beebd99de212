import assert from 'node:assert/strict';
import test from 'node:test';
import { parseTrackingId, trackedBy, trackingId, trackingName } from './tracking.ts';

const deployment = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'cart' };
const namespace = { group: '', kind: 'Namespace', namespace: '', name: 'shop' };

test('tracking ids are written as Argo CD writes them', () => {
  assert.equal(trackingId('store', deployment, 'elsewhere'), 'store:apps/Deployment:shop/cart');
  assert.equal(trackingId('store', namespace, 'shop'), 'store:/Namespace:shop/shop');
});

test('tracking ids are read back', () => {
  assert.deepEqual(parseTrackingId('store:apps/Deployment:shop/cart'), { app: 'store', key: deployment });
  assert.equal(
    parseTrackingId('store:rbac.authorization.k8s.io/ClusterRole:shop/system:cart:reader')?.key.name,
    'system:cart:reader',
  );
  for (const text of ['', 'store', 'store:Deployment:shop/cart', 'store:apps/Deployment:cart', 'a:b/c:d/e/f']) {
    assert.equal(parseTrackingId(text), undefined, text);
  }
});

test('an object is tracked only by an id that is its own', () => {
  assert.equal(trackedBy(deployment, 'store:apps/Deployment:shop/cart'), 'store');
  assert.equal(trackedBy(deployment, undefined), undefined);
  assert.equal(trackedBy({ ...deployment, kind: 'ReplicaSet' }, 'store:apps/Deployment:shop/cart'), undefined);
  assert.equal(trackedBy({ ...deployment, namespace: 'copy' }, 'store:apps/Deployment:shop/cart'), undefined);
  assert.equal(trackedBy(namespace, 'store:/Namespace:other/shop'), 'store');
});

test('Applications of other namespaces are named with theirs', () => {
  assert.equal(trackingName({ metadata: { name: 'store', namespace: 'argocd' } }, 'argocd'), 'store');
  assert.equal(trackingName({ metadata: { name: 'store', namespace: 'team' } }, 'argocd'), 'team_store');
});
