import assert from 'node:assert/strict';
import test from 'node:test';
import { annotation, isDeletionApproved, isSkipped } from './annotations.ts';

test('skip-reconcile is read as Go reads a boolean', () => {
  const skips = (text: string): boolean => isSkipped({ [annotation.skipReconcile]: text });
  assert.deepEqual(['1', 't', 'T', 'true', 'TRUE', 'True'].map(skips), Array(6).fill(true));
  assert.deepEqual(['0', 'f', 'false', 'False', '', 'yes', 'tRUE', ' true', 'on'].map(skips), Array(9).fill(false));
  assert.equal(isSkipped(undefined), false);
});

test('a deletion is approved by a timestamp of RFC 3339 that is not older', () => {
  const since = Date.parse('2026-01-01T00:00:00Z');
  const approves = (text: string): boolean => isDeletionApproved({ [annotation.deletionApproved]: text }, since);
  for (const text of ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5Z', '2026-01-01T01:00:00+01:00'])
    assert.equal(approves(text), true, text);
  for (const text of [
    '2025-12-31T23:59:59Z',
    'true',
    '',
    '2026',
    '2026-01-01',
    '2026-13-01T00:00:00Z',
    '2026-01-01 00:00:00Z',
  ])
    assert.equal(approves(text), false, text);
});
