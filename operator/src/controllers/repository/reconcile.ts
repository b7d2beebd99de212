import type { Application } from '@mooring/crds';
import { targetOf } from '../../engine/policy/target.ts';
import { Fault, messageOf } from '../../model/fault.ts';
import type { World } from '../../world/world.ts';
import { type Action, awaitChange, requeueAfter } from '../action.ts';
import { repositoryKey } from './wake.ts';

/** How a look at a repository reaches the Applications that use it. */
export interface RepositoryEffects {
  /** Answers about revisions that this Application gets from now on must not be older than `notBefore`. */
  outdate(app: Application, notBefore: number): void;
  /** The Application's revision stands for this commit now, and has not been compared with it. */
  sight(app: Application, commit: string): void;
  /**
   * The Application's revision stands for another commit than the one it was last compared with, or cannot be told. `touched` is false where the commit
   * changed nothing that the Application is made from, so that others are more urgent.
   */
  wake(app: Application, touched: boolean): void;
}

/**
 * Asks one repository for its revisions, once for all Applications that use it, and wakes those whose revision moved.
 * The next look comes after `timeout.reconciliation` with its jitter.
 */
export async function reconcileRepository(key: string, world: World, effects: RepositoryEffects): Promise<Action> {
  const users = world.store.applications().filter((app) => repositoryKey(app) === key);
  if (users.length === 0) return awaitChange;
  const now = world.clock.now();
  const news = await Promise.all(
    users.map(async (app) => {
      effects.outdate(app, now);
      return { app, news: await newsFor(app, world, now, effects) };
    }),
  );
  for (const kind of ['touched', 'untouched'] as const) {
    for (const { app } of news.filter((one) => one.news === kind)) effects.wake(app, kind === 'touched');
  }
  const { pollIntervalMs, pollJitterMs } = world.store.settings();
  return pollIntervalMs > 0 ? requeueAfter(pollIntervalMs + world.random.next() * pollJitterMs) : awaitChange;
}

async function newsFor(
  app: Application,
  world: World,
  now: number,
  effects: RepositoryEffects,
): Promise<'none' | 'touched' | 'untouched'> {
  try {
    const { source, revision } = targetOf(app);
    const repository = world.store.repository(source.repoURL, app.spec.project);
    const resolved = await world.git.resolve(repository, revision, now);
    const { sync } = app.status ?? {};
    if (sync?.status !== 'Unknown' && sync?.revision === resolved.commit) return 'none';
    effects.sight(app, resolved.commit);
    const tree = await world.git.open(repository, resolved);
    const request = { repository: source.repoURL, appName: app.metadata.name ?? '' };
    return (await world.renderers.touches(tree, request)) ? 'touched' : 'untouched';
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const fields = { application: app.metadata.name, namespace: app.metadata.namespace, code: thrown.code };
    world.telemetry.log.debug(fields, messageOf(thrown));
    // The Application's own look reports it.
    return 'touched';
  }
}
