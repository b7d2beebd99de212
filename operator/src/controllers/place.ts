import type { Clock } from '../world/clock.ts';
import type { Cluster } from '../world/cluster.ts';
import type { World } from '../world/world.ts';

/** The place of a run among those that work at once. */
export interface Place {
  /**
   * Waits for something that is no work of this thread, such as a Git server: once it takes longer than a moment (`keptMs`, or what the bounds say) others have the
   * place, and the run goes on when it has one again. Of several waits at once all go on when the last is over.
   */
  outside<T>(wait: Promise<T>, keptMs?: number): Promise<T>;
}

/** What a place is given to, and taken from. */
export interface PlaceBounds {
  readonly clock: Clock;
  /** Milliseconds of waiting for which the place is kept: giving it up for less would cost more than it gains. */
  readonly keptMs: number;
  /** Whether one more run may wait without a place. */
  mayGive(): boolean;
  given(): void;
  /** Answers how to free the new place. */
  takeAgain(): Promise<() => void>;
}

/** A cluster of which an object that is made anew is waited for outside: somebody's finalizer may hold the one that is to go. */
function waitingOutside(cluster: Cluster, place: Place): Cluster {
  const apply: Cluster['apply'] = (object, options) =>
    options.how === 'recreate' ? place.outside(cluster.apply(object, options)) : cluster.apply(object, options);
  // What it serves may change while it is open: a copy would keep what it serves now.
  return Object.assign(Object.create(cluster) as Cluster, { apply });
}

/** The world of a run that gives its place to others while it waits for Git, for a cluster's view, for an object to go, or long for a render. */
export function outsideOf(world: World, place: Place, keptForRenderMs: number): World {
  const { git, renderers, clusters } = world;
  return {
    ...world,
    git: {
      resolve: (repository, revision, notBefore) => place.outside(git.resolve(repository, revision, notBefore)),
      open: (repository, revision) => place.outside(git.open(repository, revision)),
      describe: (repository, revision) => place.outside(git.describe(repository, revision)),
    },
    renderers: {
      ...renderers,
      render: (...args) => place.outside(renderers.render(...args), keptForRenderMs),
    },
    clusters: {
      ...clusters,
      open: async (server) => waitingOutside(await place.outside(clusters.open(server)), place),
    },
  };
}

/** The place that `free` gives to others; `leave` does so for good. */
export function createPlace(free: () => void, bounds: PlaceBounds): Place & { leave(): void } {
  let release: (() => void) | undefined = free;
  let waits = 0;
  let isOver = false;
  let isTaking = false;
  /** Settled when the run has a place again; undefined while it has one. */
  let back: PromiseWithResolvers<void> | undefined;

  const give = (): void => {
    if (release === undefined || !bounds.mayGive()) return;
    bounds.given();
    back = Promise.withResolvers<void>();
    release();
    release = undefined;
  };
  const takeAgain = async (): Promise<void> => {
    isTaking = true;
    release = await bounds.takeAgain();
    isTaking = false;
    back?.resolve();
    back = undefined;
    // Nobody has waited for this wait.
    if (isOver) leave();
  };
  const leave = (): void => {
    isOver = true;
    release?.();
    release = undefined;
  };
  return {
    async outside(wait, keptMs = bounds.keptMs) {
      waits += 1;
      const cancel = bounds.clock.after(keptMs, give);
      try {
        return await wait;
      } finally {
        cancel();
        waits -= 1;
        if (back !== undefined) {
          if (waits === 0 && !isTaking) void takeAgain();
          await back.promise;
        }
      }
    },
    leave,
  };
}
