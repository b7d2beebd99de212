import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { equalJson, mergePatch } from './merge-patch.ts';

/** RFC 7396, section 2. */
function apply(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map(Object.entries(isObject ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, apply(result.get(name), value));
  }
  return Object.fromEntries(result);
}

// A merge patch cannot store null, nor can an API server: it drops null where it decodes.
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    tie('object'),
    fc.array(tie('any'), { maxLength: 3 }),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', '', 'constructor', 'toString'), tie('any'), { maxKeys: 4 }),
}));

test('a merge patch turns one object into the other', () => {
  fc.assert(
    fc.property(value.object, value.object, (from, to) => {
      const patch = mergePatch(from, to);
      assert.ok(equalJson(patch === undefined ? from : apply(from, patch), to));
    }),
  );
});

test('there is no patch between equal objects, and one between others', () => {
  fc.assert(
    fc.property(value.object, value.object, (from, to) => {
      assert.equal(mergePatch(from, structuredClone(from)), undefined);
      assert.equal(mergePatch(from, to) === undefined, equalJson(from, to));
    }),
  );
});

const cases: readonly [from: unknown, to: unknown, patch: unknown][] = [
  [undefined, { a: 1 }, { a: 1 }],
  [{ a: 1, b: 2 }, { a: 1 }, { b: null }],
  [{ a: 1 }, { a: undefined }, { a: null }],
  [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 3 } }],
  [{ a: [1, 2] }, { a: [1, 2, 3] }, { a: [1, 2, 3] }],
  [{ a: { b: 1 } }, { a: [1] }, { a: [1] }],
  [{ a: [] }, { a: {} }, { a: {} }],
  [{ a: {} }, { a: {} }, undefined],
  [{ b: 1, a: 2 }, { a: 2, b: 1 }, undefined],
];
for (const [from, to, patch] of cases) {
  test(`from ${JSON.stringify(from)} to ${JSON.stringify(to)}`, () => {
    assert.deepEqual(mergePatch(from, to), patch);
  });
}
