import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Applications of the shop: eight services in three environments, and their root. */
const applications = 25;

test('the demo brings the whole shop up on a cluster with a node, and heals, prunes and reports', async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const demo = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
  const code = await new Promise((resolve) => demo.once('exit', resolve));
  assert.equal(code, 0, output);
  const report = JSON.parse(await readFile('.mooring/demo-report.json', 'utf8'));
  for (const figure of ['applications', 'synced', 'healthy']) assert.equal(report[figure], applications, figure);
  for (const figure of [
    'commitToAppliedMs',
    'commitToSyncedMs',
    'driftToHealedMs',
    'pruneMs',
    'operatorRssMb',
    'operatorCpuSeconds',
  ]) {
    assert.ok(report[figure] > 0, `${figure}: ${report[figure]}`);
  }
});
