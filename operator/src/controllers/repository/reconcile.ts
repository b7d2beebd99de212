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
  /** The Application's revision stands for another commit than the one it was last compared with, or cannot be told. */
  wake(app: Application): void;
}

/**
 * Asks one repository for its revisions, once for all Applications that use it, and wakes those whose revision moved.
 * The next look comes after `timeout.reconciliation` with its jitter.
 */
export async function reconcileRepository(key: string, world: World, effects: RepositoryEffects): Promise<Action> {
  const users = world.store.applications().filter((app) => repositoryKey(app) === key);
  if (users.length === 0) return awaitChange;
  const now = world.clock.now();
  await Promise.all(
    users.map(async (app) => {
      effects.outdate(app, now);
      if (await moved(app, world, now)) effects.wake(app);
    }),
  );
  const { pollIntervalMs, pollJitterMs } = world.store.settings();
  return pollIntervalMs > 0 ? requeueAfter(pollIntervalMs + world.random.next() * pollJitterMs) : awaitChange;
}

async function moved(app: Application, world: World, now: number): Promise<boolean> {
  try {
    const { source, revision } = targetOf(app);
    const repository = world.store.repository(source.repoURL, app.spec.project);
    const { commit } = await world.git.resolve(repository, revision, now);
    return app.status?.sync?.status === 'Unknown' || app.status?.sync?.revision !== commit;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const fields = { application: app.metadata.name, namespace: app.metadata.namespace, code: thrown.code };
    world.telemetry.log.debug(fields, messageOf(thrown));
    // The Application's own look reports it.
    return true;
  }
}
