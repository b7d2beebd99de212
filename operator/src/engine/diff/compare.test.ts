import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import fc from 'fast-check';
import { compare, settledBy } from './compare.ts';

interface ServerCase {
  readonly name: string;
  readonly gitChanged?: boolean;
  readonly differences: readonly string[];
  readonly desired: KubeObject;
  readonly live: KubeObject;
}

const lines = readFileSync(join(import.meta.dirname, 'testdata', 'api-server.jsonl'), 'utf8')
  .trimEnd()
  .split('\n');

for (const line of lines) {
  const one = JSON.parse(line) as ServerCase;
  test(`${one.name}: ${one.differences.join(' ') || 'no difference'}`, () => {
    const found = compare(one.desired, one.live, { gitChanged: one.gitChanged ?? false });
    const pointers = found.differences.map(({ pointer }) => pointer);
    assert.deepEqual(
      pointers.filter((pointer) => one.differences.includes(pointer)),
      one.differences,
    );
    // The others are for a dry run to tell.
    assert.ok(found.certain <= one.differences.length, `${found.certain} of ${pointers.join(' ')} are certain`);
  });
}

test('a difference tells both values, but not of a Secret', () => {
  const config = (value: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a' },
    data: { x: value },
  });
  assert.deepEqual(compare(config('1'), config('2')).differences, [{ pointer: '/data/x', desired: '1', live: '2' }]);
  const secret = (value: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    data: { x: value },
  });
  assert.deepEqual(compare(secret('MQ=='), secret('Mg==')).differences, [{ pointer: '/data/x' }]);
  assert.deepEqual(compare(secret('M\nQ==\n'), secret('MQ==')).differences, []);
});

test('items in another order differ, which only a dry run can prove; what others put in between is theirs', () => {
  const pod = (names: readonly string[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: { initContainers: names.map((name) => ({ name, image: 'x' })) },
  });
  const found = compare(pod(['migrate', 'seed']), pod(['seed', 'side', 'migrate']));
  assert.deepEqual(found, {
    differences: [{ pointer: '/spec/initContainers', desired: ['migrate', 'seed'], live: ['seed', 'migrate'] }],
    certain: 0,
  });
  assert.deepEqual(compare(pod(['migrate', 'seed']), pod(['migrate', 'side', 'seed'])).differences, []);
  const left = settledBy(pod(['seed', 'migrate']), pod(['migrate', 'seed']), pod(['seed', 'migrate']), {
    gitChanged: true,
  });
  assert.deepEqual(left, [], 'a server that leaves it as it is has nothing to change');
});

test('numbers that a double cannot hold are compared by all their digits', () => {
  const big = (digits: string): KubeObject => ({
    apiVersion: 'example.com/v1',
    kind: 'Counter',
    metadata: { name: 'a' },
    spec: { count: JSON.rawJSON(digits) },
  });
  assert.equal(compare(big('12345678901234567891'), big('12345678901234567890')).differences.length, 1);
  assert.equal(compare(big('12345678901234567890'), big('12345678901234567890')).differences.length, 0);
});

test('without managed fields, lists are matched by the keys that their kinds have', () => {
  const pod = (containers: readonly object[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: { containers },
  });
  const live = pod([
    { name: 'side', image: 's' },
    { name: 'web', image: 'w', ports: [{ containerPort: 80, protocol: 'TCP' }] },
  ]);
  assert.deepEqual(compare(pod([{ name: 'web', image: 'w', ports: [{ containerPort: 80 }] }]), live).differences, []);
  assert.deepEqual(
    compare(pod([{ name: 'web', image: 'x' }]), live).differences.map(({ pointer }) => pointer),
    ['/spec/containers/0/image'],
  );
});

/** A Deployment as the tests below make it. */
interface Sample {
  readonly labels: Record<string, string>;
  readonly replicas: number;
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly args: readonly string[];
    readonly env: Record<string, string>;
  }[];
}

const names = fc.stringMatching(/^[a-z][a-z0-9/~.]{0,6}$/);
const texts = fc.string({ minLength: 1, maxLength: 6 });
const samples: fc.Arbitrary<Sample> = fc.record({
  labels: fc.dictionary(names, texts, { minKeys: 1, maxKeys: 4 }),
  replicas: fc.nat(5),
  containers: fc.uniqueArray(
    fc.record({
      name: names,
      image: texts,
      args: fc.array(texts, { maxLength: 3 }),
      env: fc.dictionary(names, texts, { maxKeys: 3 }),
    }),
    { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
  ),
});

function deployment(sample: Sample): KubeObject {
  const containers = sample.containers.map(({ env, ...container }) => ({
    ...container,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
  }));
  const spec = { replicas: sample.replicas, template: { spec: { containers } } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', labels: sample.labels }, spec };
}

/** What a server stores of it: fields are filled in, others add theirs, and managed fields tell who owns what. */
function applied(sample: Sample): KubeObject {
  const containers = sample.containers.map(({ env, ...container }) => ({
    ...container,
    imagePullPolicy: 'Always',
    env: [{ name: 'FOREIGN', value: 'x' }, ...Object.entries(env).map(([name, value]) => ({ name, value }))],
  }));
  const keyed = (name: string) => `k:${JSON.stringify({ name })}`;
  const foreign = {
    'f:metadata': { 'f:labels': { 'f:x.example.com/foreign': {} } },
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            [keyed('SIDE')]: { '.': {}, 'f:name': {}, 'f:image': {} },
            ...Object.fromEntries(
              sample.containers.map(({ name }) => [
                keyed(name),
                { 'f:env': { [keyed('FOREIGN')]: { '.': {}, 'f:name': {}, 'f:value': {} } } },
              ]),
            ),
          },
        },
      },
    },
  };
  const owned = {
    'f:metadata': { 'f:labels': fieldsOf(sample.labels) },
    'f:spec': {
      'f:replicas': {},
      'f:template': {
        'f:spec': {
          'f:containers': Object.fromEntries(
            sample.containers.map(({ name, env }) => [
              keyed(name),
              {
                '.': {},
                'f:name': {},
                'f:image': {},
                'f:args': {},
                'f:env': Object.fromEntries(
                  Object.keys(env).map((key) => [keyed(key), { '.': {}, 'f:name': {}, 'f:value': {} }]),
                ),
              },
            ]),
          ),
        },
      },
    },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      uid: 'u',
      labels: { ...sample.labels, 'x.example.com/foreign': 'x' },
      managedFields: [
        { manager: 'argocd-controller', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1: owned },
        { manager: 'somebody', operation: 'Update', apiVersion: 'apps/v1', fieldsV1: foreign },
      ],
    },
    spec: {
      replicas: sample.replicas,
      strategy: { type: 'RollingUpdate' },
      template: {
        spec: { dnsPolicy: 'ClusterFirst', containers: [{ name: 'SIDE', image: 'x' }, ...containers] },
      },
    },
    status: { replicas: 1 },
  };
}

function fieldsOf(map: Record<string, string>): Record<string, object> {
  return Object.fromEntries(Object.keys(map).map((name) => [`f:${name}`, {}]));
}

test('what was just applied has no differences, whatever it is', () => {
  fc.assert(
    fc.property(
      samples,
      (sample) => compare(deployment(sample), applied(sample), { gitChanged: true }).differences.length === 0,
    ),
  );
});

test('what was changed since is a difference, whatever it is', () => {
  fc.assert(
    fc.property(samples, samples, (wanted, before) => {
      const same = JSON.stringify(sorted(deployment(wanted))) === JSON.stringify(sorted(deployment(before)));
      return compare(deployment(wanted), applied(before), { gitChanged: true }).differences.length > 0 === !same;
    }),
  );
});

/** The order of labels means nothing; that of containers and variables does. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

test('an object compared with itself has no differences, and no pair throws', () => {
  const object = (fields: Record<string, unknown>): KubeObject => ({
    ...fields,
    apiVersion: 'v1',
    kind: 'Any',
    metadata: { name: 'a' },
  });
  const fields = fc.dictionary(
    fc.constantFrom('spec', 'data', 'ports', 'env', 'limits', '__proto__', 'constructor'),
    fc.jsonValue({ maxDepth: 4 }),
  );
  fc.assert(
    fc.property(fields, fields, (a, b) => {
      assert.deepEqual(compare(object(a), object(structuredClone(a))).differences, []);
      compare(object(a), object(b), { gitChanged: true });
    }),
  );
});

describe('an empty value that is not there', () => {
  const account = (field: Record<string, unknown>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'a' },
    ...field,
  });
  const ownedBy = (operation: 'Apply' | 'Update', fieldsV1: Record<string, unknown>): KubeObject => ({
    ...account({}),
    metadata: {
      name: 'a',
      managedFields: [{ manager: 'argocd-controller', operation, apiVersion: 'v1', fieldsV1 }],
    },
  });
  const zero = account({ automountServiceAccountToken: false });
  const verdict = (live: KubeObject, gitChanged = true, desired = zero) => {
    const { differences, certain } = compare(desired, live, { gitChanged });
    return differences.length === 0 ? 'none' : certain === 0 ? 'ask' : 'update';
  };
  const holding = { 'f:automountServiceAccountToken': {} };

  test('was dropped where our entry has it', () => {
    assert.equal(verdict(ownedBy('Apply', holding)), 'none');
  });

  test('is yet to be applied where our entry lacks it', () => {
    assert.equal(verdict(ownedBy('Apply', { 'f:secrets': {} })), 'update');
  });

  test('is asked about where it was applied, and somebody has had the field since', () => {
    assert.equal(verdict(ownedBy('Apply', { 'f:secrets': {} }), false), 'ask');
  });

  test('is asked about in an object of ours that is empty, of which an entry tells no more', () => {
    const withSecrets = (imagePullSecrets: unknown, fieldsV1?: Record<string, unknown>): KubeObject => ({
      ...(fieldsV1 === undefined ? account({}) : ownedBy('Apply', fieldsV1)),
      imagePullSecrets,
    });
    const live = withSecrets([{}], { 'f:imagePullSecrets': { 'k:{"name":""}': {} } });
    assert.equal(verdict(live, true, withSecrets([{}])), 'none');
    assert.equal(verdict(live, true, withSecrets([{ name: '' }])), 'ask');
    assert.equal(verdict(live, true, withSecrets([{ name: 'a' }])), 'update');
    assert.equal(verdict(live, true, withSecrets([])), 'update', 'the item is no longer asked for');
    const volume = (secretRef: Record<string, unknown>, fieldsV1?: Record<string, unknown>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: fieldsV1 === undefined ? { name: 'a' } : ownedBy('Apply', fieldsV1).metadata,
      spec: { flexVolume: { driver: 'a', secretRef } },
    });
    const stored = volume({}, { 'f:spec': { 'f:flexVolume': { 'f:driver': {}, 'f:secretRef': {} } } });
    assert.equal(verdict(stored, true, volume({ name: '', namespace: '' })), 'ask');
    assert.equal(verdict(stored, true, volume({ name: 'a' })), 'update');
  });

  test('is asked about where we have no entry, or only one of a put', () => {
    assert.equal(verdict(account({})), 'ask');
    assert.equal(verdict(ownedBy('Update', holding)), 'ask');
  });

  test('asks for nothing where it is a list that others add to', () => {
    const pod = (fields: Record<string, unknown>, fieldsV1: Record<string, unknown>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'a',
        managedFields: [{ manager: 'argocd-controller', operation: 'Apply', apiVersion: 'v1', fieldsV1 }],
      },
      spec: { containers: [], ...fields },
    });
    const live = pod({ hostname: 'a' }, { 'f:spec': { 'f:hostname': {} } });
    assert.equal(verdict(live, true, pod({ hostname: 'a', volumes: [] }, {})), 'none');
    assert.equal(verdict(live, true, pod({ hostname: 'a', readinessGates: [] }, {})), 'ask');
  });

  test('is asked about where it is a list that the server, or somebody else, has filled', () => {
    const driver = (volumeLifecycleModes: readonly string[], metadata = {}): KubeObject => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'a', ...metadata },
      spec: { volumeLifecycleModes },
    });
    const entry = { manager: 'argocd-controller', operation: 'Apply', apiVersion: 'storage.k8s.io/v1' };
    const live = driver(['Persistent'], {
      managedFields: [{ ...entry, fieldsV1: { 'f:spec': { 'f:attachRequired': {} } } }],
    });
    assert.equal(verdict(live, true, driver([])), 'ask');
    assert.equal(verdict(live, true, driver(['Persistent', 'Ephemeral'])), 'update');
  });

  test('of a custom resource is asked about where a list is lacking, and differs where a value is', () => {
    const custom = (fields: Record<string, unknown>, metadata = {}): KubeObject => ({
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'a', ...metadata },
      spec: { size: 1, ...fields },
    });
    const managedFields = [
      {
        manager: 'argocd-controller',
        operation: 'Apply',
        apiVersion: 'example.com/v1',
        fieldsV1: { 'f:spec': { 'f:size': {} } },
      },
    ];
    const live = custom({}, { managedFields });
    assert.equal(verdict(live, true, custom({ hosts: [] })), 'ask');
    assert.equal(verdict(live, true, custom({ enabled: false })), 'update');
  });
});

test('what an apply leaves as it is is not settled by it, and what it changes is', () => {
  const config = (value: string, other: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a' },
    data: { value, other },
  });
  const settled = settledBy(config('rewritten', 'git'), config('git', 'git'), config('rewritten', 'hand'), {
    gitChanged: true,
  });
  assert.deepEqual(settled, [{ pointer: '/data/other', desired: 'git', live: 'hand' }]);
});
