import absoluteGlob from '@dsherret/to-absolute-glob';
import { RenderError } from '@mooring/renderer-contract';

/** The longest pattern taken, in characters. */
const patternMax = 4_096;

/** One step of a pattern: a test on a character, any run of characters, or alternatives. */
type Step =
  | { readonly type: 'character'; readonly test: (character: string) => boolean }
  | { readonly type: 'any' }
  | { readonly type: 'either'; readonly of: readonly (readonly Step[])[] };

/** A state of the matcher: where it may go without reading, or what it must read to go to the next one. */
interface State {
  readonly free: number[];
  test?: (character: string) => boolean;
  to?: number;
}

/**
 * A test of paths below `folder` against the pattern of `directory.include` or `exclude`, in time linear in the path. The pattern is relative to `folder`, or to the root of the
 * repository where it begins with `/`. As in Argo CD `*` and `**` also match `/`, `?` is one character, `[a-z]` and `[!a-z]` are classes, `{a,b}` alternatives, `\` takes
 * the next character as it is. Throws `RenderError` naming `option` for a pattern that is broken or leaves the repository.
 */
export function compileGlob(pattern: string, folder: string, option: string): (path: string) => boolean {
  const refuse = (code: 'invalid' | 'outside-tree', what: string): RenderError =>
    new RenderError(code, `${option} ${JSON.stringify(pattern.slice(0, 200))} ${what}`);
  if (pattern.length > patternMax) throw refuse('invalid', `is longer than ${patternMax} characters; shorten it`);
  if (pattern.split(/[/,{}]/).includes('..')) {
    throw refuse('outside-tree', 'has a `..` segment; write it relative to the path of the source');
  }
  if (pattern.startsWith('!')) throw refuse('invalid', 'begins with `!`; use the opposite option instead');
  // The name of the folder stays out of the pattern, since it may hold characters that mean something there.
  const absolute = absoluteGlob(pattern, { cwd: '/source', root: '/repository' });
  const fromRoot = absolute.startsWith('/repository/');
  const states: State[] = [];
  const steps = parse(absolute, (what) => refuse('invalid', what));
  const start = link(steps, states, newState(states));
  const depth = folder === '' ? 0 : folder.length + 1;
  return (path) => matches(states, start, fromRoot ? `/repository/${path}` : `/source/${path.slice(depth)}`);
}

function parse(pattern: string, refuse: (what: string) => RenderError): readonly Step[] {
  const characters = [...pattern];
  let at = 0;
  const sequence = (nested: number): Step[] => {
    const steps: Step[] = [];
    while (at < characters.length) {
      const character = characters[at] as string;
      if (nested > 0 && (character === ',' || character === '}')) break;
      at += 1;
      if (character === '*') steps.push({ type: 'any' });
      else if (character === '?') steps.push({ type: 'character', test: () => true });
      else if (character === '[') steps.push({ type: 'character', test: characterClass() });
      else if (character === '{') steps.push({ type: 'either', of: alternatives(nested + 1) });
      else {
        const exact = character === '\\' ? characters[at++] : character;
        if (exact === undefined) throw refuse('ends with a single `\\`; write `\\\\`');
        steps.push({ type: 'character', test: (found) => found === exact });
      }
    }
    return steps;
  };
  const alternatives = (nested: number): Step[][] => {
    if (nested > 100) throw refuse('nests `{` too deep');
    const found = [sequence(nested)];
    while (characters[at] === ',') {
      at += 1;
      found.push(sequence(nested));
    }
    if (characters[at] !== '}') throw refuse('has a `{` without its `}`');
    at += 1;
    return found;
  };
  const characterClass = (): ((character: string) => boolean) => {
    const end = characters.indexOf(']', at + 1);
    if (end < 0) throw refuse('has a `[` without its `]`');
    const negated = characters[at] === '!';
    const body = characters.slice(negated ? at + 1 : at, end);
    at = end + 1;
    const [from, dash, to] = body;
    if (body.length === 3 && dash === '-' && from !== undefined && to !== undefined) {
      return (found) => (found >= from && found <= to) !== negated;
    }
    if (body.length === 0 || body.includes('-')) {
      throw refuse('has a class that is neither one range, such as `[a-z]`, nor a list of characters, such as `[abc]`');
    }
    const members = new Set(body);
    return (found) => members.has(found) !== negated;
  };
  return sequence(0);
}

function newState(states: State[]): number {
  return states.push({ free: [] }) - 1;
}

/** Puts the states of `steps` before the state `end` and answers the first of them. */
function link(steps: readonly Step[], states: State[], end: number): number {
  let next = end;
  for (const step of steps.toReversed()) {
    const here = newState(states);
    const state = states[here] as State;
    if (step.type === 'either') state.free.push(...step.of.map((branch) => link(branch, states, next)));
    else if (step.type === 'character') Object.assign(state, { test: step.test, to: next });
    else {
      state.free.push(next);
      Object.assign(state, { test: () => true, to: here });
    }
    next = here;
  }
  return next;
}

/** Whether `text` leads from `start` to the first state, which is the end. */
function matches(states: readonly State[], start: number, text: string): boolean {
  let current = reach(states, [start]);
  for (const character of text) {
    const read: number[] = [];
    for (const index of current) {
      const state = states[index];
      if (state?.to !== undefined && state.test?.(character)) read.push(state.to);
    }
    if (read.length === 0) return false;
    current = reach(states, read);
  }
  return current.has(0);
}

function reach(states: readonly State[], from: readonly number[]): Set<number> {
  const found = new Set(from);
  for (const index of found) for (const next of states[index]?.free ?? []) found.add(next);
  return found;
}
