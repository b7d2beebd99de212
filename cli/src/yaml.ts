/** Words and numbers of any version of YAML, in any case. A text that is one must be in quotes, so that every reader takes it for a text. */
const words = /^(?:y|n|yes|no|on|off|true|false|null|~|<<|=|)$/i;
const number =
  /^[-+]?(?:0b[-+]?[01]*|0x[0-9a-f]*|0o?[0-7]*|[0-9]+|[0-9]*\.?[0-9]*(?:e[-+]?[0-9]*)?|\.inf|\.nan|[0-9]+(?::[0-9]+)+(?:\.[0-9]*)?)$/i;
const date = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}/;
const digits = /[0-9]|\.(?:inf|nan)$|^[-+]?\.?$/i;
/** How a text may begin that is not in quotes: not with an indicator. */
const beginning = /^(?!\.\.\.)(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-(?!--)[\w./$-])/;
/** What would be a key or a comment in it, and what readers fold or drop. */
const breaking = /:(?:\s|$)|\s#|[\t\n]|\s$/;
/** Characters that some reader takes for a line end, drops or refuses. */
const unprintable = /[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]|[\u2028\u2029]/u;
/** Readers look this far for the `:` of a key. */
const keyLengthMax = 1_000;

/**
 * One YAML document that readers of YAML 1.1 (Kubernetes reads it) and 1.2 all read as this JSON value. Lists are in the column of their key. Ends with a line
 * feed. `sorted` puts map keys in order. Fields that are undefined are left out; numbers that a double cannot hold are `JSON.rawJSON` values.
 */
export function yamlOf(value: unknown, options: { readonly sorted?: boolean } = {}): string {
  const lines: string[] = [];
  write(value, '', '', lines, options.sorted === true);
  return `${lines.join('\n')}\n`;
}

type Fields = readonly (readonly [key: string, value: unknown])[];

/** Writes a value behind `head`, which stands at the beginning of a line: the indentation, and dashes. */
function write(value: unknown, head: string, pad: string, lines: string[], sorted: boolean): void {
  if (Array.isArray(value) && value.length > 0) {
    for (const [index, item] of value.entries()) {
      write(item, `${index === 0 ? head : pad}- `, `${pad}  `, lines, sorted);
    }
    return;
  }
  const fields = isMap(value) ? fieldsOf(value, sorted) : [];
  if (fields.length === 0) {
    lines.push(head + leaf(value, pad.slice(0, -2)));
    return;
  }
  for (const [index, [key, inner]] of fields.entries()) {
    const name = inline(key);
    const start = index === 0 ? head : pad;
    const hasLongName = name.length > keyLengthMax;
    if (hasLongName) lines.push(`${start}? ${name}`);
    const label = hasLongName ? `${pad}:` : `${start}${name}:`;
    if (Array.isArray(inner) && inner.length > 0) {
      lines.push(label);
      write(inner, pad, pad, lines, sorted);
    } else if (isMap(inner) && fieldsOf(inner, false).length > 0) {
      lines.push(label);
      write(inner, `${pad}  `, `${pad}  `, lines, sorted);
    } else lines.push(`${label} ${leaf(inner, pad)}`);
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

function fieldsOf(value: Readonly<Record<string, unknown>>, sorted: boolean): Fields {
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return sorted ? fields.sort(([a], [b]) => (a < b ? -1 : 1)) : fields;
}

/** A value without fields or items; a block of text is indented two spaces further than `pad`. */
function leaf(value: unknown, pad: string): string {
  if (typeof value === 'string') return block(value, `${pad}  `) ?? inline(value);
  if (typeof value === 'number') return floatOf(value);
  if (Array.isArray(value)) return '[]';
  return isMap(value) ? '{}' : (JSON.stringify(value) ?? 'null');
}

/** With a point where there is an exponent: readers of YAML 1.1 take `1e+21` for a text. */
function floatOf(value: number): string {
  const text = JSON.stringify(value);
  return text.includes('.') ? text : text.replace('e', '.0e');
}

/** The text in one line, in double quotes where it needs some. */
function inline(text: string): string {
  const bare = text.replaceAll('_', '');
  const isText = !words.test(text) && !date.test(text) && !(number.test(bare) && digits.test(bare));
  if (isText && beginning.test(text) && !breaking.test(text) && !unprintable.test(text)) return text;
  // JSON leaves characters as they are that are line ends in YAML.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text of several lines as a block; undefined where readers would not agree about it. */
function block(text: string, pad: string): string | undefined {
  if (!text.includes('\n') || /^\s/.test(text) || unprintable.test(text)) return undefined;
  const keeps = text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-';
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  // Blanks alone on the lines at the end are text to some readers only.
  if (lines.length > 1 && /^[ \t]+$/.test(lines.at(-1) ?? '')) return undefined;
  return [`|${keeps}`, ...lines.map((line) => (line === '' ? '' : pad + line))].join('\n');
}
