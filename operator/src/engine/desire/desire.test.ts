import assert from 'node:assert/strict';
import test from 'node:test';
import type { AppProject } from '@mooring/crds';
import type { KubeObject, Manifest } from '@mooring/renderer-contract';
import type { Guard } from '../../model/guard.ts';
import { isExcludedKind, usualFilter } from '../../model/kind-filter.ts';
import { type DesireContext, desire } from './desire.ts';
import { forbiddenBy } from './project.ts';

const everything: AppProject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default' },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  },
};

const clusterKinds: ReadonlySet<string> = new Set(['/Namespace', 'apiextensions.k8s.io/CustomResourceDefinition']);
const servedGroups: ReadonlySet<string> = new Set(['', 'apps', 'batch', 'apiextensions.k8s.io']);

function guardBy(project: AppProject): Guard {
  return (claim) => forbiddenBy(project, claim, { server: 'https://kubernetes.default.svc', namespace: 'shop' });
}

const context: DesireContext = {
  isExcluded: (group, kind) => isExcludedKind(usualFilter, group, kind, 'https://kubernetes.default.svc'),
  appName: 'store',
  destinationNamespace: 'shop',
  guard: guardBy(everything),
  syncOptions: [],
  scopeOf: (group, kind) =>
    servedGroups.has(group) ? (clusterKinds.has(`${group}/${kind}`) ? 'Cluster' : 'Namespaced') : undefined,
};

function manifest(object: object, path: string = 'app.yaml', line?: number): Manifest {
  return { object: object as KubeObject, origin: line === undefined ? { path } : { path, line } };
}

function one(object: object, changes: Partial<DesireContext> = {}) {
  const [desired, ...others] = desire([manifest(object)], { ...context, ...changes }).objects;
  assert.ok(desired !== undefined && others.length === 0);
  return desired;
}

const config = (metadata: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
const trackingIdOf = (object: KubeObject) => object.metadata.annotations?.['argocd.argoproj.io/tracking-id'];

test('namespaced objects get the namespace of the destination, unless they have one', () => {
  assert.equal(one(config({ name: 'a' })).object.metadata.namespace, 'shop');
  assert.equal(one(config({ name: 'a', namespace: 'other' })).key.namespace, 'other');
});

test('cluster-scoped objects have no namespace', () => {
  const { key, object } = one({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', namespace: 'shop' } });
  assert.deepEqual(key, { group: '', kind: 'Namespace', namespace: '', name: 'shop' });
  assert.equal('namespace' in object.metadata, false);
  assert.equal(trackingIdOf(object), 'store:/Namespace:shop/shop');
});

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'queues.example.com' },
  spec: { group: 'example.com', scope: 'Cluster', names: { kind: 'Queue' } },
};
const queue = { apiVersion: 'example.com/v1', kind: 'Queue', metadata: { name: 'q' } };

test('the scope of a kind that is not served yet is that of its definition in the same set, else namespaced', () => {
  const [, instance] = desire([manifest(definition), manifest(queue)], context).objects;
  assert.equal(instance?.key.namespace, '');
  assert.equal(one(queue).key.namespace, 'shop');
});

test('a definition is believed only where it is one, is whole, and is permitted', () => {
  const scoped = (definition: object, changes: Partial<DesireContext> = {}) => {
    const [, instance] = desire([manifest(definition), manifest(queue)], { ...context, ...changes }).objects;
    return instance?.key.namespace === '' ? 'Cluster' : 'Namespaced';
  };
  assert.equal(scoped(definition), 'Cluster');
  assert.equal(scoped({ ...definition, apiVersion: 'example.com/v1' }), 'Namespaced');
  assert.equal(scoped({ ...definition, apiVersion: 'v1' }), 'Namespaced');
  assert.equal(scoped({ ...definition, spec: { ...definition.spec, scope: 'cluster' } }), 'Namespaced');
  const clusterResourceBlacklist = [{ group: 'apiextensions.k8s.io', kind: '*' }];
  const guard = guardBy({ ...everything, spec: { ...everything.spec, clusterResourceBlacklist } });
  assert.equal(scoped(definition, { guard }), 'Namespaced');
});

test('a definition cannot say that it is another Application’s', () => {
  const annotations = { 'argocd.argoproj.io/tracking-id': 'other:apiextensions.k8s.io/CustomResourceDefinition:/a' };
  const { metadata } = one({ ...definition, metadata: { ...definition.metadata, annotations } }).object;
  assert.deepEqual(metadata.annotations, {});
});

test('every object but a definition carries the tracking id', () => {
  assert.equal(trackingIdOf(one(config({ name: 'a', annotations: { x: 'y' } })).object), 'store:/ConfigMap:shop/a');
  assert.equal(trackingIdOf(one(definition).object), undefined);
});

test('what the server owns is left out, and the manifest stays as it was', () => {
  const object = config({
    name: 'a',
    uid: 'u',
    resourceVersion: '1',
    generation: 2,
    creationTimestamp: null,
    managedFields: [],
    selfLink: '/x',
    labels: { a: 'b' },
  });
  const before = structuredClone(object);
  assert.deepEqual(one(object).object.metadata, {
    name: 'a',
    labels: { a: 'b' },
    namespace: 'shop',
    annotations: { 'argocd.argoproj.io/tracking-id': 'store:/ConfigMap:shop/a' },
  });
  assert.deepEqual(object, before);
});

test('equal manifests have equal hashes, others have not', () => {
  assert.equal(one(config({ name: 'a' })).hash, one(config({ name: 'a', uid: 'u' })).hash);
  assert.notEqual(one(config({ name: 'a' })).hash, one(config({ name: 'a', labels: {} })).hash);
});

test('options of the object overrule those of the Application', () => {
  const { options } = one(
    config({ name: 'a', annotations: { 'argocd.argoproj.io/sync-options': 'Replace=false, Prune=confirm' } }),
    { syncOptions: ['Replace=true', 'Validate=false', 'CreateNamespace=true', 'PrunePropagationPolicy=background'] },
  );
  assert.deepEqual(
    [options.replace, options.prune, options.validate, options.prunePropagation, options.force],
    [false, 'confirm', false, 'background', false],
  );
  assert.equal(one(config({ name: 'a', annotations: { 'helm.sh/resource-policy': 'keep' } })).options.delete, 'no');
});

test('waves and hooks are read', () => {
  const wave = one(config({ name: 'a', annotations: { 'argocd.argoproj.io/sync-wave': '-2' } }));
  assert.equal(wave.wave, -2);
  assert.equal(wave.hook, undefined);
  const hook = one(config({ name: 'a', annotations: { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-weight': '3' } }));
  assert.deepEqual([hook.hook?.phases, hook.wave], [['PreSync'], 3]);
  assert.deepEqual(one(config({ name: 'a', annotations: { 'helm.sh/hook': 'test' } })).hook?.phases, []);
});

test('hooks with generateName are each one of their own', () => {
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { generateName: 'migrate-', annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
  };
  const { objects, warnings } = desire([manifest(job), manifest(job)], context);
  assert.deepEqual([objects.length, warnings.length, objects[0]?.forbidden], [2, 0, undefined]);
  assert.match(one({ ...job, metadata: { generateName: 'x-' } }).forbidden ?? '', /generateName is no hook/);
  const clusterResourceBlacklist = [{ group: '', kind: 'Namespace', name: 'kube-*' }];
  const guard = guardBy({ ...everything, spec: { ...everything.spec, clusterResourceBlacklist } });
  const made = { ...job, apiVersion: 'v1', kind: 'Namespace', metadata: { ...job.metadata, generateName: 'kube-' } };
  assert.match(one(made, { guard }).forbidden ?? '', /^resource :Namespace is not permitted .* Namespace kube-… from/);
});

test('of objects with one key the last counts, with a warning', () => {
  const { objects, warnings } = desire(
    [
      manifest(config({ name: 'a', labels: { n: '1' } }), 'a.yaml', 1),
      manifest(config({ name: 'b' })),
      manifest(config({ name: 'a', namespace: 'shop', labels: { n: '2' } }), 'b.yaml', 7),
    ],
    context,
  );
  assert.deepEqual(
    objects.map(({ key, object }) => [key.name, object.metadata.labels?.['n']]),
    [
      ['a', '2'],
      ['b', undefined],
    ],
  );
  assert.deepEqual(warnings, [
    {
      type: 'RepeatedResourceWarning',
      message:
        'Resource /ConfigMap/shop/a appeared 2 times among application resources. The last one, from b.yaml line 7, is used; remove the others.',
    },
  ]);
});

test('what the project forbids is marked', () => {
  const guard = guardBy({ ...everything, spec: { destinations: [{ server: '*', namespace: 'shop' }] } });
  assert.equal(one(config({ name: 'a' }), { guard }).forbidden, undefined);
  assert.match(
    one(config({ name: 'a', namespace: 'bank' }), { guard }).forbidden ?? '',
    /namespace bank is not permitted/,
  );
  assert.match(one(definition, { guard }).forbidden ?? '', /resource apiextensions.k8s.io:CustomResourceDefinition/);
});

const broken: readonly [object: object, problem: RegExp][] = [
  [{}, /app\.yaml line 3: no Kubernetes object: apiVersion/],
  [{ apiVersion: 'v1' }, /no Kubernetes object: kind/],
  [{ apiVersion: 'v1', kind: 'ConfigMap' }, /ConfigMap has no metadata/],
  [config({}), /ConfigMap has no name/],
  [config({ name: 5 }), /ConfigMap has no name/],
  [config({ name: 'a', namespace: 5 }), /ConfigMap a: metadata\.namespace must be a text/],
  [config({ name: 'a', annotations: ['x'] }), /annotations must map names to texts/],
  [config({ name: 'a', annotations: { x: true } }), /the annotation x must be a text; put it in quotes/],
];

for (const [object, problem] of broken) {
  test(`${JSON.stringify(object)} is refused`, () => {
    assert.throws(() => desire([manifest(object, 'app.yaml', 3)], context), {
      name: 'Fault',
      code: 'render-failed',
      message: problem,
    });
  });
}

test('a field called __proto__ is a field like others', () => {
  const object = JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"__proto__":"x"}}');
  assert.deepEqual(Object.keys((one(object).object as { data?: object }).data ?? {}), ['__proto__']);
});

test('stringData of a Secret becomes data', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    data: { x: 'eA==' },
    stringData: { y: 'ü', x: '' },
  };
  const { object } = one(secret);
  assert.deepEqual([object['data'], object['stringData']], [{ x: '', y: 'w7w=' }, undefined]);
  const wrong = { ...secret, stringData: { y: 5 } };
  assert.deepEqual(one(wrong).object['stringData'], { y: 5 });
});

test('kinds that are excluded are left out, with a warning', () => {
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'leader' } };
  const { objects, warnings } = desire([manifest(lease), manifest(config({ name: 'a' }))], context);
  assert.deepEqual(
    objects.map(({ key }) => key.name),
    ['a'],
  );
  assert.deepEqual(warnings, [
    {
      type: 'ExcludedResourceWarning',
      message:
        'Resource coordination.k8s.io/Lease leader is excluded in the settings; it is not applied. Remove it from the source, or see resource.exclusions and resource.inclusions in argocd-cm',
    },
  ]);
});

test('an object of a namespaced kind without any namespace is refused, and told', () => {
  const nowhere = { ...context, destinationNamespace: '' };
  const { objects, warnings } = desire([manifest(config({ name: 'a' }))], nowhere);
  const message =
    'Namespace for a /v1, Kind=ConfigMap is missing. Set metadata.namespace or spec.destination.namespace';
  assert.deepEqual([objects[0]?.forbidden, warnings], [message, [{ type: 'InvalidSpecError', message }]]);
  const unknown = { apiVersion: 'example.com/v1', kind: 'Queue', metadata: { name: 'a' } };
  assert.deepEqual(desire([manifest(unknown)], nowhere).warnings, []);
});
