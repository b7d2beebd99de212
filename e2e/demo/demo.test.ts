import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listClusters } from '../cluster/cluster.ts';
import { isAlive } from '../cluster/processes.ts';
import { type Left, readLeft } from './left.ts';
import { clusterName } from './place.ts';

/** Applications of the shop: eight services in three environments, and their root. */
const applications = 25;
const leftPath = '.mooring/running.json';
/** Most MiB that the operator may hold at the demo's end. */
const operatorRssMbMax = 230;

interface Demo {
  readonly child: ChildProcess;
  /** All that it has printed. */
  output(): string;
  /** Settles when the text was printed; throws where the demo ends before. */
  printed(text: string): Promise<void>;
  readonly ended: Promise<number | null>;
}

function startDemo(...args: readonly string[]): Demo {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
      for (const watcher of watchers) watcher();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    child,
    output: () => output,
    printed: (text) =>
      new Promise((resolve, reject) => {
        watchers.add(() => {
          if (output.includes(text)) resolve();
        });
        ended.then(() => reject(new Error(`the demo ended without ${JSON.stringify(text)}:\n${output}`)));
      }),
    ended,
  };
}

test('the demo brings the whole shop up on a cluster with a node, and heals, prunes and reports', async () => {
  const demo = startDemo();
  assert.equal(await demo.ended, 0, demo.output());
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
  assert.ok(report.operatorRssMb <= operatorRssMbMax, `${report.operatorRssMb} MiB`);
});

async function assertGone(left: Left | undefined): Promise<void> {
  assert.ok(left?.operator && left.gitServer && left.folder);
  assert.ok(!isAlive(left.operator) && !isAlive(left.gitServer));
  assert.ok(!existsSync(left.folder), left.folder);
  assert.ok(!existsSync(leftPath));
  assert.ok(!(await listClusters()).some(({ name }) => name === clusterName));
}

test('a demo that is interrupted cleans up', async () => {
  const demo = startDemo();
  await demo.printed('root Application applied');
  const left = await readLeft(leftPath);
  demo.child.kill('SIGINT');
  assert.equal(await demo.ended, 130, demo.output());
  await assertGone(left);
});

test('while a demo runs another one is refused, and what a killed one leaves is removed by --down', async () => {
  const demo = startDemo();
  await demo.printed('root Application applied');
  const left = await readLeft(leftPath);
  const second = startDemo();
  assert.equal(await second.ended, 1);
  assert.match(second.output(), /a demo \(process \d+\) is still running; stop it with: make down/);
  demo.child.kill('SIGKILL');
  await demo.ended;
  assert.ok(left?.operator && isAlive(left.operator));
  const down = startDemo('--down');
  assert.equal(await down.ended, 0, down.output());
  await assertGone(left);
});
