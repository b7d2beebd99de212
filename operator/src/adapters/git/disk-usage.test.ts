import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDiskUsage } from './disk-usage.ts';

test('a folder is measured behind the back of who asks, and not again within a minute', {
  timeout: 20_000,
}, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'mooring-usage-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'repositories');
  let now = 0;
  const usage = createDiskUsage(folder, { now: () => now, after: () => () => {} });
  const until = async (bytes: number, entries: number): Promise<void> => {
    while (usage().bytes !== bytes || usage().entries !== entries)
      await new Promise((resolve) => setTimeout(resolve, 2));
  };
  for (const name of ['one', 'two']) await mkdir(join(folder, name, 'objects'), { recursive: true });
  await writeFile(join(folder, 'one', 'HEAD'), 'x'.repeat(10));
  await writeFile(join(folder, 'two', 'objects', 'pack'), 'x'.repeat(1_000));
  assert.deepEqual(usage(), { bytes: 0, entries: 0 });
  await until(1_010, 2);
  await rm(join(folder, 'two'), { recursive: true });
  now = 59_000;
  assert.deepEqual(usage(), { bytes: 1_010, entries: 2 });
  now = 60_000;
  await until(10, 1);
  await rm(folder, { recursive: true });
  now = 120_000;
  await until(0, 0);
});
