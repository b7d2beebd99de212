import { maskAddress } from '../model/mask.ts';
import type { Clock } from '../world/clock.ts';
import type { Span, SpanAttributes, TraceParent, Tracer } from '../world/tracer.ts';

/** A commit that was seen for the first time. */
export interface SeenCommit {
  /** Address of its repository, as an Application names it. */
  readonly repository: string;
  readonly commit: string;
  /** Who saw it: a look that a webhook or the poll had made, or an Application's own. */
  readonly trigger: 'webhook' | 'poll' | 'application';
  /** Since when it is looked at, milliseconds since 1970. */
  readonly startMs: number;
  /** The trace that the webhook was a part of. */
  readonly parent?: TraceParent | undefined;
  /** The id that the trace gets where it begins; by default a new one. */
  readonly traceId?: string;
}

/** How a part in a trace ends before it has come to what it was to. */
export interface Ending {
  readonly says: string;
  readonly isFailure: boolean;
}

/** A trace whose end is yet to come: when the last who has entered it has left. */
export interface OpenTrace {
  readonly span: Span;
  /** When it began, milliseconds since 1970. */
  readonly startMs: number;
  /** Nobody can enter it any more. */
  readonly isOver: boolean;
  /** Somebody has a part in it. `dismiss` is called where that must come to an end, and leaves. */
  enter(who: string, dismiss: (ending: Ending) => void): void;
  /** The part is over; `failure` says why it did not come to what it was to. */
  leave(who: string, failure?: string): void;
}

/** The traces that are open. */
export interface Traces {
  readonly tracer: Tracer;
  /** The trace of a commit of a repository, which begins with the first call and is one until it ends. */
  ofCommit(key: string, seen: SeenCommit): OpenTrace;
  /** The trace of something that no commit brought about. */
  begin(name: string, attributes: SpanAttributes, start: { startMs: number; traceId: string }): OpenTrace;
  /** Ends all of them, since nobody is left here to do it; `why` is their outcome. */
  close(why: string): void;
}

export interface TracesLimits {
  /** Traces of commits at most at one time; the oldest ends beyond it. */
  readonly tracesOpen: number;
  /** Milliseconds that a trace lasts at most. */
  readonly traceMs: number;
}

export function createTraces(tracer: Tracer, clock: Clock, { tracesOpen, traceMs }: TracesLimits): Traces {
  const commits = new Map<string, Dismissable>();
  const others = new Set<Dismissable>();

  const open = (span: Span, startMs: number, onEnd: () => void): Dismissable => {
    const parts = new Map<string, (ending: Ending) => void>();
    const failures = new Map<string, string>();
    let entered = 0;
    let isOver = false;
    const dismiss = (ending: Ending): void => {
      for (const leave of [...parts.values()]) leave(ending);
    };
    // Where nothing is recorded nobody waits for the end.
    const cancel = span.spanId === undefined ? noTimer : clock.after(traceMs, () => dismiss(lateAfter(traceMs)));
    return {
      span,
      startMs,
      get isOver() {
        return isOver;
      },
      dismiss,
      enter(who, leave) {
        if (who !== nobody && !parts.has(who)) entered += 1;
        parts.set(who, leave);
      },
      leave(who, failure) {
        if (!parts.delete(who)) return;
        if (failure !== undefined) failures.set(who, failure);
        if (parts.size > 0) return;
        isOver = true;
        cancel();
        onEnd();
        span.set({ 'mooring.applications': entered, 'mooring.applications.failed': failures.size });
        span.end(told(failures, entered));
      },
    };
  };

  return {
    tracer,
    ofCommit(key, { repository, commit, trigger, startMs, parent, traceId }) {
      const id = `${key} ${commit}`;
      const known = commits.get(id);
      if (known !== undefined) return known;
      const [oldest] = commits.values();
      if (commits.size >= tracesOpen) oldest?.dismiss(tooMany);
      const attributes = {
        'argocd.repo.url': maskAddress(repository),
        'argocd.revision': commit,
        'mooring.trigger': trigger,
      };
      const start = { attributes, startMs, ...(parent && { parent }), ...(traceId !== undefined && { traceId }) };
      const made = open(tracer.root('commit', start), startMs, () => commits.delete(id));
      commits.set(id, made);
      return made;
    },
    begin(name, attributes, start) {
      const made = open(tracer.root(name, { attributes, ...start }), start.startMs, () => others.delete(made));
      others.add(made);
      return made;
    },
    close(why) {
      for (const trace of [...commits.values(), ...others]) trace.dismiss({ says: why, isFailure: false });
    },
  };
}

/** Who enters a trace only to hold it open. */
export const nobody = '';

interface Dismissable extends OpenTrace {
  dismiss(ending: Ending): void;
}

const noTimer = (): void => {};
const tooMany: Ending = { says: 'too many commits are on their way', isFailure: true };

function lateAfter(ms: number): Ending {
  return { says: `not Synced and Healthy after ${Math.round(ms / 60_000)} minutes`, isFailure: true };
}

function told(failures: ReadonlyMap<string, string>, entered: number): string | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  const [who, failure] = first;
  return entered < 2 ? failure : `${failures.size} of ${entered} Applications: ${who}: ${failure}`;
}
