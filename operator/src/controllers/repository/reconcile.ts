import type { Application } from '@mooring/crds';
import { specTarget } from '../../engine/policy/target.ts';
import { Fault, faultRules, messageOf } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import { maskAddress } from '../../model/mask.ts';
import type { Span } from '../../world/tracer.ts';
import type { World } from '../../world/world.ts';
import { type Action, awaitChange, requeueAfter } from '../action.ts';
import { admit } from '../application/admit.ts';
import { isUnderWay } from '../application/wake.ts';
import { nobody, type OpenTrace, type SeenCommit } from '../traces.ts';

/** How a look at a repository reaches the Applications that use it. */
export interface RepositoryEffects {
  /** Answers about revisions that this Application gets from now on must not be older than `notBefore`. */
  outdate(app: Application, notBefore: number): void;
  /**
   * The Application's revision stands for this commit now, and has not been compared with it. Answers the commit's trace, unless the Application was told of
   * it before.
   */
  seen(app: Application, commit: Pick<SeenCommit, 'repository' | 'commit' | 'startMs'>): OpenTrace | undefined;
  /**
   * The Application's revision stands for another commit than the one it was last compared with, or cannot be told. `touched` is false where the commit
   * changed nothing that the Application is made from, so that others are more urgent; where it is true the Application takes part in the commit's trace.
   */
  wake(
    app: Application,
    touched: boolean,
    commit: { readonly trace: OpenTrace; readonly commit: string } | undefined,
  ): void;
}

/** What a look found for one Application. */
interface News {
  readonly app: Application;
  readonly what: 'none' | 'touched' | 'untouched';
  /** Nobody else asks again: the Application is busy with an operation that needs no news. */
  readonly askAgain?: boolean;
  readonly seen?: Seen | undefined;
}

/** A commit that the look has found first. */
interface Seen {
  readonly trace: OpenTrace;
  readonly commit: string;
  readonly repository: string;
}

/**
 * Asks one repository for its revisions, once for all Applications that use it (`users`), and wakes those whose revision moved.
 * The next look comes after `timeout.reconciliation` with its jitter.
 */
export async function reconcileRepository(
  users: readonly Application[],
  world: World,
  effects: RepositoryEffects,
): Promise<Action> {
  if (users.length === 0) return awaitChange;
  const look = beginLook(world, effects);
  let news: readonly News[];
  try {
    news = await Promise.all(users.map((app) => wakeFor(app, world, effects, look)));
    look.tell(news);
  } finally {
    look.end();
  }
  const { pollIntervalMs, pollJitterMs } = world.store.settings();
  const pollMs = pollIntervalMs > 0 ? pollIntervalMs + world.random.next() * pollJitterMs : Number.POSITIVE_INFINITY;
  const retryMs = news.some(({ askAgain }) => askAgain) ? operatorLimits.backoffLastMs : Number.POSITIVE_INFINITY;
  const nextMs = Math.min(pollMs, retryMs);
  return Number.isFinite(nextMs) ? requeueAfter(nextMs) : awaitChange;
}

/** Wakes an Application as soon as there is news for it: another one's commit may take long to be fetched. */
async function wakeFor(app: Application, world: World, effects: RepositoryEffects, look: Look): Promise<News> {
  const news = await newsFor(app, world, effects, look);
  if (news.what !== 'none') effects.wake(app, news.what === 'touched', news.seen);
  return news;
}

async function newsFor(app: Application, world: World, effects: RepositoryEffects, look: Look): Promise<News> {
  let seen: Seen | undefined;
  effects.outdate(app, look.now);
  try {
    // What an operation works on is pinned: news are what the spec stands for.
    const { source, revision } = specTarget(app);
    // What the project does not permit is not even asked for its revisions.
    const { project } = admit(app, source, world);
    const repository = world.store.repository(source.repoURL, project.metadata.name ?? '');
    const resolved = await world.git.resolve(repository, revision, look.now);
    const { sync } = app.status ?? {};
    if (sync?.status !== 'Unknown' && sync?.revision === resolved.commit) return { app, what: 'none' };
    seen = look.seen(app, source.repoURL, resolved.commit);
    const tree = await look.fetch(seen, () => world.git.open(repository, resolved));
    const request = { repository: source.repoURL, appName: app.metadata.name ?? '' };
    return { app, what: (await world.renderers.touches(tree, request)) ? 'touched' : 'untouched', seen };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const { name: application, namespace } = app.metadata;
    const trace_id = seen?.trace.span.traceId;
    world.telemetry.log.debug({ application, namespace, trace_id, code: thrown.code }, messageOf(thrown));
    // The Application's own look reports it.
    const askAgain = isUnderWay(app) && faultRules[thrown.code].retry === 'backoff';
    return { app, what: 'touched', seen, askAgain };
  }
}

/** One look, as far as traces go: it holds the trace of every commit that it found open, until the Applications have their part in it. */
interface Look {
  /** Milliseconds since 1970. */
  readonly now: number;
  seen(app: Application, repository: string, commit: string): Seen | undefined;
  /** Fetches for somebody who has seen a commit; the first time is recorded. */
  fetch<T>(seen: Seen | undefined, run: () => Promise<T>): Promise<T>;
  tell(news: readonly News[]): void;
  end(): void;
}

function beginLook({ clock, telemetry }: World, effects: RepositoryEffects): Look {
  const { tracer, log } = telemetry;
  const startMs = tracer.now();
  const found = new Map<OpenTrace, Seen>();
  const fetches = new Map<OpenTrace, Span>();
  return {
    now: clock.now(),
    seen(app, repository, commit) {
      const trace = effects.seen(app, { repository, commit, startMs });
      if (trace === undefined) return undefined;
      const known = found.get(trace);
      if (known !== undefined) return known;
      trace.enter(nobody, () => {
        fetches.get(trace)?.end();
        trace.leave(nobody);
      });
      trace.span.child('resolve', {}, startMs).end();
      const seen = { trace, commit, repository };
      found.set(trace, seen);
      return seen;
    },
    async fetch(seen, run) {
      if (seen === undefined || seen.trace.isOver || fetches.has(seen.trace)) return run();
      const span = seen.trace.span.child('fetch');
      fetches.set(seen.trace, span);
      let failure: string | undefined;
      try {
        return await run();
      } catch (thrown) {
        failure = messageOf(thrown);
        throw thrown;
      } finally {
        span.end(failure);
      }
    },
    tell(news) {
      for (const seen of found.values()) {
        const applications = news.filter((one) => one.seen === seen && one.what === 'touched').length;
        const { trace, commit: revision, repository } = seen;
        const fields = { trace_id: trace.span.traceId, repository: maskAddress(repository), revision, applications };
        log.info(fields, 'a commit was seen');
      }
    },
    end() {
      for (const { trace } of found.values()) trace.leave(nobody);
    },
  };
}
