import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Progress, step } from './progress.ts';
import { type Files, tarOf } from './tar.ts';

/** A layer of an image. */
export interface Layer {
  /** For people: `Node 26.10.0`. */
  readonly name: string;
  /** Of the compressed archive: `sha256:…`. */
  readonly digest: string;
  /** Of the archive itself. */
  readonly diffId: string;
  /** Bytes of the compressed archive, and where it lies. */
  readonly size: number;
  readonly path: string;
}

/** Part of the cache's keys: to be changed with anything that changes the bytes of a layer. */
const gzipLevel = 6;

/** Makes a layer of files, or finds the one that was made of the same files before. */
export async function layerOf(name: string, files: Files, cache: string, onProgress: Progress): Promise<Layer> {
  const pieces = tarOf(files);
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  const sum = hash.digest('hex');
  const path = join(cache, `${sum}-${gzipLevel}-${process.versions.zlib}.tar.gz`);
  if (!existsSync(path)) {
    await mkdir(cache, { recursive: true });
    const scratch = `${path}.${process.pid}`;
    const compress = (): Promise<void> =>
      pipeline(Readable.from(pieces), createGzip({ level: gzipLevel }), createWriteStream(scratch));
    await step(onProgress, `compressing ${name}`, compress);
    await rename(scratch, path);
  }
  return { name, digest: await digestOf(path), diffId: `sha256:${sum}`, size: (await stat(path)).size, path };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}
