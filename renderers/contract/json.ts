import type { Json } from './manifest.ts';
import { depthMax } from './parse.ts';
import { integerOf, rawNumber } from './scalar.ts';

const mayBeInexact = /[0-9]{16}|[0-9][eE][+]?[0-9]{2}/;

/** A JSON value read from the middle of a text. */
export interface JsonValue {
  readonly value: Json;
  /** Offset behind it. */
  readonly end: number;
}

/**
 * Reads the JSON object that starts at `start`; integers that a double cannot hold, and numbers beyond its range, keep their digits.
 * Throws `SyntaxError` where it is no JSON or nests deeper than `depthMax`.
 */
export function readJsonObject(text: string, start: number): JsonValue {
  const end = objectEnd(text, start);
  const slice = start === 0 && end === text.length ? text : text.slice(start, end);
  const value = (mayBeInexact.test(slice) ? JSON.parse(slice, keepDigits) : JSON.parse(slice)) as Json;
  return { value, end };
}

/**
 * The objects of a JSON list without blanks between them, as engines write it, each read when it is taken as `readJsonObject` reads it. Throws `SyntaxError` where
 * it is no such list, and where an object nests too deeply.
 */
export function* readJsonList(text: string): Generator<Json> {
  if (text === '[]') return;
  for (let at = 0; at < text.length - 1; ) {
    const isObject = text[at] === (at === 0 ? '[' : ',') && text[at + 1] === '{';
    if (!isObject) throw new SyntaxError(`at ${at} there is no list of objects`);
    const { value, end } = readJsonObject(text, at + 1);
    yield value;
    at = end;
  }
}

function keepDigits(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined || Number.isSafeInteger(value)) return value;
  if (!Number.isFinite(value)) return rawNumber(context.source);
  return /^-?[0-9]+$/.test(context.source) ? integerOf(context.source) : value;
}

function objectEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = stringEnd(text, at);
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        if (depth > depthMax) throw new SyntaxError(`more than ${depthMax} levels of nesting`);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        if (depth === 0) return at + 1;
        break;
    }
  }
  return text.length;
}

/** The offset of the quote that ends the string at `start`. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
  return text.length;
}
