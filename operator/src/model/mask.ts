/** Stands where something secret stood, whatever its length. */
export const mask = '++++++++';

/** Characters of a value, or of a part of it, that is taken out wherever it stands: no word of a message is like it by chance. */
const certainLength = 8;
/** Letters or digits alone are a word or a number of a message up to here, and taken out only where nothing goes on beside them. */
const wordLength = 16;
/** Shorter values stand in many places by chance; they are taken out only where a value is written: in quotes, or behind `=`. */
const tokenLength = 4;
/** Bytes of a value from which on a part of it is taken out, too. */
const partLength = 16;
/** Bytes of the pieces of a value that are looked for to find such parts. */
const pieceLength = 8;
/** Bytes of the beginning of a value that are taken out where a text was cut there, and of its end where the text begins. */
const cutLength = 6;
/** How many escapes within escapes are undone, and how many readings that makes at most. */
const escapeDepth = 3;
const readingsAtMost = 8;
/** No byte: parts what was not together in the text. */
const gap = '\u0100';

/** A text as some decoding reads it: a character for each byte, and which part of the text each stands for. */
interface Reading {
  readonly bytes: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Whether it was read from base64, in which no word stands by chance and none has a neighbour. */
  readonly isBase64: boolean;
}

/**
 * A text without the given values, in whatever spelling: as they are, with the escapes of JSON, URLs and HTML, in base64 of either alphabet and wrapped, from any
 * byte on, and parts of them where the text was cut. A value that is like a word is taken out only where it stands for itself, and a short one only where
 * a value is written, since within a word it would tell the value and say nothing. Takes time linear in the text for each value; cut long texts first.
 */
export function maskValues(text: string, values: Iterable<string>): string {
  const wanted = [...new Set(values)].filter((value) => value !== '');
  if (text === '' || wanted.length === 0) return text;
  const found: [from: number, to: number][] = [];
  const readings = readingsOf(text);
  const spellings = wanted.map(bytesOf);
  const pieces = new Set(readings.flatMap(({ bytes }) => hashesOf(bytes, 1)));
  for (const value of spellings) {
    const shared = value.length < partLength ? [] : sharedPieces(value, pieces);
    for (const reading of readings) {
      for (const [from, to] of [...wholes(reading, value), ...parts(reading, value, shared)])
        found.push([reading.starts[from] ?? 0, reading.ends[to - 1] ?? text.length]);
    }
  }
  return withMasks(text, found);
}

/** A text without the user information of the URLs in it, up to the last `@` before the path; the bare user name of an SSH address stays. */
export function maskUserInformation(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^/?#\n]{1,2048})/gi, (whole, scheme: string, rest: string) => {
    const at = rest.lastIndexOf('@');
    if (at < 0) return whole;
    const first = rest.search(/[\s'"`<>()]/);
    const head = first < 0 ? rest : rest.slice(0, first);
    // Behind a blank it is still the same URL only where a password has begun: `https://host: ask me@host` is a sentence.
    const goesOn = /^[^\s'"`<>()@:]*:\S/.test(rest) || first < 0;
    const end = goesOn ? at : head.lastIndexOf('@');
    if (end < 0) return whole;
    const user = rest.slice(0, end);
    if (scheme.toLowerCase().endsWith('ssh://') && !/[:@\s]/.test(user)) return whole;
    return `${scheme}***${rest.slice(end)}`;
  });
}

/**
 * The address of a repository without its user information, also where a password with a slash makes it none that can be read: nothing before its last `@` is
 * shown then.
 */
export function maskAddress(address: string): string {
  const [, scheme = '', authority = ''] = /^([a-z][a-z0-9+.-]{0,30}:\/\/)([^/?#\\]*)/i.exec(address) ?? [];
  const last = address.lastIndexOf('@');
  if (scheme === '' || last < 0) return maskUserInformation(address);
  const at = authority.lastIndexOf('@');
  const isReadable = /^(?:\[[^\]]*\]|[^:[\]\s'"]+)(?::\d+)?$/.test(authority.slice(at + 1));
  // No address of a repository has a query or a fragment.
  if (!isReadable || /[?#]/.test(address.slice(0, last))) return `${scheme}***${address.slice(last)}`;
  const isLogin = scheme.toLowerCase().endsWith('ssh://') && !/[:@\s]/.test(authority.slice(0, at));
  return at < 0 || isLogin ? address : `${scheme}***${address.slice(scheme.length + at)}`;
}

/** What must not be repeated of an `Authorization` header: what follows its scheme, and what that holds. */
export function authorizationValues(header: string | undefined): string[] {
  const [scheme = '', credentials = ''] = (header ?? '').split(/ +/, 2);
  if (credentials === '') return [];
  if (scheme.toLowerCase() !== 'basic') return [credentials];
  const bytes = base64Decoded(rawReading(credentials), 0).bytes.slice(gap.length);
  const pair = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  return [credentials, pair, pair.slice(pair.indexOf(':') + 1)];
}

function withMasks(text: string, found: [from: number, to: number][]): string {
  found.sort((a, b) => a[0] - b[0]);
  let masked = '';
  let done = 0;
  let isOpen = false;
  for (const [from, to] of found) {
    if (to <= done) continue;
    if (from > done || !isOpen) masked += `${text.slice(done, from)}${mask}`;
    done = to;
    isOpen = true;
  }
  return masked + text.slice(done);
}

/** A number for every `step`th piece of a text, from its beginning on. */
function hashesOf(bytes: string, step: number): number[] {
  const hashes: number[] = [];
  for (let at = 0; at + pieceLength <= bytes.length; at += step) {
    let hash = 0;
    for (let i = at; i < at + pieceLength; i += 1) hash = (Math.imul(hash, 31) + bytes.charCodeAt(i)) | 0;
    hashes.push(hash);
  }
  return hashes;
}

/** Places of the pieces of a value that a text may hold, one place for each piece. */
function sharedPieces(value: string, pieces: ReadonlySet<number>): number[] {
  const places = new Map<number, number>();
  for (const [index, hash] of hashesOf(value, pieceLength).entries()) {
    if (pieces.has(hash) && !places.has(hash)) places.set(hash, index * pieceLength);
  }
  return [...places.values()];
}

/** Where the whole value stands in a reading, as a value and not by chance. */
function* wholes(reading: Reading, value: string): Generator<[number, number]> {
  const { bytes, isBase64 } = reading;
  if (isBase64 && value.length < tokenLength) return;
  for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at + 1)) {
    const end = at + value.length;
    if (isBase64 || isMeant(value, bytes.charAt(at - 1), bytes.charAt(end))) yield [at, end];
  }
}

function isMeant(value: string, before: string, after: string): boolean {
  const isWord = /^(?:[A-Za-z]+|\d+)$/.test(value) && value.length < wordLength;
  if (value.length >= certainLength && !isWord) return true;
  const inWord = (char: string): boolean => /[A-Za-z0-9\u0080-\u00ff]/.test(char);
  if (value.length >= tokenLength) return !inWord(before) && !inWord(after);
  if (/["'`=]/.test(before)) return /^$|["'`\s,;)\]}&\\]/.test(after);
  return false;
}

/** What follows where a text was cut. */
const cutThere = /^[\s"'\\]*(?:$|\.\.\.|\u00e2\u0080\u00a6|\()/;

/** Where a part of a value stands: a long run of it anywhere, its beginning where the text was cut, its end where the text begins. */
function* parts(reading: Reading, value: string, shared: readonly number[]): Generator<[number, number]> {
  if (value.length < certainLength) return;
  const { bytes } = reading;
  const run = (at: number, of: number): [from: number, to: number] => {
    let from = at;
    for (let i = of; i > 0 && from > 0 && bytes[from - 1] === value[i - 1]; i -= 1) from -= 1;
    let to = at;
    for (let i = of; i < value.length && to < bytes.length && bytes[to] === value[i]; i += 1) to += 1;
    return [from, to];
  };
  for (const of of shared) {
    const piece = value.slice(of, of + pieceLength);
    for (let at = bytes.indexOf(piece); at >= 0; ) {
      const [from, to] = run(at, of);
      const isPart = to - from >= partLength;
      if (isPart) yield [from, to];
      at = bytes.indexOf(piece, isPart ? to : at + 1);
    }
  }
  const begin = value.slice(0, cutLength);
  for (let at = bytes.indexOf(begin); at >= 0; ) {
    const [from, to] = run(at, 0);
    if (cutThere.test(bytes.slice(to, to + cutLength))) yield [from, to];
    at = bytes.indexOf(begin, Math.max(at + 1, to - cutLength));
  }
  const end = bytes.indexOf(value.slice(-cutLength));
  if (end >= 0) {
    const [from, to] = run(end, value.length - cutLength);
    if (from === 0) yield [from, to];
  }
}

function readingsOf(text: string): Reading[] {
  const plain: Reading[] = [rawReading(text)];
  const add = (reading: Reading | undefined): void => {
    if (reading !== undefined && plain.length < readingsAtMost && plain.every(({ bytes }) => bytes !== reading.bytes))
      plain.push(reading);
  };
  for (let depth = 0, from = 0; depth < escapeDepth; depth += 1) {
    const before = plain.length;
    for (const reading of plain.slice(from))
      for (const decode of [unescaped, percentDecoded, entitiesDecoded]) add(decode(reading));
    from = before;
  }
  const readings = [...plain];
  for (const reading of plain) {
    const dense = withoutBlanks(reading);
    for (let shift = 0; shift < 4; shift += 1) readings.push(base64Decoded(dense, shift));
  }
  return readings;
}

function rawReading(text: string): Reading {
  let bytes = '';
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const char of text) {
    for (const byte of bytesOf(char)) {
      bytes += byte;
      starts.push(at);
      ends.push(at + char.length);
    }
    at += char.length;
  }
  return { bytes, starts, ends, isBase64: false };
}

/** A reading in which every match of a pattern is replaced by what it stands for; undefined where nothing matches. */
function decoded(reading: Reading, pattern: RegExp, decode: (match: RegExpExecArray) => string): Reading | undefined {
  let bytes = '';
  const starts: number[] = [];
  const ends: number[] = [];
  let done = 0;
  const keep = (to: number): void => {
    bytes += reading.bytes.slice(done, to);
    for (let at = done; at < to; at += 1) {
      starts.push(reading.starts[at] ?? 0);
      ends.push(reading.ends[at] ?? 0);
    }
  };
  for (const match of reading.bytes.matchAll(pattern)) {
    keep(match.index);
    done = match.index + match[0].length;
    for (const byte of decode(match as RegExpExecArray)) {
      bytes += byte;
      starts.push(reading.starts[match.index] ?? 0);
      ends.push(reading.ends[done - 1] ?? 0);
    }
  }
  if (done === 0) return undefined;
  keep(reading.bytes.length);
  return { bytes, starts, ends, isBase64: false };
}

const plainEscapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  a: '\x07',
};

/** Undoes the escapes of JSON and of Go's `%q`. */
function unescaped(reading: Reading): Reading | undefined {
  const pattern = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/g;
  return decoded(reading, pattern, ([whole]) => {
    const kind = whole[1] ?? '';
    if (whole.length < 4) return plainEscapes[kind] ?? kind;
    if (kind === 'x') return String.fromCharCode(Number.parseInt(whole.slice(2), 16));
    const units = whole.split('\\u').slice(1);
    return bytesOf(String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16))));
  });
}

/** Undoes the escapes of a URL, and of a form, in which a blank is a plus sign. */
function percentDecoded(reading: Reading): Reading | undefined {
  if (!/[%+]/.test(reading.bytes)) return undefined;
  return decoded(reading, /%[0-9a-fA-F]{2}|\+/g, ([whole]) =>
    whole === '+' ? ' ' : String.fromCharCode(Number.parseInt(whole.slice(1), 16)),
  );
}

const named: Readonly<Record<string, string>> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };

function entitiesDecoded(reading: Reading): Reading | undefined {
  return decoded(reading, /&(?:#(\d{1,6})|#x([0-9a-fA-F]{1,5})|(quot|amp|lt|gt|apos));/g, ([, decimal, hex, name]) =>
    name !== undefined
      ? (named[name] ?? '')
      : bytesOf(String.fromCodePoint(decimal === undefined ? Number.parseInt(hex ?? '0', 16) : Number(decimal))),
  );
}

function withoutBlanks(reading: Reading): Reading {
  return decoded(reading, /\s+/g, () => '') ?? reading;
}

const alphabet = new Map(
  [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].map((char, value) => [char, value]),
);
alphabet.set('-', 62).set('_', 63);

/** What every run of base64 holds, read from its `shift`th character on: nobody says where it begins. */
function base64Decoded({ bytes, starts, ends }: Reading, shift: number): Reading {
  let found = '';
  const from: number[] = [];
  const to: number[] = [];
  const add = (char: string, first: number, last: number): void => {
    found += char;
    from.push(starts[first] ?? 0);
    to.push(ends[last] ?? 0);
  };
  for (const { 0: run, index } of bytes.matchAll(/[A-Za-z0-9+/_-]{4,}/g)) {
    add(gap, index, index);
    let bits = 0;
    let count = 0;
    for (let at = shift; at < run.length; at += 1) {
      bits = ((bits << 6) | (alphabet.get(run.charAt(at)) ?? 0)) & 0xffff;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      add(String.fromCharCode((bits >> count) & 0xff), index + at - 1, index + at);
    }
  }
  return { bytes: found, starts: from, ends: to, isBase64: true };
}

const encoder = new TextEncoder();

/** A character for each byte of a text's UTF-8. */
function bytesOf(text: string): string {
  if (/^[^\u0080-\uffff]*$/.test(text)) return text;
  let bytes = '';
  for (const byte of encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}
