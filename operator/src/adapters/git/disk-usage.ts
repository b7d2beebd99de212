import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../world/clock.ts';
import type { CacheFacts } from '../../world/telemetry.ts';

/** A scrape must not wait for a disk, nor look through it each time. */
const looksEveryMs = 60_000;

/**
 * What the folders in `folder` hold: bytes of files, a folder an entry. Answered at once is what was found last; where that is older than a minute, the question
 * has it looked up anew for the next one.
 */
export function createDiskUsage(folder: string, clock: Clock): () => Omit<CacheFacts, 'cache'> {
  let known = { bytes: 0, entries: 0 };
  let lookedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (clock.now() - lookedAt >= looksEveryMs) {
      lookedAt = clock.now();
      look(folder).then(
        (found) => {
          known = found;
        },
        () => {
          // Somebody has removed it: then there is nothing.
          known = { bytes: 0, entries: 0 };
        },
      );
    }
    return known;
  };
}

async function look(folder: string): Promise<{ bytes: number; entries: number }> {
  const entries = (await readdir(folder)).length;
  let bytes = 0;
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    // Files come and go meanwhile.
    bytes += await stat(join(file.parentPath, file.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return { bytes, entries };
}
