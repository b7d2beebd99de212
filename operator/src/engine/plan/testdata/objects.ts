import type { Change } from '../../../model/change.ts';
import type { DesiredObject, DesiredSet, SyncOptions, SyncPhase } from '../../../model/desired.ts';
import type { Health } from '../../../model/health.ts';
import type { LiveRecord } from '../../../model/live.ts';
import type { SyncPlan } from '../../../model/plan.ts';
import type { ResourceKey } from '../../../model/resource-key.ts';
import { syncOptionsOf } from '../../../model/sync-options.ts';
import { type PlanRequest, plan } from '../plan.ts';

/**
 * A desired object in short: `Deployment web wave=1`, `Job migrate hook=PreSync`, `Job generate=migrate- hook=PostSync`,
 * `CustomResourceDefinition widgets defines=Widget`.
 */
export function wanted(text: string, changes: Partial<DesiredObject> = {}): DesiredObject {
  const [kind = '', ...words] = text.split(' ');
  const named = new Map(words.map((word) => [word.split('=')[0] ?? '', word.split('=')[1]] as const));
  const name = words.find((word) => !word.includes('=')) ?? '';
  const generateName = named.get('generate');
  const phases = named.get('hook')?.split(',') as SyncPhase[] | undefined;
  const key = keyOf(kind, name);
  const metadata = { ...(name !== '' && { name }), ...(generateName && { generateName }) };
  const defines = named.get('defines');
  const spec = defines && { group: groups[defines] ?? '', scope: 'Namespaced', names: { kind: defines } };
  return {
    key,
    object: { apiVersion: key.group === '' ? 'v1' : `${key.group}/v1`, kind, metadata, ...(spec && { spec }) },
    hash: text,
    origin: { path: 'all.yaml' },
    wave: Number(named.get('wave') ?? 0),
    options: optionsOf(named.get('options')),
    ...(phases && { hook: { phases, deletePolicies: ['BeforeHookCreation'] } }),
    ...changes,
  };
}

function optionsOf(text: string | undefined): SyncOptions {
  return syncOptionsOf((text ?? '').split('+').map((option) => option.replace(':', '=')), undefined);
}

const groups: Readonly<Record<string, string>> = {
  Deployment: 'apps',
  Job: 'batch',
  CustomResourceDefinition: 'apiextensions.k8s.io',
  Widget: 'example.com',
  Gadget: 'example.com',
  NetworkPolicy: 'crd.example.com',
};

export function keyOf(kind: string, name: string): ResourceKey {
  const isClusterScoped = kind === 'Namespace' || kind === 'CustomResourceDefinition';
  return { group: groups[kind] ?? '', kind, namespace: isClusterScoped ? '' : 'shop', name };
}

/** The record of a live object. */
export function record(key: ResourceKey, changes: Partial<LiveRecord> = {}): LiveRecord {
  return {
    key,
    apiVersion: key.group === '' ? 'v1' : `${key.group}/v1`,
    uid: `uid of ${key.name}`,
    resourceVersion: '1',
    createdAt: 0,
    deleting: false,
    owners: [],
    app: 'shop',
    health: undefined,
    ownedHash: 'owned',
    ownedAt: 0,
    hints: undefined,
    ...changes,
  };
}

export function creation(desired: DesiredObject): Change {
  return { action: 'create', key: desired.key, desired };
}

export function same(desired: DesiredObject): Change {
  return { action: 'none', key: desired.key, desired, live: record(desired.key) };
}

/** An object that Git no longer has: `ConfigMap old wave=1 options=Prune:false`. */
export function leftover(text: string): Change {
  const { key, wave } = wanted(text);
  const options = /options=(\S+)/.exec(text)?.[1]?.replaceAll(':', '=').replaceAll('+', ',');
  const hints = {
    ...(wave !== 0 && { 'argocd.argoproj.io/sync-wave': String(wave) }),
    ...(options && { 'argocd.argoproj.io/sync-options': options }),
  };
  return { action: 'prune', key, live: record(key, { hints }), ignored: false };
}

export const request: PlanRequest = { prune: true, pruneConfirmed: false, run: 'abc-1', skipHooks: false };

/** A plan that creates every object that is no hook, and prunes the leftovers. */
export function planOf(
  texts: readonly string[],
  gone: readonly string[] = [],
  changes: Partial<PlanRequest> = {},
): SyncPlan {
  const desired: DesiredSet = { objects: texts.map((text) => wanted(text)), warnings: [] };
  const plain = desired.objects.filter(({ hook }) => hook === undefined);
  const set = { changes: [...plain.map(creation), ...gone.map(leftover)] };
  return plan(desired, set, new Map(), { ...request, ...changes });
}

export const healthy: Health = { status: 'Healthy' };
