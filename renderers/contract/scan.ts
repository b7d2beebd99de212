// Text becomes tokens by the rules of go.yaml.in/yaml/v2, which are those of YAML 1.1 with some of its own: they decide what is a key, where a scalar ends and how
// indentation nests. Every token costs time in proportion to its length.

/** A YAML text that is broken, or means nothing in JSON. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  /** Offset of the place in the text. */
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

export type TokenKind =
  | 'stream-end'
  | 'version'
  | 'handle'
  | 'document-start'
  | 'document-end'
  | 'block-sequence'
  | 'block-mapping'
  | 'block-end'
  | 'flow-sequence'
  | 'flow-sequence-end'
  | 'flow-mapping'
  | 'flow-mapping-end'
  | 'block-entry'
  | 'flow-entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar';

export interface Token {
  readonly kind: TokenKind;
  /** Offset of its first character. */
  readonly at: number;
  /** What a scalar says, the name of an alias or anchor, the rest of a tag behind its handle, the version or prefix of a directive. */
  text: string;
  /** Of a tag or directive; `''` for a tag that is whole. */
  handle: string;
  /** Whether a scalar is without quotes and not of a block. */
  plain: boolean;
  /** Whether what begins here, up to a `:`, may turn out to be a key. */
  maybeKey: boolean;
  readonly line: number;
  readonly column: number;
  /** Depth in flow collections. */
  readonly flow: number;
  /** Whether the text is broken if no `:` follows. */
  readonly required: boolean;
}

/** The tokens of a text, one after another. After `stream-end` there are no more. */
export interface Scanner {
  peek(): Token;
  /** Leaves the token that `peek` gives behind. */
  skip(): void;
}

/** The longest key without a `?`, in characters. */
const keyLengthMax = 1024;

const tab = 0x09;
const feed = 0x0a;
const space = 0x20;
const bang = 0x21;
const doubleQuote = 0x22;
const hash = 0x23;
const percent = 0x25;
const ampersand = 0x26;
const singleQuote = 0x27;
const asterisk = 0x2a;
const plus = 0x2b;
const comma = 0x2c;
const minus = 0x2d;
const colon = 0x3a;
const greater = 0x3e;
const question = 0x3f;
const atSign = 0x40;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const backquote = 0x60;
const openBrace = 0x7b;
const pipe = 0x7c;
const closeBrace = 0x7d;
const byteOrderMark = 0xfeff;

const word = /[0-9A-Za-z_-]*/y;
const uri = /[0-9A-Za-z_\-;/?:@&=+$,.!~*'()[\]%]*/y;
const strayPercent = /%(?![0-9A-Fa-f]{2})/;
const version = /[ \t]*([0-9]+)\.([0-9]+)/y;

const escapes: ReadonlyMap<number, string> = new Map(
  Object.entries({
    '0': '\0',
    a: '\x07',
    b: '\b',
    t: '\t',
    '\t': '\t',
    n: '\n',
    v: '\v',
    f: '\f',
    r: '\r',
    e: '\x1b',
    ' ': ' ',
    '"': '"',
    "'": "'",
    '\\': '\\',
    N: '\u0085',
    _: '\u00a0',
    L: '\u2028',
    P: '\u2029',
  }).map(([character, meaning]) => [character.charCodeAt(0), meaning]),
);
const escapeLengths: ReadonlyMap<number, number> = new Map([
  [0x78, 2], // x
  [0x75, 4], // u
  [0x55, 8], // U
]);

/** Reads a text whose only line ends are line feeds, without control characters. `peek` throws `YamlError`. */
export function createScanner(text: string): Scanner {
  const end = text.length;
  let at = 0;
  let line = 0;
  let lineStart = 0;
  let indent = -1;
  const indents: number[] = [];
  /** Depth in flow collections; indentation means nothing there. */
  let flow = 0;
  /** Whether a key without `?` may begin here. */
  let keyAllowed = true;
  /** What may be a key, by depth in flow collections. */
  const keys: (Token | undefined)[] = [undefined];
  let queue: Token[] = [];
  let head = 0;
  /** Whether a character of the text takes two places; found out where it matters. */
  let hasPairs: boolean | undefined;

  const fail = (message: string, position: number): YamlError => new YamlError(message, position);
  const column = (): number => at - lineStart;
  const code = (position: number): number => (position < end ? text.charCodeAt(position) : feed);
  /** Blank, line end or end of the text. */
  const isGap = (position: number): boolean => {
    const found = code(position);
    return found === space || found === feed || found === tab;
  };

  /** A token that begins here; `mayBeKey` where it may be a key, or begin one. */
  const begin = (kind: TokenKind, mayBeKey = false): Token => {
    const required = mayBeKey && flow === 0 && indent === column();
    const maybeKey = mayBeKey && keyAllowed;
    if (maybeKey) dropKey();
    return { kind, at, text: '', handle: '', plain: false, maybeKey, line, column: column(), flow, required };
  };

  const push = (token: Token): void => {
    if (token.maybeKey) keys[token.flow] = token;
    queue.push(token);
  };

  const noColon = ({ at: position }: Token): YamlError =>
    fail('a `:` is missing after the key, or the line is indented wrongly', position);

  /** Whether a token may still be the start of a key. */
  const isOpen = (token: Token): boolean => {
    if (!token.maybeKey) return false;
    if (token.line === line && !isTooLong(token.at)) return true;
    if (token.required) throw noColon(token);
    token.maybeKey = false;
    keys[token.flow] = undefined;
    return false;
  };

  const isTooLong = (from: number): boolean => {
    if (at - from <= keyLengthMax) return false;
    if (at - from > 2 * keyLengthMax) return true;
    hasPairs ??= /[\ud800-\udfff]/.test(text);
    return !hasPairs || [...text.slice(from, at)].length > keyLengthMax;
  };

  const dropKey = (): void => {
    const token = keys[flow];
    if (token === undefined) return;
    if (token.required) throw noColon(token);
    token.maybeKey = false;
    keys[flow] = undefined;
  };

  const insert = (index: number, kind: TokenKind, at: number): void => {
    const token = { ...begin(kind), at };
    if (index === queue.length) queue.push(token);
    else queue.splice(index, 0, token);
  };

  /** Begins a block collection where the column is further right than the one around it. */
  const nest = (to: number, kind: 'block-sequence' | 'block-mapping', position: number, index?: number): void => {
    if (flow > 0 || indent >= to) return;
    indents.push(indent);
    indent = to;
    insert(index ?? queue.length, kind, position);
  };

  /** Ends the block collections that are further right than a column. */
  const unnest = (to: number): void => {
    if (flow > 0) return;
    while (indent > to) {
      push(begin('block-end'));
      indent = indents.pop() ?? -1;
    }
  };

  const newLine = (): void => {
    at += 1;
    line += 1;
    lineStart = at;
  };

  const skipComment = (): void => {
    if (text.charCodeAt(at) !== hash) return;
    const found = text.indexOf('\n', at);
    at = found < 0 ? end : found;
  };

  const skipBlanks = (): void => {
    while (text.charCodeAt(at) === space || text.charCodeAt(at) === tab) at += 1;
  };

  const skipToToken = (): void => {
    while (true) {
      if (at === lineStart && text.charCodeAt(at) === byteOrderMark) at += 1;
      while (text.charCodeAt(at) === space || (text.charCodeAt(at) === tab && (flow > 0 || !keyAllowed))) at += 1;
      skipComment();
      if (at >= end || text.charCodeAt(at) !== feed) return;
      newLine();
      if (flow === 0) keyAllowed = true;
    }
  };

  const isDocumentMark = (): boolean =>
    at === lineStart && (text.startsWith('---', at) || text.startsWith('...', at)) && isGap(at + 3);

  const single = (kind: TokenKind): void => {
    push(begin(kind));
    at += 1;
  };

  const fetch = (): void => {
    skipToToken();
    unnest(column());
    if (at >= end) {
      // What is open on the last line has no `:` any more.
      line += 1;
      lineStart = at;
      unnest(-1);
      dropKey();
      keyAllowed = false;
      push(begin('stream-end'));
      return;
    }
    const first = text.charCodeAt(at);
    if (at === lineStart) {
      if (first === percent) {
        directive();
        return;
      }
      if (isDocumentMark()) {
        unnest(-1);
        dropKey();
        keyAllowed = false;
        push(begin(first === minus ? 'document-start' : 'document-end'));
        at += 3;
        return;
      }
    }
    switch (first) {
      case openBracket:
      case openBrace: {
        push(begin(first === openBracket ? 'flow-sequence' : 'flow-mapping', true));
        flow += 1;
        keys[flow] = undefined;
        keyAllowed = true;
        at += 1;
        return;
      }
      case closeBracket:
      case closeBrace:
        dropKey();
        if (flow > 0) flow -= 1;
        keyAllowed = false;
        {
          single(first === closeBracket ? 'flow-sequence-end' : 'flow-mapping-end');
          return;
        }
      case comma:
        dropKey();
        keyAllowed = true;
        {
          single('flow-entry');
          return;
        }
      case minus:
        if (!isGap(at + 1)) break;
        if (flow === 0) {
          if (!keyAllowed) throw fail('a list entry (`- `) is not allowed here; begin it on a line of its own', at);
          nest(column(), 'block-sequence', at);
        }
        dropKey();
        keyAllowed = true;
        {
          single('block-entry');
          return;
        }
      case question:
        if (flow === 0 && !isGap(at + 1)) break;
        if (flow === 0) {
          if (!keyAllowed) throw fail('a key (`? `) is not allowed here; begin it on a line of its own', at);
          nest(column(), 'block-mapping', at);
        }
        dropKey();
        keyAllowed = flow === 0;
        {
          single('key');
          return;
        }
      case colon:
        if (flow > 0 || isGap(at + 1)) {
          value();
          return;
        }
        break;
      case asterisk:
      case ampersand: {
        name(first === asterisk ? 'alias' : 'anchor');
        return;
      }
      case bang: {
        tag();
        return;
      }
      case pipe:
      case greater:
        if (flow === 0) {
          blockScalar(first === pipe);
          return;
        }
        break;
      case singleQuote:
      case doubleQuote: {
        quoted(first);
        return;
      }
    }
    if (!beginsPlain(first)) {
      const shown = first === tab ? 'a tab' : `the character \`${String.fromCharCode(first)}\``;
      throw fail(`${shown} cannot begin a value; indent with spaces, and quote what begins with it`, at);
    }
    plain();
  };

  const beginsPlain = (first: number): boolean => {
    switch (first) {
      case minus:
        return text.charCodeAt(at + 1) !== space && text.charCodeAt(at + 1) !== tab;
      case question:
      case colon:
        return flow === 0 && !isGap(at + 1);
      case tab:
      case hash:
      case pipe:
      case greater:
      case percent:
      case atSign:
      case backquote:
        return false;
      default:
        return true;
    }
  };

  const value = (): void => {
    const start = keys[flow];
    if (start !== undefined && isOpen(start)) {
      const index = queue.lastIndexOf(start);
      insert(index, 'key', start.at);
      nest(start.column, 'block-mapping', start.at, index);
      start.maybeKey = false;
      keys[flow] = undefined;
      keyAllowed = false;
    } else {
      if (flow === 0) {
        if (!keyAllowed) {
          throw fail('a `: ` is not allowed here; quote the value, or begin the key on a line of its own', at);
        }
        nest(column(), 'block-mapping', at);
      }
      keyAllowed = flow === 0;
    }
    single('value');
  };

  const directive = (): void => {
    unnest(-1);
    dropKey();
    keyAllowed = false;
    const token = begin('version');
    const { at: start } = token;
    at += 1;
    const called = take(word);
    if (called === 'YAML') {
      version.lastIndex = at;
      const found = version.exec(text);
      if (found === null) throw fail('%YAML needs a version; remove the line', start);
      at += found[0].length;
      push({ ...token, text: `${Number(found[1])}.${Number(found[2])}` });
    } else if (called === 'TAG') {
      skipBlanks();
      const handle = tagHandle(start);
      if (handle !== '!' && !handle.endsWith('!')) throw fail('%TAG needs a handle between `!`', start);
      if (!isGap(at)) throw fail('%TAG needs a space after its handle', start);
      skipBlanks();
      push({ ...token, kind: 'handle', handle, text: tagUri(start, false) });
      if (!isGap(at)) throw fail('%TAG ends with its prefix', start);
    } else throw fail('there is no such directive; remove the line', start);
    skipBlanks();
    skipComment();
    if (at < end && text.charCodeAt(at) !== feed) throw fail('a directive has a line of its own', start);
  };

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };

  const name = (kind: 'alias' | 'anchor'): void => {
    const token = begin(kind, true);
    keyAllowed = false;
    at += 1;
    const called = take(word);
    if (called === '' || (!isGap(at) && !'?:,]}%@`'.includes(text.charAt(at)))) {
      throw fail(
        `the name of an ${kind} has letters, digits, \`-\` and \`_\`; quote a value that begins with it`,
        token.at,
      );
    }
    token.text = called;
    push(token);
  };

  const tagHandle = (start: number): string => {
    if (text.charCodeAt(at) !== bang) throw fail('a tag handle begins with `!`', start);
    const from = at;
    at += 1;
    take(word);
    if (text.charCodeAt(at) === bang) at += 1;
    return text.slice(from, at);
  };

  const tagUri = (start: number, mayBeEmpty: boolean): string => {
    const found = take(uri);
    if (found === '' && !mayBeEmpty) throw fail('a tag has no name', start);
    if (!found.includes('%')) return found;
    if (strayPercent.test(found)) throw fail('two hex digits must follow a `%` in a tag', start);
    try {
      return decodeURIComponent(found);
    } catch {
      throw fail('a tag has escapes that are no UTF-8', start);
    }
  };

  const tag = (): void => {
    const token = begin('tag', true);
    const { at: start } = token;
    keyAllowed = false;
    let handle = '';
    let suffix: string;
    if (text.charCodeAt(at + 1) === 0x3c) {
      at += 2;
      suffix = tagUri(start, false);
      if (text.charCodeAt(at) !== greater) throw fail('a tag that begins with `!<` ends with `>`', start);
      at += 1;
    } else {
      handle = tagHandle(start);
      if (handle.length > 1 && handle.endsWith('!')) suffix = tagUri(start, false);
      else {
        suffix = handle.slice(1) + tagUri(start, true);
        handle = suffix === '' ? '' : '!';
        if (suffix === '') suffix = '!';
      }
    }
    if (!isGap(at)) throw fail('a space must follow a tag; quote a value that begins with `!`', start);
    token.text = suffix;
    token.handle = handle;
    push(token);
  };

  const blockScalar = (literal: boolean): void => {
    dropKey();
    keyAllowed = true;
    const token = begin('scalar');
    const { at: start } = token;
    at += 1;
    let keeps = 0;
    let more = 0;
    for (let turn = 0; turn < 2; turn++) {
      const found = text.charCodeAt(at);
      if (keeps === 0 && (found === plus || found === minus)) keeps = found === plus ? 1 : -1;
      else if (more === 0 && found >= 0x30 && found <= 0x39) {
        if (found === 0x30) throw fail('the indentation of a block of text cannot be 0', start);
        more = found - 0x30;
      } else break;
      at += 1;
    }
    skipBlanks();
    skipComment();
    if (code(at) !== feed) throw fail('only a comment may follow the head of a block of text', start);
    if (at < end) newLine();
    let inner = more === 0 ? 0 : indent >= 0 ? indent + more : more;

    /** Skips indentation and empty lines, which it counts; finds out the indentation of the first line. */
    const emptyLines = (): number => {
      let widest = 0;
      let lines = 0;
      while (true) {
        while ((inner === 0 || column() < inner) && text.charCodeAt(at) === space) at += 1;
        widest = Math.max(widest, column());
        if ((inner === 0 || column() < inner) && text.charCodeAt(at) === tab) {
          throw fail('a block of text is indented with a tab; indent it with spaces', at);
        }
        if (at >= end || text.charCodeAt(at) !== feed) break;
        newLine();
        lines += 1;
      }
      if (inner === 0) inner = Math.max(widest, indent + 1, 1);
      return lines;
    };

    const parts: string[] = [];
    let ended = false;
    let breaks = emptyLines();
    let wasBlank = false;
    while (column() === inner && at < end) {
      const isBlank = text.charCodeAt(at) === space || text.charCodeAt(at) === tab;
      const folds = !literal && ended && !wasBlank && !isBlank;
      if (folds && breaks === 0) parts.push(' ');
      else if (ended || breaks > 0) parts.push('\n'.repeat(breaks + (ended && !folds ? 1 : 0)));
      wasBlank = isBlank;
      const found = text.indexOf('\n', at);
      const stop = found < 0 ? end : found;
      parts.push(text.slice(at, stop));
      at = stop;
      ended = found >= 0;
      if (ended) newLine();
      breaks = emptyLines();
    }
    if (keeps !== -1 && ended) parts.push('\n');
    if (keeps === 1) parts.push('\n'.repeat(breaks));
    token.text = parts.join('');
    push(token);
  };

  /** Skips blanks and line ends inside a scalar. Gives what they stand for, and whether there was a line end among them. */
  const gap = (plainIndent: number, start: number): string => {
    const from = at;
    while (text.charCodeAt(at) === space || text.charCodeAt(at) === tab) at += 1;
    if (text.charCodeAt(at) !== feed) return text.slice(from, at);
    let lines = 0;
    while (at < end) {
      const found = text.charCodeAt(at);
      if (found === feed) {
        newLine();
        lines += 1;
      } else if (found === space) at += 1;
      else if (found === tab) {
        if (column() < plainIndent) throw fail('a line is indented with a tab; indent it with spaces', start);
        at += 1;
      } else break;
    }
    return lines === 1 ? ' ' : '\n'.repeat(lines - 1);
  };

  const quoted = (quote: number): void => {
    const token = begin('scalar', true);
    const { at: start } = token;
    keyAllowed = false;
    at += 1;
    const parts: string[] = [];
    while (true) {
      if (isDocumentMark()) throw fail('a line that begins with `---` or `...` is inside a quoted text', start);
      const from = at;
      at = nextStop(from, quote);
      if (at >= end) throw fail('a quote is not closed', start);
      if (at > from) parts.push(text.slice(from, at));
      const found = text.charCodeAt(at);
      if (found === quote) {
        if (quote === doubleQuote || text.charCodeAt(at + 1) !== singleQuote) break;
        parts.push("'");
        at += 2;
      } else if (found === backslash) {
        if (text.charCodeAt(at + 1) === feed) {
          at += 1;
          newLine();
          const lines = skipLines();
          if (lines > 0) parts.push('\n'.repeat(lines));
        } else parts.push(escaped(start));
      } else parts.push(gap(0, start));
    }
    at += 1;
    token.text = parts.length === 1 ? (parts[0] as string) : parts.join('');
    push(token);
  };

  /** Blanks and line ends after an escaped line end; gives how many of the latter. */
  const skipLines = (): number => {
    let lines = 0;
    while (at < end) {
      const found = text.charCodeAt(at);
      if (found === feed) {
        newLine();
        lines += 1;
      } else if (found === space || found === tab) at += 1;
      else break;
    }
    return lines;
  };

  const nextStop = (from: number, quote: number): number => {
    for (let position = from; position < end; position++) {
      const found = text.charCodeAt(position);
      if (found === quote || found === space || found === feed || found === tab) return position;
      if (found === backslash && quote === doubleQuote) return position;
    }
    return end;
  };

  const escaped = (start: number): string => {
    const character = text.charCodeAt(at + 1);
    at += 2;
    const length = escapeLengths.get(character);
    if (length === undefined) {
      const meaning = escapes.get(character);
      if (meaning === undefined) {
        throw fail('there is no such escape in a text in double quotes; write `\\\\` for a backslash', at - 2);
      }
      return meaning;
    }
    const digits = text.slice(at, at + length);
    if (digits.length < length || !/^[0-9A-Fa-f]+$/.test(digits)) {
      throw fail(`an escape needs ${length} hex digits`, start);
    }
    const point = Number.parseInt(digits, 16);
    if ((point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff) {
      throw fail('an escape names no character, or half of one', start);
    }
    at += length;
    return String.fromCodePoint(point);
  };

  const plain = (): void => {
    const token = begin('scalar', true);
    const { at: start } = token;
    keyAllowed = false;
    const inner = indent + 1;
    let content = '';
    let between = '';
    let wrapped = false;
    while (true) {
      if (isDocumentMark() || text.charCodeAt(at) === hash) break;
      const from = at;
      at = plainEnd(from);
      if (at > from) {
        content = content === '' ? text.slice(from, at) : content + between + text.slice(from, at);
        wrapped = false;
      }
      if (at >= end || !isGap(at)) break;
      const before = line;
      between = gap(inner, start);
      if (line > before) {
        wrapped = true;
        if (flow === 0 && column() < inner) break;
      } else wrapped = false;
    }
    token.text = content;
    token.plain = true;
    push(token);
    if (wrapped) keyAllowed = true;
  };

  const plainEnd = (from: number): number => {
    for (let position = from; position < end; position++) {
      switch (text.charCodeAt(position)) {
        case space:
        case feed:
        case tab:
          return position;
        case colon:
          if (isGap(position + 1)) return position;
          break;
        case comma:
        case question:
        case openBracket:
        case closeBracket:
        case openBrace:
        case closeBrace:
          if (flow > 0) return position;
          break;
      }
    }
    return end;
  };

  return {
    peek() {
      while (true) {
        const first = queue[head];
        if (first !== undefined && !isOpen(first)) return first;
        fetch();
      }
    },
    skip() {
      head += 1;
      if (head > 1_000) {
        queue = queue.slice(head);
        head = 0;
      }
    },
  };
}
