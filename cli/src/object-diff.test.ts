import assert from 'node:assert/strict';
import test from 'node:test';
import { compare } from '@mooring/operator/engine/diff/compare.ts';
import { withoutIgnored } from '@mooring/operator/engine/diff/ignore.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import { createDiff, pruneDiff, updateDiff } from './object-diff.ts';

/** As the engine finds the differences. */
function update(desired: KubeObject, live: KubeObject): string {
  const pair = withoutIgnored(desired, live, []);
  return updateDiff(desired, live, compare(pair.desired, pair.live).differences, [], 'it');
}

function deployment(containers: unknown, more: Readonly<Record<string, unknown>> = {}): KubeObject {
  const metadata = { name: 'web', ...more };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { template: { spec: { containers } } } };
}

test('only what an apply changes differs, and list items are matched by name', () => {
  const desired = deployment([
    { name: 'new', image: 'c:1' },
    { name: 'web', image: 'a:2', env: [{ name: 'A', value: '1' }] },
  ]);
  const live = deployment(
    [
      { name: 'web', image: 'a:1', imagePullPolicy: 'IfNotPresent', env: [{ name: 'A', value: '1' }] },
      { name: 'old', image: 'b:1' },
    ],
    {
      uid: '1',
      managedFields: [
        {
          manager: 'argocd-controller',
          operation: 'Apply',
          apiVersion: 'apps/v1',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:spec': {
              'f:template': {
                'f:spec': {
                  'f:containers': {
                    'k:{"name":"web"}': {
                      '.': {},
                      'f:name': {},
                      'f:image': {},
                      'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                    },
                    'k:{"name":"old"}': { '.': {}, 'f:name': {}, 'f:image': {} },
                  },
                },
              },
            },
          },
        },
      ],
    },
  );
  assert.equal(
    update(desired, live),
    `--- live/it
+++ desired/it
@@ -6,10 +6,10 @@
   template:
     spec:
       containers:
+      - image: c:1
+        name: new
       - env:
         - name: A
           value: "1"
-        image: a:1
+        image: a:2
         name: web
-      - image: b:1
-        name: old
`,
  );
});

function secret(data: Readonly<Record<string, string>>, metadata: KubeObject['metadata'] = { name: 's' }): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata, data };
}

const hidden = 'aGlkZGVu';
const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"password":"${hidden}"}}` };

test('values of Secrets are never shown, but that they differ is', () => {
  const live = secret({ password: hidden, same: hidden, old: hidden }, { name: 's', annotations: lastApplied });
  const desired = { ...secret({ same: hidden, new: hidden }), stringData: { password: 'other' } };
  const text = update(desired, live);
  assert.equal(
    text,
    `--- live/it
+++ desired/it
@@ -1,6 +1,7 @@
 apiVersion: v1
 data:
-  password: ++++++++
+  new: ++++++++
+  password: +++++++++
   same: ++++++++
 kind: Secret
 metadata:
`,
  );
  for (const shown of [text, createDiff(desired, 'it'), pruneDiff(live, 'it')]) {
    assert.ok(!shown.includes(hidden) && !shown.includes('other'), shown);
    assert.ok(shown.includes('password: ++++++++'), shown);
  }
});

test('of anything like a Secret only known fields are shown', () => {
  const canary = 'c4n4ry';
  const holders: Readonly<Record<string, unknown>>[] = [
    { data: [canary, { deep: canary }] },
    { data: canary },
    { data: { number: 4711, truth: true, deep: { er: canary } } },
    { Data: { key: canary }, stringdata: { key: canary } },
    { kind: 'secret', data: { key: canary } },
    { kind: 'SECRET', apiVersion: 'V1', stringData: { key: canary } },
    { kind: 'Secret', apiVersion: 'example.com/v1', spec: { password: canary } },
    { kind: 'SecretList', items: [{ data: { key: canary } }] },
    { type: { of: canary }, immutable: [canary] },
    { metadata: { name: 's', annotations: { 'kapp.k14s.io/original': canary, note: canary }, more: canary } },
  ];
  for (const holder of holders) {
    const made = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...holder } as KubeObject;
    const other = JSON.parse(JSON.stringify(made).replaceAll(canary, `${canary}-old`)) as KubeObject;
    for (const shown of [createDiff(made, 'it'), pruneDiff(made, 'it'), update(made, other), update(other, made)]) {
      assert.doesNotMatch(shown, /c4n4ry|4711|true/, JSON.stringify(holder));
    }
    assert.match(createDiff(made, 'it'), /\+{8}/);
    if (JSON.stringify(made) !== JSON.stringify(other))
      assert.match(update(made, other), /\+{9}/, JSON.stringify(holder));
  }
});

test('what is to be pruned is shown without what the server writes', () => {
  const metadata = {
    name: 'c',
    namespace: 'x',
    uid: '1',
    resourceVersion: '2',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  assert.equal(
    pruneDiff({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } }, 'it'),
    `--- live/it
+++ /dev/null
@@ -1,7 +0,0 @@
-apiVersion: v1
-data:
-  a: b
-kind: ConfigMap
-metadata:
-  name: c
-  namespace: x
`,
  );
});
