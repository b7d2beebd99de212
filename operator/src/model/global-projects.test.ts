import assert from 'node:assert/strict';
import test from 'node:test';
import type { AppProject, AppProjectSpec } from '@mooring/crds';
import { type LabelSelector, withGlobalProjects } from './global-projects.ts';

function project(name: string, labels: Readonly<Record<string, string>>, spec: AppProjectSpec): AppProject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name, labels }, spec };
}

const own = project('shop', { tier: 'web' }, { sourceRepos: ['https://a/*'], destinations: [{ namespace: 'shop' }] });
const global = project(
  'global',
  {},
  { sourceRepos: ['!https://a/secret'], namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }] },
);
const projectOf = (name: string) => [own, global].find(({ metadata }) => metadata.name === name);

function merged(selector: Partial<LabelSelector>, projectName = 'global'): AppProjectSpec {
  const labelSelector = { matchLabels: {}, matchExpressions: [], ...selector };
  return withGlobalProjects(own, [{ projectName, labelSelector }], projectOf).spec;
}

test('the rules of a global project follow those of a project that its selector names', () => {
  const expected = {
    sourceRepos: ['https://a/*', '!https://a/secret'],
    destinations: [{ namespace: 'shop' }],
    namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }],
  };
  assert.deepEqual(merged({}), expected);
  assert.deepEqual(merged({ matchLabels: { tier: 'web' } }), expected);
  const selects = [
    { key: 'tier', operator: 'In', values: ['db', 'web'] },
    { key: 'tier', operator: 'Exists', values: [] },
    { key: 'other', operator: 'DoesNotExist', values: [] },
    { key: 'other', operator: 'NotIn', values: ['x'] },
  ] as const;
  assert.deepEqual(merged({ matchExpressions: selects }), expected);
});

test('other projects, and what is not there, add nothing', () => {
  assert.equal(merged({ matchLabels: { tier: 'db' } }), own.spec);
  assert.equal(merged({ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['web'] }] }), own.spec);
  assert.equal(merged({}, 'shop'), own.spec);
  assert.equal(merged({}, 'gone'), own.spec);
});
