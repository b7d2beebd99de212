import type { Application } from '@mooring/crds';
import type { Store } from '../../world/store.ts';
import { applicationKey, nameOf } from '../application/wake.ts';
import { repositoryKey } from './wake.ts';

/** Which Applications use a repository, without looking at all of them. */
export interface RepositoryUsers {
  of(repository: string): readonly Application[];
  stop(): void;
}

/** Follows the store. To be made before anything else that subscribes to it and asks for users. */
export function indexUsers(store: Pick<Store, 'applications' | 'application' | 'subscribe'>): RepositoryUsers {
  const users = new Map<string, Set<string>>();
  const used = new Map<string, string>();

  function put(id: string, repository: string | undefined): void {
    const before = used.get(id);
    if (before === repository) return;
    if (before !== undefined) {
      const left = users.get(before);
      left?.delete(id);
      if (left?.size === 0) users.delete(before);
      used.delete(id);
    }
    if (repository === undefined) return;
    used.set(id, repository);
    const known = users.get(repository);
    if (known === undefined) users.set(repository, new Set([id]));
    else known.add(id);
  }

  for (const app of store.applications()) put(applicationKey(app), repositoryKey(app));
  const stop = store.subscribe((change) => {
    if (change.kind !== 'Application') return;
    const app = store.application(change.name);
    put(`${change.name.namespace}/${change.name.name}`, app && repositoryKey(app));
  });
  return {
    of: (repository) => [...(users.get(repository) ?? [])].flatMap((id) => store.application(nameOf(id)) ?? []),
    stop,
  };
}
