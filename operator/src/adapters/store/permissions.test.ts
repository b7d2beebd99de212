import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../model/fault.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Access } from '../kube/review.ts';
import { missingPermissions } from './permissions.ts';

/** A client of an account that may do what `allows` says. */
function clientOf(allows: (access: Access) => boolean): KubeClient {
  return {
    server: 'https://api.example.com',
    send: async ({ path, body = '' }) => {
      if (path.endsWith('/selfsubjectreviews'))
        return { status: { userInfo: { username: 'system:serviceaccount:a:m' } } };
      const { spec } = JSON.parse(body) as { readonly spec: { readonly resourceAttributes: Access } };
      return { status: { allowed: allows(spec.resourceAttributes) } };
    },
    stream: () => assert.fail('nothing is watched'),
    close: async () => {},
  };
}

test('nothing is missing where everything is allowed, and objects are asked for by name where that is enough', async () => {
  const asked: Access[] = [];
  const all = clientOf((access) => asked.push(access) > 0);
  assert.equal(await missingPermissions(all, 'argocd', 'operate'), undefined);
  assert.ok(asked.every(({ namespace }) => namespace === 'argocd'));
  const named = asked.filter(({ resource }) => resource === 'configmaps').map(({ name }) => name);
  assert.deepEqual(
    [...new Set(named)],
    ['argocd-cm', 'argocd-cmd-params-cm', 'argocd-ssh-known-hosts-cm', 'argocd-tls-certs-cm'],
  );
  assert.ok(!asked.some(({ resource }) => resource === 'leases'));
});

test('what is missing is named with the account and the rules that grant it', async () => {
  const reader = clientOf(({ verb, resource }) => verb !== 'patch' && verb !== 'create' && resource !== 'secrets');
  assert.deepEqual(await missingPermissions(reader, 'argocd', 'operate'), {
    reason: 'PermissionsMissing',
    message:
      'the account system:serviceaccount:a:m may not patch applications.argoproj.io; list, watch secrets; create, patch events in the namespace argocd: bind it there to a Role with the rules {apiGroups: ["argoproj.io"], resources: [applications], verbs: [patch]}, {apiGroups: [""], resources: [secrets], verbs: [list, watch]}, {apiGroups: [""], resources: [events], verbs: [create, patch]}',
  });
  assert.match(
    JSON.stringify(await missingPermissions(reader, 'argocd', 'lead')),
    /; create leases\.coordination\.k8s\.io in/,
  );
  const inspected = await missingPermissions(reader, 'argocd', 'inspect');
  assert.match(JSON.stringify(inspected), /may not list, watch secrets in the namespace/);
});

test('an account that may not ask what it may is not said to lack any', async () => {
  const refused = new Fault('cluster-refused', 'selfsubjectaccessreviews is forbidden', { httpStatus: 403 });
  const client = clientOf(() => {
    throw refused;
  });
  assert.equal(await missingPermissions(client, 'argocd', 'operate'), 'unknown');
});
