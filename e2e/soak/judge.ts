import type { AnyObject, Kube } from '../harness/kube.ts';
import { collectionOf, desiredOf, type Wish } from './wishes.ts';

/** Where one object is not as Git has it. */
export interface SoakDifference {
  /** `Kind/name`. */
  readonly object: string;
  /** A JSON pointer; `''` for the whole object. */
  readonly pointer: string;
  readonly git: unknown;
  readonly live: unknown;
}

/**
 * Every field that Git sets and that is another one in the cluster, every object that is missing, and every one that Git no longer has. It knows nothing of how
 * the operator compares. Items of ports are told apart by their names.
 */
export async function differencesIn(kube: Kube, wishes: ReadonlyMap<string, Wish>): Promise<readonly SoakDifference[]> {
  const found: SoakDifference[] = [];
  const live = new Map<string, AnyObject>();
  for (const kind of ['ConfigMap', 'Service'])
    for (const object of await kube.list(collectionOf(kind))) live.set(`${kind}/${object.metadata.name}`, object);
  const wanted = new Set<string>();
  for (const [name, wish] of wishes) {
    for (const object of desiredOf(name, wish)) {
      const text = `${object.kind}/${object.metadata.name}`;
      wanted.add(text);
      const { apiVersion: _, kind: __, ...fields } = object;
      for (const difference of differencesOf(fields, live.get(text), '')) found.push({ object: text, ...difference });
    }
  }
  for (const [text, object] of live) {
    const isOurs = (object.metadata['labels'] as Record<string, string> | undefined)?.['app'] !== undefined;
    if (isOurs && !wanted.has(text)) found.push({ object: text, pointer: '', git: undefined, live: 'exists' });
  }
  return found;
}

function differencesOf(git: unknown, live: unknown, pointer: string): readonly Omit<SoakDifference, 'object'>[] {
  if (live === undefined) return [{ pointer, git, live }];
  if (Array.isArray(git) && Array.isArray(live)) {
    const byName = (items: readonly unknown[]) =>
      Object.fromEntries(items.map((item) => [(item as { readonly name: string }).name, item]));
    const extra = live.length > git.length ? [{ pointer, git: git.length, live: live.length }] : [];
    return [...extra, ...differencesOf(byName(git), byName(live), pointer)];
  }
  if (typeof git !== 'object' || git === null) return git === live ? [] : [{ pointer, git, live }];
  return Object.entries(git).flatMap(([field, wish]) =>
    differencesOf(wish, (live as Readonly<Record<string, unknown>>)[field], `${pointer}/${field}`),
  );
}
