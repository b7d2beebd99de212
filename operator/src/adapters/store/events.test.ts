import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '@mooring/crds';
import { operatorLimits } from '../../model/limits.ts';
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

function eventsOver(send: KubeClient['send']) {
  const client: KubeClient = {
    server: 'https://api.example.com',
    send,
    stream: () => () => {},
    close: async () => {},
  };
  const context = { clock: systemClock, random: systemRandom, limits: operatorLimits, log: createLog('silent') };
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
