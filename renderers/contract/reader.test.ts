import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RenderError } from './error.ts';
import { readDocuments, readManifests } from './reader.ts';
import { pack, unpack } from './reader-protocol.ts';
import { parseDocuments, parseManifests } from './yaml.ts';

const limits = { manifestBytes: 10_000_000, manifestCount: 20_000 };
const configMap = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n${more}`;

describe('a long text is read in a thread of its own', () => {
  const long = Array.from({ length: 2_000 }, (_, index) =>
    configMap(`a${index}`, `n: 12345678901234567890\nb: "\\0${index}"\n`),
  );

  test('as it is in this one', async () => {
    const bytes = Buffer.from(long.join('---\n'));
    const { found } = await readManifests(bytes, 'x.yaml', limits);
    assert.equal(JSON.stringify(found), JSON.stringify(parseManifests(bytes, 'x.yaml', limits)));
    const documents = await readDocuments(bytes, 'x.yaml', limits);
    assert.equal(JSON.stringify(documents.found), JSON.stringify(parseDocuments(bytes, 'x.yaml', limits)));
  });

  test('with its warnings and errors', async () => {
    const twice = `${long.join('---\n')}---\n${configMap('b', 'a: 1\na: 2\n')}`;
    const { warnings } = await readManifests(Buffer.from(twice), 'x.yaml', limits);
    assert.deepEqual(warnings, [
      'x.yaml, line 12005: the key "a" is given twice, the last one counts; remove the other',
    ]);
    const broken = Buffer.from(`${long.join('---\n')}---\na: [\n`);
    await assert.rejects(readManifests(broken, 'x.yaml', limits), (error) => {
      assert.ok(error instanceof RenderError);
      assert.equal(error.code, 'syntax');
      assert.match(error.message, /^x\.yaml, line 12002: broken YAML/);
      return true;
    });
  });

  test('and what aliases repeat counts for what it is written out', async () => {
    const part = 'z'.repeat(1_000_000);
    const item = (index: number): string =>
      `- {apiVersion: v1, kind: ConfigMap, metadata: {name: c${index}}, data: {x: *a}}\n`;
    const text = (items: number): Buffer =>
      Buffer.from(
        `apiVersion: v1\nkind: List\nx: &a ${part}\nitems:\n${Array.from({ length: items }, (_, index) => item(index)).join('')}`,
      );
    const { found, objectBytes } = await readManifests(text(19), 'x.yaml', limits);
    assert.equal(found.length, 19);
    assert.ok(objectBytes > 19_000_000 && objectBytes < 20_000_000, `${objectBytes}`);
    const expected = /x\.yaml holds more than 20000000 bytes once its aliases are written out; repeat less/;
    await assert.rejects(readManifests(text(1_000), 'x.yaml', limits), expected);
    await assert.rejects(
      readDocuments(Buffer.from(`a: &a ${part}\nb: [${'*a, '.repeat(50)}]\n`), 'x.yaml', limits),
      expected,
    );
  });

  test('until the signal says stop', async () => {
    const stop = new AbortController();
    const reading = readManifests(Buffer.from(long.join('---\n').repeat(20)), 'x.yaml', limits, stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(reading, /enough/);
    await assert.rejects(readManifests(Buffer.alloc(20_000, 'a'), 'x.yaml', limits, stop.signal), /enough/);
  });

  test('and others have their turn meanwhile', async () => {
    const inputs: readonly (readonly [string, string])[] = [
      ['keys given twice', '  a:\n'.repeat(400_000)],
      ['keys given twice in braces', `a: {${'a: 1, '.repeat(400_000)}}\n`],
      ['objects', configMap('a', 'data: {a: b, c: d}\n---\n').repeat(20_000)],
      ['repeated parts', `a: &a [${'1,'.repeat(1_000)}]\nb: [${'*a,'.repeat(300)}]\n`],
      ['open brackets', `a: ${'['.repeat(500_000)}\n`],
    ];
    await readManifests(Buffer.from(long.join('---\n')), 'x.yaml', limits);
    for (const [name, text] of inputs) {
      const longest = await standstill(text);
      assert.ok(longest < 50, `${name}: the event loop stood still for ${longest} ms`);
    }
  });
});

/** The longest time in milliseconds that this thread worked without a turn for others while a text was read; time that the machine gave to others does not count. */
async function standstill(text: string): Promise<number> {
  let isReading = true;
  let longest = 0;
  const watching = (async () => {
    for (let last = workedMs(); isReading; ) {
      await nextTurn();
      const now = workedMs();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  await readManifests(Buffer.from(text), 'x.yaml', limits).catch((error: unknown) =>
    assert.ok(error instanceof RenderError, String(error)),
  );
  isReading = false;
  await watching;
  return longest;
}

function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

test('an object larger than API servers take is refused by its place', async () => {
  const text = configMap('a', `data:\n  a: "${'x'.repeat(3 * 1024 * 1024)}"\n`);
  await assert.rejects(
    readManifests(Buffer.from(text), 'x.yaml', limits),
    /x\.yaml, document 1 \(line 1\) has an object of more than 3 MiB/,
  );
});

test('values are the same after their way between threads', () => {
  const rawJson = (text: string): never => (JSON as unknown as { rawJSON(text: string): never }).rawJSON(text);
  for (const value of [
    { a: rawJson('12345678901234567890'), b: ['\0', '\0\0x', 'x\0', rawJson('1e400')] },
    JSON.parse('{"__proto__": {"a": "\\u00001"}, "constructor": 1234567890123456}'),
    [1e21, 0.1, -0, null, false, ''],
  ]) {
    const { json, hasMarks } = pack(value);
    assert.equal(JSON.stringify(unpack(json, hasMarks)), JSON.stringify(value));
  }
});
