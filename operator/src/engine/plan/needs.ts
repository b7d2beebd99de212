import type { Task } from '../../model/plan.ts';
import { definedKind, isNamespace, keyText } from '../../model/resource-key.ts';

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
