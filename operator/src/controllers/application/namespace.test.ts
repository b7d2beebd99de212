import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, ManagedNamespaceMetadata } from '@mooring/crds';
import type { Guard } from '../../model/guard.ts';
import type { LiveRecord } from '../../model/live.ts';
import { namespaceOf } from './namespace.ts';

const key = { group: '', kind: 'Namespace', namespace: '', name: 'store' };
const nothing = { objects: [], warnings: [] };

function appWith(managedNamespaceMetadata?: ManagedNamespaceMetadata): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd' },
    spec: {
      project: 'shop',
      source: { repoURL: 'https://git.example.com/shop.git', path: 'prod' },
      destination: { server: 'https://east', namespace: 'store' },
      syncPolicy: {
        syncOptions: ['CreateNamespace=true'],
        ...(managedNamespaceMetadata && { managedNamespaceMetadata }),
      },
    },
  };
}

function namespaced(
  app: Application,
  { exists = false, owner = undefined as string | undefined, guard = (() => undefined) as Guard } = {},
) {
  const record = exists ? ({ key, app: owner } as Partial<LiveRecord> as LiveRecord) : undefined;
  const syncOptions = app.spec.syncPolicy?.syncOptions ?? [];
  const cluster = { record: () => record, covers: () => true };
  return namespaceOf(app, nothing, cluster, { syncOptions, tracking: 'shop', guard });
}

test('a namespace that is to be made or marked must be permitted like any other', () => {
  const asked: unknown[] = [];
  const guard: Guard = (claim) => {
    asked.push(claim);
    return 'no Namespaces here';
  };
  const restricted = appWith({ labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } });
  assert.equal(namespaced(appWith(), { guard })?.forbidden, 'no Namespaces here; CreateNamespace=true asks for it');
  const marked = namespaced(restricted, { guard, exists: true });
  assert.equal(marked?.forbidden, 'no Namespaces here; managedNamespaceMetadata asks for it');
  assert.deepEqual(asked, [
    { key, scope: 'Cluster' },
    { key, scope: 'Cluster' },
  ]);
  assert.equal(namespaced(appWith())?.forbidden, undefined);
});

test('a namespace that is there, and is to be marked with nothing, needs no permission', () => {
  assert.equal(namespaced(appWith(), { exists: true, guard: () => 'no Namespaces here' }), undefined);
});

test('a namespace is not made part of another Application', () => {
  const marked = (id: string) =>
    namespaced(appWith({ annotations: { 'argocd.argoproj.io/tracking-id': id } }), { exists: true })?.forbidden;
  assert.match(marked('bank:/Namespace:store/store') ?? '', /part of another Application; take the annotation/);
  assert.equal(marked('shop:/Namespace:store/store'), undefined);
});

test('a namespace that the source had, and has no more, is taken over as one that a sync makes', () => {
  const left = namespaced(appWith(), { exists: true, owner: 'shop' });
  assert.deepEqual(left?.object.metadata, { name: 'store' });
  assert.equal(namespaced(appWith(), { exists: true, owner: 'bank' }), undefined);
  assert.equal(namespaced(appWith(), { exists: true, owner: 'shop', guard: () => 'no Namespaces here' }), undefined);
});
