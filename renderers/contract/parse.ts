import { createScanner, type Token, type TokenKind, YamlError } from './scan.ts';

/** The deepest nesting read, aliases expanded. */
export const depthMax = 1_000;

/** Values and keys of one document; more would take hundreds of megabytes to read. */
const valuesMax = 1_500_000;

/** A piece of a document, in the order of the text. What a mapping or sequence holds stands between it and its `end`; keys and values of a mapping take turns. */
export interface Event {
  readonly type: 'scalar' | 'alias' | 'mapping' | 'sequence' | 'end';
  /** Offset of the content. */
  readonly at: number;
  /** The name that an alias can call it by, or that an alias calls; `''` for none. */
  readonly anchor: string;
  /** Its full name, such as `tag:yaml.org,2002:str`; `''` for none. */
  readonly tag: string;
  /** What a scalar says. */
  readonly text: string;
  /** Whether a scalar is without quotes and not of a block. */
  readonly plain: boolean;
  /** Index of the `end` of a mapping or sequence; of the event itself for all others. */
  readonly close: number;
}

/** What a token that is at the wrong place is called. */
const shown: Readonly<Partial<Record<TokenKind, string>>> = {
  'stream-end': 'the end',
  version: 'a directive',
  handle: 'a directive',
  'document-start': '`---`',
  'document-end': '`...`',
  'block-sequence': '`- `',
  'block-entry': '`- `',
  'block-end': 'a line that is indented less',
  'flow-sequence-end': '`]`',
  'flow-mapping-end': '`}`',
  'flow-entry': '`,`',
  key: 'a key',
  value: '`:`',
};

/** The events of the first document; none where there is no document. Line ends must be line feeds. Throws `YamlError`. */
export function parseEvents(text: string): Event[] {
  const scanner = createScanner(text);
  const events: (Event & { close: number })[] = [];
  const handles = new Map<string, string>();
  let depth = 0;

  const next = (): Token => {
    scanner.skip();
    return scanner.peek();
  };
  const add = (type: Event['type'], at: number, anchor = '', tag = '', content = '', plain = false): void => {
    if (events.length >= valuesMax) throw new YamlError(`the document has more than ${valuesMax} values; split it`, at);
    events.push({ type, at, anchor, tag, text: content, plain, close: events.length });
  };
  const collection = (
    type: 'mapping' | 'sequence',
    at: number,
    anchor: string,
    tag: string,
    read: () => void,
  ): void => {
    depth += 1;
    if (depth > depthMax) throw new YamlError(`more than ${depthMax} levels of nesting`, at);
    add(type, at, anchor, tag);
    const open = events.at(-1);
    read();
    if (open !== undefined) open.close = events.length;
    add('end', at);
    depth -= 1;
  };
  const empty = (at: number): void => add('scalar', at, '', '', '', true);
  const wrong = (token: Token, wanted: string): YamlError =>
    new YamlError(`${shown[token.kind] ?? 'a value'} comes where ${wanted} is expected`, token.at);

  const node = (block: boolean, indentless: boolean): void => {
    let token = scanner.peek();
    if (token.kind === 'alias') {
      add('alias', token.at, token.text);
      scanner.skip();
      return;
    }
    let anchor = '';
    let tag = '';
    if (token.kind === 'anchor') {
      anchor = token.text;
      token = next();
      if (token.kind === 'tag') {
        tag = tagOf(token);
        token = next();
      }
    } else if (token.kind === 'tag') {
      tag = tagOf(token);
      token = next();
      if (token.kind === 'anchor') {
        anchor = token.text;
        token = next();
      }
    }
    const { kind, at } = token;
    if (kind === 'scalar') {
      add('scalar', at, anchor, tag, token.text, token.plain);
      scanner.skip();
      return;
    }
    const read = readerOf(kind, block, indentless);
    if (read === undefined) {
      if (anchor === '' && tag === '') throw wrong(token, 'a value');
      add('scalar', at, anchor, tag, '', true);
      return;
    }
    collection(kind.endsWith('mapping') ? 'mapping' : 'sequence', at, anchor, tag, read);
  };

  const readerOf = (kind: TokenKind, block: boolean, indentless: boolean): (() => void) | undefined => {
    if (kind === 'flow-sequence') return flowSequence;
    if (kind === 'flow-mapping') return flowMapping;
    if (kind === 'block-entry' && indentless) return indentlessSequence;
    if (!block) return undefined;
    if (kind === 'block-sequence') return blockSequence;
    return kind === 'block-mapping' ? blockMapping : undefined;
  };

  const tagOf = ({ at, handle, text: suffix }: Token): string => {
    if (handle === '') return suffix;
    const prefix = handles.get(handle);
    if (prefix === undefined) {
      throw new YamlError(`there is no tag handle ${handle}; quote a value that begins with \`!\``, at);
    }
    return prefix + suffix;
  };

  const blockSequence = (): void => {
    let token = next();
    for (; token.kind === 'block-entry'; token = scanner.peek()) {
      const inner = next();
      if (inner.kind === 'block-entry' || inner.kind === 'block-end') empty(token.at);
      else node(true, false);
    }
    if (token.kind !== 'block-end') throw wrong(token, 'another `- `');
    scanner.skip();
  };

  /** Of entries in the column of the key that they belong to. */
  const indentlessSequence = (): void => {
    for (let token = scanner.peek(); token.kind === 'block-entry'; token = scanner.peek()) {
      const { kind } = next();
      if (kind === 'block-entry' || kind === 'key' || kind === 'value' || kind === 'block-end') empty(token.at);
      else node(true, false);
    }
  };

  const blockMapping = (): void => {
    let token = next();
    for (; token.kind === 'key'; token = scanner.peek()) {
      blockPart(token.at);
      token = scanner.peek();
      if (token.kind === 'value') blockPart(token.at);
      else empty(token.at);
    }
    if (token.kind !== 'block-end') throw wrong(token, 'a key in the column of those before it');
    scanner.skip();
  };

  /** A key or value, behind its indicator. */
  const blockPart = (at: number): void => {
    const { kind } = next();
    if (kind === 'key' || kind === 'value' || kind === 'block-end') empty(at);
    else node(true, true);
  };

  const flowSequence = (): void => {
    let token = next();
    for (let isFirst = true; token.kind !== 'flow-sequence-end'; isFirst = false) {
      if (!isFirst) {
        if (token.kind !== 'flow-entry') throw wrong(token, '`,` or `]`');
        token = next();
      }
      if (token.kind === 'flow-sequence-end') break;
      if (token.kind === 'key') collection('mapping', token.at, '', '', pair);
      else node(false, false);
      token = scanner.peek();
    }
    scanner.skip();
  };

  /** A mapping of one key in a list, without braces. */
  const pair = (): void => {
    const key = next();
    if (key.kind === 'value' || key.kind === 'flow-entry' || key.kind === 'flow-sequence-end') {
      // Go's reader loses this token, too.
      scanner.skip();
      empty(key.at);
    } else node(false, false);
    flowValue('flow-sequence-end');
  };

  const flowMapping = (): void => {
    let token = next();
    for (let isFirst = true; token.kind !== 'flow-mapping-end'; isFirst = false) {
      if (!isFirst) {
        if (token.kind !== 'flow-entry') throw wrong(token, '`,` or `}`');
        token = next();
      }
      if (token.kind === 'flow-mapping-end') break;
      if (token.kind === 'key') {
        const { kind, at } = next();
        if (kind === 'value' || kind === 'flow-entry' || kind === 'flow-mapping-end') empty(at);
        else node(false, false);
        flowValue('flow-mapping-end');
      } else {
        node(false, false);
        empty(token.at);
      }
      token = scanner.peek();
    }
    scanner.skip();
  };

  const flowValue = (last: TokenKind): void => {
    let token = scanner.peek();
    if (token.kind === 'value') {
      token = next();
      if (token.kind !== 'flow-entry' && token.kind !== last) {
        node(false, false);
        return;
      }
    }
    empty(token.at);
  };

  /** Reads the directives at the cursor; whether there were any. */
  const directives = (): boolean => {
    let hasVersion = false;
    let token = scanner.peek();
    const any = token.kind === 'version' || token.kind === 'handle';
    for (; token.kind === 'version' || token.kind === 'handle'; token = next()) {
      if (token.kind === 'handle') {
        if (handles.has(token.handle)) throw new YamlError(`%TAG ${token.handle} is given twice`, token.at);
        handles.set(token.handle, token.text);
        continue;
      }
      if (hasVersion) throw new YamlError('%YAML is given twice; remove one', token.at);
      if (token.text !== '1.1') {
        throw new YamlError('Kubernetes reads YAML 1.1 only; remove the %YAML line', token.at);
      }
      hasVersion = true;
    }
    if (!handles.has('!')) handles.set('!', '!');
    if (!handles.has('!!')) handles.set('!!', 'tag:yaml.org,2002:');
    return any;
  };

  const declared = directives();
  const { kind, at } = scanner.peek();
  if (kind === 'stream-end' && !declared) return events;
  if (declared && kind !== 'document-start') throw wrong(scanner.peek(), '`---` after the directives');
  if (kind === 'document-start') {
    const content = next();
    const ends = ['version', 'handle', 'document-start', 'document-end', 'stream-end'];
    if (ends.includes(content.kind)) {
      empty(at);
      return events;
    }
  }
  node(true, false);
  // What follows must be a token, whichever.
  scanner.peek();
  return events;
}
