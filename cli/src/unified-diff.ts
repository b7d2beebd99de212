/** Edits looked for before two texts are taken to have nothing in common; the search takes time and memory in the square of it. */
const editsMax = 2_000;
const context = 3;

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** Two texts as a unified diff with three lines of context, as `diff -u` prints it; `''` where they are equal. A text that is `''` is an absent file. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const lines = diffLines(linesOf(before), linesOf(after));
  const hunks = hunksOf(lines).map(([start, end]) => printHunk(lines, start, end));
  const from = before === '' ? '/dev/null' : `live/${name}`;
  const to = after === '' ? '/dev/null' : `desired/${name}`;
  return `--- ${from}\n+++ ${to}\n${hunks.join('')}`;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** The shortest way from one list of lines to the other (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986). */
function diffLines(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let endBefore = before.length;
  let endAfter = after.length;
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore--;
    endAfter--;
  }
  return [
    ...marked(' ', before.slice(0, start)),
    ...shortestEdit(before.slice(start, endBefore), after.slice(start, endAfter)),
    ...marked(' ', before.slice(endBefore)),
  ];
}

function marked(mark: Line['mark'], texts: readonly string[]): Line[] {
  return texts.map((text) => ({ mark, text }));
}

function shortestEdit(before: readonly string[], after: readonly string[]): Line[] {
  const reach = new Map<number, number>([[1, 0]]);
  const at = (diagonal: number): number => reach.get(diagonal) ?? -1;
  const trace: Map<number, number>[] = [];
  const isDown = (diagonal: number, edits: number): boolean =>
    diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
  for (let edits = 0; edits <= Math.min(editsMax, before.length + after.length); edits++) {
    trace.push(new Map(reach));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = isDown(diagonal, edits) ? at(diagonal + 1) : at(diagonal - 1) + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
      reach.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return backtrack(before, after, trace);
    }
  }
  return [...marked('-', before), ...marked('+', after)];
}

function backtrack(
  before: readonly string[],
  after: readonly string[],
  trace: readonly ReadonlyMap<number, number>[],
): Line[] {
  const lines: Line[] = [];
  let x = before.length;
  let y = after.length;
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits] as ReadonlyMap<number, number>;
    const at = (diagonal: number): number => reach.get(diagonal) ?? -1;
    const diagonal = x - y;
    const down = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const previousX = edits === 0 ? 0 : at(down ? diagonal + 1 : diagonal - 1);
    const previousY = edits === 0 ? 0 : previousX - (down ? diagonal + 1 : diagonal - 1);
    while (x > previousX && y > previousY) {
      x--;
      y--;
      lines.push({ mark: ' ', text: before[x] as string });
    }
    if (edits === 0) break;
    if (down) lines.push({ mark: '+', text: after[previousY] as string });
    else lines.push({ mark: '-', text: before[previousX] as string });
    x = previousX;
    y = previousY;
  }
  return lines.reverse();
}

/** Where hunks begin and end: changes that are further apart than their context are in hunks of their own. */
function hunksOf(lines: readonly Line[]): [start: number, end: number][] {
  const hunks: [number, number][] = [];
  for (const [index, { mark }] of lines.entries()) {
    if (mark === ' ') continue;
    const last = hunks.at(-1);
    const end = Math.min(lines.length, index + 1 + context);
    if (last !== undefined && index - context <= last[1]) last[1] = end;
    else hunks.push([Math.max(0, index - context), end]);
  }
  return hunks;
}

function printHunk(lines: readonly Line[], start: number, end: number): string {
  const within = lines.slice(start, end);
  const range = (other: Line['mark']): string => {
    const count = within.filter(({ mark }) => mark !== other).length;
    const skipped = lines.slice(0, start).filter(({ mark }) => mark !== other).length;
    const first = count === 0 ? skipped : skipped + 1;
    return count === 1 ? `${first}` : `${first},${count}`;
  };
  const body = within.map(({ mark, text }) => `${mark}${text}\n`).join('');
  return `@@ -${range('+')} +${range('-')} @@\n${body}`;
}
