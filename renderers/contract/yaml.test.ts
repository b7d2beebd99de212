import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RenderError } from './error.ts';
import { type ParsedManifest, parseDocuments, parseManifests } from './yaml.ts';

const limits = { manifestBytes: 10_000_000, manifestCount: 20_000 };
const folder = new URL('./testdata/yaml/', import.meta.url);

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function parse(text: string, path = 'app/x.yaml'): ParsedManifest[] {
  return parseManifests(bytesOf(text), path, limits);
}

/** JSON as Go's `encoding/json` prints it: keys sorted by their bytes, `<`, `>`, `&` escaped. */
function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value === 'string') {
    return JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  }
  if (typeof value !== 'object' || value === null || 'rawJSON' in value) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${fields.map(([key, field]) => `${goJson(key)}:${goJson(field)}`).join(',')}}`;
}

function refused(run: () => unknown, code: string, message: RegExp, line?: number): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof RenderError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (line !== undefined) assert.equal(error.line, line);
    return true;
  });
}

describe('documents are what sigs.k8s.io/yaml 1.6 and apimachinery 0.37 make of them, byte for byte', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    test(file, () => {
      const bytes = readFileSync(new URL(file, folder));
      const expected = readFileSync(new URL(file.replace(/yaml$/, 'json'), folder), 'utf8');
      const read = (): string => {
        const documents = parseDocuments(bytes, file, limits).map(({ value }) => goJson(value));
        return documents.length === 0 ? '[]\n' : `[\n${documents.join(',\n')}\n]\n`;
      };
      if (expected === '"refused"\n')
        refused(read, 'syntax', new RegExp(`^${file}, line [0-9]+: broken (?:YAML|JSON): `));
      else assert.equal(read(), expected);
    });
  }
});

describe('manifests', () => {
  const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

  test('carry the number and the first line of their document', () => {
    const found = parse(`# head\n${configMap('a')}---\n# nothing\n---\n\n# b\n${configMap('b')}`);
    assert.deepEqual(
      found.map(({ object, document, line }) => [object.metadata.name, document, line]),
      [
        ['a', 0, 2],
        ['b', 2, 10],
      ],
    );
  });

  test('of lists are their items, which may leave their type to the list', () => {
    const found = parse(
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMapList\n  items: [{metadata: {name: a}}, {metadata: {generateName: b-}}]\n- apiVersion: v1\n  kind: SecretList\n  items: null\n',
    );
    assert.deepEqual(
      found.map(({ object }) => [object.apiVersion, object.kind, object.metadata.name ?? object.metadata.generateName]),
      [
        ['v1', 'ConfigMap', 'a'],
        ['v1', 'ConfigMap', 'b-'],
      ],
    );
  });

  test('without type or name are refused by file, document and line', () => {
    refused(
      () => parse(`${configMap('a')}---\n\nkind: X\n`),
      'invalid',
      /^app\/x\.yaml, document 2 \(line 6\) has no apiVersion/,
      6,
    );
    refused(() => parse('apiVersion: v1\n'), 'invalid', /has no kind/, 1);
    refused(() => parse('- a\n'), 'invalid', /holds a list, not a Kubernetes object/, 1);
    refused(() => parse('hello\n'), 'invalid', /holds a text/, 1);
    refused(() => parse('12345678901234567890\n'), 'invalid', /holds a single value/, 1);
    refused(() => parse('apiVersion: v1\nkind: X\n'), 'invalid', /\(X\) has no metadata/, 1);
    refused(() => parse('apiVersion: v1\nkind: X\nmetadata: {}\n'), 'invalid', /\(X\) has no metadata\.name/, 1);
    refused(
      () => parse('apiVersion: v1\nkind: X\nmetadata: {name: 1}\n'),
      'invalid',
      /metadata\.name that is no string/,
      1,
    );
    refused(() => parse('apiVersion: 1\nkind: X\n'), 'invalid', /apiVersion that is no string/, 1);
  });

  test('keep integers that a double cannot hold', () => {
    for (const digits of ['9007199254740993', '9223372036854775808', '18446744073709551615']) {
      assert.equal(JSON.stringify(parse(`${configMap('a')}number: ${digits}\n`)[0]?.object['number']), digits);
      const json = `{"apiVersion":"v1","kind":"X","metadata":{"name":"a"},"n":${digits}}`;
      assert.equal(JSON.stringify(parse(json, 'x.json')[0]?.object), json);
    }
  });

  test('have keys such as __proto__ as data', () => {
    for (const text of [
      `${configMap('a')}__proto__: {polluted: 1}\n`,
      '{"apiVersion":"v1","kind":"X","metadata":{"name":"a"},"__proto__":{"polluted":1}}',
    ]) {
      const object = parse(text)[0]?.object as object;
      assert.deepEqual(Object.getOwnPropertyDescriptor(object, '__proto__')?.value, { polluted: 1 });
      assert.equal(Object.getPrototypeOf(object), Object.prototype);
      assert.equal('polluted' in {}, false);
    }
  });

  test('with a key given twice keep the last and warn', () => {
    const warnings: string[] = [];
    const text = `${configMap('a')}data:\n  a: "1"\n  b: "2"\n  a: "3"\n`;
    const [found] = parseManifests(bytesOf(text), 'x.yaml', limits, (sentence) => warnings.push(sentence));
    assert.deepEqual(found?.object['data'], { a: '3', b: '2' });
    assert.deepEqual(warnings, ['x.yaml, line 7: the key "a" is given twice, the last one counts; remove the other']);
  });

  test('expanded from an alias are copies', () => {
    const [found] = parse(`${configMap('a')}x: &x {key: 1}\nz: *x\n`);
    assert.deepEqual(found?.object['z'], { key: 1 });
    assert.notEqual(found?.object['z'], found?.object['x']);
  });
});

describe('encodings', () => {
  test('UTF-16 with a byte order mark is read', () => {
    const little = Buffer.from('\ufeffa: é\n', 'utf16le');
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big]) assert.deepEqual(parseDocuments(bytes, 'x.yaml', limits)[0]?.value, { a: 'é' });
  });

  test('what is no UTF-8 is refused by line', () => {
    refused(
      () => parseDocuments(Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a]), 'x.yaml', limits),
      'syntax',
      /^x\.yaml, line 2: no valid UTF-8/,
      2,
    );
    refused(() => parseDocuments(Buffer.from([0xff, 0xfe, 0x61]), 'x.yaml', limits), 'syntax', /UTF-16/);
  });
});

describe('limits', () => {
  test('of bytes and objects are kept and named', () => {
    refused(
      () => parseManifests(bytesOf('a: 1\n'), 'x.yaml', { ...limits, manifestBytes: 4 }),
      'limit',
      /^x\.yaml has 5 bytes.*manifestBytes$/,
    );
    refused(
      () => parseDocuments(bytesOf('a: 1\n---\na: 2\n'), 'x.yaml', { ...limits, manifestCount: 1 }),
      'limit',
      /manifestCount$/,
    );
    const list = `{"apiVersion":"v1","kind":"List","items":[${'{"apiVersion":"v1","kind":"X","metadata":{"name":"a"}},'.repeat(2)}{}]}`;
    refused(() => parseManifests(bytesOf(list), 'x.json', { ...limits, manifestCount: 1 }), 'limit', /manifestCount$/);
  });

  test('nesting is read to 1,000 levels and refused beyond, as YAML and as JSON', () => {
    for (const depth of [999, 100_000]) {
      for (const text of [
        `a: ${'['.repeat(depth)}${']'.repeat(depth)}\n`,
        `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`,
      ]) {
        if (depth < 1_000) assert.equal(parseDocuments(bytesOf(text), 'x.yaml', limits).length, 1);
        else refused(() => parseDocuments(bytesOf(text), 'x.yaml', limits), 'syntax', /line 1/);
      }
    }
  });

  test('aliases cannot make a short text long, nor nest without end', () => {
    const chain = Array.from(
      { length: 40 },
      (_, i) => `a${i}: &a${i} ${'['.repeat(90)}${i === 0 ? 1 : `*a${i - 1}`}${']'.repeat(90)}\n`,
    );
    refused(() => parseDocuments(bytesOf(chain.join('')), 'x.yaml', limits), 'syntax', /levels of nesting/);
  });

  test('further lines of a quoted text may begin in any column', () => {
    const text = `a: {\n b: "${'x\n'.repeat(3)}"}\n`;
    assert.deepEqual(parseDocuments(bytesOf(text), 'x.yaml', limits)[0]?.value, { a: { b: 'x x x ' } });
  });

  test('keys given twice are named up to a number, and counted', () => {
    const warnings: string[] = [];
    const text = 'a: 1\n'.repeat(251);
    parseDocuments(bytesOf(`${text}---\n${text}`), 'x.yaml', limits, (sentence) => warnings.push(sentence));
    assert.equal(warnings.length, 101);
    assert.match(warnings[99] ?? '', /^x\.yaml, line 101: the key "a" is given twice/);
    assert.equal(warnings[100], 'x.yaml: 400 more keys are given twice');
  });
});

test('any JSON object is read the same from JSON and from YAML', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (object) => {
      const text = JSON.stringify(object);
      const expected = JSON.parse(text) as unknown;
      assert.deepEqual(parseDocuments(bytesOf(text), 'x.json', limits)[0]?.value, expected);
    }),
  );
});

test('no text makes the reader fail in another way than by a RenderError', () => {
  const piece = fc.constantFrom(
    ...'a: |>-?[]{},&*!#%@`"\'\\\n\t0_.<~'.split(''),
    '\n---',
    '\n  ',
    '<<: ',
    '*a',
    '&a ',
    '!!int ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      try {
        parse(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof RenderError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
