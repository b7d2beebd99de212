import type { RetryStrategy } from '@mooring/crds';
import { parseDuration } from '../../model/duration.ts';

/** Tries and waits of an automated sync whose policy says nothing: 5 tries, 5 s doubled each time, 3 min at most (Argo CD's defaults). */
export const automatedRetry: RetryStrategy = { limit: 5 };

const firstWaitMs = 5_000;
const longestWaitMs = 180_000;
/** Whatever the policy says: without a limit, tries without a wait would never let go of the API server. */
const shortestWaitMs = 1_000;

/** Milliseconds to wait before try `attempt` (the first retry is 0); undefined where no try is left. */
export function retryWaitMs(retry: RetryStrategy | undefined, attempt: number): number | undefined {
  const limit = retry?.limit ?? 0;
  if (limit >= 0 && attempt >= limit) return undefined;
  const first = durationMs(retry?.backoff?.duration, firstWaitMs);
  const longest = durationMs(retry?.backoff?.maxDuration, longestWaitMs);
  const factor = Math.max(1, retry?.backoff?.factor ?? 2);
  return Math.max(shortestWaitMs, Math.min(longest, first * factor ** attempt));
}

/** Argo CD reads a bare number as seconds. What cannot be read counts as not said. */
function durationMs(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  return parseDuration(text) ?? otherwise;
}

/** Milliseconds between two self-heals of one revision: at once, then 2 s, tripled each time, 300 s at most (Argo CD's `controller.self.heal.backoff`). */
export function selfHealWaitMs(attempts: number): number {
  return attempts <= 0 ? 0 : Math.min(300_000, 2_000 * 3 ** (attempts - 1));
}

/** Milliseconds without a heal after which the count of attempts begins anew. */
export const selfHealCooldownMs = 330_000;

/**
 * Milliseconds after which an automated sync is started again that ended in `Error`, by how many have done so one after the other for one revision: a minute, doubled
 * each time, half an hour at most.
 */
export function errorWaitMs(inRow: number): number {
  return Math.min(1_800_000, 60_000 * 2 ** Math.min(10, Math.max(0, inRow - 1)));
}

/** Milliseconds since a time that a status names. One in the future is long past: the clock was set back since, and nothing may wait for it to come again. */
export function sinceMs(time: string | undefined, now: number): number {
  const since = now - Date.parse(time ?? '');
  return since >= 0 ? since : Number.POSITIVE_INFINITY;
}
