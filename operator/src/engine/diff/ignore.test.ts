import assert from 'node:assert/strict';
import test from 'node:test';
import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { compare } from './compare.ts';
import { ignoreProblems, withoutIgnored } from './ignore.ts';

function web(changes: { replicas: number; image: string; note: string; side: string }): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', annotations: { 'example.com/note': changes.note } },
    spec: {
      replicas: changes.replicas,
      template: {
        spec: {
          containers: [
            { name: 'web', image: changes.image },
            { name: 'side', image: changes.side },
          ],
        },
      },
    },
  };
}

const desired = web({ replicas: 1, image: 'web:1', note: 'a', side: 'side:1' });
const live: KubeObject = {
  ...web({ replicas: 3, image: 'web:2', note: 'b', side: 'side:2' }),
};
live.metadata.managedFields = [
  { manager: 'scaler', operation: 'Update', apiVersion: 'apps/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
];

const all = [
  '/metadata/annotations/example.com~1note',
  '/spec/replicas',
  '/spec/template/spec/containers/0/image',
  '/spec/template/spec/containers/1/image',
];
const [note, replicas, image, side] = all as [string, string, string, string];
const rule = (fields: Partial<ResourceIgnoreDifferences>): ResourceIgnoreDifferences => ({
  group: 'apps',
  kind: 'Deployment',
  ...fields,
});

const cases: readonly [rules: ResourceIgnoreDifferences, left: readonly string[]][] = [
  [rule({}), all],
  [rule({ jsonPointers: ['/spec/replicas'] }), [note, image, side]],
  [rule({ jsonPointers: ['/metadata/annotations/example.com~1note'] }), [replicas, image, side]],
  [rule({ jsonPointers: ['/spec/template/spec/containers/1'] }), [note, replicas, image]],
  [rule({ jsonPointers: ['/spec'] }), [note]],
  [rule({ jsonPointers: ['/nothing/here'] }), all],
  [rule({ jsonPointers: ['/spec/replicas'], name: 'other' }), all],
  [rule({ jsonPointers: ['/spec/replicas'], name: 'web', namespace: 'shop' }), [note, image, side]],
  [rule({ jsonPointers: ['/spec/replicas'], namespace: 'bank' }), all],
  [{ kind: 'Deployment', jsonPointers: ['/spec/replicas'] }, all],
  [{ group: '*', kind: '*', jsonPointers: ['/spec/replicas'] }, [note, image, side]],
  [rule({ jqPathExpressions: ['.spec.replicas'] }), [note, image, side]],
  [rule({ jqPathExpressions: ['.metadata.annotations["example.com/note"]'] }), [replicas, image, side]],
  [rule({ jqPathExpressions: ['.metadata.annotations."example.com/note"'] }), [replicas, image, side]],
  [rule({ jqPathExpressions: ['.spec.template.spec.containers[].image'] }), [note, replicas]],
  [rule({ jqPathExpressions: ['.spec.template.spec.containers[1].image'] }), [note, replicas, image]],
  [
    rule({ jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == "side") | .image'] }),
    [note, replicas, image],
  ],
  [
    rule({ jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == "side")'] }),
    [note, replicas, image],
  ],
  [rule({ jqPathExpressions: ['.spec.template.spec.containers[]? | select(.name != "side").image'] }), all],
  [
    rule({ jqPathExpressions: ['.spec.template.spec.containers[]? | select(.name != "side") | .image'] }),
    [note, replicas, side],
  ],
  [rule({ managedFieldsManagers: ['scaler'] }), [note, image, side]],
  [rule({ managedFieldsManagers: ['nobody'] }), all],
];

for (const [one, left] of cases) {
  test(`${JSON.stringify(one)} leaves ${left.join(' ')}`, () => {
    const pair = withoutIgnored(desired, live, [one]);
    assert.deepEqual(
      compare(pair.desired, pair.live).differences.map(({ pointer }) => pointer),
      left,
    );
  });
}

test('the objects themselves stay as they are', () => {
  const before = structuredClone(desired);
  withoutIgnored(desired, live, [rule({ jsonPointers: ['/spec'] })]);
  assert.deepEqual(desired, before);
});

test('rules that cannot be followed are told of', () => {
  const problems = (fields: Partial<ResourceIgnoreDifferences>) => ignoreProblems([rule(fields)]);
  assert.deepEqual(problems({ jsonPointers: ['/a/b'], jqPathExpressions: ['.a', '.a[] | select(.b == 1) | .c'] }), []);
  assert.match(problems({ jsonPointers: ['spec'] })[0] ?? '', /'spec' is no JSON pointer; begin it with \//);
  for (const expression of [
    '',
    '.',
    '.a | keys',
    '.a, .b',
    '..',
    '.a[1:2]',
    '.a[] | select(.b | test("x"))',
    '.a.',
    'a',
    '.a[] | select(.b == "x"',
  ]) {
    assert.match(problems({ jqPathExpressions: [expression] })[0] ?? '', /is not supported yet/, expression);
  }
});
