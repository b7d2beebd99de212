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

test('the page of traces names every attribute that spans have, and no other', async () => {
  const controllers = new URL('../operator/src/controllers/', import.meta.url);
  const page = await readFile(new URL('reference/logs-and-traces.md', import.meta.url), 'utf8');
  const sources = ['traces.ts', 'application/trace.ts'].map((path) => readFile(new URL(path, controllers), 'utf8'));
  const namesIn = (text: string, quote: string): string[] => [
    ...new Set(
      Array.from(
        text.matchAll(new RegExp(`${quote}((?:argocd|mooring)\\.[\\w.]+)${quote}`, 'g')),
        ([, name = '']) => name,
      ),
    ),
  ];
  const used = namesIn((await Promise.all(sources)).join('\n'), "'");
  const told = namesIn(page, '`');
  assert.ok(used.length > 10);
  assert.deepEqual(told.sort(), used.sort());
});
