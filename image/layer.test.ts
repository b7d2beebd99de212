import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { layerOf } from './layer.ts';
import type { Files } from './tar.ts';

describe('a layer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-layer-'));
  after(() => rmSync(folder, { recursive: true }));
  const make = (cache: string, content: string, mode = 0o644): ReturnType<typeof layerOf> => {
    const files: Files = { '/app/a': { content: Buffer.from(content.repeat(1_000)), mode } };
    return layerOf('a', files, join(folder, cache), () => {});
  };
  const sum = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

  test('is told by the sums of the archive and of what is in it', async () => {
    const { path, digest, diffId, size } = await make('one', 'a');
    const bytes = readFileSync(path);
    assert.equal(digest, sum(bytes));
    assert.equal(size, bytes.length);
    assert.equal(diffId, sum(gunzipSync(bytes)));
    assert.equal(bytes.readUInt32LE(4), 0, 'gzip has a time');
  });

  test('has the same digest wherever and whenever it is made, and another for other files or modes', async () => {
    const first = await make('one', 'a');
    assert.equal((await make('two', 'a')).digest, first.digest);
    assert.notEqual((await make('one', 'b')).digest, first.digest);
    assert.notEqual((await make('one', 'a', 0o755)).digest, first.digest);
  });

  test('that was made before is found again', async () => {
    const { path } = await make('one', 'a');
    utimesSync(path, 1, 1);
    await make('one', 'a');
    assert.equal(statSync(path).mtimeMs, 1_000);
  });
});
