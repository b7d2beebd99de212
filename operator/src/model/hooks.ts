import { type Annotations, annotation, itemsOf } from './annotations.ts';
import type { Hook, HookDeletePolicy, SyncPhase } from './desired.ts';
import { ownValue } from './json.ts';

const argoPhases: ReadonlySet<string> = new Set<SyncPhase>([
  'PreSync',
  'Sync',
  'PostSync',
  'SyncFail',
  'PreDelete',
  'PostDelete',
]);

/** Helm's hooks that Argo CD runs; its rollback and test hooks never are. */
const helmPhases: Readonly<Record<string, SyncPhase>> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
  'pre-delete': 'PreDelete',
  'post-delete': 'PostDelete',
};

const argoPolicies: ReadonlySet<string> = new Set<HookDeletePolicy>([
  'HookSucceeded',
  'HookFailed',
  'BeforeHookCreation',
]);

const helmPolicies: Readonly<Record<string, HookDeletePolicy>> = {
  'hook-succeeded': 'HookSucceeded',
  'hook-failed': 'HookFailed',
  'before-hook-creation': 'BeforeHookCreation',
};

/**
 * What an object's annotations say about hooks.
 * `none`: a plain object, also with Helm's `crd-install`. `skip`: it is only there for others (`argocd.argoproj.io/hook: Skip`).
 * `ignored`: a hook of no phase that is known, such as Helm's tests: never applied and no part of the Application.
 */
export type HookRole = { readonly role: 'none' | 'skip' | 'ignored' } | { readonly role: 'hook'; readonly hook: Hook };

/** Reads the hook annotations as Argo CD does: any Argo CD hook turns Helm's off. */
export function hookRole(annotations: Annotations): HookRole {
  if (annotations?.[annotation.hook] === undefined && annotations?.[annotation.helmHook] === undefined) {
    return { role: 'none' };
  }
  const argo = itemsOf(annotations, annotation.hook);
  const known = argo.filter((item) => argoPhases.has(item)) as SyncPhase[];
  if (known.length === 0 && argo.includes('Skip')) return { role: 'skip' };
  if (known.length > 0) return { role: 'hook', hook: { phases: known, deletePolicies: deletePolicies(annotations) } };
  const helm = itemsOf(annotations, annotation.helmHook);
  if (argo.length === 0 && helm.every((item) => item === 'crd-install')) return { role: 'none' };
  const mapped = [...new Set(helm.flatMap((item) => ownValue(helmPhases, item) ?? []))];
  if (mapped.length === 0) return { role: 'ignored' };
  return { role: 'hook', hook: { phases: mapped, deletePolicies: deletePolicies(annotations) } };
}

function deletePolicies(annotations: Annotations): readonly HookDeletePolicy[] {
  const argo = itemsOf(annotations, annotation.hookDeletePolicy).filter((item) => argoPolicies.has(item));
  const helm = itemsOf(annotations, annotation.helmHookDeletePolicy).flatMap(
    (item) => ownValue(helmPolicies, item) ?? [],
  );
  const all = [...new Set([...(argo as HookDeletePolicy[]), ...helm])];
  return all.length === 0 ? ['BeforeHookCreation'] : all;
}

/** The wave: `argocd.argoproj.io/sync-wave`, else Helm's hook weight, else 0; what is no whole number counts as absent. */
export function waveOf(annotations: Annotations): number {
  return wholeNumber(annotations?.[annotation.syncWave]) ?? wholeNumber(annotations?.[annotation.helmHookWeight]) ?? 0;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}
