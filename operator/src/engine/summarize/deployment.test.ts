import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApplicationStatus, OperationState, SyncOperation } from '@mooring/crds';
import { deploymentOf, endedOperation } from './deployment.ts';

function operation(revision: string, sync: Partial<SyncOperation> = {}, phase = 'Succeeded'): OperationState {
  return { operation: { sync }, phase, startedAt: 't1', syncResult: { revision } } as OperationState;
}

const after = (...revisions: string[]): ApplicationStatus => ({
  history: revisions.map((revision, id) => ({ id, revision, deployedAt: 't0' })),
});

const cases: readonly [what: string, before: ApplicationStatus | undefined, ended: OperationState, told: string][] = [
  ['the first revision', undefined, operation('b'), 'none'],
  ['a first revision that failed', undefined, operation('b', {}, 'Failed'), 'none'],
  ['a new revision', after('a'), operation('b'), 'succeeded, news'],
  ['a new revision that failed', after('a'), operation('b', {}, 'Failed'), 'failed, news'],
  ['a new revision that could not be carried out', after('a'), operation('b', {}, 'Error'), 'failed, news'],
  ['a rollback', after('a', 'b'), operation('a'), 'succeeded, no news'],
  ['the same revision again', after('a', 'b'), operation('b'), 'none'],
  ['a heal', after('a'), operation('a', { autoHealAttemptsCount: 1, resources: [{ kind: 'A', name: 'b' }] }), 'none'],
  ['a heal after a rollback by hand', after('a'), operation('b', { autoHealAttemptsCount: 1 }), 'none'],
  ['a rehearsal', after('a'), operation('b', { dryRun: true }), 'none'],
  ['a part', after('a'), operation('b', { resources: [{ kind: 'A', name: 'b' }] }), 'none'],
  ['one that ended before its revision was known', after('a'), operation('', {}, 'Error'), 'none'],
];
for (const [what, before, ended, told] of cases) {
  test(`as a deployment, ${what} is: ${told}`, () => {
    const found = deploymentOf(before, ended);
    const text = found && `${found.succeeded ? 'succeeded' : 'failed'}, ${found.isNews ? 'news' : 'no news'}`;
    assert.equal(text ?? 'none', told);
  });
}

test('an operation ends once', () => {
  const over = operation('a');
  const running: OperationState = { ...over, phase: 'Running' };
  assert.equal(endedOperation({ operationState: running }, { operationState: over }), over);
  assert.equal(endedOperation(undefined, { operationState: over }), over);
  assert.equal(endedOperation({ operationState: over }, { operationState: over }), undefined);
  assert.equal(endedOperation({ operationState: over }, { operationState: running }), undefined);
  const next = { ...over, startedAt: 't2' };
  assert.equal(endedOperation({ operationState: over }, { operationState: next }), next);
});
