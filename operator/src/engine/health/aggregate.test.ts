import assert from 'node:assert/strict';
import test from 'node:test';
import type { HealthStatusCode } from '../../model/health.ts';
import { appHealth, type ResourceHealth } from './aggregate.ts';

function resource(
  name: string,
  status: HealthStatusCode | undefined,
  rest: Partial<ResourceHealth> = {},
): ResourceHealth {
  const key = { group: 'apps', kind: 'Deployment', namespace: 'shop', name };
  return { key, health: status && { status }, missing: false, hook: false, ignored: false, ...rest };
}

const child = { group: 'argoproj.io', kind: 'Application', namespace: 'argocd', name: 'child' };

const cases: readonly {
  readonly name: string;
  readonly of: readonly ResourceHealth[];
  readonly want: HealthStatusCode;
  readonly causes?: string;
}[] = [
  { name: 'nothing at all', of: [], want: 'Healthy' },
  { name: 'kinds without a rule', of: [resource('a', undefined)], want: 'Healthy' },
  {
    name: 'the worst wins',
    of: [resource('a', 'Healthy'), resource('b', 'Degraded'), resource('c', 'Progressing')],
    want: 'Degraded',
    causes: 'apps/Deployment:shop/b',
  },
  {
    name: 'Suspended is worse than Healthy',
    of: [resource('a', 'Suspended'), resource('b', 'Healthy')],
    want: 'Suspended',
    causes: 'apps/Deployment:shop/a',
  },
  {
    name: 'Unknown is the worst',
    of: [resource('a', 'Degraded'), resource('b', 'Unknown')],
    want: 'Unknown',
    causes: 'apps/Deployment:shop/b',
  },
  {
    name: 'a missing object does not count',
    of: [resource('a', 'Healthy'), resource('b', undefined, { missing: true })],
    want: 'Healthy',
  },
  {
    name: 'all missing',
    of: [resource('a', undefined, { missing: true }), resource('b', undefined, { missing: true })],
    want: 'Missing',
  },
  {
    name: 'all missing but a hook',
    of: [resource('a', undefined, { missing: true }), resource('b', 'Healthy', { hook: true })],
    want: 'Missing',
  },
  {
    name: 'hooks do not count',
    of: [resource('a', 'Healthy'), resource('b', 'Degraded', { hook: true })],
    want: 'Healthy',
  },
  {
    name: 'ignored ones do not count, yet are there',
    of: [resource('a', 'Degraded', { ignored: true }), resource('b', undefined, { missing: true })],
    want: 'Healthy',
  },
  { name: 'a missing child', of: [resource('a', 'Missing', { key: child })], want: 'Healthy' },
  { name: 'an unknown child', of: [resource('a', 'Unknown', { key: child })], want: 'Healthy' },
  {
    name: 'a degraded child',
    of: [resource('a', 'Degraded', { key: child })],
    want: 'Degraded',
    causes: 'argoproj.io/Application:argocd/child',
  },
];

for (const one of cases) {
  test(one.name, () => {
    const health = appHealth(one.of);
    assert.equal(health.status, one.want);
    assert.equal(health.message, one.causes === undefined ? undefined : `Caused by ${one.causes}`);
    assert.equal(health.causes.join(', '), one.causes ?? '');
  });
}

test('every cause is named with the reason of its own, up to a limit', () => {
  const failing = (name: string, message: string): ResourceHealth => ({
    ...resource(name, 'Degraded'),
    health: { status: 'Degraded', message },
  });
  assert.equal(
    appHealth([
      resource('a', 'Degraded'),
      failing('b', 'exceeded its\n progress deadline'),
      failing('c', 'x'.repeat(999)),
    ]).message,
    `Caused by apps/Deployment:shop/a, apps/Deployment:shop/b (exceeded its progress deadline), apps/Deployment:shop/c (${'x'.repeat(199)}…)`,
  );
  const names = Array.from({ length: 13 }, (_, index) => `d${index}`);
  const health = appHealth(names.map((name) => resource(name, 'Degraded')));
  assert.match(health.message ?? '', /^Caused by apps\/Deployment:shop\/d0, .*, apps\/Deployment:shop\/d9 and 3 more$/);
  assert.equal(health.causes.length, 13);
});
