import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { emit, files } from './emit.ts';

const reference = new URL('../../shared/wire/crds/', import.meta.url);

/** The CRD without what only people read. A field that is called `description` stays: its schema is no string. */
function structure(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(structure);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => !(key === 'description' && typeof value === 'string'))
      .map(([key, value]) => [key, structure(value)]),
  );
}

for (const [name, crd] of Object.entries(files)) {
  test(`${name} is what the schemas emit`, async () => {
    const committed = await readFile(new URL(name, import.meta.url), 'utf8');
    assert.equal(committed, emit(crd), 'run `node crds/emit.ts` and commit what it writes');
  });

  test(`${name} means the same in YAML 1.1 and 1.2`, () => {
    for (const version of ['1.1', '1.2'] as const) assert.deepEqual(parse(emit(crd), { version }), crd);
  });

  test(`${name} fits into the annotation that kubectl apply keeps`, () => {
    // metav1's TotalAnnotationSizeLimitB; client-side apply stores the whole object in one annotation.
    assert.ok(Buffer.byteLength(JSON.stringify(crd)) < 256 * 1024);
  });

  test(`${name} has the structure of Argo CD's`, async (t) => {
    const file = new URL(name.replace('.yaml', '-crd.yaml'), reference);
    if (!existsSync(file))
      return t.diagnostic(`${name}: not compared, there is no reference CRD beside the repository`);
    const theirs = parse(await readFile(file, 'utf8'));
    delete theirs.metadata.annotations; // the version of the tool that wrote it
    assert.deepEqual(structure(parse(emit(crd))), structure(theirs));
  });
}
