import type { Application } from '@mooring/crds';
import { addressKey } from '../../model/repository-url.ts';
import type { World } from '../../world/world.ts';

const keys = new WeakMap<Application, string | undefined>();

/** The repository of an Application as the queue names it; undefined where it names none. Read once: every look at a repository asks for those of all. */
export function repositoryKey(app: Application): string | undefined {
  if (!keys.has(app)) {
    const url = app.spec.sources?.[0]?.repoURL ?? app.spec.source?.repoURL;
    keys.set(app, url ? addressKey(url) : undefined);
  }
  return keys.get(app);
}

/** What wakes a repository: an Application that uses it. While there is one it is polled. Answers how to stop. */
export function wakeRepositories(world: World, wake: (key: string, delayMs: number) => void): () => void {
  const meet = (app: Application | undefined): void => {
    const key = app && repositoryKey(app);
    if (key === undefined) return;
    const { pollIntervalMs, pollJitterMs } = world.store.settings();
    // The Application's own first look asks Git; the poll comes an interval later, or when it is due already.
    if (pollIntervalMs > 0) wake(key, pollIntervalMs + world.random.next() * pollJitterMs);
  };
  for (const app of world.store.applications()) meet(app);
  return world.store.subscribe((change) => {
    if (change.kind === 'Application') meet(world.store.application(change.name));
    else if (change.kind === 'Settings') for (const app of world.store.applications()) meet(app);
  });
}
