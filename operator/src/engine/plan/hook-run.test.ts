import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Application, OperationState, ResourceResult } from '@mooring/crds';
import { annotation } from '../../model/annotations.ts';
import { hookFinalizers, hookHold } from '../../model/finalizers.ts';
import type { LiveRecord } from '../../model/live.ts';
import { hookOfRun, isAwaited, runOf } from './hook-run.ts';
import { record, wanted } from './testdata/objects.ts';

test('a hook is held from its creation, beside what else holds it', () => {
  const hook = wanted('Job migrate hook=PreSync');
  assert.deepEqual(hookOfRun(hook, 'PreSync', 'abc-1').object.metadata.finalizers, [hookHold]);
  const metadata = { ...hook.object.metadata, finalizers: ['example.com/audit', hookHold] };
  const held = hookOfRun({ ...hook, object: { ...hook.object, metadata } }, 'PreSync', 'abc-1');
  assert.deepEqual(held.object.metadata.finalizers, ['example.com/audit', hookHold]);
});

describe('the end of a hook is awaited', () => {
  const key = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };
  const startedAt = '2026-01-01T00:00:00Z';
  const source = { repoURL: 'https://git.example.com/shop.git' };
  const held = (run: string | undefined): LiveRecord =>
    record(key, { hints: run === undefined ? undefined : { [annotation.hookRun]: run }, isHeld: true });
  const result = (syncPhase: 'PreSync' | 'PostSync', hookPhase: ResourceResult['hookPhase']): ResourceResult => ({
    ...key,
    version: 'v1',
    hookType: syncPhase,
    syncPhase,
    ...(hookPhase && { hookPhase }),
  });
  const stateOf = (resources: readonly ResourceResult[], more: Partial<OperationState> = {}): OperationState => ({
    operation: { sync: {} },
    phase: 'Running',
    startedAt,
    syncResult: { revision: 'abcdefabcdef', source, resources },
    ...more,
  });
  const app = (state: OperationState | undefined, metadata: Application['metadata'] = {}): Application => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata,
    spec: { project: 'default', source, destination: {} },
    ...(state && { status: { operationState: state } }),
  });
  const run = runOf(stateOf([]));
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  const deletionRun = `${Date.parse(deletionTimestamp) / 1_000}`;
  const going = (finalizers: string[]) => app(undefined, { deletionTimestamp, finalizers });

  const cases: readonly (readonly [string, boolean, string | undefined, Application])[] = [
    ['created, and not stored yet', true, `${run}-presync`, app(stateOf([]))],
    ['stored as running', true, `${run}-presync`, app(stateOf([result('PreSync', 'Running')]))],
    ['stored as done', false, `${run}-presync`, app(stateOf([result('PreSync', 'Succeeded')]))],
    ['stored as failed', false, `${run}-presync`, app(stateOf([result('PreSync', 'Failed')]))],
    ['made anew for a later phase', true, `${run}-postsync`, app(stateOf([result('PreSync', 'Succeeded')]))],
    ['of the operation before', false, 'abcdefa-5-presync', app(stateOf([]))],
    ['of the try before', false, `${run}-presync`, app(stateOf([], { retryCount: 1 }))],
    ['of this try', true, `${run}-1-presync`, app(stateOf([], { retryCount: 1 }))],
    [
      'of a try that is over',
      false,
      `${run}-presync`,
      app(stateOf([result('PreSync', 'Running')], { finishedAt: startedAt })),
    ],
    ['of an operation that is ended', true, `${run}-presync`, app(stateOf([], { phase: 'Terminating' }))],
    ['of Argo CD, in whose operation it goes on', true, undefined, app(stateOf([result('PreSync', 'Running')]))],
    ['of Argo CD, left behind', false, undefined, app(stateOf([]))],
    ['of an operation that is lost', false, `${run}-presync`, app(undefined)],
    ['of a sync of what is being deleted', false, `${run}-presync`, app(stateOf([]), { deletionTimestamp })],
    ['of a deletion', true, `${deletionRun}-predelete`, going([hookFinalizers.PreDelete.run])],
    ['of a deletion that has gone on', false, `${deletionRun}-predelete`, going([hookFinalizers.PreDelete.cleanUp])],
    ['of another deletion', false, '5-predelete', going([hookFinalizers.PreDelete.run])],
  ];
  for (const [what, expected, mark, stored] of cases) {
    test(`${what}: ${expected}`, () => assert.equal(isAwaited(held(mark), stored), expected));
  }
});
