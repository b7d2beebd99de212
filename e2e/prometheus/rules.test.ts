import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { findPrometheus } from './binaries.ts';

const run = promisify(execFile);
const charts = join(import.meta.dirname, '..', '..', 'charts');
const filesOf = (folder: string, end: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name));

let promtool: string;

before(async () => {
  ({ promtool } = await findPrometheus(console.error));
});

test('promtool finds nothing wrong with the rules', async () => {
  const files = filesOf(join(charts, 'mooring', 'rules'), '.yaml');
  assert.ok(files.length > 0);
  const { stdout } = await run(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', ...files]);
  assert.equal(stdout.match(/SUCCESS/g)?.length, files.length, stdout);
});

test('every alert fires when it should, and is silent when it should not', async () => {
  const files = filesOf(join(charts, 'alerts'), '.test.yaml');
  assert.ok(files.length > 0);
  const { stdout } = await run(promtool, ['test', 'rules', ...files]).catch((thrown: { stdout: string }) => {
    assert.fail(thrown.stdout);
  });
  assert.equal(stdout.match(/SUCCESS/g)?.length, files.length, stdout);
});
