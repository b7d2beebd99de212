import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, type LogFormat } from './log.ts';

function linesOf(format: LogFormat, level: 'debug' | 'warn' | 'silent' = 'debug'): string[] {
  const lines: string[] = [];
  const log = createLog(level, format, (line) => void lines.push(line));
  log.debug({}, 'looked');
  log.warn({ trace_id: 'ab12', application: 'shop', left: undefined, again: true, n: 3 }, 'a "word"\nand more');
  return lines;
}

test('JSON lines have a level, a time, a message and the fields', () => {
  const [, line = ''] = linesOf('json');
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const fields = { trace_id: 'ab12', application: 'shop', again: true, n: 3 };
  assert.deepEqual(rest, { level: 'warn', ...fields, msg: 'a "word"\nand more' });
});

test("text is one line each, as Argo CD's", () => {
  const [looked = '', word = ''] = linesOf('text');
  assert.match(looked, /^time="\d{4}-\d\d-\d\dT[\d:.]+Z" level=debug msg=looked\n$/);
  assert.equal(
    word.replace(/^time="[^"]+" /, ''),
    'level=warning msg="a \\"word\\"\\nand more" again=true application=shop n=3 trace_id=ab12\n',
  );
});

test('lines below the level are not written', () => {
  for (const format of ['json', 'text'] as const) {
    assert.equal(linesOf(format, 'warn').length, 1);
    assert.equal(linesOf(format, 'silent').length, 0);
  }
});
