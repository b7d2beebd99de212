import assert from 'node:assert/strict';
import test from 'node:test';
import type { AppProjectSpec } from '@mooring/crds';
import type { Customization } from '../../model/customization.ts';
import { noUnreadRules, type UnreadRules } from '../../model/unread-rules.ts';
import { type Holding, holdsOf, kindHoldsOf, unreadHealth } from './holds.ts';

const server = 'https://kubernetes.default.svc';

function holds(spec: Partial<AppProjectSpec>, unread: Partial<UnreadRules> = {}, at: string = server) {
  const project = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name: 'shop' }, spec } as const;
  return holdsOf({ project, server: at, unread: { ...noUnreadRules, ...unread } });
}

const policy = (mode: string) => ({ git: { policies: [{ repos: [{ url: '*' }], gpg: { mode, keys: [] } }] } });
const accounts = [{ server: '*', defaultServiceAccount: 'deployer' }];
const gates: readonly [what: string, held: readonly string[], names: RegExp | undefined][] = [
  ['nothing', holds({}), undefined],
  ['no keys', holds({ signatureKeys: [] }), undefined],
  ['keys', holds({ signatureKeys: [{ keyID: '4AEE18F83AFDEB23' }] }), /^spec\.signatureKeys of AppProject shop/],
  ['no policies', holds({ sourceIntegrity: { git: { policies: [] } } }), undefined],
  ['a policy that asks for nothing', holds({ sourceIntegrity: policy('none') }), undefined],
  ['a policy', holds({ sourceIntegrity: policy('head') }), /^spec\.sourceIntegrity of AppProject shop/],
  ['accounts without impersonation', holds({ destinationServiceAccounts: accounts }), undefined],
  [
    'accounts with impersonation',
    holds({ destinationServiceAccounts: accounts }, { impersonation: 'used' }),
    /spec\.destinationServiceAccounts of AppProject shop/,
  ],
  ['impersonation that may do without', holds({}, { impersonation: 'used' }), undefined],
  ['impersonation that may not', holds({}, { impersonation: 'needed' }), /application\.sync\.impersonation\.enabled/],
  ['the own cluster, switched off', holds({}, { ownClusterOff: true }), /cluster\.inClusterEnabled/],
  ['another cluster', holds({}, { ownClusterOff: true }, 'https://a'), undefined],
  ['what holds everybody', holds({}, { everybody: ['argocd-cm: installationID'] }), /installationID/],
];

test('a gate that is not read holds every write, and names its field', () => {
  for (const [what, held, names] of gates) {
    assert.equal(held.length, names === undefined ? 0 : 1, what);
    if (names !== undefined) assert.match(held[0] ?? '', names, what);
  }
});

const web = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'web' };
const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'reader' };
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' } };
const types: Customization = { key: 'types', what: 'knownTypeFields', group: '', kind: 'ConfigMap' };

function kindHolds(changes: Partial<Holding>, unread: Partial<UnreadRules> = {}) {
  return kindHoldsOf({
    desired: [{ key: web, object }],
    live: [],
    sourceType: 'Kustomize',
    customizations: [],
    unread: { ...noUnreadRules, ...unread },
    ...changes,
  });
}

const rules: readonly [what: string, held: readonly string[], names: RegExp | undefined][] = [
  ['nothing', kindHolds({}), undefined],
  ['a rule of a kind in the source', kindHolds({ customizations: [types] }), /^types in argocd-cm .*ConfigMap web/],
  ['a rule of every kind', kindHolds({ customizations: [{ ...types, group: '*', kind: '*' }] }), /^types/],
  ['a rule of a kind that nobody has', kindHolds({ customizations: [{ ...types, kind: 'Secret' }] }), undefined],
  ['of a kind in the cluster', kindHolds({ desired: [], live: [web], customizations: [types] }), /^types/],
  ['health', kindHolds({ customizations: [{ ...types, what: 'health' }] }), undefined],
  ['ignoreDifferences', kindHolds({ customizations: [{ ...types, what: 'ignoreDifferences' }] }), undefined],
  [
    'ignoreDifferences that is not understood',
    kindHolds({ customizations: [{ ...types, what: 'ignoreDifferences', problem: 'but the jq' }] }),
    /^types in argocd-cm cannot be used, but the jq/,
  ],
  [
    'aggregated roles',
    kindHolds({ live: [role] }, { aggregatedRoles: true }),
    /ignoreAggregatedRoles.*ClusterRole reader/,
  ],
  ['no role', kindHolds({}, { aggregatedRoles: true }), undefined],
  ['no status', kindHolds({}, { comparesStatus: true }), undefined],
  [
    'a status in Git',
    kindHolds({ desired: [{ key: web, object: { ...object, status: {} } }] }, { comparesStatus: true }),
    /ignoreResourceStatusField.*ConfigMap web/,
  ],
  ['a chart beside hidden folders', kindHolds({}, { hiddenDirectories: true }), undefined],
  [
    'hidden folders',
    kindHolds({ sourceType: 'Directory' }, { hiddenDirectories: true }),
    /include\.hidden\.directories/,
  ],
];

test('a rule that is not read holds those alone that it would change', () => {
  for (const [what, held, names] of rules) {
    assert.equal(held.length, names === undefined ? 0 : 1, what);
    if (names !== undefined) assert.match(held[0] ?? '', names, what);
  }
});

test('who has a kind with health of its own is warned', () => {
  const health: Customization = {
    key: 'resource.customizations.health.ConfigMap',
    what: 'health',
    group: '',
    kind: 'ConfigMap',
  };
  assert.match(unreadHealth([health], [web])[0] ?? '', /^resource\.customizations\.health\.ConfigMap in argocd-cm/);
  assert.deepEqual(unreadHealth([health, types], [role]), []);
});
