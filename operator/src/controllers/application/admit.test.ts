import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, AppProject, AppProjectSpec } from '@mooring/crds';
import { quietSettings } from '../../../sim/quiet-world.ts';
import type { Store } from '../../world/store.ts';
import { admit, guardOf, permittedBy } from './admit.ts';

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

const noClusters = {
  open: () => Promise.reject(new Error('not opened')),
  followed: () => [],
  isOutdated: () => false,
  forget: () => {},
  subscribe: () => () => {},
};

function admitted(spec: AppProjectSpec, to = place) {
  const store = { project: () => projectWith({ sourceRepos: ['*'], ...spec }) } as Partial<Store> as Store;
  const clusters = { ...noClusters, locate: () => to };
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

function guarded(project: AppProject | undefined) {
  const store = { project: () => project, settings: () => quietSettings } as Partial<Store> as Store;
  return permittedBy(guardOf(app, place, { store }));
}

const keyOf = (kind: string, namespace = 'shop') => ({ group: '', kind, namespace, name: 'a' });

test('what a project has forbidden since is not the Application’s to prune', () => {
  const isPermitted = guarded(
    projectWith({
      destinations: [{ server: '*', namespace: 'shop' }],
      namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }],
    }),
  );
  assert.equal(isPermitted(keyOf('ConfigMap')), true);
  assert.equal(isPermitted(keyOf('Secret')), false);
  assert.equal(isPermitted(keyOf('ConfigMap', 'bank')), false);
  assert.equal(isPermitted(keyOf('ClusterRole', '')), false);
  assert.equal(guarded(undefined)(keyOf('ConfigMap')), false);
});

test('objects of a cluster are the Application’s only where its destination is permitted', () => {
  const clusterResourceWhitelist = [{ group: '*', kind: '*' }];
  const destinations = (server: string, namespace: string) => ({
    clusterResourceWhitelist,
    destinations: [{ server, namespace }],
  });
  assert.equal(guarded(projectWith(destinations('https://east', 'shop')))(keyOf('ClusterRole', '')), true);
  assert.equal(guarded(projectWith(destinations('https://west', '*')))(keyOf('ClusterRole', '')), false);
  assert.equal(guarded(projectWith(destinations('https://east', 'bank')))(keyOf('ClusterRole', '')), false);
});

test('a guard asks the project as it is when it is asked', () => {
  let project = projectWith({ destinations: [{ server: '*', namespace: '*' }] });
  const store = { project: () => project, settings: () => quietSettings } as Partial<Store> as Store;
  const guard = guardOf(app, place, { store });
  const claim = { key: keyOf('ConfigMap'), scope: 'Namespaced' } as const;
  assert.equal(guard(claim), undefined);
  project = projectWith({ ...project.spec, namespaceResourceBlacklist: [{ group: '', kind: 'ConfigMap' }] });
  assert.match(guard(claim) ?? '', /^resource :ConfigMap is not permitted in project shop/);
});

test('a password in the address of a repository is in no message', () => {
  const secret = { ...source, repoURL: 'https://ada:s3cret-canary@git.example.com/shop.git' };
  const store = { project: () => projectWith({ sourceRepos: [] }) } as Partial<Store> as Store;
  const clusters = { ...noClusters, locate: () => place };
  assert.throws(() => admit(app, secret, { store, clusters }), {
    code: 'source-forbidden',
    message: /^application repo https:\/\/\*\*\*@git\.example\.com\/shop\.git is not permitted/,
  });
});

test('a namespace with a name that none can have is refused', () => {
  const store = { project: () => projectWith({ sourceRepos: ['*'] }) } as Partial<Store> as Store;
  const long = { ...app, spec: { ...app.spec, destination: { ...app.spec.destination, namespace: 'n'.repeat(64) } } };
  assert.throws(() => admit(long, source, { store, clusters: { ...noClusters, locate: () => place } }), {
    code: 'spec-invalid',
    message: /^spec\.destination\.namespace is longer than 63 characters/,
  });
});

test('a kind that the settings leave out is nobody’s to write or to prune', () => {
  const kinds = { exclusions: [{ apiGroups: [], kinds: ['ConfigMap'], clusters: [] }], inclusions: [] };
  const project = projectWith({});
  const store = { project: () => project, settings: () => ({ ...quietSettings, kinds }) } as Partial<Store> as Store;
  const guard = guardOf(app, place, { store });
  const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'web' };
  assert.match(guard({ key, scope: 'Namespaced' }) ?? '', /resource\.exclusions/);
});
