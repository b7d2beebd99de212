import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '@mooring/crds';
import { createClock } from '../../../sim/clock.ts';
import { Fault } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import type { Clock } from '../../world/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { createLog } from '../telemetry/log.ts';
import { systemClock, systemRandom } from '../time/system.ts';
import { createEvents } from './events.ts';

const app = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd', uid: 'u', resourceVersion: '1' },
  spec: { project: 'default', destination: { server: 'https://kubernetes.default.svc' } },
} as unknown as Application;

function eventsOver(send: KubeClient['send'], clock: Clock = systemClock) {
  const client: KubeClient = {
    server: 'https://api.example.com',
    send,
    stream: () => () => {},
    close: async () => {},
  };
  const context = { clock, random: systemRandom, limits: operatorLimits, log: createLog('silent') };
  return createEvents(client, context);
}

const notice = (message: string) => ({ type: 'Normal', reason: 'ResourceUpdated', message }) as const;

test('closing sends what waits', async () => {
  const sent: string[] = [];
  const events = eventsOver(async (request) => sent.push((request.carries as { message?: string }).message ?? ''));
  for (const message of ['a', 'b', 'c']) events.notify(app, notice(message));
  await events.close();
  assert.deepEqual(sent, ['a', 'b', 'c']);
});

test('closing does not wait for an API server that answers nothing', async () => {
  const events = eventsOver(() => new Promise(() => {}));
  for (const message of ['a', 'b', 'c']) events.notify(app, notice(message));
  const startedAt = performance.now();
  await events.close();
  assert.ok(performance.now() - startedAt < 2_000);
});

test('what is told of the operator itself is kept until the API server takes it', async () => {
  const sent: Record<string, unknown>[] = [];
  let isUp = false;
  const clock = createClock(0);
  const events = eventsOver(async (request) => {
    if (!isUp) throw new Fault('cluster-unreachable', 'nobody there');
    sent.push(JSON.parse(request.body ?? '') as Record<string, unknown>);
  }, clock);
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'argocd', name: 'mooring-0', uid: 'u' };
  for (let index = 0; index < 40; index++) events.warn(pod, 'APIServerUnreachable', `no ${index}`);
  events.warn(pod, 'APIServerUnreachable', 'no 39');
  await clock.passUntil(60_000);
  assert.equal(sent.length, 0);
  isUp = true;
  await clock.passUntil(65_000);
  assert.equal(sent.length, operatorLimits.eventsKept);
  assert.deepEqual([sent.at(-1)?.['message'], sent.at(-1)?.['count']], ['no 39', 2]);
  assert.deepEqual(sent[0]?.['involvedObject'], pod);
  assert.deepEqual(events.counts(), { sent: 32, dropped: 8, failed: 0 });
  await events.close();
});
