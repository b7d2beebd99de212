import { setImmediate as nextTurn } from 'node:timers/promises';

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const openObject = 0x7b;
const openList = 0x5b;
const closeObject = 0x7d;
const closeList = 0x5d;

/** Bytes of one text that is taken. */
const textBytes = 2_048;

/** Bytes that are read before other work has its turn: about 10 ms. */
const sliceBytes = 512 * 1024;

/** Runs `read` from the offset that it answers on, to the end, and lets other work have its turn in between. */
async function inSlices(length: number, start: number, read: (from: number, until: number) => number): Promise<void> {
  for (let at = start; at < length; ) {
    at = read(at, Math.min(length, at + sliceBytes));
    if (at < length) await nextTurn();
  }
}

/**
 * The texts of some members of one top-level object of a JSON document, such as `clone_url` of `repository`; of a member that stands there twice the last one.
 * Each byte is read once and nothing else is kept, whatever is in a document of any length. What is no JSON has no such members from there on. Names are ASCII.
 */
export async function textsIn(json: Uint8Array, object: string, names: readonly string[]): Promise<readonly string[]> {
  /** Where the text of each member begins and ends. */
  const found = new Map<string, readonly [start: number, end: number]>();
  let depth = 0;
  /** Whether the member of the document that is being read is the one asked for, and whether its value is an object. */
  let isObject = false;
  let isInside = false;
  let name: string | undefined;
  await inSlices(json.length, 0, (from, until) => {
    let at = from;
    for (; at < until; at += 1) {
      const byte = json[at];
      if (byte === quote) {
        const start = at;
        at = endOfText(json, at);
        const next = afterBlanks(json, at + 1);
        const isName = json[next] === colon;
        if (depth === 1 && isName) isObject = isAscii(json, start + 1, at, object);
        else if (depth === 2 && isInside) {
          if (isName) name = names.find((each) => isAscii(json, start + 1, at, each));
          else if (name !== undefined) {
            found.set(name, [start, at]);
            name = undefined;
          }
        }
        at = isName ? next : next - 1;
      } else if (byte === openObject || byte === openList) {
        depth += 1;
        if (depth === 2) isInside = isObject && byte === openObject;
        else name = undefined;
      } else if (byte === closeObject || byte === closeList) {
        depth -= 1;
      } else if (byte === comma) {
        if (depth === 1) isObject = false;
        name = undefined;
      }
    }
    return at;
  });
  return names.flatMap((each) => {
    const place = found.get(each);
    return (place && textAt(json, ...place)) ?? [];
  });
}

/** Where the quote is that ends the text which begins at `start`; the end of the document where none is. */
function endOfText(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at;
}

function afterBlanks(json: Uint8Array, start: number): number {
  let at = start;
  while (at < json.length && (json[at] ?? 0) <= 0x20) at += 1;
  return at;
}

function isAscii(json: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (json[start + index] !== text.charCodeAt(index)) return false;
  return true;
}

/** The text between the quotes at `start` and `end`; undefined where it is too long, or none. */
function textAt(json: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > textBytes || end >= json.length) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json.subarray(start, end + 1))) as string;
  } catch {
    return undefined;
  }
}

const ampersand = 0x26;
const percent = 0x25;
const plus = 0x2b;
const blank = 0x20;

/** The bytes of one field of a form (`application/x-www-form-urlencoded`), decoded; empty where there is none. Each byte is read once. */
export async function fieldOf(form: Uint8Array, name: string): Promise<Uint8Array> {
  const start = await startOf(form, name);
  const decoded = new Uint8Array(form.length - start);
  let length = 0;
  await inSlices(form.length, start, (from, until) => {
    for (let at = from; at < until; at += 1) {
      let byte = form[at] ?? 0;
      if (byte === ampersand) return form.length;
      if (byte === plus) byte = blank;
      else if (byte === percent) {
        const high = digitAt(form, at + 1);
        const low = digitAt(form, at + 2);
        if (high !== undefined && low !== undefined) {
          byte = high * 16 + low;
          at += 2;
        }
      }
      decoded[length] = byte;
      length += 1;
      if (at + 1 >= until) return at + 1;
    }
    return until;
  });
  return decoded.subarray(0, length);
}

/** Where the value of a field begins; the length of the form where there is none. */
async function startOf(form: Uint8Array, name: string): Promise<number> {
  const wanted = `${name}=`;
  let start = form.length;
  await inSlices(form.length, 0, (from, until) => {
    for (let at = from; at < until; at += 1) {
      const isFirst = at === 0 || form[at - 1] === ampersand;
      if (!isFirst || !isAscii(form, at, at + wanted.length, wanted)) continue;
      start = Math.min(form.length, at + wanted.length);
      return form.length;
    }
    return until;
  });
  return start;
}

function digitAt(bytes: Uint8Array, at: number): number | undefined {
  const byte = bytes[at] ?? 0;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}
