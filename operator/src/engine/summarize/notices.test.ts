import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApplicationStatus, OperationState } from '@mooring/crds';
import { notices } from './notices.ts';

const running: OperationState = { operation: { sync: { revision: 'main' } }, phase: 'Running', startedAt: 't1' };
const over: OperationState = { ...running, phase: 'Succeeded', syncResult: { revision: 'c1' } };

function told(before: ApplicationStatus | undefined, after: ApplicationStatus): string[] {
  return notices(before, after).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}

const cases: readonly [
  what: string,
  before: ApplicationStatus | undefined,
  after: ApplicationStatus,
  told: readonly string[],
][] = [
  ['nothing where nothing changed', { operationState: over }, { operationState: over }, []],
  ['a start', {}, { operationState: running }, ['Normal OperationStarted Unknown user initiated sync to main']],
  [
    'who started a part of one',
    {},
    {
      operationState: {
        ...running,
        operation: {
          initiatedBy: { username: 'ada' },
          sync: { revision: 'v2', resources: [{ kind: 'Job', name: 'a' }] },
        },
      },
    },
    ['Normal OperationStarted ada initiated partial sync to v2'],
  ],
  [
    'an end',
    { operationState: running },
    { operationState: over },
    ['Normal OperationCompleted Sync operation to c1 succeeded'],
  ],
  [
    'start and end of what took one pass',
    { operationState: over },
    { operationState: { ...over, startedAt: 't2', operation: { initiatedBy: { automated: true } } } },
    [
      "Normal OperationStarted Initiated automated sync to 'c1'",
      'Normal OperationCompleted Sync operation to c1 succeeded',
    ],
  ],
  [
    'a failure of a part',
    { operationState: running },
    {
      operationState: {
        ...over,
        phase: 'Failed',
        message: 'no',
        operation: { sync: { resources: [{ kind: 'Job', name: 'a' }] } },
      },
    },
    ['Warning OperationCompleted Partial sync operation to c1 failed: no'],
  ],
  [
    'no end of what waits for its next try',
    { operationState: running },
    { operationState: { ...running, finishedAt: 't3' } },
    [],
  ],
  [
    'a try that failed, the same each time',
    { operationState: { ...over, phase: 'Running', retryCount: 1 } },
    {
      operationState: {
        ...over,
        phase: 'Running',
        retryCount: 2,
        message: 'no quota. Retrying attempt #2 at 2026-01-01T00:00:00Z.',
      },
    },
    ['Warning OperationRetried Sync operation to c1 failed, and is tried again: no quota.'],
  ],
  [
    'what stands in the way, once',
    { conditions: [{ type: 'SharedResourceWarning', message: 'two' }] },
    {
      conditions: [
        { type: 'SharedResourceWarning', message: 'two' },
        { type: 'ComparisonError', message: 'a.yaml, line 2: broken' },
      ],
    },
    ['Warning ComparisonError a.yaml, line 2: broken'],
  ],
  [
    'no refusal that is of a failed sync, which was told of',
    { operationState: { ...over, phase: 'Failed', message: 'no' } },
    {
      operationState: { ...over, phase: 'Failed', message: 'no' },
      conditions: [{ type: 'SyncError', message: 'Failed last sync attempt to [c1]: no' }],
    },
    [],
  ],
  [
    'another cause of the same health',
    { health: { status: 'Degraded', message: 'Caused by Pod:shop/a' } },
    { health: { status: 'Degraded', message: 'Caused by Pod:shop/a, Pod:shop/b' } },
    ['Warning ResourceUpdated Updated health status: Degraded -> Degraded (Caused by Pod:shop/a, Pod:shop/b)'],
  ],
  [
    'changes of sync and health',
    { sync: { status: 'Synced' }, health: { status: 'Healthy' } },
    { sync: { status: 'OutOfSync' }, health: { status: 'Degraded', message: 'Caused by Pod:shop/a' } },
    [
      'Normal ResourceUpdated Updated sync status: Synced -> OutOfSync',
      'Warning ResourceUpdated Updated health status: Healthy -> Degraded (Caused by Pod:shop/a)',
    ],
  ],
];
for (const [what, before, after, expected] of cases) {
  test(`people are told ${what}`, () => {
    assert.deepEqual(told(before, after), expected);
  });
}
