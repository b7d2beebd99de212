import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RenderError } from './error.ts';
import { objectsOf, parseMade } from './objects.ts';
import { rawNumber } from './scalar.ts';

const origin = { path: 'app/a.yaml' };
const item = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const list = (items: unknown, more: object = {}): object => ({ apiVersion: 'v1', kind: 'List', items, ...more });

describe('a document stands for', () => {
  const untyped = { metadata: { name: 'a' } };
  const cases: readonly [string, unknown, readonly string[]][] = [
    ['itself', item('a'), ['ConfigMap a']],
    ['an object that is named later', { ...item(''), metadata: { generateName: 'a-' } }, ['ConfigMap a-']],
    ['the items of a list', list([item('a'), item('b')]), ['ConfigMap a', 'ConfigMap b']],
    ['the items of lists in a list', list([list([item('a')]), item('b')]), ['ConfigMap a', 'ConfigMap b']],
    ['items that leave their type to the list', list([untyped], { kind: 'SecretList' }), ['Secret a']],
    ['items that say their own type', list([item('a')], { kind: 'SecretList' }), ['ConfigMap a']],
    ['the items of whatever kind it is', list([item('a')], { kind: 'Bundle' }), ['ConfigMap a']],
    ['the items of a list without apiVersion', { kind: 'List', items: [item('a')] }, ['ConfigMap a']],
    ['nothing, being an empty list', list([]), []],
    ['nothing, having no items', list(null), []],
    ['nothing, having no items, of a list of any kind', list(null, { kind: 'ConfigMapList' }), []],
    ['itself, having items of its own', list({ a: 1 }, { kind: 'Menu', metadata: { name: 'm' } }), ['Menu m']],
    [
      'itself, having null items and a spec',
      list(null, { kind: 'AccessList', metadata: { name: 'm' }, spec: {} }),
      ['AccessList m'],
    ],
  ];
  for (const [what, document, expected] of cases) {
    test(what, () => {
      const found = [...objectsOf(document, origin)];
      assert.deepEqual(
        found.map(({ kind, metadata }) => `${kind} ${metadata.name || metadata.generateName}`),
        expected,
      );
      for (const { apiVersion } of found) assert.equal(apiVersion, 'v1');
    });
  }
});

describe('a document is refused by its origin, being', () => {
  const cases: readonly [unknown, RegExp][] = [
    [[], /^an object from app\/a\.yaml holds a list, not a Kubernetes object/],
    ['text', /holds a text/],
    [rawNumber('12345678901234567890'), /holds a single value/],
    [{ apiVersion: 'v1' }, /has no kind/],
    [{ metadata: { name: 'b' } }, /^an object named "b" from app\/a\.yaml has no kind/],
    [{ kind: 'X', metadata: { name: 'b' } }, /^an object of kind X named "b" from app\/a\.yaml has no apiVersion/],
    [{ kind: 'A' }, /has no apiVersion/],
    [{ apiVersion: 1, kind: 'A' }, /apiVersion that is no string/],
    [{ apiVersion: 'v1', kind: 'A' }, /\(A\) has no metadata; add metadata\.name/],
    [{ apiVersion: 'v1', kind: 'A', metadata: 'x' }, /metadata that is no map/],
    [{ apiVersion: 'v1', kind: 'A', metadata: {} }, /has no metadata\.name/],
    [{ apiVersion: 'v1', kind: 'A', metadata: { name: 1 } }, /metadata\.name that is no string/],
    [list([item('a'), 1]), /holds a single value/],
    [list([{ kind: 'ConfigMap' }], { kind: 'ConfigMapList' }), /has no apiVersion/],
    [list([{}]), /has no kind/],
  ];
  for (const [document, message] of cases) {
    test(JSON.stringify(document), () => {
      assert.throws(
        () => [...objectsOf(document, origin)],
        (error) => {
          assert.ok(error instanceof RenderError && error.code === 'invalid' && error.file === origin.path);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test('and by document and line where they are known', () => {
    assert.throws(
      () => [...objectsOf('x', { ...origin, document: 1, line: 7 })],
      /^RenderError: app\/a\.yaml, document 2 \(line 7\) holds/,
    );
    assert.throws(
      () => [...objectsOf('x', { ...origin, rendered: { document: 1, line: 7 } })],
      /^RenderError: app\/a\.yaml, document 2 of what it renders to \(line 7\) holds/,
    );
  });
});

test('objects that an engine made are read one by one, each with the index of its document', () => {
  const text = JSON.stringify([item('a'), list([item('b'), item('c')]), item('d')]);
  const made = [...parseMade(text, (index) => ({ path: `templates/${index}.yaml` }))];
  assert.deepEqual(
    made,
    ['a', 'b', 'c', 'd'].map((name, at) => ({ object: item(name), index: [0, 1, 1, 2][at] })),
  );
  assert.deepEqual([...parseMade('[]', () => origin)], []);
  const deep = `[${JSON.stringify(item('a'))},{"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}]`;
  assert.throws(
    () => [...parseMade(deep, (index) => ({ path: `templates/${index}.yaml` }))],
    /an object from templates\/1\.yaml cannot be read: more than 1000 levels of nesting/,
  );
});
