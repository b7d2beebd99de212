import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pages } from './reference/emit.ts';

for (const [name, page] of Object.entries(pages)) {
  test(`docs/reference/${name} says what the code says`, async () => {
    const written = await readFile(new URL(`reference/${name}`, import.meta.url), 'utf8');
    assert.equal(written, page(), 'run `make reference`');
  });
}
