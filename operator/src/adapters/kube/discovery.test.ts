import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servedKinds } from './discovery.ts';
import type { ServedKind } from './served-kind.ts';
import { usualKinds, watchedKinds } from './watched-kinds.ts';

const kind = (
  group: string,
  version: string,
  name: string,
  verbs: readonly string[] = ['list', 'watch'],
): ServedKind => ({
  group,
  version,
  kind: name,
  plural: `${name.toLowerCase()}s`,
  scope: 'Namespaced',
  verbs,
});

const served = servedKinds('1.37.2', [
  kind('', 'v1', 'Pod'),
  kind('', 'v1', 'Event'),
  kind('', 'v1', 'Binding', ['create']),
  kind('autoscaling', 'v2', 'HorizontalPodAutoscaler'),
  kind('autoscaling', 'v1', 'HorizontalPodAutoscaler'),
  kind('coordination.k8s.io', 'v1', 'Lease'),
  kind('authorization.k8s.io', 'v1', 'SubjectAccessReview', ['create']),
  kind('metrics.k8s.io', 'v1beta1', 'PodMetrics'),
]);

test('API versions are listed as Helm and Kustomize want them', () => {
  assert.deepEqual(served.apiVersions.slice(0, 5), [
    'authorization.k8s.io/v1',
    'authorization.k8s.io/v1/SubjectAccessReview',
    'autoscaling/v1',
    'autoscaling/v1/HorizontalPodAutoscaler',
    'autoscaling/v2',
  ]);
  assert.ok(served.apiVersions.includes('v1') && served.apiVersions.includes('v1/Pod'));
});

test('a kind is found in its preferred version, and in each one that is served', () => {
  assert.equal(served.kind('autoscaling', 'HorizontalPodAutoscaler')?.version, 'v2');
  assert.equal(served.inVersion('autoscaling/v1', 'HorizontalPodAutoscaler')?.version, 'v1');
  assert.equal(served.inVersion('v1', 'Pod')?.plural, 'pods');
  assert.equal(served.inVersion('autoscaling/v3', 'HorizontalPodAutoscaler'), undefined);
  assert.ok(served.hasPlural('', 'pods') && !served.hasPlural('apps', 'pods'));
});

test('what is watched leaves out what churns, and what cannot be listed', () => {
  assert.deepEqual(
    watchedKinds(served, usualKinds, 'https://a').map(({ version, kind: name }) => `${version} ${name}`),
    ['v1 Pod', 'v2 HorizontalPodAutoscaler'],
  );
});
