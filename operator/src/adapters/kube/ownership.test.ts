import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject, ManagedFieldsEntry } from '@mooring/renderer-contract';
import { hasClientSideOwner, ownersAsPut, ownersWithoutStale, takeOwnership, uniteFields } from './ownership.ts';

const kubectl: ManagedFieldsEntry = {
  manager: 'kubectl-client-side-apply',
  operation: 'Update',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:data': { 'f:a': {} } },
};
const argo: ManagedFieldsEntry = { ...kubectl, manager: 'argocd-controller', fieldsV1: { 'f:data': { 'f:b': {} } } };
const ours: ManagedFieldsEntry = {
  ...kubectl,
  manager: 'argocd-controller',
  operation: 'Apply',
  fieldsV1: { 'f:data': { 'f:c': {} } },
};
const stranger: ManagedFieldsEntry = { ...kubectl, manager: 'kubectl-edit' };
const status: ManagedFieldsEntry = { ...argo, subresource: 'status' };

function live(...managedFields: ManagedFieldsEntry[]): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', resourceVersion: '7', managedFields } };
}

function entriesAfter(object: KubeObject): readonly ManagedFieldsEntry[] {
  return (takeOwnership(object)?.[0]?.['value'] ?? []) as ManagedFieldsEntry[];
}

describe('client-side owners', () => {
  test('are kubectl apply and Argo CD, of the whole object', () => {
    assert.ok(hasClientSideOwner([stranger, kubectl]));
    assert.ok(hasClientSideOwner([argo]));
    assert.ok(!hasClientSideOwner([stranger, ours, status]));
    assert.ok(!hasClientSideOwner(undefined));
    assert.equal(takeOwnership(live(stranger, ours, status)), undefined);
  });

  test('hand everything over to our Apply entry, and others keep theirs', () => {
    const entries = entriesAfter(live(kubectl, stranger, argo, ours, status));
    assert.deepEqual(entries, [
      { ...ours, fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {}, 'f:c': {} } } },
      stranger,
      status,
    ]);
  });

  test('become our entry where there is none yet', () => {
    assert.deepEqual(entriesAfter(live(kubectl)), [{ ...ours, fieldsV1: { 'f:data': { 'f:a': {} } } }]);
  });

  test('of another version are let go', () => {
    assert.deepEqual(entriesAfter(live({ ...kubectl, apiVersion: 'v1beta1' }, ours)), [ours]);
  });

  test('only on the version that was read', () => {
    assert.deepEqual(takeOwnership(live(kubectl))?.[1], {
      op: 'replace',
      path: '/metadata/resourceVersion',
      value: '7',
    });
  });
});

test('sets of fields are united', () => {
  const a = { 'f:spec': { 'f:x': {}, 'k:{"name":"a"}': { '.': {}, 'f:v': {} } } };
  const b = { 'f:spec': { 'f:y': {}, 'k:{"name":"a"}': { 'f:w': {} } }, 'f:z': {} };
  const union = { 'f:spec': { 'f:x': {}, 'f:y': {}, 'k:{"name":"a"}': { '.': {}, 'f:v': {}, 'f:w': {} } }, 'f:z': {} };
  assert.deepEqual(uniteFields(a, b), union);
  assert.deepEqual(uniteFields(b, a), union);
});

describe('items that stand in the way', () => {
  const step = (port: number) => `k:{"port":${port},"protocol":"TCP"}`;
  const of = (...ports: number[]) => ({
    'f:spec': { 'f:ports': Object.fromEntries(ports.map((port) => [step(port), { '.': {}, 'f:name': {} }])) },
  });
  const service = (ports: readonly unknown[], managedFields: ManagedFieldsEntry[]): KubeObject => ({
    ...live(...managedFields),
    kind: 'Service',
    spec: { ports },
  });
  const clash = 'FieldValueDuplicate spec.ports[1].name';
  const wish = service([{ name: 'a', port: 1 }], []);

  test('become ours, whoever has them, and nothing else does', () => {
    const ports = [
      { name: 'a', port: 2, protocol: 'TCP' },
      { name: 'b', port: 3, protocol: 'TCP' },
    ];
    const other = { ...stranger, manager: 'other', operation: 'Apply', fieldsV1: of(2) };
    const owners = [{ ...ours, fieldsV1: of(4) }, { ...stranger, fieldsV1: of(2, 3) }, other, status];
    assert.deepEqual(ownersWithoutStale(wish, service(ports, owners), clash), [
      { ...ours, fieldsV1: of(4, 2) },
      { ...stranger, fieldsV1: of(3) },
      status,
    ]);
  });

  test('are not there where nothing clashes', () => {
    const apart = service([{ name: 'b', port: 2, protocol: 'TCP' }], [{ ...stranger, fieldsV1: of(2) }]);
    assert.equal(ownersWithoutStale(wish, apart, clash), undefined);
  });
});

test('what is put is ours by one Update entry', () => {
  const fieldsV1 = { 'f:data': { 'f:b': {}, 'f:c': {} } };
  assert.deepEqual(ownersAsPut(live(stranger, argo, ours, status)), [{ ...argo, fieldsV1 }, stranger, status]);
  assert.deepEqual(ownersAsPut(live(stranger)), [stranger]);
});
