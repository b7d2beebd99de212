import type { Clock } from '../../world/clock.ts';
import type { Refs } from './refs.ts';

/** What a listing of refs covers: everything, or the names with these beginnings. */
export interface Listing {
  readonly refs: Refs;
  readonly complete: boolean;
}

/** Shares listings of one repository's refs among everyone who asks with the same credentials. */
export interface Listings {
  /** Refs no older than `notBefore` (milliseconds since 1970) that hold all names with these beginnings. Throws what listing throws. */
  get(prefixes: readonly string[], notBefore: number): Promise<Listing>;
}

interface Run {
  readonly startedAt: number;
  readonly prefixes: ReadonlySet<string>;
  readonly result: Promise<Listing>;
}

/** Milliseconds that a name stays in every listing after it was last asked for. */
const askedForMs = 60 * 60 * 1000;

/**
 * At most one listing is under way and one waits: who cannot use the one under way shares the one after it.
 * Names that were asked for lately are in every listing, so that Applications on several branches share it too.
 */
export function createListings(
  clock: Clock,
  askedMax: number,
  list: (prefixes: readonly string[]) => Promise<Listing>,
): Listings {
  const asked = new Map<string, number>();
  let current: Run | undefined;
  let next: Promise<Run> | undefined;
  let last: { run: Run; listing: Listing } | undefined;

  const toList = (): string[] => {
    const now = clock.now();
    for (const [prefix, at] of asked) if (now - at > askedForMs) asked.delete(prefix);
    const names = [...asked.keys()];
    if (names.length <= askedMax) return names;
    const others = names.filter((name) => !/^refs\/(?:heads|tags)\//.test(name)).slice(-askedMax);
    return [...new Set(['HEAD', 'refs/heads/', 'refs/tags/', ...others])];
  };

  const start = (): Run => {
    const prefixes = toList();
    const run: Run = { startedAt: clock.now(), prefixes: new Set(prefixes), result: list(prefixes) };
    current = run;
    run.result.then(
      (listing) => {
        last = { run, listing };
        if (current === run) current = undefined;
      },
      () => {
        if (current === run) current = undefined;
      },
    );
    return run;
  };

  const afterCurrent = (running: Run): Promise<Run> => {
    next ??= running.result
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };

  return {
    async get(prefixes, notBefore) {
      const now = clock.now();
      for (const prefix of prefixes) asked.set(prefix, now);
      const covers = (run: Run): boolean => prefixes.every((prefix) => isCovered(prefix, run.prefixes));
      if (last !== undefined && last.run.startedAt >= notBefore && (last.listing.complete || covers(last.run))) {
        return last.listing;
      }
      if (current === undefined) return start().result;
      if (current.startedAt >= notBefore && covers(current)) return current.result;
      return (await afterCurrent(current)).result;
    },
  };
}

function isCovered(prefix: string, listed: ReadonlySet<string>): boolean {
  if (listed.has(prefix)) return true;
  return /^refs\/heads\//.test(prefix)
    ? listed.has('refs/heads/')
    : prefix.startsWith('refs/tags/') && listed.has('refs/tags/');
}
