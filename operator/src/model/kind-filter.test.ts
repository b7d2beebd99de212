import assert from 'node:assert/strict';
import test from 'node:test';
import { isExcludedKind, type KindFilter, type KindPattern, usualFilter } from './kind-filter.ts';

const none: KindFilter = { exclusions: [], inclusions: [] };
const pattern = (changes: Partial<KindPattern>): KindPattern => ({
  apiGroups: [],
  kinds: [],
  clusters: [],
  ...changes,
});
const jobs = pattern({ apiGroups: ['batch'], kinds: ['Job'] });

const cases: readonly [what: string, filter: KindFilter, group: string, kind: string, excluded: boolean][] = [
  ['Event, always', none, '', 'Event', true],
  ['metrics, always', none, 'metrics.k8s.io', 'PodMetrics', true],
  ['Lease, always', none, 'coordination.k8s.io', 'Lease', true],
  ['Endpoints where nothing is excluded', none, '', 'Endpoints', false],
  ['Endpoints usually', usualFilter, '', 'Endpoints', true],
  ['Pod', usualFilter, '', 'Pod', false],
  ['an excluded kind', { ...none, exclusions: [jobs] }, 'batch', 'Job', true],
  ['another kind', { ...none, exclusions: [jobs] }, 'batch', 'CronJob', false],
  [
    'every kind of some groups',
    { ...none, exclusions: [pattern({ apiGroups: ['*.cilium.io'] })] },
    'a.cilium.io',
    'X',
    true,
  ],
  ['a star of kinds', { ...none, exclusions: [pattern({ apiGroups: ['batch'], kinds: ['*'] })] }, 'batch', 'Job', true],
  ['no glob of kinds', { ...none, exclusions: [pattern({ kinds: ['Jo*'] })] }, 'batch', 'Job', false],
  ['of another cluster', { ...none, exclusions: [pattern({ clusters: ['https://b*'] })] }, 'batch', 'Job', false],
  ['of this cluster', { ...none, exclusions: [pattern({ clusters: ['https://a*'] })] }, 'batch', 'Job', true],
  ['included', { ...none, inclusions: [jobs] }, 'batch', 'Job', false],
  ['not included', { ...none, inclusions: [jobs] }, 'batch', 'CronJob', true],
  [
    'not included, of another cluster',
    { ...none, inclusions: [{ ...jobs, clusters: ['https://b'] }] },
    'apps',
    'X',
    false,
  ],
  ['both', { exclusions: [jobs], inclusions: [jobs] }, 'batch', 'Job', true],
];

test('kinds are left out as in Argo CD', () => {
  for (const [what, filter, group, kind, excluded] of cases)
    assert.equal(isExcludedKind(filter, group, kind, 'https://a.example'), excluded, what);
});
