import type { OperationState } from '@mooring/crds';
import { timestamp } from '../../model/timestamp.ts';

/**
 * The message of an operation that ends without success: how often it was tried, and, where nothing tries it again, that this is so and what to do. An automated one
 * that ended in `Error` begins anew by itself.
 */
export function finalMessage(message: string, phase: 'Failed' | 'Error', state: OperationState): string {
  const retries = state.retryCount ?? 0;
  const told = retries > 0 ? `${message} (retried ${retries} times).` : message;
  const isAutomated = state.operation.initiatedBy?.automated === true;
  if (isAutomated)
    return phase === 'Failed'
      ? `${sentence(told)} This revision is not tried again: mend the cause and push it, or sync by hand.`
      : told;
  return retries > 0 ? `${sentence(told)} It is not tried again: mend the cause, then sync again.` : told;
}

/** A message without which try follows and when, so that the same failure reads the same from try to try. */
export function withoutTry(message: string): string {
  return message.replace(/ Retrying attempt #\d+ at \S+$/, '');
}

/** What an operation waits for, and since when, in milliseconds since 1970: the same wait keeps its beginning, also where fewer are left to wait for. */
export function waitingMessage(reason: string, before: string | undefined, now: number): string {
  const [, last = '', since] = /^(.*) \(since (\S+)\)$/s.exec(before ?? '') ?? [];
  const isSame = since !== undefined && firstOf(last) === firstOf(reason);
  return `${reason} (since ${isSame ? since : timestamp(now)})`;
}

/** Whether a message is one of `waitingMessage`. */
export function isWaitingMessage(message: string | undefined): boolean {
  return / \(since \S+\)$/.test(message ?? '');
}

/** The API server's refusals of a change to what can only be set when an object is made. */
const fixed =
  /field is immutable|value is immutable|is immutable after creation|may not change once set|cannot change roleRef|updates to \S+ spec for fields other than|pod updates may not change fields other than/i;

/** A refusal of an object with what its user can do, where it is of a kind that has a way out. `mayRecreate`: whether the object may be deleted and made anew. */
export function withWayOut(message: string, mayRecreate: boolean): string {
  if (!fixed.test(message)) return message;
  const anew =
    ', or annotate it with argocd.argoproj.io/sync-options: Replace=true,Force=true, by which it is deleted with all that it holds, and made anew';
  return `${message}; what is immutable changes only with a new object: give it another name${mayRecreate ? anew : ''}`;
}

function firstOf(reason: string): string {
  return reason.replace(/ and \d+ more \w+$/, '');
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
