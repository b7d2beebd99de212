import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { isAlive, kill, processesWithEnv, processId } from './processes.ts';

test('kill ends that very process and no later one with its pid', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const id = processId(child.pid as number);
  assert.equal(isAlive(id), true);
  kill({ ...id, started: 'an earlier time' });
  assert.equal(isAlive(id), true);
  const ended = once(child, 'exit');
  kill(id);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.equal(isAlive(id), false);
  kill(id);
  assert.throws(() => processId(id.pid), /no process has the pid/);
});

test('processesWithEnv finds a process by an exact variable', async () => {
  const value = `test-${process.pid}`;
  const child = spawn('sleep', ['60'], { stdio: 'ignore', env: { ...process.env, MOORING_TEST_MARK: value } });
  await once(child, 'spawn');
  try {
    assert.deepEqual(
      processesWithEnv('MOORING_TEST_MARK', value).map(({ pid }) => pid),
      [child.pid],
    );
    assert.deepEqual(processesWithEnv('MOORING_TEST_MARK', value.slice(0, -1)), []);
  } finally {
    child.kill('SIGKILL');
  }
});
