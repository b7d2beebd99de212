import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, AppProject, AppProjectSpec } from '@mooring/crds';
import type { Store } from '../../world/store.ts';
import { admit, permittedIn } from './admit.ts';

const place = { server: 'https://east', name: 'cluster-01', project: 'shop' };
const source = { repoURL: 'https://git.example.com/shop.git', path: 'prod' };
const app: Application = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: { project: 'shop', source, destination: { server: 'https://east', namespace: 'shop' } },
};

function projectWith(spec: AppProjectSpec): AppProject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name: 'shop' }, spec };
}

function admitted(spec: AppProjectSpec, to = place) {
  const store = { project: () => projectWith({ sourceRepos: ['*'], ...spec }) } as Partial<Store> as Store;
  const clusters = { locate: () => to, open: () => Promise.reject(new Error('not opened')), subscribe: () => () => {} };
  return admit(app, source, { store, clusters });
}

test('a destination by address is permitted where the project names its cluster, and the other way round', () => {
  const byName = { destinations: [{ name: 'cluster-01', namespace: '*' }] };
  assert.deepEqual(admitted(byName).cluster, place);
  assert.deepEqual(admitted({ destinations: [{ server: 'https://east', namespace: 'shop' }] }).cluster, place);
  assert.throws(() => admitted({ destinations: [{ name: 'cluster-02', namespace: '*' }] }), {
    code: 'destination-forbidden',
  });
});

test('a project that permits only its own clusters asks whose Secret it is', () => {
  const own = { destinations: [{ server: '*', namespace: '*' }], permitOnlyProjectScopedClusters: true };
  assert.deepEqual(admitted(own).cluster, place);
  for (const project of ['', 'bank'])
    assert.throws(() => admitted(own, { ...place, project }), { code: 'destination-forbidden' });
});

test('what a project has forbidden since is not the Application’s to prune', () => {
  const project = projectWith({
    destinations: [{ server: '*', namespace: 'shop' }],
    namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }],
  });
  const isPermitted = permittedIn(project, place);
  const key = (kind: string, namespace = 'shop') => ({ group: '', kind, namespace, name: 'a' });
  assert.equal(isPermitted(key('ConfigMap')), true);
  assert.equal(isPermitted(key('Secret')), false);
  assert.equal(isPermitted(key('ConfigMap', 'bank')), false);
  assert.equal(isPermitted(key('ClusterRole', '')), false);
});

test('a password in the address of a repository is in no message', () => {
  const secret = { ...source, repoURL: 'https://ada:s3cret-canary@git.example.com/shop.git' };
  const store = { project: () => projectWith({ sourceRepos: [] }) } as Partial<Store> as Store;
  const clusters = {
    locate: () => place,
    open: () => Promise.reject(new Error('not opened')),
    subscribe: () => () => {},
  };
  assert.throws(() => admit(app, secret, { store, clusters }), {
    code: 'source-forbidden',
    message: /^application repo https:\/\/\*\*\*@git\.example\.com\/shop\.git is not permitted/,
  });
});
