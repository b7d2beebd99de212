import assert from 'node:assert/strict';
import test from 'node:test';
import type { AppProject, AppProjectSpec, Operation } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { noUnreadRules } from '../src/model/unread-rules.ts';
import type { Settings } from '../src/world/store.ts';
import { openProject } from './process.ts';
import { commit, type QuietWorld, quietWorld } from './quiet-world.ts';

const config: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { a: '1' } };
const job = (name: string, hook: string): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations: { 'argocd.argoproj.io/hook': hook } },
  spec: { template: {} },
});
const person: Operation = { sync: { revision: 'main' }, initiatedBy: { username: 'ann' } };
const along: Operation = { sync: { revision: 'main', manifests: [JSON.stringify(config)] } };
const automated = { automated: { prune: true, selfHeal: true } };
const now = '2026-11-30T12:00:00Z';
const seconds = (count: number): number => Date.parse(now) + count * 1_000;
const signed: Partial<AppProjectSpec> = { signatureKeys: [{ keyID: '4AEE18F83AFDEB23' }] };

interface Given {
  readonly spec?: Partial<AppProjectSpec>;
  readonly settings?: Partial<Settings>;
  readonly operation?: Operation;
  readonly isAutomated?: boolean;
  readonly manifests?: readonly KubeObject[];
  readonly finalizers?: readonly string[];
}

function worldWith({ spec, settings, operation, isAutomated, manifests, finalizers }: Given): QuietWorld {
  const project: AppProject = { ...openProject, spec: { ...openProject.spec, ...spec } };
  return quietWorld({
    now,
    project,
    ...(settings && { settings }),
    manifests: manifests ?? [config, job('before', 'PreSync')],
    app: {
      spec: {
        project: 'default',
        source: { repoURL: 'https://git.example.com/shop.git', path: 'prod', targetRevision: 'main' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
        ...(isAutomated && { syncPolicy: automated }),
      },
      ...(operation && { operation }),
    },
    ...(finalizers && { metadata: { finalizers: [...finalizers], deletionTimestamp: now } }),
  });
}

const written = ({ api }: QuietWorld): readonly string[] =>
  api.list().flatMap(({ kind, metadata }) => (kind === 'Namespace' ? [] : `${kind} ${metadata.name}`));

const rule = { key: 'resource.customizations.knownTypeFields.ConfigMap', what: 'knownTypeFields' } as const;
const held: readonly [what: string, given: Given, names: RegExp][] = [
  ['signatureKeys', { spec: signed }, /spec\.signatureKeys of AppProject default/],
  [
    'sourceIntegrity',
    { spec: { sourceIntegrity: { git: { policies: [{ repos: [], gpg: { mode: 'head', keys: [] } }] } } } },
    /spec\.sourceIntegrity/,
  ],
  [
    'impersonation',
    { settings: { unread: { ...noUnreadRules, impersonation: 'needed' } } },
    /application\.sync\.impersonation\.enabled/,
  ],
  [
    'another tracking method',
    { settings: { unread: { ...noUnreadRules, everybody: ['argocd-cm: application.resourceTrackingMethod'] } } },
    /application\.resourceTrackingMethod/,
  ],
  [
    'a rule of a kind that it holds',
    { settings: { customizations: [{ ...rule, group: '', kind: 'ConfigMap' }] } },
    /knownTypeFields\.ConfigMap/,
  ],
];

for (const [what, given, names] of held) {
  test(`nothing is written under ${what}: by policy, by a person, with hooks or manifests of its own`, async () => {
    for (const asked of [{ isAutomated: true }, { operation: person }, { operation: along }]) {
      const world = worldWith({ ...given, ...asked });
      await world.clock.passUntil(seconds(600));
      assert.deepEqual(written(world), []);
      const { conditions = [], operationState } = world.shop().status ?? {};
      const isShown = conditions.some(({ type, message }) => type === 'SyncError' && names.test(message));
      assert.ok(isShown || names.test(operationState?.message ?? ''), JSON.stringify(conditions));
      if (asked.operation !== undefined) assert.equal(operationState?.phase, 'Error');
      assert.equal(world.shop().operation, undefined);
      assert.deepEqual(world.journal.violations, []);
      world.process.kill();
    }
  });
}

test('a rule of a kind that it does not hold stops nobody', async () => {
  const customizations = [{ ...rule, group: 'apps', kind: 'Deployment' }];
  const world = worldWith({ settings: { customizations }, isAutomated: true });
  await world.clock.passUntil(seconds(60));
  assert.deepEqual(written(world), ['Job before', 'ConfigMap web']);
  assert.equal(world.shop().status?.conditions, undefined);
});

test('what a global rule ignores is neither different nor healed', async () => {
  const ignored = { group: '', kind: 'ConfigMap', jsonPointers: ['/data/a'] };
  const customizations = [{ ...rule, what: 'ignoreDifferences', group: '', kind: 'ConfigMap', rule: ignored }] as const;
  const world = worldWith({ settings: { customizations }, isAutomated: true, manifests: [config] });
  await world.clock.passUntil(seconds(60));
  const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'web' };
  world.api.edit(key, (object) => ({ ...object, data: { a: 'by hand' } }));
  await world.clock.passUntil(seconds(120));
  assert.deepEqual(world.api.get(key)?.['data'], { a: 'by hand' });
  assert.equal(world.shop().status?.sync?.status, 'Synced');
});

test('neither hooks nor objects of a deletion are touched under a gate, and it says why', async () => {
  const finalizers = ['pre-delete-finalizer.argocd.argoproj.io', 'resources-finalizer.argocd.argoproj.io'];
  const world = worldWith({ spec: signed, finalizers, manifests: [config, job('last', 'PreDelete')] });
  await world.clock.passUntil(seconds(60));
  assert.deepEqual(written(world), []);
  assert.deepEqual(world.shop().metadata.finalizers, finalizers);
  const [condition] = world.shop().status?.conditions ?? [];
  assert.equal(condition?.type, 'DeletionError');
  assert.match(condition?.message ?? '', /spec\.signatureKeys/);
});

test('an excluded kind is neither applied nor pruned, and a warning says so', async () => {
  const kinds = { exclusions: [{ apiGroups: [''], kinds: ['ConfigMap'], clusters: [] }], inclusions: [] };
  const world = worldWith({ settings: { kinds }, isAutomated: true, manifests: [config] });
  const mine = { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:shop/old' };
  world.api.create({ ...config, metadata: { name: 'old', namespace: 'shop', annotations: mine } });
  commit(world.repository, [config]);
  await world.clock.passUntil(seconds(60));
  assert.deepEqual(written(world), ['ConfigMap old']);
  assert.equal(world.shop().status?.conditions?.[0]?.type, 'ExcludedResourceWarning');
});
