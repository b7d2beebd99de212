/** One dialect of globs. */
interface Dialect {
  /** Characters that `*` and `?` don't match. */
  readonly separators: string;
  /** `{a,b}` for alternatives, and `**` for anything with separators. */
  readonly extended: boolean;
  /** What negates a class: `!` or `^`. */
  readonly negation: string;
}

const pathDialect: Dialect = { separators: '/', extended: false, negation: '^' };

/**
 * Matches as Argo CD does for repositories, destinations and names (the rules of gobwas/glob): `*`, `**`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `\`.
 * `*` and `?` don't match the separators; without separators `*` is `**`. A broken pattern matches nothing.
 */
export function globMatches(pattern: string, text: string, separators: string = ''): boolean {
  if (isPlain(pattern)) return pattern === text;
  if (pattern === '**' || (pattern === '*' && separators === '')) return true;
  return matches(pattern, text, { separators, extended: true, negation: '!' });
}

/**
 * Matches as Argo CD does for groups, kinds and names of a project's lists (the rules of Go's `filepath.Match`): `*`, `?`, `[a-z]`, `[^a-z]`, `\`;
 * `*` and `?` don't match `/`. A broken pattern matches nothing.
 */
export function pathMatches(pattern: string, text: string): boolean {
  if (isPlain(pattern)) return pattern === text;
  return matches(pattern, text, pathDialect);
}

/**
 * Which of the longer texts that begin with `start` match, under the rules of `pathMatches`: all of them (but for those with `/`), some that one can think of,
 * or none.
 */
export function pathMatchesFrom(pattern: string, start: string): 'all' | 'some' | 'none' {
  const steps = compile(pattern, pathDialect);
  if (steps === undefined) return 'none';
  const at = follow(steps, start);
  const last = steps.at(-1);
  const star = steps.length - 3;
  if (last?.do === 'fork' && last.to[0] === star && at.has(star)) return 'all';
  return [...at].some((index) => index < steps.length) ? 'some' : 'none';
}

/** Whether `globMatches` understands a pattern; a broken one matches nothing. */
export function isGlob(pattern: string): boolean {
  return isPlain(pattern) || compile(pattern, { separators: '', extended: true, negation: '!' }) !== undefined;
}

function isPlain(pattern: string): boolean {
  return !/[*?[\]{}\\]/.test(pattern);
}

type Step =
  | { readonly do: 'take'; readonly accepts: (char: string) => boolean }
  | { readonly do: 'fork'; readonly to: number[] };

function matches(pattern: string, text: string, dialect: Dialect): boolean {
  const steps = compile(pattern, dialect);
  return steps !== undefined && follow(steps, text).has(steps.length);
}

/**
 * Where a text leads to; nowhere where it does not match so far. Simulates all ways at once, so that time grows with pattern × text and no pattern can stall the
 * caller.
 */
function follow(steps: readonly Step[], text: string): ReadonlySet<number> {
  let at = reach(steps, [0]);
  for (const char of text) {
    const next: number[] = [];
    for (const index of at) {
      const step = steps[index];
      if (step?.do === 'take' && step.accepts(char)) next.push(index + 1);
    }
    if (next.length === 0) return new Set();
    at = reach(steps, next);
  }
  return at;
}

/** Every step that can be come to without taking a character. */
function reach(steps: readonly Step[], from: readonly number[]): Set<number> {
  const seen = new Set<number>();
  const open = [...from];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const step = steps[index];
    if (step?.do === 'fork') open.push(...step.to);
  }
  return seen;
}

/** The steps of a pattern; undefined where it is broken. */
function compile(pattern: string, dialect: Dialect): readonly Step[] | undefined {
  const { separators, extended, negation } = dialect;
  const steps: Step[] = [];
  const chars = [...pattern];
  const inside = (char: string) => !separators.includes(char);
  const anything = () => true;
  /** Per open brace: the fork at its start, and the forks at the end of its alternatives. */
  const braces: { readonly start: number[]; readonly ends: number[][] }[] = [];
  const fork = (...to: number[]): number[] => {
    steps.push({ do: 'fork', to });
    return to;
  };
  for (let index = 0; index < chars.length; index++) {
    const char = chars[index] as string;
    const brace = braces.at(-1);
    if (char === '\\') {
      const literal = chars[++index];
      if (literal === undefined) return undefined;
      steps.push({ do: 'take', accepts: (other) => other === literal });
    } else if (char === '*') {
      const double = extended && chars[index + 1] === '*';
      if (double) index++;
      const start = steps.length;
      fork(start + 1, start + 3);
      steps.push({ do: 'take', accepts: double ? anything : inside });
      fork(start);
    } else if (char === '?') {
      steps.push({ do: 'take', accepts: inside });
    } else if (char === '[') {
      const found = readClass(chars, index + 1, negation);
      if (found === undefined) return undefined;
      steps.push({ do: 'take', accepts: found.accepts });
      index = found.end;
    } else if (extended && char === '{') {
      braces.push({ start: fork(steps.length + 1), ends: [] });
    } else if (brace !== undefined && char === ',') {
      brace.ends.push(fork());
      brace.start.push(steps.length);
    } else if (brace !== undefined && char === '}') {
      for (const end of brace.ends) end.push(steps.length);
      braces.pop();
    } else {
      steps.push({ do: 'take', accepts: (other) => other === char });
    }
  }
  return braces.length === 0 ? steps : undefined;
}

/** Reads a class up to its `]`; `start` is behind the `[`. */
function readClass(
  chars: readonly string[],
  start: number,
  negation: string,
): { readonly accepts: (char: string) => boolean; readonly end: number } | undefined {
  const negated = chars[start] === negation;
  const ranges: [low: string, high: string][] = [];
  let index = negated ? start + 1 : start;
  const read = (): string | undefined => {
    if (chars[index] === '\\') index++;
    return chars[index++];
  };
  while (chars[index] !== ']' || ranges.length === 0) {
    const low = read();
    if (low === undefined) return undefined;
    let high: string | undefined = low;
    if (chars[index] === '-' && chars[index + 1] !== ']') {
      index++;
      high = read();
      if (high === undefined) return undefined;
    }
    ranges.push([low, high]);
  }
  const accepts = (char: string) => ranges.some(([low, high]) => low <= char && char <= high) !== negated;
  return { accepts, end: index };
}
