import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { mergedOver, repeatsKeys, withNote } from './merge.ts';

const pod = (spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', ...metadata },
  spec,
});
const a = (value: string) => ({ name: 'A', value });
const inMain = (env: readonly unknown[], more: Record<string, unknown> = {}) => ({
  containers: [{ name: 'main', env, ...more }],
});
const specOf = (object: KubeObject) => object['spec'];

test('what Git says is laid over what others set, and what was noted last and left Git is gone', () => {
  const last = withNote(pod(inMain([a('1'), a('2'), { name: 'GONE', value: '1' }], { tty: true })));
  const live = pod(
    {
      ...inMain([a('1'), a('hand'), { name: 'GONE', value: '1' }, { name: 'OTHERS', value: '1' }], { tty: true }),
      nodeName: 'node',
    },
    { annotations: last.metadata.annotations, resourceVersion: '7' },
  );
  const merged = mergedOver(pod(inMain([a('1'), a('3')])), live);
  assert.deepEqual(specOf(merged), { ...inMain([a('1'), a('3'), { name: 'OTHERS', value: '1' }]), nodeName: 'node' });
  assert.equal(merged.metadata.resourceVersion, '7');
  const note = merged.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '';
  assert.deepEqual(JSON.parse(note), pod(inMain([a('1'), a('3')])));
});

test('what our apply entry has and Git lacks is gone', () => {
  const main = {
    'k:{"name":"main"}': { '.': {}, 'f:name': {}, 'f:tty': {}, 'f:env': { 'k:{"name":"A"}': { '.': {} } } },
  };
  const fieldsV1 = { 'f:spec': { 'f:containers': main } };
  const managedFields = [{ manager: 'argocd-controller', operation: 'Apply', apiVersion: 'v1', fieldsV1 }];
  const live = pod(inMain([a('1')], { tty: true, stdin: true }), { managedFields });
  const merged = mergedOver(pod(inMain([a('1'), a('2')])), live);
  assert.deepEqual(specOf(merged), inMain([a('1'), a('2')], { stdin: true }));
});

test('keys that come twice are known', () => {
  assert.ok(repeatsKeys(pod(inMain([a('1'), a('2')]))));
  assert.ok(!repeatsKeys(pod(inMain([a('1'), { name: 'B' }]))));
  const ports = [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }];
  assert.ok(!repeatsKeys(pod(inMain([], { ports }))));
  assert.ok(repeatsKeys(pod(inMain([], { ports: [...ports, { containerPort: 53, protocol: 'TCP' }] }))));
});
