import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { steps } from './emit.ts';

for (const step of steps) {
  test(`${step.name} is current`, async () => {
    const files = await step();
    assert.notDeepEqual(files, {});
    for (const [path, text] of Object.entries(files)) {
      const committed = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => undefined);
      assert.ok(committed === text, `charts/${path} is not what is generated: run \`make charts\` and commit the file`);
    }
  });
}
