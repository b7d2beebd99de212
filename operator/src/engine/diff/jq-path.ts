/** One step of a path: into a field, into one item of a list, into all items, or on with those that meet a condition. */
export type PathStep =
  | { readonly to: 'field'; readonly name: string }
  | { readonly to: 'item'; readonly index: number }
  | { readonly to: 'all' }
  | { readonly to: 'where'; readonly path: readonly PathStep[]; readonly equal: boolean; readonly value: unknown };

/**
 * Reads a jq path expression as far as paths are needed to name fields: `.a.b`, `.a["x/y"]`, `.a[0]`, `.a[]`, `.a[]?`, and
 * `| select(.b == "x")` with `==` or `!=` and a text, number, boolean or null. undefined for everything else of jq.
 */
export function parsePath(expression: string): readonly PathStep[] | undefined {
  const reader = { text: expression.trim(), at: 0 };
  const path = readPipeline(reader);
  return path !== undefined && path.length > 0 && reader.at === reader.text.length ? path : undefined;
}

interface Reader {
  readonly text: string;
  at: number;
}

/** Takes what matches at the place of the reader; blanks in front of it are skipped. */
function take(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  const sticky = new RegExp(`\\s*(?:${pattern.source})`, 'y');
  sticky.lastIndex = reader.at;
  const found = sticky.exec(reader.text);
  if (found === null) return undefined;
  reader.at = sticky.lastIndex;
  return found;
}

const textLiteral = /"(?:[^"\\]|\\.)*"/y;

function readPipeline(reader: Reader): PathStep[] | undefined {
  const path = readSteps(reader);
  if (path === undefined) return undefined;
  while (take(reader, /\|/) !== undefined) {
    const next = take(reader, /select\s*\(/) === undefined ? readSteps(reader) : readCondition(reader);
    if (next === undefined) return undefined;
    path.push(...next);
  }
  return path;
}

/** `.a["b"][0]?`, beginning with its dot. */
function readSteps(reader: Reader): PathStep[] | undefined {
  if (take(reader, /\.(?!\.)/) === undefined) return undefined;
  const path: PathStep[] = [];
  let dot = true;
  for (;;) {
    const step = readStep(reader, dot);
    if (step === undefined) break;
    path.push(step);
    take(reader, /\?/);
    dot = take(reader, /\.(?!\.)/) !== undefined;
  }
  // A dot at the end names nothing, but alone it is the whole.
  return dot && path.length > 0 ? undefined : path;
}

function readStep(reader: Reader, dot: boolean): PathStep | undefined {
  if (dot) {
    const name = take(reader, /([A-Za-z_][A-Za-z0-9_]*)/);
    if (name !== undefined) return { to: 'field', name: name[1] ?? '' };
    const quoted = take(reader, new RegExp(`(${textLiteral.source})`));
    if (quoted !== undefined) return fieldStep(quoted[1]);
  }
  if (take(reader, /\[\s*\]/) !== undefined) return { to: 'all' };
  const index = take(reader, /\[\s*(\d{1,6})\s*\]/);
  if (index !== undefined) return { to: 'item', index: Number(index[1]) };
  const key = take(reader, new RegExp(`\\[\\s*(${textLiteral.source})\\s*\\]`));
  return key === undefined ? undefined : fieldStep(key[1]);
}

function fieldStep(literal: string | undefined): PathStep | undefined {
  const name = literalValue(literal ?? '');
  return typeof name === 'string' ? { to: 'field', name } : undefined;
}

/** `.b == "x")`, behind the opening bracket. */
function readCondition(reader: Reader): PathStep[] | undefined {
  const path = readSteps(reader);
  const operator = take(reader, /(==|!=)/);
  const literal = take(reader, new RegExp(`(${textLiteral.source}|-?\\d+(?:\\.\\d+)?|true|false|null)`));
  const end = take(reader, /\)/);
  if (path === undefined || operator === undefined || literal === undefined || end === undefined) return undefined;
  if (path.some(({ to }) => to === 'all' || to === 'where')) return undefined;
  const value = literalValue(literal[1] ?? '');
  return value === undefined ? undefined : [{ to: 'where', path, equal: operator[1] === '==', value }];
}

function literalValue(literal: string): unknown {
  try {
    return JSON.parse(literal) as unknown;
  } catch {
    return undefined;
  }
}
