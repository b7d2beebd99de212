import type { Children } from './children.ts';
import type { AppTrace } from './trace.ts';

/** What is kept of one Application between two passes, besides its status. All of it may be lost at any time. */
export interface Memory {
  /** Answers about revisions must not be older than this; milliseconds since 1970. */
  revisionNotBefore: number;
  /** When the last wave of the operation under way was applied. */
  waveAppliedAt: number;
  /** The `spec.ignoreDifferences` that objects were compared under, as canonical JSON; undefined before the first comparison. */
  ignoring: string | undefined;
  /** Set where the next look goes by no mark of an object that has changed, in whatever, since it was compared. */
  anew: boolean;
  /** The cluster that was looked at last. */
  server: string | undefined;
  /** The commit that was looked at last. */
  commit: string | undefined;
  /** The commit that was deployed by a sync whose end could not be stored, as when somebody changed the Application at that moment. */
  unrecorded: string | undefined;
  /** Children that the operation under way waits for. */
  readonly children: Children;
  /** Passes in a row that ended with a fault worth trying again. */
  faultsInRow: number;
  /** When commits were first seen, the latest last; milliseconds since 1970. */
  readonly sightings: Map<string, number>;
  /** The revision that last failed to be deployed. */
  failedRevision: string | undefined;
  /** When the Application became Degraded; undefined once it is Healthy again. Milliseconds since 1970. */
  degradedAt: number | undefined;
  /** What was last told of what a sync would change, where nothing is written. */
  previewed: string | undefined;
  /** Bytes of it that the API server did not take, the fewest that were tried. */
  refusedBytes: number | undefined;
  /** The part that it has in a trace. */
  readonly trace: AppTrace;
}

/** Commits that may still be on their way. */
const sightingsKept = 8;

export function newMemory(trace: AppTrace, revisionNotBefore = 0): Memory {
  return {
    trace,
    revisionNotBefore,
    waveAppliedAt: Number.NEGATIVE_INFINITY,
    ignoring: undefined,
    anew: false,
    server: undefined,
    commit: undefined,
    unrecorded: undefined,
    children: { asked: new Map(), toWake: [] },
    faultsInRow: 0,
    sightings: new Map(),
    failedRevision: undefined,
    degradedAt: undefined,
    previewed: undefined,
    refusedBytes: undefined,
  };
}

/** Remembers when a commit was first seen. */
export function sight({ sightings }: Memory, commit: string, at: number): void {
  if (!sightings.has(commit)) sightings.set(commit, at);
  const [oldest] = sightings.keys();
  if (sightings.size > sightingsKept && oldest !== undefined) sightings.delete(oldest);
}
