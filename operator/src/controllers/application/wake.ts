import type { Application } from '@mooring/crds';
import { annotation } from '../../model/annotations.ts';
import { hashOf } from '../../model/hash.ts';
import { trackedName } from '../../model/tracking.ts';
import type { NamespacedName } from '../../world/store.ts';
import type { World } from '../../world/world.ts';
import { type Priority, priority } from '../queue.ts';

/** Asks for a look at one Application. */
export type Wake = (key: string, urgency: Priority) => void;

/** Names one Application in the queue. */
export function applicationKey(app: Application): string {
  return `${app.metadata.namespace ?? ''}/${app.metadata.name ?? ''}`;
}

/** The namespace and name that `applicationKey` made a key of. */
export function nameOf(key: string): NamespacedName {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * What wakes an Application: a change of what its spec or a person asks for, a change of an object that it tracks, of its project, or of its
 * destination as a whole. What Mooring writes itself does not: the status is no part of what is looked at. Answers how to stop.
 */
export function wakeApplications(world: World, wake: Wake, gone: (key: string) => void): () => void {
  const { store } = world;
  const asked = new Map<string, string>();
  const all = (test: (app: Application) => boolean, urgency: Priority): void => {
    for (const app of store.applications()) if (test(app)) wake(applicationKey(app), urgency);
  };
  const stopStore = store.subscribe((change) => {
    if (change.kind === 'Application') {
      const key = `${change.name.namespace}/${change.name.name}`;
      const app = store.application(change.name);
      if (app === undefined) {
        asked.delete(key);
        return gone(key);
      }
      const now = wishes(app);
      // A request is taken away when it is begun: the same one seen again is a new one.
      const requested = app.operation !== undefined || app.metadata.annotations?.[annotation.refresh] !== undefined;
      if (asked.get(key) === now && !requested) return;
      asked.set(key, now);
      wake(key, priority.person);
    } else if (change.kind === 'AppProject') {
      all((app) => (app.spec.project || 'default') === change.name.name, priority.drift);
    } else {
      all(() => true, priority.poll);
    }
  });
  const stopClusters = world.clusters.subscribe((change) => {
    if (change.app === undefined) return all((app) => serverOf(app, world) === change.server, priority.drift);
    const key = keyOfTracking(change.app, world);
    if (key !== undefined) wake(key, priority.drift);
  });
  for (const app of store.applications()) {
    asked.set(applicationKey(app), wishes(app));
    wake(applicationKey(app), priority.poll);
  }
  return () => {
    stopStore();
    stopClusters();
  };
}

/** Everything in an Application that somebody else than Mooring writes, as one hash. */
function wishes(app: Application): string {
  const { annotations, deletionTimestamp, finalizers, uid } = app.metadata;
  const { spec, operation, status } = app;
  const terminating = status?.operationState?.phase === 'Terminating';
  return hashOf({ spec, operation, annotations, deletionTimestamp, finalizers, uid, terminating });
}

/** Whether an operation is under way or asked for. */
export function isUnderWay({ operation, status }: Application): boolean {
  const phase = status?.operationState?.phase;
  return operation !== undefined || phase === 'Running' || phase === 'Terminating';
}

/** Address of an Application's destination; undefined where it has none that is known. */
export function serverOf(app: Application, world: Pick<World, 'clusters'>): string | undefined {
  const { destination } = app.spec;
  try {
    return world.clusters.locate(destination).server;
  } catch {
    // The reconcile of this Application reports it.
    return undefined;
  }
}

function keyOfTracking(tracking: string, world: World): string | undefined {
  const app = world.store.application(trackedName(tracking, world.store.namespace));
  return app && applicationKey(app);
}
