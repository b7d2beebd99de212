import type { Application, ApplicationStatus, OperationState } from '@mooring/crds';
import { deploymentOf, endedOperation } from '../../engine/summarize/deployment.ts';
import type { AppFacts } from '../../world/telemetry.ts';
import type { World } from '../../world/world.ts';
import type { Memory } from './memory.ts';
import type { Seen } from './see.ts';
import { serverOf } from './wake.ts';

/** An Application as metrics tell it apart. */
export function factsOf(app: Application, world: World): AppFacts {
  const { metadata, spec } = app;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    project: spec.project || 'default',
    server: serverOf(app, world) ?? '',
  };
}

/** Tells the metrics what became of an Application with the status that was just stored. */
export function measure(
  app: Application,
  after: ApplicationStatus,
  seen: Seen | undefined,
  world: World,
  memory: Memory,
): void {
  const ended = endedOperation(app.status, after);
  if (ended !== undefined) measureOperation(app, ended, seen, world, memory);
  measureHealth(app, after, world, memory);
}

function measureOperation(
  app: Application,
  ended: OperationState,
  seen: Seen | undefined,
  world: World,
  memory: Memory,
): void {
  const { metrics, traceId } = world.telemetry;
  const facts = factsOf(app, world);
  const now = world.clock.now();
  const { sync } = ended.operation;
  // An operation that follows another within a second is said to start in the next one.
  const durationMs = Math.max(0, now - Date.parse(ended.startedAt));
  metrics.synced({ ...facts, durationMs, traceId, phase: ended.phase, dryRun: sync?.dryRun === true });
  if (ended.phase === 'Succeeded' && sync?.autoHealAttemptsCount !== undefined) {
    // Where nothing is chosen, the destination's namespace was out of date.
    metrics.healed(facts, sync.resources?.length ?? 1);
    metrics.drifted(facts, 0);
  }
  const deployment = deploymentOf(app.status, ended);
  if (deployment === undefined) return;
  const { revision, succeeded, isNews } = deployment;
  if (!succeeded && memory.failedRevision === revision) return;
  memory.failedRevision = succeeded ? undefined : revision;
  const since = (at: number | undefined): number | undefined => (at === undefined ? undefined : Math.max(0, now - at));
  const isTimed = succeeded && isNews && seen?.comparison.commit === revision;
  const isAutomated = ended.operation.initiatedBy?.automated === true;
  metrics.deployed({
    ...facts,
    traceId,
    result: succeeded ? 'succeeded' : 'failed',
    sinceCommitMs: isTimed ? since(seen.committedAt) : undefined,
    sinceSeenMs: isTimed && isAutomated ? since(memory.sightings.get(revision)) : undefined,
  });
}

function measureHealth(app: Application, after: ApplicationStatus, world: World, memory: Memory): void {
  const { metrics, traceId } = world.telemetry;
  const { health: before } = app.status ?? {};
  const now = world.clock.now();
  // What another process saw, or this one before it was started anew.
  if (before?.status === 'Degraded') memory.degradedAt ??= Date.parse(before.lastTransitionTime ?? '') || now;
  if (after.health?.status === 'Degraded' && memory.degradedAt === undefined) {
    memory.degradedAt = now;
    metrics.degraded(factsOf(app, world));
  }
  if (after.health?.status === 'Healthy' && memory.degradedAt !== undefined) {
    const durationMs = Math.max(0, now - memory.degradedAt);
    metrics.restored({ ...factsOf(app, world), durationMs, traceId });
    memory.degradedAt = undefined;
  }
}
