import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationState } from '@mooring/crds';
import { finalMessage, waitingMessage, withWayOut } from './operation-message.ts';

function state(automated: boolean, retryCount: number): OperationState {
  return { operation: { initiatedBy: { automated } }, phase: 'Running', startedAt: 't', retryCount };
}

test('after the last try a message says that nothing is tried again, and what to do', () => {
  const byHand = ' This revision is not tried again: mend the cause and push it, or sync by hand.';
  assert.equal(finalMessage('no', 'Failed', state(true, 5)), `no (retried 5 times).${byHand}`);
  assert.equal(finalMessage('no', 'Failed', state(true, 0)), `no.${byHand}`);
  assert.equal(
    finalMessage('no', 'Failed', state(false, 2)),
    'no (retried 2 times). It is not tried again: mend the cause, then sync again.',
  );
});

test('who asked knows that a sync without retries is over; an automated one that was kept from its work begins anew', () => {
  assert.equal(finalMessage('no', 'Failed', state(false, 0)), 'no');
  assert.equal(finalMessage('no', 'Error', state(true, 5)), 'no (retried 5 times).');
});

test('a wait says since when, until it is for something else', () => {
  const at = Date.UTC(2026, 0, 1);
  const first = waitingMessage('waiting for healthy state of apps/Deployment/a and 2 more resources', 'running', at);
  assert.equal(
    first,
    'waiting for healthy state of apps/Deployment/a and 2 more resources (since 2026-01-01T00:00:00Z)',
  );
  const fewer = waitingMessage('waiting for healthy state of apps/Deployment/a', first, at + 60_000);
  assert.equal(fewer, 'waiting for healthy state of apps/Deployment/a (since 2026-01-01T00:00:00Z)');
  const other = waitingMessage('waiting for completion of hook batch/Job/b', fewer, at + 60_000);
  assert.equal(other, 'waiting for completion of hook batch/Job/b (since 2026-01-01T00:01:00Z)');
});

const refusals: readonly string[] = [
  'Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
  "StatefulSet.apps \"db\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals' are forbidden",
  'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: "None": may not change once set',
  'PersistentVolumeClaim "data" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests',
  'RoleBinding.rbac.authorization.k8s.io "a" is invalid: roleRef: Invalid value: {}: cannot change roleRef',
];
for (const refusal of refusals) {
  test(`the way out is named: ${refusal}`, () => {
    assert.match(
      withWayOut(refusal, true),
      /^.*; what is immutable .*give it another name, or .*Replace=true,Force=true/,
    );
  });
}

test('of what must not be deleted only another name is a way out', () => {
  assert.match(withWayOut('field is immutable', false), /give it another name$/);
});

test('other refusals stay as they are', () => {
  const refusal = 'Service "web" is invalid: spec.ports: Required value';
  assert.equal(withWayOut(refusal, true), refusal);
});
