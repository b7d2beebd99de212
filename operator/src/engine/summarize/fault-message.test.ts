import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault, type FaultCode } from '../../model/fault.ts';
import { conditionMessage, isOfRevision, operationMessage } from './fault-message.ts';

const target = 'Failed to load target state: failed to generate manifest for source 1 of 1: why';
const cases: readonly [code: FaultCode, condition: string, operation: string][] = [
  ['render-failed', target, `ComparisonError: ${target}`],
  ['repository-refused', target, `ComparisonError: ${target}`],
  ['cluster-unreachable', 'Failed to load live state: why', 'ComparisonError: Failed to load live state: why'],
  ['cluster-unknown', 'why', 'InvalidSpecError: why'],
  ['project-missing', 'why', 'InvalidSpecError: why'],
  ['object-refused', 'why', 'why'],
  ['limit-reached', 'why', 'ComparisonError: why'],
];
for (const [code, condition, operation] of cases) {
  test(`${code} is told in the words that people look for`, () => {
    const fault = new Fault(code, 'why');
    assert.deepEqual([conditionMessage(fault), operationMessage(fault)], [condition, operation]);
  });
}

test('an unknown revision says nothing of another one, a server that is down does', () => {
  assert.equal(isOfRevision(new Fault('revision-unknown', 'why')), true);
  assert.equal(isOfRevision(new Fault('repository-unreachable', 'why')), false);
});
