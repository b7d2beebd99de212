import type { Application } from '@mooring/crds';
import { normalizeRepositoryUrl } from '../../model/repository-url.ts';
import type { World } from '../../world/world.ts';

/** The repository of an Application as the queue names it; undefined where it has none. */
export function repositoryKey(app: Application): string | undefined {
  const url = app.spec.source?.repoURL ?? app.spec.sources?.[0]?.repoURL;
  return url ? normalizeRepositoryUrl(url) : undefined;
}

/** What wakes a repository: the first Application that uses it. From then on it is polled. Answers how to stop. */
export function wakeRepositories(world: World, wake: (key: string, delayMs: number) => void): () => void {
  const known = new Set<string>();
  const meet = (app: Application | undefined): void => {
    const key = app && repositoryKey(app);
    if (key === undefined || known.has(key)) return;
    known.add(key);
    const { pollIntervalMs, pollJitterMs } = world.store.settings();
    // The Application's own first look asks Git; the poll comes an interval later.
    if (pollIntervalMs > 0) wake(key, pollIntervalMs + world.random.next() * pollJitterMs);
  };
  for (const app of world.store.applications()) meet(app);
  return world.store.subscribe((change) => {
    if (change.kind === 'Application') meet(world.store.application(change.name));
  });
}
