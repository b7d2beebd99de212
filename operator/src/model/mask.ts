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
/** Bytes of the pieces of a value that are looked for to find such parts: a part that is long enough holds one from each place on that is a multiple of it. */
const pieceStep = 8;
/** Bytes of the beginning of a value that are taken out where a text was cut there, and of its end where the text begins; what is this long is found by its hash. */
const cutLength = 6;
/** How many escapes within escapes are undone, and how many readings that makes at most. */
const escapeDepth = 3;
const readingsAtMost = 8;
/** No byte: parts what was not together in the text. */
const gap = '\u0100';

/** Characters of a text that are looked at; what follows is left out. */
const textLength = 16_384;
/** How many values are looked for, and how many characters they may have together; of a text that may hold more nothing is shown. */
const valuesAtMost = 10_000;
const valuesLength = 2 * 1024 * 1024;
/** Bytes of a text that are held against bytes of values; of a text that needs more, as both are repetitive, nothing is shown. */
const workAtMost = 1_000_000;
/** Stands for a text in which it cannot be told in time what is secret. */
export const withheld = '(left out, since there is too much in it that may be secret)';

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
 * a value is written, since within a word it would tell the value and say nothing. Takes time linear in text and values; of a text where that is not enough
 * `withheld` is all that is shown.
 */
export function maskValues(text: string, values: Iterable<string>): string {
  const wanted = new Set<string>();
  let length = 0;
  for (const value of values) {
    if (value === '' || wanted.has(value)) continue;
    wanted.add(value);
    length += value.length;
    if (wanted.size > valuesAtMost || length > valuesLength) return withheld;
  }
  if (text === '' || wanted.size === 0) return text;
  const shown = text.length <= textLength ? text : `${text.slice(0, textLength)}…`;
  const found = placesOf([...wanted].map(bytesOf), joined(readingsOf(shown)));
  return found === undefined ? withheld : withMasks(shown, found);
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

/** All readings of a text, one after the other; those of base64 come last. */
interface Readings {
  readonly bytes: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Where the first of base64 begins. */
  readonly base64From: number;
}

function joined(readings: readonly Reading[]): Readings {
  const starts: number[] = [];
  const ends: number[] = [];
  let base64From = 0;
  for (const reading of readings) {
    for (const at of reading.starts) starts.push(at);
    for (const at of reading.ends) ends.push(at);
    starts.push(0);
    ends.push(0);
    if (!reading.isBase64) base64From = starts.length;
  }
  return { bytes: readings.map(({ bytes }) => `${bytes}${gap}`).join(''), starts, ends, base64From };
}

/** Which parts of a text the values are; undefined where it takes more work than a text is worth. */
function placesOf(values: readonly string[], readings: Readings): [from: number, to: number][] | undefined {
  const { bytes, starts, ends, base64From } = readings;
  const found: [from: number, to: number][] = [];
  const begins = indexOf(bytes, cutLength);
  const shortest = values.some(({ length }) => length >= tokenLength && length < cutLength)
    ? indexOf(bytes, tokenLength)
    : undefined;
  const tokens = values.some(({ length }) => length < tokenLength) ? tokensOf(bytes.slice(0, base64From)) : undefined;
  let work = 0;
  const add = (from: number, to: number): void => {
    found.push([starts[from] ?? 0, ends[to - 1] ?? 0]);
  };
  /** How many bytes of a value, from `of` on, stand at a place. */
  const forward = (value: string, of: number, at: number): number => {
    let count = 0;
    while (of + count < value.length && bytes.charCodeAt(at + count) === value.charCodeAt(of + count)) count += 1;
    work += count + 1;
    return count;
  };
  /** How many bytes of a value, before `of`, stand before a place. */
  const back = (value: string, of: number, at: number): number => {
    let count = 0;
    while (count < of && at > count && bytes.charCodeAt(at - count - 1) === value.charCodeAt(of - count - 1))
      count += 1;
    work += count + 1;
    return count;
  };
  const isValue = (value: string, from: number): boolean =>
    from >= base64From || isMeant(value, bytes.charAt(from - 1), bytes.charAt(from + value.length).replace(gap, ''));
  /** The whole value, where it is meant, and its beginning where the text was cut. */
  const lookForWhole = (value: string, index: Index): void => {
    for (let at = firstIn(index, value, 0); at >= 0 && work <= workAtMost; at = index.next[at] ?? -1) {
      const count = forward(value, 0, at);
      const isWhole = count === value.length && isValue(value, at);
      const isCut =
        value.length >= certainLength &&
        count >= cutLength &&
        cutThere.test(bytes.slice(at + count, at + count + cutLength));
      if (isWhole || isCut) add(at, at + count);
    }
  };
  /** The end of the value where a text begins. */
  const lookForEnd = (value: string): void => {
    const of = value.length - cutLength;
    for (let at = firstIn(begins, value, of); at >= 0 && work <= workAtMost; at = begins.next[at] ?? -1) {
      if (forward(value, of, at) < cutLength) continue;
      const from = at - back(value, of, at);
      if (from === 0 || bytes[from - 1] === gap) add(from, at + cutLength);
    }
  };
  /** Long parts of the value, anywhere. */
  const lookForParts = (value: string): void => {
    const seen = new Set<number>();
    for (let of = 0; of + pieceStep <= value.length; of += pieceStep) {
      const first = firstIn(begins, value, of);
      if (first < 0) continue;
      const piece = hashAt(value, of, pieceStep);
      if (seen.has(piece)) continue;
      seen.add(piece);
      let done = 0;
      for (let at = first; at >= 0 && work <= workAtMost; at = begins.next[at] ?? -1) {
        work += 1;
        if (at < done) continue;
        const count = forward(value, of, at);
        if (count < cutLength) continue;
        const from = at - back(value, of, at);
        if (at + count - from < partLength) continue;
        add(from, at + count);
        done = at + count;
      }
    }
  };
  for (const value of values) {
    if (work > workAtMost) return undefined;
    if (value.length < tokenLength) for (const at of tokens?.get(value) ?? []) add(at, at + value.length);
    else if (value.length < cutLength) shortest !== undefined && lookForWhole(value, shortest);
    else lookForWhole(value, begins);
    if (value.length >= certainLength) lookForEnd(value);
    if (value.length >= partLength) lookForParts(value);
  }
  return work > workAtMost ? undefined : found;
}

/** Where the runs of so many bytes stand, by their hash. */
interface Index {
  readonly size: number;
  /** The first place for each slot, and the next one of the same slot for each place; -1 where there is none. */
  readonly first: Int32Array;
  readonly next: Int32Array;
}

const slots = 1 << 17;

function indexOf(bytes: string, size: number): Index {
  const first = new Int32Array(slots).fill(-1);
  const next = new Int32Array(bytes.length).fill(-1);
  for (let at = bytes.length - size; at >= 0; at -= 1) {
    const slot = slotOf(hashAt(bytes, at, size));
    next[at] = first[slot] ?? -1;
    first[slot] = at;
  }
  return { size, first, next };
}

function firstIn({ size, first }: Index, value: string, of: number): number {
  return first[slotOf(hashAt(value, of, size))] ?? -1;
}

function hashAt(bytes: string, at: number, size: number): number {
  let hash = 0;
  for (let i = at; i < at + size; i += 1) hash = Math.imul(hash ^ bytes.charCodeAt(i), 0x01000193);
  return hash;
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & (slots - 1);
}

/** Where what is shorter than a word stands as a value, and what it is. */
function tokensOf(bytes: string): Map<string, number[]> {
  const tokens = new Map<string, number[]>();
  for (const { index } of bytes.matchAll(/["'`=]/g)) {
    for (let length = 1; length < tokenLength; length += 1) {
      const token = bytes.slice(index + 1, index + 1 + length);
      if (!isMeant(token, bytes.charAt(index), bytes.charAt(index + 1 + length).replace(gap, ''))) continue;
      const places = tokens.get(token);
      if (places === undefined) tokens.set(token, [index + 1]);
      else places.push(index + 1);
    }
  }
  return tokens;
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
const cutThere = /^[\s"'\\]*(?:$|\u0100|\.\.\.|\u00e2\u0080\u00a6|\()/;

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
