/**
 * Where the watch of one kind stands. `resourceVersion` is the last one seen, from which a broken watch is taken up again; without one everything is listed anew.
 */
export type WatchState =
  | ({ readonly at: 'streaming-list' | 'paged-list' } & WatchHistory)
  | ({ readonly at: 'watching'; readonly resourceVersion: string; readonly heard: boolean } & WatchHistory)
  | ({ readonly at: 'waiting'; readonly resourceVersion: string | undefined } & WatchHistory)
  | ({ readonly at: 'stopped' } & WatchHistory);

/** What a watch has been through. */
export interface WatchHistory {
  /** Failures since something last arrived: they decide how long to wait. */
  readonly failures: number;
  /** Failures since the server last accepted a watch for good: they decide whether the view still follows. */
  readonly refusals: number;
  /** Lists since something last arrived that were needed because the version was too old. */
  readonly relists: number;
  /** Whether this server can list by a watch. */
  readonly streaming: boolean;
}

/** What happens to a watch. */
export type WatchEvent =
  | { readonly what: 'start' }
  /** The server accepted the watch. */
  | { readonly what: 'opened' }
  /** The server's own version is no older than the one that the watch was taken up from. */
  | { readonly what: 'confirmed' }
  /** An object came, or a bookmark. During a streaming list nothing may be taken up again yet. */
  | { readonly what: 'progress'; readonly resourceVersion: string }
  /** The streaming list is complete. */
  | { readonly what: 'list-end'; readonly resourceVersion: string }
  /** A page of a list came. */
  | { readonly what: 'page'; readonly more: string | undefined; readonly resourceVersion: string }
  /** The server closed the stream in good order. */
  | { readonly what: 'ended' }
  | {
      readonly what: 'failed';
      readonly why: WatchFailure;
      readonly random: number;
      readonly retryAfterMs?: number | undefined;
    }
  /** The time to wait is over. */
  | { readonly what: 'timer' }
  | { readonly what: 'stop' };

/**
 * `gone`: the version is too old (410), or the server has gone back behind it. `unsupported`: the server cannot list by a watch. `forbidden`, `unserved`: an answer of 403, or of
 * 404 or 405, or of 503 where another server than the API server answers for the kind. `broken`: all else, such as a lost connection or a stall.
 */
export type WatchFailure = 'gone' | 'unsupported' | 'forbidden' | 'unserved' | 'broken';

/** What is to be done, in this order. */
export type WatchEffect =
  /** Begins a list: every object seen from here on is marked. */
  | { readonly do: 'begin-list' }
  | { readonly do: 'get-page'; readonly more: string | undefined }
  /** Drops what the list did not hold. */
  | { readonly do: 'end-list'; readonly resourceVersion: string }
  /** Opens a watch, from a version on or (undefined) as a streaming list. */
  | { readonly do: 'open'; readonly resourceVersion: string | undefined }
  /**
   * Asks the server for its version: one that was restored from a backup may be older than the version that the watch was taken up from, and would accept
   * it and be silent until it has come that far again.
   */
  | { readonly do: 'confirm'; readonly resourceVersion: string }
  | { readonly do: 'close' }
  | { readonly do: 'wait'; readonly ms: number }
  /** The view of this kind is complete and follows the server. */
  | { readonly do: 'report-live' }
  | { readonly do: 'report-failure'; readonly why: WatchFailure; readonly refusals: number };

const firstWaitMs = 100;
/** Short enough that a change is seen within 10 s after an API server is back. */
const longestWaitMs = 8_000;
/** A permission seldom comes by itself, and dozens of kinds may lack theirs. */
const forbiddenWaitMs = { first: 30_000, longest: 120_000 };
/** At first the wait is short: a 503 may be no more than a restart. */
const longestUnservedMs = 30_000;

export const initialWatchState: WatchState = {
  at: 'waiting',
  resourceVersion: undefined,
  failures: 0,
  refusals: 0,
  relists: 0,
  streaming: true,
};

/** The next state of a watch, and what to do. Events that come too late for the state they meant change nothing. */
export function stepWatch(state: WatchState, event: WatchEvent): readonly [WatchState, readonly WatchEffect[]] {
  if (state.at === 'stopped') return [state, []];
  switch (event.what) {
    case 'stop':
      return [{ ...historyOf(state), at: 'stopped' }, [{ do: 'close' }]];
    case 'start':
    case 'timer':
      return state.at === 'waiting' ? begin(state.resourceVersion, historyOf(state)) : [state, []];
    case 'opened':
      if (state.at !== 'watching' || state.refusals === 0) return [state, []];
      return [state, [{ do: 'confirm', resourceVersion: state.resourceVersion }]];
    case 'confirmed':
      if (state.at !== 'watching' || state.refusals === 0) return [state, []];
      return [{ ...state, refusals: 0 }, [{ do: 'report-live' }]];
    case 'progress':
      if (state.at !== 'watching') return [state, []];
      return [{ ...state, resourceVersion: event.resourceVersion, heard: true, failures: 0, relists: 0 }, []];
    case 'list-end':
      if (state.at !== 'streaming-list') return [state, []];
      return listed(event.resourceVersion, true, historyOf(state));
    case 'page':
      if (state.at !== 'paged-list') return [state, []];
      if (event.more !== undefined) return [state, [{ do: 'get-page', more: event.more }]];
      return listed(event.resourceVersion, false, historyOf(state));
    case 'ended':
      return ended(state);
    case 'failed':
      return failed(state, event.why, event.random, event.retryAfterMs);
  }
}

function begin(
  resourceVersion: string | undefined,
  history: WatchHistory,
): readonly [WatchState, readonly WatchEffect[]] {
  if (resourceVersion !== undefined) {
    return [{ ...history, at: 'watching', resourceVersion, heard: false }, [{ do: 'open', resourceVersion }]];
  }
  if (history.streaming)
    return [{ ...history, at: 'streaming-list' }, [{ do: 'begin-list' }, { do: 'open', resourceVersion: undefined }]];
  return [{ ...history, at: 'paged-list' }, [{ do: 'begin-list' }, { do: 'get-page', more: undefined }]];
}

// After a streaming list the same stream goes on as the watch.
function listed(
  resourceVersion: string,
  isOpen: boolean,
  history: WatchHistory,
): readonly [WatchState, readonly WatchEffect[]] {
  const effects: readonly WatchEffect[] = [{ do: 'end-list', resourceVersion }, { do: 'report-live' }];
  return [
    { ...history, at: 'watching', resourceVersion, heard: isOpen, failures: 0, refusals: 0 },
    isOpen ? effects : [...effects, { do: 'open', resourceVersion }],
  ];
}

// A watch that ends by its own time limit goes on at once; one that ends without a word is no better than a failure.
function ended(state: WatchState): readonly [WatchState, readonly WatchEffect[]] {
  if (state.at !== 'watching' || !state.heard) return failed(state, 'broken', 0.5);
  const { resourceVersion } = state;
  return [{ ...state, heard: false }, [{ do: 'close' }, { do: 'open', resourceVersion }]];
}

function failed(
  state: WatchState,
  why: WatchFailure,
  random: number,
  retryAfterMs?: number,
): readonly [WatchState, readonly WatchEffect[]] {
  if (state.at === 'stopped' || state.at === 'waiting') return [state, []];
  const isGone = why === 'gone';
  const history: WatchHistory = {
    failures: isGone ? state.failures : state.failures + 1,
    refusals: state.refusals + 1,
    relists: isGone ? state.relists + 1 : state.relists,
    streaming: state.streaming && why !== 'unsupported',
  };
  const resourceVersion = state.at === 'watching' && !isGone ? state.resourceVersion : undefined;
  // Neither is the server's trouble: the other way to list is tried at once, the first time.
  const atOnce = (isGone && state.relists === 0) || (why === 'unsupported' && state.streaming);
  const ms = atOnce ? 0 : (retryAfterMs ?? waitMs(why, isGone ? history.relists : history.failures, random));
  const report: readonly WatchEffect[] = atOnce ? [] : [{ do: 'report-failure', why, refusals: history.refusals }];
  return [{ ...history, at: 'waiting', resourceVersion }, [{ do: 'close' }, ...report, { do: 'wait', ms }]];
}

function historyOf({ failures, refusals, relists, streaming }: WatchHistory): WatchHistory {
  return { failures, refusals, relists, streaming };
}

function waitMs(why: WatchFailure, failures: number, random: number): number {
  const first = why === 'forbidden' ? forbiddenWaitMs.first : firstWaitMs;
  const longest =
    why === 'forbidden' ? forbiddenWaitMs.longest : why === 'unserved' ? longestUnservedMs : longestWaitMs;
  return Math.min(longest, first * 2 ** (failures - 1)) * (0.5 + random / 2);
}
