import type { Clock } from './clock.ts';
import type { Clusters } from './cluster.ts';
import type { Git } from './git.ts';
import type { Leadership } from './leadership.ts';
import type { Notifier } from './notifier.ts';
import type { Random } from './random.ts';
import type { RenderPool } from './renderer.ts';
import type { Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

/** Everything outside that controllers and API may touch. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly git: Git;
  readonly renderers: RenderPool;
  readonly clusters: Clusters;
  readonly store: Store;
  readonly leadership: Leadership;
  readonly notifier: Notifier;
  readonly telemetry: Telemetry;
}
