import assert from 'node:assert/strict';
import test from 'node:test';
import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { KubeObject, ManagedFieldsEntry } from '@mooring/renderer-contract';
import { coversAll } from './covers.ts';
import type { FieldTree } from './fields.ts';

const wanted: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
  spec: {
    replicas: 2,
    paused: false,
    strategy: {},
    selector: { matchLabels: { app: 'web' } },
    template: { spec: { containers: [{ name: 'web', image: 'web:1', args: ['a'], ports: [{ containerPort: 80 }] }] } },
  },
};

/** What the API server notes where all of it is ours. */
const all = {
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:paused': {},
    'f:strategy': {},
    'f:selector': {},
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"web"}': {
            '.': {},
            'f:name': {},
            'f:image': {},
            'f:args': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
      },
    },
  },
};

function owner(fieldsV1: FieldTree, rest: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry {
  return { manager: 'argocd-controller', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1, ...rest };
}

function isCovered(managedFields: readonly ManagedFieldsEntry[], rules: readonly ResourceIgnoreDifferences[] = []) {
  const live = { ...wanted, metadata: { ...wanted.metadata, managedFields } } as KubeObject;
  return coversAll(wanted, live, rules);
}

/** The tree without what a path leads to; nothing is left of what is empty then. */
function without(tree: FieldTree, ...path: readonly string[]): FieldTree {
  const [step = '', ...rest] = path;
  const { [step]: inner, ...others } = tree;
  const left = rest.length === 0 ? {} : without(inner as FieldTree, ...rest);
  return Object.keys(left).length === 0 ? others : { ...others, [step]: left };
}

test('what was just applied is ours, and so it is where others own the same', () => {
  assert.equal(isCovered([owner(all)]), true);
  assert.equal(isCovered([owner(all), owner(all, { manager: 'kubectl' })]), true);
});

const containers = ['f:spec', 'f:template', 'f:spec', 'f:containers'];
const item = [...containers, 'k:{"name":"web"}'];

for (const path of [
  ['f:metadata', 'f:labels', 'f:app'],
  ['f:spec', 'f:replicas'],
  ['f:spec', 'f:paused'],
  ['f:spec', 'f:strategy'],
  ['f:spec', 'f:selector'],
  item,
  [...item, 'f:image'],
  [...item, 'f:args'],
  [...item, 'f:ports'],
]) {
  test(`whoever has taken ${path.at(-1)} may change it without our entry telling`, () => {
    assert.equal(isCovered([owner(without(all, ...path))]), false);
  });
}

test('what somebody put under an empty map of ours is not ours', () => {
  const emptied = { ...all, 'f:metadata': { 'f:labels': {} } };
  assert.equal(
    isCovered([owner(emptied), owner({ 'f:metadata': { 'f:labels': { 'f:app': {} } } }, { manager: 'x' })]),
    false,
  );
});

test('an entry of another version, or of a subresource, tells nothing', () => {
  assert.equal(isCovered([owner(all, { apiVersion: 'apps/v1beta2' })]), false);
  assert.equal(isCovered([owner(all, { subresource: 'scale' })]), false);
  assert.equal(isCovered([]), false);
});

test('what was put as a whole is owned through an update', () => {
  assert.equal(isCovered([owner(all, { operation: 'Update' })]), true);
});

test('what is always ignored need not be ours; what is ignored by the values or the owners of others may have to be', () => {
  const entries = [owner(without(all, 'f:spec', 'f:replicas'))];
  const rule = { group: 'apps', kind: 'Deployment' };
  assert.equal(isCovered(entries, [{ ...rule, jsonPointers: ['/spec/replicas'] }]), true);
  assert.equal(isCovered(entries, [{ ...rule, kind: 'StatefulSet', jsonPointers: ['/spec/replicas'] }]), false);
  assert.equal(isCovered([owner(all)], [{ ...rule, managedFieldsManagers: ['hpa'] }]), false);
  const selected = '.spec.template.spec.containers[] | select(.name == "side")';
  assert.equal(isCovered([owner(all)], [{ ...rule, jqPathExpressions: [selected] }]), false);
});

test('the order of items is covered where each change has a generation', () => {
  const service = (generation?: number): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', ...(generation !== undefined && { generation }) },
    spec: { ports: [{ port: 80 }, { port: 81 }] },
  });
  const item = (port: number): FieldTree => ({ [`k:{"port":${port},"protocol":"TCP"}`]: { '.': {}, 'f:port': {} } });
  const fields = { 'f:spec': { 'f:ports': { ...item(80), ...item(81) } } };
  const live = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, managedFields: [{ ...owner(fields), apiVersion: 'v1' }] },
  });
  assert.equal(coversAll(service(), live(service()), []), false);
  assert.equal(coversAll(service(), live(service(3)), []), true);
});
