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
    'changes of sync and health',
    { sync: { status: 'Synced' }, health: { status: 'Healthy' } },
    { sync: { status: 'OutOfSync' }, health: { status: 'Degraded', message: 'Caused by Pod:shop/a' } },
    [
      'Normal ResourceUpdated Updated sync status: Synced -> OutOfSync',
      'Normal ResourceUpdated Updated health status: Healthy -> Degraded (Caused by Pod:shop/a)',
    ],
  ],
];
for (const [what, before, after, expected] of cases) {
  test(`people are told ${what}`, () => {
    assert.deepEqual(told(before, after), expected);
  });
}
