import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import test from 'node:test';
import { promisify } from 'node:util';
import { mooring } from './testing.ts';

/** Makes a Node say that it is an old one: the launcher only asks for its version. */
const asNode20 = ['--import', `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.1.0'})`];

test('help has every command and the exit codes', async () => {
  const { code, stdout } = await mooring(['--help']);
  assert.equal(code, 0);
  for (const word of ['render', 'health', 'diff', 'Exit codes:']) assert.ok(stdout.includes(word), word);
});

test('an unknown command is a usage error', async () => {
  const { code, stderr } = await mooring(['sync']);
  assert.match(stderr, /unknown command 'sync'/);
  assert.equal(code, 2);
});

test('an old Node hands over to the one in .tools, arguments, input and exit code', async () => {
  assert.ok(existsSync(join(import.meta.dirname, '..', '..', '.tools', 'node', 'bin', 'node')), 'run: make tools');
  const input = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n[';
  const run = await mooring(['health', '-f', '-'], { nodeArgs: asNode20, input });
  assert.match(run.stderr, /^mooring: standard input, line \d: broken YAML/);
  assert.equal(run.code, 1);
});

test('an old Node alone says how to get a newer one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-launcher-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'cli', 'bin'), { recursive: true });
  const launcher = join(folder, 'cli', 'bin', 'mooring.mjs');
  copyFileSync(join(import.meta.dirname, '..', 'bin', 'mooring.js'), launcher);
  await assert.rejects(promisify(execFile)(execPath, [...asNode20, launcher, '--help']), (thrown) => {
    const { code, stderr } = thrown as { code: number; stderr: string };
    assert.match(stderr, /this is Node 20\.1\.0, and mooring needs 24 or newer\. Run `make tools`/);
    assert.equal(code, 2);
    return true;
  });
});
