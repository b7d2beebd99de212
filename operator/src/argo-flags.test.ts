import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { withoutArgoFlags } from './argo-flags.ts';

const cases: readonly [args: readonly string[], kept: readonly string[], passedOver: readonly string[]][] = [
  [['--data', '/data', '--leader-elect'], ['--data', '/data', '--leader-elect'], []],
  [['--status-processors', '50', '--data=/data'], ['--data=/data'], ['--status-processors']],
  [
    ['--status-processors=50', '--redis-use-tls', '--data=/d'],
    ['--data=/d'],
    ['--status-processors', '--redis-use-tls'],
  ],
  [['--repo-server-plaintext=false', '--data=/d'], ['--data=/d'], ['--repo-server-plaintext']],
  [['--loglevel', 'warning', '--logformat=text'], ['--log-level=warn', '--log-format=text'], []],
  // What says where and as whom to act, and what nobody knows, is refused later on.
  [['--as', 'somebody', '--readonly'], ['--as', 'somebody', '--readonly'], []],
  [['--sync-timeout'], [], ['--sync-timeout']],
];

test("flags of Argo CD's that may be passed over are taken out and named", () => {
  for (const [args, kept, passedOver] of cases) assert.deepEqual(withoutArgoFlags(args), { args: kept, passedOver });
});

/** Starts the program; answers the first line of its log, or what it said when it gave up. */
async function start(...args: readonly string[]): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'mooring-flags-'));
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [main, '--listen=127.0.0.1:0', `--data=${data}`, ...args], {
    env: { PATH: process.env['PATH'], KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' },
  });
  try {
    const said = Promise.withResolvers<string>();
    for (const stream of [child.stdout, child.stderr]) stream.once('data', (bytes: Buffer) => said.resolve(`${bytes}`));
    return await said.promise;
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    await rm(data, { recursive: true, force: true });
  }
}

test('the program starts with them and names them in its log, in the form that was asked for', async () => {
  const line = await start('--status-processors', '50', '--logformat', 'text');
  assert.match(line, /flags of Argo CD's that have no effect here.*--status-processors/);
  assert.doesNotMatch(line, /^\{/);
  assert.match(await start('--readonly'), /^mooring: Unknown option '--readonly'/);
});
