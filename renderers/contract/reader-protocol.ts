import type { MessagePort } from 'node:worker_threads';
import type { RenderErrorCode } from './error.ts';
import type { Json, Origin } from './manifest.ts';
import { rawNumber } from './scalar.ts';
import type { ReadLimits } from './yaml.ts';

/** A text to read: one of a file, or, as `made`, the list of objects that an engine made. */
export interface ReaderJob {
  readonly reads: 'manifests' | 'documents' | 'made';
  readonly bytes: Uint8Array;
  readonly path: string;
  /** Where objects of `made` came from, by their index; those that it has not came from `path`. */
  readonly origins?: readonly Origin[];
  readonly limits: ReadLimits;
}

/** With where to put lists of `ReaderItem`, before the `ReaderMessage`. */
export interface ReaderRequest extends ReaderJob {
  readonly answers: MessagePort;
}

/** One document or object. */
export interface ReaderItem {
  readonly json: string;
  /** Whether a text in it is marked. */
  readonly hasMarks: boolean;
  /** Of `made` the index in the list. */
  readonly document: number;
  /** 0 where there is none. */
  readonly line: number;
}

export interface ReaderFault {
  readonly code: RenderErrorCode;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/** Says that a text was read, or why it could not be. */
export interface ReaderMessage {
  readonly fault?: ReaderFault;
  readonly warnings: readonly string[];
  /** About how many bytes of JSON were put there. */
  readonly objectBytes: number;
}

/** Before the digits of a number that a double cannot hold, and before a text that begins with it. */
const mark = '\0';

/** Whether JSON may hold what is marked. */
const mayBeMarked = /"\\u0000|[0-9]{16}|[0-9][eE]/;

/** JSON in which numbers that a double cannot hold are marked texts: a reviver, which would see each of them, is ten times slower than what `unpack` does. */
export function pack(value: Json): Pick<ReaderItem, 'json' | 'hasMarks'> {
  const plain = JSON.stringify(value);
  if (!mayBeMarked.test(plain)) return { json: plain, hasMarks: false };
  let hasMarks = false;
  const json = JSON.stringify(value, (_key, inner: unknown) => {
    const isMarked =
      typeof inner === 'string' ? inner.startsWith(mark) : typeof inner === 'object' && inner !== null && isRaw(inner);
    if (!isMarked) return inner;
    hasMarks = true;
    return typeof inner === 'string' ? mark + mark + inner : mark + JSON.stringify(inner);
  });
  return { json, hasMarks };
}

/** The value that `pack` was given. Numbers that a double cannot hold are `JSON.rawJSON` values again. */
export function unpack(json: string, hasMarks: boolean): Json {
  const value = JSON.parse(json) as Json;
  return hasMarks ? unmarked(value) : value;
}

function unmarked(value: Json): Json {
  if (typeof value === 'string') {
    if (!value.startsWith(mark)) return value;
    return value[1] === mark ? value.slice(2) : rawNumber(value.slice(1));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (const [index, inner] of value.entries()) value[index] = unmarked(inner);
    return value;
  }
  for (const key of Object.keys(value)) {
    const inner = value[key] as Json;
    const plain = unmarked(inner);
    // `__proto__` is a field like any other.
    if (plain !== inner)
      Object.defineProperty(value, key, { value: plain, writable: true, enumerable: true, configurable: true });
  }
  return value;
}

/** Whether a value is a number that a double cannot hold. */
export function isRaw(value: object): boolean {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
}
