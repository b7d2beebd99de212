import { parentPort } from 'node:worker_threads';
import { RenderError } from './error.ts';
import type { Json, Origin } from './manifest.ts';
import { parseMade, placeOf } from './objects.ts';
import { isRaw, pack, type ReaderItem, type ReaderMessage, type ReaderRequest } from './reader-protocol.ts';
import { objectBytesMax } from './renderer.ts';
import { parseDocuments, parseManifests, tooMany } from './yaml.ts';

const decoder = new TextDecoder();

/** Characters of JSON that are sent at once: what the other thread can read in some milliseconds. */
const pieceLength = 64 * 1024;
/** Characters of JSON of one object. API servers take requests of up to 3 MiB, and etcd objects of 1.5 MiB. */
const objectLengthMax = 3 * 1024 * 1024;
/** Values of one object, maps and lists among them: what the other thread can read in some 20 milliseconds. The largest definitions of kinds there are have half of it. */
const objectValuesMax = 100_000;

interface Found {
  readonly value: Json;
  readonly document: number;
  readonly line: number;
}

function read(request: ReaderRequest, warnings: string[]): Iterable<Found> {
  const { reads, bytes, path, limits } = request;
  const warn = (sentence: string): void => {
    warnings.push(sentence);
  };
  if (reads === 'made') return readMade(request);
  if (reads === 'documents') return parseDocuments(bytes, path, limits, warn);
  return parseManifests(bytes, path, limits, warn).map(({ object, ...place }) => ({
    value: object as unknown as Json,
    ...place,
  }));
}

function* readMade({ bytes, path, origins = [], limits }: ReaderRequest): Generator<Found> {
  let count = 0;
  for (const { object, index } of parseMade(decoder.decode(bytes), (at) => origins[at] ?? { path })) {
    count += 1;
    if (count > limits.manifestCount) throw tooMany(path, limits);
    yield { value: object as unknown as Json, document: index, line: 0 };
  }
}

/** Refuses an object that no API server takes, or that would hold up everything else wherever it is looked at. */
function checkSize({ reads, path, origins = [] }: ReaderRequest, found: Found, length: number): void {
  const { value, document, line } = found;
  const reason =
    length > objectLengthMax
      ? 'more than 3 MiB, which no API server takes'
      : valuesIn(value, objectValuesMax) > objectValuesMax
        ? `more than ${objectValuesMax} values`
        : undefined;
  if (reason === undefined) return;
  const origin: Origin = reads === 'made' ? (origins[document] ?? { path }) : { path, document, line };
  const message = `${placeOf(origin, value)} has an object of ${reason}; split it`;
  throw new RenderError('limit', message, {
    file: origin.path,
    ...(origin.line !== undefined && { line: origin.line }),
  });
}

/** A number that a double cannot hold costs as much as so many other values. */
const rawWeight = 10;

/** How many values there are, maps and lists among them; some number beyond `max` where there are more. */
function valuesIn(value: Json, max: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  if (isRaw(value)) return rawWeight;
  let count = 1;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    count += valuesIn(inner, max - count);
    if (count > max) break;
  }
  return count;
}

function answer(request: ReaderRequest): ReaderMessage {
  const warnings: string[] = [];
  try {
    let piece: ReaderItem[] = [];
    let length = 0;
    let objectBytes = 0;
    const most = objectBytesMax(request.limits);
    for (const { value, document, line } of read(request, warnings)) {
      const packed = pack(value);
      if (request.reads !== 'documents') checkSize(request, { value, document, line }, packed.json.length);
      objectBytes += packed.json.length;
      // What an engine made it has counted itself.
      if (objectBytes > most && request.reads !== 'made') {
        throw new RenderError(
          'limit',
          `${request.path} holds more than ${most} bytes once its aliases are written out; repeat less, split it, or raise the limit manifestBytes`,
          { file: request.path, line },
        );
      }
      piece.push({ ...packed, document, line });
      length += packed.json.length;
      if (length < pieceLength) continue;
      request.answers.postMessage(piece);
      [piece, length] = [[], 0];
    }
    request.answers.postMessage(piece);
    return { warnings, objectBytes };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const { code, message, file, line } = error;
    return {
      warnings,
      objectBytes: 0,
      fault: { code, message, ...(file !== undefined && { file }), ...(line !== undefined && { line }) },
    };
  }
}

parentPort?.on('message', (request: ReaderRequest) => {
  parentPort?.postMessage(answer(request));
});
