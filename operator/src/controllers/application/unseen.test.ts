import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
import type { ResourceKey } from '../../model/resource-key.ts';
import { requireCovered, requireSeen } from './unseen.ts';

const server = 'https://api.example.com';
const key = (kind: string, namespace: string): ResourceKey => ({ group: '', kind, namespace, name: 'x' });

function appWith(status: Application['status']): Application {
  return { status } as Application;
}

test('a kind that is unseen in one namespace stops those who have, or had, objects of it there', () => {
  const fault = new Fault('cluster-refused', 'secrets may not be listed in a');
  const cluster = { server, unseen: () => [{ group: '', kind: 'Secret', namespace: 'a', fault }] };
  const refused = { code: 'cluster-refused', message: fault.message };
  assert.throws(() => requireSeen(appWith({}), [key('Secret', 'a')], cluster), refused);
  const [had] = [{ kind: 'Secret', version: 'v1', namespace: 'a', name: 'y' }];
  assert.throws(() => requireSeen(appWith({ resources: [had] }), [], cluster), refused);
  requireSeen(appWith({ resources: [{ ...had, namespace: 'b' }] }), [key('Secret', 'b'), key('Pod', 'a')], cluster);
});

test('an object outside of the namespaces of a cluster is refused in the words of Argo CD', () => {
  const cluster = { server, covers: ({ namespace }: ResourceKey) => namespace === 'a' };
  requireCovered([key('Pod', 'a')], cluster);
  assert.throws(() => requireCovered([key('Pod', 'a'), key('Pod', 'b')], cluster), {
    code: 'cluster-refused',
    message: /^namespace "b" for Pod "x" is not managed: correct namespaces or clusterResources in the Secret/,
  });
  assert.throws(() => requireCovered([key('Namespace', '')], cluster), {
    message: /^cluster level Namespace "x" can not be managed when in namespaced mode/,
  });
});
