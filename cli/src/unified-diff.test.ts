import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { unifiedDiff } from './unified-diff.ts';

const twenty = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`).join('');

test('changes that are far apart are in hunks of their own', () => {
  const after = twenty.replace('line 2\n', 'LINE 2\n').replace('line 18\n', '');
  assert.equal(
    unifiedDiff(twenty, after, 'x'),
    `--- live/x
+++ desired/x
@@ -1,5 +1,5 @@
 line 1
-line 2
+LINE 2
 line 3
 line 4
 line 5
@@ -15,6 +15,5 @@
 line 15
 line 16
 line 17
-line 18
 line 19
 line 20
`,
  );
});

test('what is new or gone is compared with /dev/null', () => {
  assert.equal(unifiedDiff('', 'a\n', 'x'), '--- /dev/null\n+++ desired/x\n@@ -0,0 +1 @@\n+a\n');
  assert.equal(unifiedDiff('a\nb\n', '', 'x'), '--- live/x\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n');
  assert.equal(unifiedDiff('a\n', 'a\n', 'x'), '');
});

test('git makes the second text from the first by any diff', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-diff-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'x');
  const texts = fc.array(fc.constantFrom('a', 'b', 'c', ' d', '-e', '+f', ''), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const [from, to] = [before, after].map((lines) => `${lines.join('\n')}\n`) as [string, string];
      const patch = unifiedDiff(from, to, 'x');
      if (patch === '') {
        assert.equal(from, to);
        return;
      }
      writeFileSync(file, from);
      const run = spawnSync('git', ['apply', '--unidiff-zero', '-p1', '-'], { cwd: folder, input: patch });
      assert.equal(run.status, 0, `${run.stderr.toString()}\n${patch}`);
      assert.equal(readFileSync(file, 'utf8'), to);
    }),
    { numRuns: 60 },
  );
});

test('texts with nothing in common are replaced whole, soon enough', () => {
  const many = (word: string): string => Array.from({ length: 5_000 }, (_, index) => `${word} ${index}\n`).join('');
  const started = performance.now();
  const patch = unifiedDiff(many('before'), many('after'), 'x');
  assert.equal(patch.split('\n').filter((line) => /^-before/.test(line)).length, 5_000);
  assert.ok(performance.now() - started < 10_000);
});
