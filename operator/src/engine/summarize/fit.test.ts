import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplicationStatus, OperationState, ResourceResult, ResourceStatus } from '@mooring/crds';
import { bytesOf, fitted, type StatusBounds } from './fit.ts';

const now = Date.UTC(2026, 0, 1);
const name = (index: number): string => `object-${String(index).padStart(6, '0')}`;

function resources(count: number, status: ResourceStatus['status'] = 'Synced'): ResourceStatus[] {
  return Array.from({ length: count }, (_, index) => ({
    version: 'v1',
    kind: 'ConfigMap',
    namespace: 'shop',
    name: name(index),
    status: status ?? 'Synced',
  }));
}

function result(index: number, changes: Partial<ResourceResult> = {}): ResourceResult {
  return {
    group: '',
    version: 'v1',
    kind: 'ConfigMap',
    namespace: 'shop',
    name: name(index),
    status: 'Synced',
    message: `configmap/${name(index)} created`,
    hookPhase: 'Running',
    syncPhase: 'Sync',
    ...changes,
  };
}

function operation(results: readonly ResourceResult[], phase: OperationState['phase'] = 'Succeeded'): OperationState {
  return { operation: { sync: {} }, phase, startedAt: 't', syncResult: { revision: 'c1', resources: results } };
}

function bounds(bytes: number, changes: Partial<StatusBounds> = {}): StatusBounds {
  return { bytes, needed: new Set(), before: {}, now, ...changes };
}

const resultsOf = (status: ApplicationStatus): readonly ResourceResult[] =>
  status.operationState?.syncResult?.resources ?? [];

test('what fits stays as it is', () => {
  const status = { resources: resources(10), operationState: operation([result(0)]) };
  assert.equal(fitted(status, bounds(100_000)), status);
});

test('10,000 small objects fit: results of what was applied go, and every object is listed', () => {
  const results = Array.from({ length: 10_000 }, (_, index) => result(index));
  const whole = { resources: resources(10_000), operationState: operation(results) };
  const status = fitted(whole, bounds(1_400_000));
  assert.ok(bytesOf(whole) > 2_000_000 && bytesOf(status) <= 1_400_000);
  assert.equal(status.resources?.length, 10_000);
  assert.equal(status.operationState?.phase, 'Succeeded');
  assert.deepEqual(
    status.conditions?.map(({ type }) => type),
    ['StatusTooLargeWarning'],
  );
  assert.match(status.conditions?.[0]?.message ?? '', /with 10000 objects: results of what was synced are left out/);
});

test('unchanged results go first; what is needed to go on stays', () => {
  const kept = [
    result(0, { hookType: 'PreSync', hookPhase: 'Succeeded' }),
    result(1, { status: 'SyncFailed', message: 'no', hookPhase: 'Failed' }),
    result(2, { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded' }),
    result(3),
  ];
  const unchanged = Array.from({ length: 500 }, (_, index) => result(10 + index, { message: 'configmap/x unchanged' }));
  const created = Array.from({ length: 500 }, (_, index) => result(1_000 + index));
  const running = operation([...unchanged, ...created, ...kept], 'Running');
  const needed = new Set(['/ConfigMap/shop/object-000003']);
  const some = fitted({ operationState: running }, bounds(140_000, { needed }));
  assert.deepEqual(resultsOf(some).slice(-504), [...created, ...kept]);
  const few = fitted({ operationState: running }, bounds(3_000, { needed }));
  for (const one of kept) assert.ok(resultsOf(few).includes(one));
  assert.equal(few.operationState?.phase, 'Running');
});

test('then objects are not listed: those in sync first, one of each kind stays, and the count is said', () => {
  const odd: ResourceStatus = { version: 'v1', kind: 'Secret', namespace: 'shop', name: 'one', status: 'Synced' };
  const wrong = resources(2_000)
    .slice(1_990)
    .map((one) => ({ ...one, status: 'OutOfSync' as const }));
  const status = fitted({ resources: [...resources(1_990), ...wrong, odd] }, bounds(100_000));
  assert.ok(bytesOf(status) <= 100_000);
  for (const one of [...wrong, odd]) assert.ok(status.resources?.includes(one));
  assert.match(
    status.conditions?.[0]?.message ?? '',
    /^The Application is too large for its status, with 2001 objects: more than \d+00 objects are not listed in status.resources\. .*split it into several/,
  );
});

test('hooks come and go, and are not counted', () => {
  const hook: ResourceStatus = { version: 'v1', kind: 'Job', namespace: 'shop', name: 'migrate', hook: true };
  const messageWith = (hooks: readonly ResourceStatus[]): string | undefined =>
    fitted({ resources: [...hooks, ...resources(2_000)] }, bounds(100_000)).conditions?.[0]?.message;
  assert.equal(messageWith([hook]), messageWith([]));
});

test('the next pass says the same and writes nothing', () => {
  const results = Array.from({ length: 3_000 }, (_, index) => result(index));
  const before = fitted({ resources: resources(3_000), operationState: operation(results) }, bounds(200_000));
  const again = {
    resources: resources(3_000),
    ...(before.operationState && { operationState: before.operationState }),
  };
  assert.deepEqual(fitted(again, bounds(200_000, { before, now: now + 60_000 })), before);
  const blind = { ...before, conditions: [] };
  assert.deepEqual(fitted(blind, bounds(200_000, { before, now: now + 60_000 })), before);
  const roomy = fitted(again, bounds(1_000_000, { before }));
  assert.match(roomy.conditions?.[0]?.message ?? '', /with 3000 objects: results of what was synced/);
});

test('where nothing helps the operation ends, and says what to do', () => {
  const failed = Array.from({ length: 2_000 }, (_, index) =>
    result(index, { status: 'SyncFailed', message: 'ä'.repeat(1_000), hookPhase: 'Failed' }),
  );
  const said = 'one or more objects failed to apply, reason: no. Retrying attempt #1 at 2026-01-01T00:00:05Z.';
  const state = { ...operation(failed, 'Running'), message: said };
  const status = fitted({ resources: resources(2_000), operationState: state }, bounds(50_000));
  assert.ok(bytesOf(status) <= 50_000);
  assert.equal(status.operationState?.phase, 'Error');
  assert.match(
    status.operationState?.message ?? '',
    /^The operation was ended, as what is needed to go on .* with 2000 objects: .*split it .*It said last: one or more objects failed to apply, reason: no\.$/,
  );
  assert.equal(status.conditions?.[0]?.type, 'StatusTooLargeWarning');
});
