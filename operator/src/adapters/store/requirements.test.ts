import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from '../../../sim/clock.ts';
import { Fault } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import type { KubeClient } from '../kube/client.ts';
import { createLog } from '../telemetry/log.ts';
import { systemRandom } from '../time/system.ts';
import { createRequirements } from './requirements.ts';

test('it looks again later and later, at most each 10 s, until all is well, and then no more', async () => {
  const clock = createClock(0);
  const looks: number[] = [];
  const reports: string[] = [];
  let answers: 'nothing' | 'refusal' | 'yes' = 'nothing';
  const client: KubeClient = {
    server: 'https://api.example.com',
    send: async ({ path }) => {
      if (path === '/apis/argoproj.io/v1alpha1') looks.push(clock.now());
      if (answers === 'nothing') throw new Fault('cluster-unreachable', 'nobody there');
      const resources = ['applications', 'appprojects'].map((name) => ({ name, namespaced: true }));
      return { status: { allowed: answers === 'yes' }, resources };
    },
    stream: () => assert.fail('nothing is watched'),
    close: async () => {},
  };
  const requirements = createRequirements(client, {
    clock,
    random: systemRandom,
    limits: operatorLimits,
    log: createLog('silent'),
    namespace: 'argocd',
    purpose: 'operate',
    report: (check, problems) => void reports.push(`${check} ${problems.length}`),
    refusal: () => undefined,
    looked: () => void reports.push('looked'),
  });
  requirements.look();
  await clock.passUntil(60_000);
  assert.deepEqual(looks.splice(0), [0, 1_000, 3_000, 7_000, 15_000, 25_000, 35_000, 45_000, 55_000]);
  assert.deepEqual([reports, requirements.isUsable()], [[], false]);

  answers = 'refusal';
  await clock.passUntil(65_500);
  assert.deepEqual(reports.splice(0), ['permissions 1', 'crds 0', 'looked']);
  await clock.passUntil(70_000);
  assert.deepEqual(looks.splice(0), [65_000, 66_000, 68_000], 'sooner again after there was news');
  assert.ok(requirements.isUsable());

  answers = 'yes';
  requirements.look();
  requirements.look();
  await clock.passUntil(71_000);
  assert.deepEqual(looks.splice(0), [70_000, 70_000], 'what was asked for during a look is looked at after it');
  await clock.passUntil(600_000);
  assert.deepEqual([looks, requirements.isUsable()], [[], true]);

  answers = 'refusal';
  for (const at of [600_000, 605_000, 609_999, 610_000]) {
    await clock.passUntil(at);
    requirements.refused();
    requirements.refused();
  }
  await clock.passUntil(610_500);
  assert.deepEqual(looks.splice(0), [600_000, 601_000, 603_000, 607_000], 'a refusal is no reason to look each time');
  requirements.stop();
});

test('without a right to ask, what was refused itself is told', async () => {
  const clock = createClock(0);
  const told: (string | undefined)[] = [];
  const forbidden = (what: string): Fault => new Fault('cluster-refused', `${what} is forbidden`, { httpStatus: 403 });
  let isServed = false;
  const client: KubeClient = {
    server: 'https://api.example.com',
    send: async ({ path }) => {
      if (!isServed || path.includes('reviews')) throw forbidden(path);
      return { resources: ['applications', 'appprojects'].map((name) => ({ name, namespaced: true })) };
    },
    stream: () => assert.fail('nothing is watched'),
    close: async () => {},
  };
  const requirements = createRequirements(client, {
    clock,
    random: systemRandom,
    limits: operatorLimits,
    log: createLog('silent'),
    namespace: 'argocd',
    purpose: 'operate',
    report: (check, [problem]) => void (check === 'permissions' && told.push(problem?.message)),
    refusal: () => forbidden('secrets'),
    looked: () => {},
  });
  requirements.look();
  await clock.passUntil(0);
  isServed = true;
  await clock.passUntil(1_000);
  assert.deepEqual(told, [
    '/apis/argoproj.io/v1alpha1 is forbidden: bind the account to the ClusterRole system:discovery',
    'secrets is forbidden: grant it',
  ]);
  requirements.stop();
});
