import assert from 'node:assert/strict';
import test from 'node:test';
import type { TaskResult } from '../../model/plan.ts';
import { kindsToServe, withoutUnserved } from './needs.ts';
import { planOf } from './testdata/objects.ts';

const applied: TaskResult = { status: 'Synced', message: '', hookPhase: 'Running' };

const cases: readonly [it: string, objects: readonly string[], kinds: readonly string[]][] = [
  ['of its objects and hooks, each once', ['ConfigMap a', 'ConfigMap b', 'Job c hook=PostSync'], ['ConfigMap', 'Job']],
  [
    'but not those that it defines',
    ['CustomResourceDefinition d defines=Widget', 'Widget w'],
    ['CustomResourceDefinition'],
  ],
  ['but for objects that say that it may come', ['Widget w options=SkipDryRunOnMissingResource:true'], []],
];
for (const [it, objects, kinds] of cases) {
  test(`a sync needs the kinds ${it}`, () => {
    assert.deepEqual(
      kindsToServe(planOf(objects).tasks, new Map()).map(({ kind }) => kind),
      kinds,
    );
  });
}

test('a sync needs no kind of what it has applied, nor of what it prunes', () => {
  const { tasks } = planOf(['Widget w'], ['Gadget g']);
  const progress = new Map([['Sync example.com/Widget/shop/w', applied]]);
  assert.deepEqual(kindsToServe(tasks, progress), []);
});

test('an object of a kind that is not served is refused, and says what to do', () => {
  const { tasks } = planOf(['ConfigMap a', 'Widget w', 'Widget x options=SkipDryRunOnMissingResource:true']);
  const refused = withoutUnserved(tasks, [{ apiVersion: 'example.com/v1', kind: 'Widget' }]);
  assert.deepEqual(
    refused.map(({ key, action, refusal }) => [key.name, action, refusal]),
    [
      ['a', 'apply', undefined],
      [
        'w',
        'refuse',
        'Widget/shop/w: The Kubernetes API could not find example.com/Widget for requested resource shop/w in example.com/v1. Make sure the "Widget" CRD is installed on the destination cluster, or correct apiVersion and kind',
      ],
      ['x', 'apply', undefined],
    ],
  );
  assert.deepEqual(withoutUnserved(tasks, [{ apiVersion: 'example.com/v2', kind: 'Widget' }]), tasks);
});
