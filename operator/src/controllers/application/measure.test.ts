import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, ApplicationStatus, Operation, OperationState, RevisionHistory } from '@mooring/crds';
import { createClock } from '../../../sim/clock.ts';
import { untraced } from '../../adapters/telemetry/untraced.ts';
import { operatorLimits } from '../../model/limits.ts';
import { noMetrics } from '../../world/telemetry.ts';
import type { World } from '../../world/world.ts';
import { createTraces } from '../traces.ts';
import { measure } from './measure.ts';
import { newMemory, sight } from './memory.ts';
import type { Seen } from './see.ts';
import { createAppTrace } from './trace.ts';

const traces = createTraces(untraced(), createClock(0), operatorLimits);
const untracedApp = createAppTrace({ namespace: 'argocd', name: 'shop' }, traces);
const startedAt = '2026-01-01T10:00:00Z';
const start = Date.parse(startedAt);
const automated: Operation = { sync: {}, initiatedBy: { automated: true } };

/** An Application whose statuses follow each other; answers what the metrics are told. */
function life() {
  const told: string[] = [];
  const memory = newMemory(untracedApp);
  const note =
    (what: string) =>
    (facts: object, more?: number): void => {
      const { namespace: _, name: __, project, server, traceId: ___, ...rest } = facts as Record<string, unknown>;
      assert.deepEqual([project, server], ['default', 'https://shop.example.com']);
      const shown = Object.entries({ ...rest, ...(more !== undefined && { objects: more }) });
      told.push([what, ...shown.filter(([, value]) => value !== undefined).map((pair) => pair.join('='))].join(' '));
    };
  let now = start;
  let status: ApplicationStatus = {};
  const world = {
    clock: { now: () => now },
    clusters: { locate: () => ({ server: 'https://shop.example.com' }) },
    telemetry: {
      metrics: {
        ...noMetrics,
        synced: note('synced'),
        deployed: note('deployed'),
        degraded: note('degraded'),
        restored: note('restored'),
        healed: note('healed'),
        drifted: note('drifted'),
      },
    },
  } as unknown as World;
  return {
    memory,
    /** Publishes a status so many milliseconds after the beginning. */
    at(
      ms: number,
      after: ApplicationStatus,
      seen?: { readonly commit: string; readonly committedAt: number },
    ): string[] {
      now = start + ms;
      const app = { metadata: { name: 'shop', namespace: 'argocd' }, spec: { project: '', destination: {} }, status };
      const pass = seen && { committedAt: seen.committedAt, comparison: { commit: seen.commit } };
      measure(app as unknown as Application, after, pass as Seen | undefined, world, memory);
      status = after;
      return told.splice(0);
    },
    forget: () => Object.assign(memory, newMemory(untracedApp)),
  };
}

function ended(
  revision: string,
  operation: Operation = automated,
  phase = 'Succeeded',
  began = startedAt,
): OperationState {
  return { operation, phase, startedAt: began, syncResult: { revision } } as OperationState;
}

const history = (...revisions: string[]): readonly RevisionHistory[] =>
  revisions.map((revision, id) => ({ id, revision, deployedAt: startedAt }));

test('a commit is timed from its date and from when it was seen, once', () => {
  const app = life();
  app.at(0, { history: history('a') });
  sight(app.memory, 'b', start + 100);
  sight(app.memory, 'b', start + 400);
  const after = { operationState: ended('b'), history: history('a', 'b') };
  assert.deepEqual(app.at(1_500, after, { commit: 'b', committedAt: start - 2_000 }), [
    'synced durationMs=1500 phase=Succeeded dryRun=false',
    'deployed result=succeeded sinceCommitMs=3500 sinceSeenMs=1400',
  ]);
  assert.deepEqual(app.at(1_600, after), []);
});

test('the clock of who committed may be ahead', () => {
  const app = life();
  app.at(0, { history: history('a') });
  const [, told] = app.at(50, { operationState: ended('b') }, { commit: 'b', committedAt: start + 60_000 });
  assert.equal(told, 'deployed result=succeeded sinceCommitMs=0');
});

test('a first revision is no deployment, and a rollback is not timed, nor how long a person waits with a sync', () => {
  const app = life();
  const committed = { commit: 'a', committedAt: start - 9e9 };
  sight(app.memory, 'a', start);
  assert.equal(app.at(50, { operationState: ended('a') }, committed)[1], undefined);
  app.at(60, { history: history('a', 'b') });
  assert.equal(app.at(70, { operationState: ended('a') }, committed)[1], 'deployed result=succeeded');
  app.at(80, { history: history('b') });
  const manual = ended('a', { sync: {}, initiatedBy: { username: 'ada' } });
  assert.equal(
    app.at(90, { operationState: manual }, committed)[1],
    'deployed result=succeeded sinceCommitMs=9000000090',
  );
});

test('a revision that fails again and again is one failed deployment, until one works', () => {
  const app = life();
  app.at(0, { history: history('a') });
  const tries = [1, 2, 3].map((second) => {
    const told = app.at(second * 1_000, {
      history: history('a'),
      operationState: ended('b', automated, second === 2 ? 'Failed' : 'Error', `2026-01-01T10:00:0${second}Z`),
    });
    return told.filter((line) => line.startsWith('deployed'));
  });
  assert.deepEqual(tries, [['deployed result=failed'], [], []]);
  const fixed = ended('c', automated, 'Succeeded', '2026-01-01T10:00:09Z');
  assert.deepEqual(app.at(9_500, { history: history('a', 'c'), operationState: fixed }), [
    'synced durationMs=500 phase=Succeeded dryRun=false',
    'deployed result=succeeded',
  ]);
});

test('a heal ends drift, and is no deployment; a rehearsal is told as one', () => {
  const app = life();
  app.at(0, { history: history('a') });
  const resources = [
    { kind: 'A', name: 'a' },
    { kind: 'B', name: 'b' },
  ];
  const heal = ended('a', { ...automated, sync: { autoHealAttemptsCount: 1, resources } });
  assert.deepEqual(app.at(500, { history: history('a'), operationState: heal }), [
    'synced durationMs=500 phase=Succeeded dryRun=false',
    'healed objects=2',
    'drifted objects=0',
  ]);
  const rehearsal = ended('b', { sync: { dryRun: true } }, 'Succeeded', '2026-01-01T10:00:02Z');
  assert.deepEqual(app.at(2_100, { history: history('a'), operationState: rehearsal }), [
    'synced durationMs=100 phase=Succeeded dryRun=true',
  ]);
});

test('trouble lasts from Degraded to Healthy, whatever lies between, and over a restart', () => {
  const app = life();
  const health = (status: string, at = startedAt) =>
    ({ health: { status, lastTransitionTime: at } }) as ApplicationStatus;
  assert.deepEqual(app.at(0, health('Healthy')), []);
  assert.deepEqual(app.at(10, health('Degraded')), ['degraded']);
  assert.deepEqual(app.at(20, health('Progressing')), []);
  assert.deepEqual(app.at(30, health('Degraded')), []);
  assert.deepEqual(app.at(40, health('Progressing')), []);
  assert.deepEqual(app.at(5_010, health('Healthy')), ['restored durationMs=5000']);
  assert.deepEqual(app.at(10_000, health('Degraded', '2026-01-01T10:00:10Z')), ['degraded']);
  app.forget();
  assert.deepEqual(app.at(13_000, health('Healthy')), ['restored durationMs=3000']);
  assert.deepEqual(app.at(14_000, health('Healthy')), []);
});

test('commits that are on their way are remembered, and only so many', () => {
  const memory = newMemory(untracedApp);
  for (let index = 0; index < 100; index += 1) sight(memory, `c${index}`, index);
  assert.deepEqual([memory.sightings.get('c99'), memory.sightings.get('c0')], [99, undefined]);
  assert.ok(memory.sightings.size < 20);
});
