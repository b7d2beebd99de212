/** What is kept of one Application between two passes, besides its status. All of it may be lost at any time. */
export interface Memory {
  /** Answers about revisions must not be older than this; milliseconds since 1970. */
  revisionNotBefore: number;
  /** When the last wave of the operation under way was applied. */
  waveAppliedAt: number;
  /** The `spec.ignoreDifferences` that objects were compared under, as canonical JSON; undefined before the first comparison. */
  ignoring: string | undefined;
  /** Passes in a row that ended with a fault worth trying again. */
  faultsInRow: number;
}

export function newMemory(): Memory {
  return {
    revisionNotBefore: 0,
    waveAppliedAt: Number.NEGATIVE_INFINITY,
    ignoring: undefined,
    faultsInRow: 0,
  };
}
