import { parentPort } from 'node:worker_threads';
import { RenderError } from './error.ts';
import type { Json } from './manifest.ts';
import { pack, type ReaderItem, type ReaderMessage, type ReaderRequest } from './reader-protocol.ts';
import { parseDocuments, parseManifests } from './yaml.ts';

/** Characters of JSON that are sent at once: what the other thread can read in some milliseconds. */
const pieceLength = 64 * 1024;
/** Characters of JSON of one object. API servers take requests of up to 3 MiB, and etcd objects of 1.5 MiB. */
const objectLengthMax = 3 * 1024 * 1024;

interface Found {
  readonly value: Json;
  readonly document: number;
  readonly line: number;
}

function read({ reads, bytes, path, limits }: ReaderRequest, warnings: string[]): readonly Found[] {
  const warn = (sentence: string): void => {
    warnings.push(sentence);
  };
  if (reads === 'documents') return parseDocuments(bytes, path, limits, warn);
  return parseManifests(bytes, path, limits, warn).map(({ object, ...place }) => ({
    value: object as unknown as Json,
    ...place,
  }));
}

function answer(request: ReaderRequest): ReaderMessage {
  const warnings: string[] = [];
  try {
    let piece: ReaderItem[] = [];
    let length = 0;
    for (const { value, document, line } of read(request, warnings)) {
      const packed = pack(value);
      if (request.reads === 'manifests' && packed.json.length > objectLengthMax) {
        const place = `${request.path}, document ${document + 1} (line ${line})`;
        throw new RenderError(
          'limit',
          `${place} has an object of more than 3 MiB, which no API server takes; split it`,
          {
            file: request.path,
            line,
          },
        );
      }
      piece.push({ ...packed, document, line });
      length += packed.json.length;
      if (length < pieceLength) continue;
      request.answers.postMessage(piece);
      [piece, length] = [[], 0];
    }
    request.answers.postMessage(piece);
    return { warnings };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const { code, message, file, line } = error;
    return {
      warnings,
      fault: { code, message, ...(file !== undefined && { file }), ...(line !== undefined && { line }) },
    };
  }
}

parentPort?.on('message', (request: ReaderRequest) => {
  parentPort?.postMessage(answer(request));
});
