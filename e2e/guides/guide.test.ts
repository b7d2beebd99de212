import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepsOf } from './guide.ts';

test('a page becomes commands, files, and what cannot be run here', () => {
  const page = [
    'Do this:',
    '```sh',
    'one',
    'two',
    '```',
    '```yaml file=a/b.yaml',
    'c: 1',
    '```',
    '```',
    'what it prints',
    '```',
    '```sh not run here: it needs Docker',
    'three',
    '```',
  ].join('\n');
  assert.deepEqual(stepsOf(page), [
    { kind: 'run', line: 3, text: 'one\ntwo\n' },
    { kind: 'write', line: 7, text: 'c: 1\n', path: 'a/b.yaml' },
    { kind: 'leave', line: 13, text: 'three\n', why: 'it needs Docker' },
  ]);
  assert.throws(() => stepsOf('```sh\none\n'), /line 1 has no end/);
});
