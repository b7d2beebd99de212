import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, ManagedNamespaceMetadata } from '@mooring/crds';
import { targetOf } from '../../engine/policy/target.ts';
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

function namespaced(app: Application, { exists = false, guard = (() => undefined) as Guard } = {}) {
  const record = exists ? ({ key } as Partial<LiveRecord> as LiveRecord) : undefined;
  return namespaceOf(app, targetOf(app), nothing, 'shop', { record: () => record, covers: () => true }, guard);
}

test('a namespace that is to be made or marked must be permitted like any other', () => {
  const asked: unknown[] = [];
  const guard: Guard = (claim) => {
    asked.push(claim);
    return 'no Namespaces here';
  };
  const restricted = appWith({ labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } });
  assert.equal(namespaced(appWith(), { guard })?.forbidden, 'no Namespaces here');
  assert.equal(namespaced(restricted, { guard, exists: true })?.forbidden, 'no Namespaces here');
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
