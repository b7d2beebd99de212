import assert from 'node:assert/strict';
import test from 'node:test';
import type { ResourceIgnoreDifferences } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { compare } from './compare.ts';
import { withoutIgnored } from './ignore.ts';
import { keepIgnored } from './keep-ignored.ts';

const desired: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [
          { name: 'web', image: 'web:2', args: ['-a', '-b'] },
          { name: 'side', image: 'side:2' },
        ],
      },
    },
  },
};

/** Scaled, restarted, with an injected container in front, another image beside it, and a status. */
const live: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    labels: { app: 'web', team: 'shop' },
    annotations: { restartedAt: 'noon' },
    managedFields: [
      {
        manager: 'scaler',
        operation: 'Update',
        apiVersion: 'apps/v1',
        fieldsV1: {
          'f:metadata': { 'f:annotations': { 'f:restartedAt': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"side"}': { '.': {}, 'f:image': {} } } } },
          },
        },
      },
    ],
  },
  spec: {
    replicas: 5,
    template: {
      spec: {
        containers: [
          { name: 'proxy', image: 'proxy:1' },
          { name: 'web', image: 'web:1', args: ['-c'] },
          { name: 'side', image: 'side:1' },
        ],
      },
    },
  },
  status: { replicas: 5 },
};

const rule = (fields: Partial<ResourceIgnoreDifferences>): ResourceIgnoreDifferences => ({
  group: 'apps',
  kind: 'Deployment',
  ...fields,
});

type Change = (object: ReturnType<typeof open>) => void;

/** The parts of a copy of the manifest that the cases change. */
function open(object: KubeObject) {
  const spec = object['spec'] as { replicas?: number; template: { spec: { containers: Record<string, unknown>[] } } };
  const { containers } = spec.template.spec;
  return { metadata: object.metadata, spec, containers, web: containers[0] ?? {}, side: containers[1] ?? {} };
}

const cases: readonly [what: string, rule: ResourceIgnoreDifferences, change: Change][] = [
  ['a field', rule({ jsonPointers: ['/spec/replicas'] }), ({ spec }) => Object.assign(spec, { replicas: 5 })],
  [
    'a field that the manifest lacks',
    rule({ jsonPointers: ['/metadata/annotations/restartedAt'] }),
    ({ metadata }) => Object.assign(metadata, { annotations: { restartedAt: 'noon' } }),
  ],
  [
    'an entry beside those of the manifest',
    rule({ jsonPointers: ['/metadata/labels/team'] }),
    ({ metadata }) => Object.assign(metadata, { labels: { app: 'web', team: 'shop' } }),
  ],
  [
    'a field that the cluster lacks, by leaving it out',
    rule({ jsonPointers: ['/spec/paused', '/metadata/annotations/other'] }),
    () => {},
  ],
  [
    'a field of every item, by the keys of the list',
    rule({ jqPathExpressions: ['.spec.template.spec.containers[].image'] }),
    ({ web, side }) => {
      web['image'] = 'web:1';
      side['image'] = 'side:1';
    },
  ],
  [
    'a field of one item',
    rule({ jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == "web") | .args'] }),
    ({ web }) => Object.assign(web, { args: ['-c'] }),
  ],
  [
    'a whole item that only the cluster has',
    rule({ jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == "proxy")'] }),
    ({ containers }) => containers.push({ name: 'proxy', image: 'proxy:1' }),
  ],
  [
    'what a manager owns',
    rule({ managedFieldsManagers: ['scaler'] }),
    ({ metadata, spec, side }) => {
      Object.assign(metadata, { annotations: { restartedAt: 'noon' } });
      spec.replicas = 5;
      side['image'] = 'side:1';
    },
  ],
  ['nothing of a status', rule({ jsonPointers: ['/status'] }), () => {}],
];

for (const [what, one, change] of cases) {
  test(`keeps ${what}`, () => {
    const expected = structuredClone(desired);
    change(open(expected));
    const kept = keepIgnored(desired, live, [one]);
    assert.deepEqual(kept, expected);
    const pair = withoutIgnored(kept, live, [one]);
    const before = withoutIgnored(desired, live, [one]);
    assert.deepEqual(compare(pair.desired, pair.live), compare(before.desired, before.live), 'nothing else changes');
  });
}

test('an ignored field that is gone from the cluster is left out', () => {
  const bare = structuredClone(live);
  delete open(bare).spec.replicas;
  const kept = keepIgnored(desired, bare, [rule({ jsonPointers: ['/spec/replicas'] })]);
  assert.equal(Object.hasOwn(open(kept).spec, 'replicas'), false);
  assert.equal(open(desired).spec.replicas, 2, 'the manifest itself stays as it is');
});

test('without a rule about it the manifest is sent as it is', () => {
  assert.equal(keepIgnored(desired, live, [rule({ name: 'other', jsonPointers: ['/spec'] })]), desired);
});
