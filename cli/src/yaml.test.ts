import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { readWithGo } from '../../e2e/cluster/go-yaml.ts';
import { yamlOf } from './yaml.ts';

const odd: readonly string[] = [
  ...[
    '\tserver {\n\t}\n',
    '\n\na\n',
    ' a\nb',
    'a\n\n\n',
    'a\n \n',
    'a\n\t\n',
    'a\r\nb',
    'a\n  b\n c',
    '\n',
    '\n\n',
    '#\na\n',
    '---\na\n',
    'a\n---\nb',
  ],
  ...[
    '+0o7',
    '1e3_',
    '<<',
    '=',
    'a\u0085b',
    'a\u2028b',
    'a\u2029b\n',
    '\ufeffa',
    'a\ufeff',
    '\u007f',
    '\0',
    '\u001b[0m',
    '\ufffe',
    'é',
    '🚀',
    '\u00a0',
  ],
  ...[
    '',
    ' ',
    ' a',
    'a ',
    'a: b',
    'a:',
    ':a',
    ': a',
    'a #b',
    '#a',
    'a#b',
    '- a',
    '-',
    '--',
    '---',
    '--- a',
    '-f',
    '?',
    '? a',
    '?a',
    '[a',
    'a]',
    '{',
    '}',
    ', a',
  ],
  ...[
    '&a',
    '*a',
    '!a',
    '|',
    '>',
    "'",
    '"',
    '%a',
    '@a',
    '`a',
    '~',
    'null',
    'Yes',
    'oN',
    'y',
    'N',
    '.',
    '..',
    '...',
    '... a',
    '.inf',
    '-.INF',
    '.NaN',
    '12:30:00',
    '1:60',
  ],
  ...[
    '0x',
    '0b',
    '0o17',
    '0777',
    '1_000',
    '_1',
    '1_',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+',
    '2026-01-02',
    '2026-1-2T00:00:00Z',
    '1.2.3',
    '10.0.0.0/8',
    '{{ a }}',
    '100m',
  ],
];

/** What a value holds once it went through JSON: without fields that are undefined. */
function plainOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null') as unknown;
}

async function checkWithGo(values: readonly unknown[]): Promise<void> {
  const texts = values.map((value) => yamlOf(value));
  const readings = await readWithGo(texts, console.log);
  for (const [index, reading] of readings.entries()) {
    const found = 'documents' in reading ? reading.documents : reading.refused;
    assert.deepEqual(plainOf(found), [plainOf(values[index])], String(texts[index]));
  }
}

test('odd texts, as values, items and keys, are read as what they were by every reader', async () => {
  const values = odd.flatMap((text) => [
    { a: text },
    { a: [text, { b: text }] },
    { [text]: 1, z: { [text]: [[text], []] } },
  ]);
  await checkWithGo(values);
  for (const value of values) {
    for (const version of ['1.1', '1.2'] as const)
      assert.deepEqual(parse(yamlOf(value), { version }), value, yamlOf(value));
  }
});

test("any JSON value is read by Go's reader as what it was", async () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom(...odd, 'a', ' ', '\n', '\t', ':', '#', '-'), { maxLength: 5 })
      .map((parts) => parts.join('')),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }),
    map: fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  }));
  const samples = fc.sample(fc.dictionary(text, value, { minKeys: 1, maxKeys: 4 }), { numRuns: 5_000, seed: 1 });
  await checkWithGo(samples.filter((sample) => JSON.stringify(sample).isWellFormed()));
});

test('numbers have every digit, and a point before an exponent', () => {
  const value = { a: JSON.rawJSON('12345678901234567890'), b: 1e21, c: 5e-7, d: -0, e: 1.5e300, f: undefined };
  assert.equal(yamlOf(value), 'a: 12345678901234567890\nb: 1.0e+21\nc: 5.0e-7\nd: 0\ne: 1.5e+300\n');
});

test('a key that is too long for readers to see its colon has a question mark', async () => {
  const value = { ['k'.repeat(2_000)]: { a: 1 }, ['l'.repeat(2_000)]: [1], m: 'x' };
  await checkWithGo([value, { list: [value] }]);
});
