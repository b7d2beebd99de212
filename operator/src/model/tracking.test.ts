import assert from 'node:assert/strict';
import test from 'node:test';
import { trackingId, trackingName } from './tracking.ts';

const deployment = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'cart' };
const namespace = { group: '', kind: 'Namespace', namespace: '', name: 'shop' };

test('tracking ids are written as Argo CD writes them', () => {
  assert.equal(trackingId('store', deployment, 'elsewhere'), 'store:apps/Deployment:shop/cart');
  assert.equal(trackingId('store', namespace, 'shop'), 'store:/Namespace:shop/shop');
});

test('Applications of other namespaces are named with theirs', () => {
  assert.equal(trackingName({ metadata: { name: 'store', namespace: 'argocd' } }, 'argocd'), 'store');
  assert.equal(trackingName({ metadata: { name: 'store', namespace: 'team' } }, 'argocd'), 'team_store');
});
