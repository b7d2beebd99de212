import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GoReading, readWithGo } from '../../e2e/cluster/go-yaml.ts';
import { RenderError } from './error.ts';
import { publicShapes, yamlSoup } from './testdata/shapes.ts';
import { parseDocuments } from './yaml.ts';

const limits = { manifestBytes: 10_000_000, manifestCount: 20_000 };

/** A text of the value, the same for equal ones. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`;
}

function ours(text: string): string {
  try {
    return canonical(parseDocuments(Buffer.from(text), 'x.yaml', limits).map(({ value }) => value));
  } catch (error) {
    assert.ok(error instanceof RenderError && error.code === 'syntax', String(error));
    return 'refused';
  }
}

/** The texts that the two readers differ over, with what each says, and how many both can read. */
async function compare(texts: readonly string[]): Promise<{ differ: string[]; read: number }> {
  const readings = await readWithGo(texts, console.log);
  const differ: string[] = [];
  let read = 0;
  for (const [index, text] of texts.entries()) {
    const reading = readings[index] as GoReading;
    const theirs = 'refused' in reading ? 'refused' : canonical(reading.documents);
    const found = ours(text);
    if (found !== theirs) differ.push(`${JSON.stringify(text)}\n ours ${found}\n Go's ${JSON.stringify(reading)}`);
    else if (found !== 'refused') read += 1;
  }
  return { differ, read };
}

test("5,000 files of the shapes that are public are read as Go's reader does", async () => {
  const { differ, read } = await compare(publicShapes(5_000));
  assert.deepEqual(differ.slice(0, 5), []);
  assert.ok(read > 2_500, `only ${read} can be read`);
});

// Left out: what begins like JSON, which has rules of its own, and an empty list or map at the beginning of a line with more behind it, which Go's reader silently
// cuts off and ours refuses.
const apart = /(?:^|---\r?\n)\s*\{|[[{]\s*[\]}]/;

test("texts of anything that means something in YAML are read or refused as by Go's reader", async () => {
  const { differ, read } = await compare(yamlSoup(40_000).filter((text) => !apart.test(text)));
  assert.deepEqual(differ.slice(0, 5), []);
  assert.ok(read > 10_000, `only ${read} can be read`);
});

const cases: readonly (readonly [text: string, value: unknown])[] = [
  ['[10.0.0.0/8, fd00::]', ['10.0.0.0/8', 'fd00::']],
  ['a: {prefix: fd00::}', { a: { prefix: 'fd00::' } }],
  ['a: [fd00::, ::1]', 'refused'],
  ['[apply, -f, -]', ['apply', '-f', '-']],
  ['a: {b: fd00::, c: ::}', 'refused'],
  ['a: [x:y, "q":z, w: ]', [{}]],
];

test('in a flow collection a colon ends a text only before white space', async () => {
  const { differ } = await compare(cases.map(([text]) => text));
  assert.deepEqual(differ, []);
  assert.equal(ours('a: [fd00::]\n'), '[{"a":["fd00::"]}]');
  assert.equal(ours('a: {prefix: fd00::}\n'), '[{"a":{"prefix":"fd00::"}}]');
  assert.equal(ours('a: [apply, -f, -]\n'), '[{"a":["apply","-f","-"]}]');
});
