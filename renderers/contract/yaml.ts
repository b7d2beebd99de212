import { isUtf8 } from 'node:buffer';
import { type Constructed, construct, duplicatesShown } from './construct.ts';
import { RenderError } from './error.ts';
import { readJsonObject } from './json.ts';
import type { Json, KubeObject } from './manifest.ts';
import { objectsOf } from './objects.ts';
import { parseEvents } from './parse.ts';
import type { Limits } from './renderer.ts';
import { YamlError } from './scan.ts';

/** The bounds that reading manifests keeps. */
export type ReadLimits = Pick<Limits, 'manifestBytes' | 'manifestCount'>;

/** One document of a file. */
export interface ParsedDocument {
  readonly value: Json;
  /** Which document of the file, empty ones counted; the first is 0. */
  readonly document: number;
  /** Line of its first content; the first is 1. */
  readonly line: number;
}

/** One Kubernetes object of a file. */
export interface ParsedManifest {
  readonly object: KubeObject;
  /** Which document of the file, empty ones counted; the first is 0. */
  readonly document: number;
  /** Line of the document's first content; the first is 1. */
  readonly line: number;
}

/** Takes sentences about things that work but should not stay so, such as a key given twice. */
export type Warn = (sentence: string) => void;

const ignore: Warn = () => {};

/**
 * The Kubernetes objects of a YAML or JSON file, read as Kubernetes reads them (see `parseDocuments` and `objectsOf`); empty documents are left out.
 * Throws `RenderError`: `syntax`, `limit` and `invalid`.
 */
export function parseManifests(
  bytes: Uint8Array,
  path: string,
  limits: ReadLimits,
  warn: Warn = ignore,
): ParsedManifest[] {
  const manifests: ParsedManifest[] = [];
  for (const { value, document, line } of parseDocuments(bytes, path, limits, warn)) {
    for (const object of objectsOf(value, { path, document, line })) {
      if (manifests.length >= limits.manifestCount) throw tooMany(path, limits);
      manifests.push({ object, document, line });
    }
  }
  return manifests;
}

/**
 * The documents of a YAML or JSON text as JSON values, as `k8s.io/apimachinery` and `sigs.k8s.io/yaml` read them: YAML 1.1 by the rules of yaml.v2, documents
 * parted by lines that begin with `---`, JSON objects one after another. Empty documents are left out. A file named `.json` is JSON only.
 * UTF-8, or UTF-16 with a byte order mark. Throws `RenderError` (`syntax`, `limit`).
 */
export function parseDocuments(
  bytes: Uint8Array,
  path: string,
  limits: ReadLimits,
  warn: Warn = ignore,
): ParsedDocument[] {
  if (bytes.length > limits.manifestBytes) {
    throw new RenderError(
      'limit',
      `${path} has ${bytes.length} bytes, more than the ${limits.manifestBytes} allowed; split it or raise the limit manifestBytes`,
      { file: path },
    );
  }
  const text = decode(bytes, path);
  const documents: ParsedDocument[] = [];
  const reader: Reader = { text, path, warn, documents, limits, count: 0, duplicates: 0 };
  const start = contentStart(text, 0);
  if (text.charCodeAt(start) !== 0x7b && !path.endsWith('.json')) readYaml(reader, 0, 1);
  else readJson(reader, start);
  const untold = reader.duplicates - duplicatesShown;
  if (untold > 0) warn(`${path}: ${untold} more keys are given twice`);
  return documents;
}

interface Reader {
  readonly text: string;
  readonly path: string;
  readonly warn: Warn;
  readonly documents: ParsedDocument[];
  readonly limits: ReadLimits;
  count: number;
  /** Duplicate keys so far. */
  duplicates: number;
}

function add(reader: Reader, value: Json, line: number): void {
  const document = reader.count++;
  if (value === null) return;
  if (reader.documents.length >= reader.limits.manifestCount) throw tooMany(reader.path, reader.limits);
  reader.documents.push({ value, document, line });
}

/** What is said where there are more objects than are allowed. */
export function tooMany(path: string, limits: ReadLimits): RenderError {
  return new RenderError(
    'limit',
    `${path} holds more than the ${limits.manifestCount} objects allowed; split it or raise the limit manifestCount`,
    { file: path },
  );
}

// Line ends of YAML 1.1 that later parsers take for text are refused too: what they would part cannot be seen.
const forbidden = /[\p{Cc}--[\t\n\r]]|[\u2028\u2029\ufffe\uffff]/v;

function decode(bytes: Uint8Array, path: string): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    try {
      return new TextDecoder(first === 0xff ? 'utf-16le' : 'utf-16be', { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new RenderError('syntax', `${path} begins as UTF-16 but is none; save it as UTF-8`, { file: path, cause });
    }
  }
  if (!isUtf8(bytes)) {
    const line = firstBadLine(bytes);
    throw new RenderError('syntax', `${path}, line ${line}: no valid UTF-8; save the file as UTF-8`, {
      file: path,
      line,
    });
  }
  return new TextDecoder().decode(bytes);
}

function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed + 1;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end;
  }
  return line;
}

function contentStart(text: string, from: number): number {
  const space = /\s*/y;
  space.lastIndex = from;
  return from + (space.exec(text)?.[0].length ?? 0);
}

function lineOf(text: string, position: number, from = 0, line = 1): number {
  let found = line;
  for (let feed = text.indexOf('\n', from); feed >= 0 && feed < position; feed = text.indexOf('\n', feed + 1)) found++;
  return found;
}

/** Reads a stream of JSON objects; one that fails as the first or second of a YAML file is read as YAML, as apimachinery does. */
function readJson(reader: Reader, start: number): void {
  const { text, path } = reader;
  let line = lineOf(text, start);
  for (let at = start; at < text.length; ) {
    try {
      const { value, end } = readJsonObject(text, at);
      add(reader, value, line);
      const next = contentStart(text, end);
      line = lineOf(text, next, end, lineOf(text, end, at, line));
      at = next;
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      const failure = jsonError(path, cause, line);
      if (path.endsWith('.json') || reader.count > 1) throw failure;
      const read = reader.documents.length;
      try {
        readYaml(reader, at, line);
        return;
      } catch (second) {
        throw reader.documents.length > read || !(second instanceof RenderError) || second.code !== 'syntax'
          ? second
          : failure;
      }
    }
  }
}

function jsonError(path: string, cause: SyntaxError, first: number): RenderError {
  const within = /\(line ([0-9]+) column [0-9]+\)/.exec(cause.message)?.[1];
  const line = first + (within === undefined ? 0 : Number(within) - 1);
  const reason = cause.message.replace(/ in JSON at position.*$/s, '').replace(/, ".*" is not valid JSON$/s, '');
  return new RenderError('syntax', `${path}, line ${line}: broken JSON: ${reason}; correct it`, {
    file: path,
    line,
    cause,
  });
}

function readYaml(reader: Reader, from: number, firstLine: number): void {
  const { text } = reader;
  const bad = forbidden.exec(from === 0 ? text : text.slice(from));
  if (bad !== null) {
    const code = bad[0].charCodeAt(0).toString(16).padStart(4, '0');
    throw yamlError(
      reader.path,
      lineOf(text, from + bad.index, from, firstLine),
      `the character U+${code} is not allowed; remove it, or write it as an escape in double quotes`,
    );
  }
  let start = from;
  let line = firstLine;
  let empty = true;
  for (let at = from; at < text.length; ) {
    const feed = text.indexOf('\n', at);
    const end = feed < 0 ? text.length : feed + 1;
    if (text.startsWith('---', at)) {
      const rest = text.slice(at + 3, end).trim();
      const here = lineOf(text, at, start, line);
      if (rest !== '' && !rest.startsWith('#')) {
        throw yamlError(
          reader.path,
          here,
          `after \`---\` there may only be a comment; move ${JSON.stringify(rest.slice(0, 40))} to the next line`,
        );
      }
      if (!empty) {
        readChunk(reader, start, at, line);
        start = end;
        line = here + 1;
        empty = true;
        at = end;
        continue;
      }
    }
    empty = false;
    const next = text.indexOf('\n---', feed < 0 ? text.length : feed);
    at = next < 0 ? text.length : next + 1;
  }
  if (!empty) readChunk(reader, start, text.length, line);
}

function readChunk(reader: Reader, start: number, end: number, line: number): void {
  const chunk = reader.text.slice(start, end);
  const content = contentStart(chunk, 0);
  if (chunk.charCodeAt(content) === 0x7b) {
    const json = jsonChunk(chunk, content);
    if (json !== undefined) {
      add(reader, json, lineOf(chunk, content, 0, line));
      return;
    }
  }
  const lines = chunk.includes('\r') ? chunk.replace(/\r\n?/g, '\n') : chunk;
  // apimachinery ends the last line, too, which a block of text can tell.
  const source = lines.endsWith('\n') ? lines : `${lines}\n`;
  const lineAt = (position: number): number => lineOf(source, position, 0, line);
  try {
    const { value, position, duplicates, duplicateCount } = construct(parseEvents(source));
    warnOfDuplicates(reader, duplicateCount, duplicates, lineAt);
    add(reader, value, lineAt(position));
  } catch (cause) {
    if (cause instanceof YamlError) throw yamlError(reader.path, lineAt(cause.position), cause.message, cause);
    throw cause;
  }
}

/** Names the first of a file by line; the others are counted. */
function warnOfDuplicates(
  reader: Reader,
  count: number,
  duplicates: Constructed['duplicates'],
  lineAt: (position: number) => number,
): void {
  const room = Math.max(0, duplicatesShown - reader.duplicates);
  for (const { key, position } of duplicates.slice(0, room)) {
    reader.warn(
      `${reader.path}, line ${lineAt(position)}: the key ${JSON.stringify(key.slice(0, 100))} is given twice, the last one counts; remove the other`,
    );
  }
  reader.duplicates += count;
}

/** A document that is one JSON object, read as such because it is ten times faster; undefined where it is YAML. */
function jsonChunk(chunk: string, start: number): Json | undefined {
  try {
    const { value, end } = readJsonObject(chunk, start);
    return contentStart(chunk, end) === chunk.length ? value : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function yamlError(path: string, line: number, reason: string, cause?: unknown): RenderError {
  return new RenderError('syntax', `${path}, line ${line}: broken YAML: ${reason}`, { file: path, line, cause });
}
