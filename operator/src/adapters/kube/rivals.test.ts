import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import { noMetrics } from '../../world/telemetry.ts';
import type { KubeClient } from './client.ts';
import { createSoleElection } from './election.ts';
import type { KubeRequest } from './request.ts';
import { besideRivals, lookEveryMs } from './rivals.ts';

type Answer = Readonly<Record<string, unknown>> | Fault;

/** An election beside what the API server answers, which may change between two looks. */
function stand(answers: { pods: Answer; lease: Answer }) {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const timers: { at: number; run: () => void }[] = [];
  const clock = {
    now: () => now,
    after: (delayMs: number, run: () => void) => {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const told: string[] = [];
  const client = {
    send: async ({ path }: KubeRequest) => {
      const answer = path.endsWith('/pods') ? answers.pods : answers.lease;
      if (answer instanceof Fault) throw answer;
      return answer;
    },
  } as unknown as KubeClient;
  const log = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => told.push(message) };
  const election = besideRivals(createSoleElection(clock), client, {
    clock,
    random: { next: () => 0.5, id: () => 'x' },
    limits: operatorLimits,
    metrics: noMetrics,
    log,
    namespace: 'argocd',
    leaseName: 'mooring',
    report: (problems, notes) => told.push([...problems.map(({ message }) => message), ...notes].join('; ') || 'alone'),
  });
  const turns: boolean[] = [];
  election.subscribe((leads) => turns.push(leads));
  return {
    election,
    told,
    turns,
    /** Lets every answer come in, after the time of the next look where that is asked for. */
    async settle(afterMs = 0) {
      now += afterMs;
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(timer), 1);
        timer.run();
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const nobody = { items: [] };
const argo = { items: [{ metadata: { name: 'argocd-application-controller-0' } }] };
const missing = new Fault('object-missing', 'not found', { httpStatus: 404 });
const lease = (renewTime: string, holderIdentity = 'mooring-0') => ({
  metadata: { name: 'mooring' },
  spec: { holderIdentity, renewTime, leaseDurationSeconds: 15 },
});

test('before the first look is answered nothing is written, and alone it leads', async () => {
  const { election, settle, told, turns } = stand({ pods: nobody, lease: missing });
  assert.equal(election.leads(), false);
  assert.throws(() => election.fence.begin(), { code: 'not-leading' });
  await settle();
  assert.equal(election.leads(), true);
  election.fence.begin()();
  assert.deepEqual([told, turns], [['alone'], [true]]);
});

test("while Argo CD's application controller runs nothing is written, and ten seconds after it is gone this one leads", async () => {
  const answers: { pods: Answer; lease: Answer } = { pods: argo, lease: missing };
  const { election, settle, told, turns } = stand(answers);
  await settle();
  assert.equal(election.leads(), false);
  assert.throws(() => election.fence.begin(), { code: 'not-leading' });
  assert.match(
    told[0] ?? '',
    /argocd-application-controller-0 .* scale it to 0 .* --read-only; until then nothing is written/,
  );
  answers.pods = nobody;
  await settle(lookEveryMs);
  assert.equal(election.leads(), true);
  answers.pods = argo;
  await settle(lookEveryMs);
  assert.equal(election.leads(), false);
  assert.deepEqual(turns, [true, false]);
});

test('another Mooring that holds the Lease is a rival until the Lease has run out, or is given up', async () => {
  const answers: { pods: Answer; lease: Answer } = { pods: nobody, lease: lease('2026-01-01T00:00:00Z') };
  const { election, settle, told } = stand(answers);
  await settle();
  assert.match(told[0] ?? '', /mooring-0, holds the Lease mooring/);
  await settle(lookEveryMs);
  assert.equal(election.leads(), false);
  await settle(lookEveryMs);
  assert.equal(election.leads(), true);
  answers.lease = lease('2026-01-01T00:00:30Z', '');
  await settle(lookEveryMs);
  assert.equal(election.leads(), true);
});

test('without an answer what was known last holds on; who may not look is alone and says so', async () => {
  const answers: { pods: Answer; lease: Answer } = { pods: argo, lease: missing };
  const { election, settle, told } = stand(answers);
  await settle();
  answers.pods = new Fault('cluster-unreachable', 'gone');
  await settle(lookEveryMs);
  assert.equal(election.leads(), false);
  assert.equal(told.length, 1);
  answers.pods = new Fault('cluster-refused', 'no', { httpStatus: 403 });
  await settle(lookEveryMs);
  assert.equal(election.leads(), true);
  assert.match(told[1] ?? '', /may not list pods in argocd/);
});
