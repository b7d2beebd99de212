import type { Progress, Task } from '../../model/plan.ts';
import { definedKind, isNamespace, keyForPeople, keyText, type ResourceKey } from '../../model/resource-key.ts';

/**
 * Puts a Namespace or a CustomResourceDefinition of a later phase or wave in front of the first object that needs it, as Argo CD does (`adjustDeps` of its sync
 * tasks): it takes that object's phase and wave, so that the sync waits for it there. Tasks come in order; what is answered is to be ordered anew. Hooks of
 * failures give nothing, as they may never run.
 */
export function withNeedsFirst(tasks: readonly Task[]): Task[] {
  const firstInNeed = new Map<string, Task>();
  const given = new Set<string>();
  return tasks.map((task) => {
    if (task.desired === undefined || task.phase === 'SyncFail') return task;
    const gift = giftOf(task);
    if (gift === undefined) {
      for (const need of needsOf(task)) if (!firstInNeed.has(need)) firstInNeed.set(need, task);
      return task;
    }
    const first = firstInNeed.get(gift);
    const isFirst = !given.has(gift);
    given.add(gift);
    if (first === undefined || !isFirst) return task;
    const { phase, wave } = first;
    // A kind of one's own may be called like a built-in one, and come early for it.
    const rank = Math.min(task.rank, first.rank - 0.5);
    return { ...task, id: `${phase} ${keyText(task.key)}`, phase, wave, rank };
  });
}

/** A kind in one version. */
export interface KindVersion {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * The kinds that the cluster must serve before a sync begins or goes on: those of the objects that are yet to be applied, but for what it defines itself, and for
 * objects whose `SkipDryRunOnMissingResource=true` says that their kind may come about on the way.
 */
export function kindsToServe(tasks: readonly Task[], progress: Progress): readonly KindVersion[] {
  const defined = new Set(tasks.flatMap((task) => giftOf(task) ?? []));
  const kinds = new Map<string, KindVersion>();
  for (const task of tasks) {
    if (progress.has(task.id) || !mustBeServed(task, defined)) continue;
    const { apiVersion, key } = task;
    kinds.set(versionText(task), { apiVersion, kind: key.kind });
  }
  return [...kinds.values()];
}

/** Refuses what is of kinds that the cluster does not serve: then the whole sync is, as by the dry run that Argo CD begins one with. */
export function withoutUnserved(tasks: readonly Task[], unserved: readonly KindVersion[]): Task[] {
  const defined = new Set(tasks.flatMap((task) => giftOf(task) ?? []));
  const missing = new Set(unserved.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  return tasks.map((task) => {
    if (!mustBeServed(task, defined) || !missing.has(versionText(task))) return task;
    return { ...task, action: 'refuse', refusal: unservedText(task.key, task.apiVersion) };
  });
}

function mustBeServed(task: Task, defined: ReadonlySet<string>): boolean {
  const { action, desired, key } = task;
  return action === 'apply' && desired?.options.skipDryRunOnMissingResource !== true && !defined.has(kindText(key));
}

function versionText({ apiVersion, key }: Task): string {
  return `${apiVersion} ${key.kind}`;
}

/** Why an object of a kind that is not served cannot be written, in Argo CD's words and with what to do. */
export function unservedText(key: ResourceKey, apiVersion: string): string {
  const missing = `The Kubernetes API could not find ${key.group}/${key.kind} for requested resource ${key.namespace}/${key.name}`;
  return `${keyForPeople(key)}: ${missing} in ${apiVersion}. Make sure the "${key.kind}" CRD is installed on the destination cluster, or correct apiVersion and kind`;
}

/** What others may need of a task: the namespace that it makes, or the kind that it defines. */
function giftOf({ key, desired }: Task): string | undefined {
  if (isNamespace(key)) return namespaceText(key.name);
  const defined = desired && definedKind(desired.object);
  return defined && kindText(defined);
}

function needsOf({ key }: Task): readonly string[] {
  return key.namespace === '' ? [kindText(key)] : [namespaceText(key.namespace), kindText(key)];
}

function namespaceText(name: string): string {
  return `namespace ${name}`;
}

function kindText({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return `kind ${group}/${kind}`;
}
