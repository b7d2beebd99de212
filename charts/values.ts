import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';

/** One value of the chart, as its comment in values.yaml tells of it. */
export interface ValueRow {
  /** Keys that lead to it. */
  readonly path: readonly string[];
  /** `string`, `bool`, `int`, `list` or `object`. */
  readonly type: string;
  /** What it is where nobody says anything: JSON, or words after `@default --`. */
  readonly default: { readonly json: string } | { readonly words: string };
  readonly description: string;
}

/**
 * Reads the comments of a values.yaml in the form that helm-docs has: `# -- description` above a key, going on in the lines below, `# -- (type) …` where the value does not
 * show its type, `# @default -- words` where it does not show the default. Throws where a value is not described.
 */
export function readValues(text: string): readonly ValueRow[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  const lines = text.split('\n');
  const rows: ValueRow[] = [];

  const walk = (node: unknown, path: readonly string[]): void => {
    if (!isMap(node)) throw new Error(`values.yaml: ${path.join('.')} is no map`);
    for (const { key, value } of node.items) {
      if (!isScalar(key) || key.range == null)
        throw new Error(`values.yaml: a key below ${path.join('.')} is no scalar`);
      const at = [...path, String(key.value)];
      const comment = commentAbove(lines, lineCounter.linePos(key.range[0]).line);
      if (comment !== undefined) rows.push(rowOf(at, comment, isMap(value) || !isScalar(value) ? value : value.value));
      else if (isMap(value) && value.items.length > 0) walk(value, at);
      else throw new Error(`values.yaml: ${at.join('.')} has no comment that begins with "# --"`);
    }
  };
  walk(document.contents, []);
  return rows;
}

interface Comment {
  readonly type: string | undefined;
  readonly words: string | undefined;
  readonly description: string;
}

/** The comment that ends in the line before `line`, counted from 1; undefined where it describes no value. */
function commentAbove(lines: readonly string[], line: number): Comment | undefined {
  let first = line - 1;
  while (first > 0 && /^\s*#/.test(lines[first - 1] ?? '')) first -= 1;
  const texts = lines.slice(first, line - 1).map((one) => one.replace(/^\s*# ?/, ''));
  const start = texts.findIndex((one) => one.startsWith('-- '));
  if (start < 0) return undefined;
  const words = texts.find((one) => one.startsWith('@default -- '))?.slice('@default -- '.length);
  const described = texts.slice(start).filter((one) => !one.startsWith('@default'));
  const [, type, description = ''] = /^-- (?:\((\w+)\) )?(.*)$/s.exec(described.join(' ')) ?? [];
  return { type, words, description };
}

function rowOf(path: readonly string[], comment: Comment, value: unknown): ValueRow {
  const plain =
    value !== null && typeof value === 'object' && 'toJSON' in value
      ? (value as { toJSON(): unknown }).toJSON()
      : value;
  const type = comment.type ?? typeOf(plain);
  if (type === undefined)
    throw new Error(`values.yaml: ${path.join('.')} shows no type: begin its comment with "# -- (type)"`);
  const shown = comment.words === undefined ? { json: JSON.stringify(plain) } : { words: comment.words };
  return { path, type, default: shown, description: comment.description };
}

function typeOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'int';
    case 'object':
      return value === null ? undefined : 'object';
    default:
      return undefined;
  }
}
