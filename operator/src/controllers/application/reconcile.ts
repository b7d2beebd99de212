import type { Application, ApplicationStatus, OperationState } from '@mooring/crds';
import { pauseFor } from '@mooring/renderer-contract';
import { type Decision, decide, driftOf } from '../../engine/policy/decide.ts';
import { retryWaitMs, sinceMs } from '../../engine/policy/retry.ts';
import { targetOf } from '../../engine/policy/target.ts';
import { isOfRevision, operationMessage } from '../../engine/summarize/fault-message.ts';
import { bytesOf } from '../../engine/summarize/fit.ts';
import { conditionNotices, notices } from '../../engine/summarize/notices.ts';
import { finalMessage } from '../../engine/summarize/operation-message.ts';
import { cut, type Findings, summarize, timestamp } from '../../engine/summarize/summarize.ts';
import { isSkipped } from '../../model/annotations.ts';
import { isOutOfSync, isUnproven } from '../../model/change.ts';
import type { DeletionPhase } from '../../model/desired.ts';
import { Fault, faultRules } from '../../model/fault.ts';
import { withHookFinalizers } from '../../model/finalizers.ts';
import { operatorLimits } from '../../model/limits.ts';
import { mergePatch } from '../../model/merge-patch.ts';
import { keyText } from '../../model/resource-key.ts';
import { step } from '../../world/telemetry.ts';
import type { World } from '../../world/world.ts';
import { type Action, awaitChange, requeueAfter } from '../action.ts';
import { isAnyProven } from './ask.ts';
import { objectLength } from './compare.ts';
import { letGoHooks } from './held.ts';
import { factsOf, measure } from './measure.ts';
import type { Memory } from './memory.ts';
import { operate } from './operate.ts';
import { preview } from './preview.ts';
import { remove } from './remove.ts';
import { type Seen, see, seeAgain, seeSpec } from './see.ts';
import { applicationKey, nameOf } from './wake.ts';

/**
 * Brings one Application one step nearer to what Git says, and tells when to be called again. Why it was called makes no difference: the state of the
 * world decides. An expected failure becomes a condition; anything else is thrown.
 */
export async function reconcile(app: Application, world: World, memory: Memory): Promise<Action> {
  if (isSkipped(app.metadata.annotations) || isClusterSkipped(app, world)) return awaitChange;
  if (app.metadata.deletionTimestamp !== undefined) return remove(app, world, memory);
  const action = await bringOn(app, world, memory);
  const isLetGo = await letGoHooks(world.store.application(nameOf(applicationKey(app))) ?? app, world);
  return isLetGo || action.do === 'again' ? action : requeueAfter(operatorLimits.clusterRetryMs);
}

/** One pass over an Application that stays. */
async function bringOn(app: Application, world: World, memory: Memory): Promise<Action> {
  let current = app;
  let state = app.status?.operationState;
  try {
    const seen = await see(app, world, memory);
    memory.commit = seen.comparison.commit;
    // Who stands by has seen enough to go on from here at once, and leaves the rest to who leads.
    if (!world.leadership.leads()) {
      memory.faultsInRow = 0;
      if (world.leadership.isReadOnly) preview(app, seen, world, memory);
      return awaitChange;
    }
    memory.trace.observe(seen.cluster);
    await pauseFor(seen.comparison.desired.objects.length * objectLength);
    const decision = decide({
      app,
      tracking: seen.context.tracking,
      commit: seen.comparison.commit,
      changes: seen.comparison.changes,
      namespaceOutdated: seen.comparison.namespace?.isOutdated === true,
      now: world.clock.now(),
      unrecorded: memory.unrecorded === seen.comparison.commit,
      windows: seen.windows,
      holds: seen.holds,
      otherThan: seen.otherThan,
    });
    // What nobody has proven to differ has no mark any more, so the next look asks about it.
    if (decision.do !== 'sync' && seen.comparison.changes.changes.some(isUnproven)) return requeueAfter(0);
    world.telemetry.metrics.drifted(factsOf(app, world), driftOf({ app, ...seen.comparison }));
    if (decision.do !== 'sync') {
      const stays = decision.do === 'refuse' && decision.state !== undefined ? decision.state : state;
      const shown = await ofSpec(app, seen, world, memory);
      await publish(current, world, memory, { ...shown, decision, state: stays, deployed: false });
      memory.faultsInRow = 0;
      // What the spec's own revision says is still to be told, and what was asked for meanwhile to be answered.
      if (stays !== state && stays?.finishedAt !== undefined) return requeueAfter(0);
      return decision.againMs === undefined ? awaitChange : requeueAfter(decision.againMs);
    }
    state = begin(app, decision.state, seen);
    const { source, commit } = seen.comparison;
    memory.trace.operate({ app, state, fresh: decision.fresh, source, commit });
    const persist = async (started: OperationState): Promise<void> => {
      current = await publish(current, world, memory, { seen, decision, state: started, deployed: false });
    };
    const { cluster, comparison, guard, target } = seen;
    const { tracking } = seen.context;
    const request = {
      app,
      state,
      tracking,
      desired: comparison.desired,
      compared: comparison,
      cluster,
      guard,
      namespace: comparison.namespace?.desired,
      ignoreDifferences: seen.context.ignoreDifferences,
      proves: decision.unproven ? () => proves(seen) : undefined,
      persist,
    };
    const operated = await step(world, 'sync', () => operate(request, world, memory));
    // Who has just started asks first, and finds nothing to do: neither is there an operation of who had to try it.
    if (operated.isVain) return requeueAfter(0);
    state = operated.state;
    const after = operated.wrote ? await seeAgain(app, seen, world) : seen;
    if (state.finishedAt === undefined) {
      const shown = await ofSpec(app, after, world, memory);
      await publish(current, world, memory, { ...shown, decision, state, deployed: false });
      memory.faultsInRow = 0;
      return operated.againMs === undefined ? awaitChange : requeueAfter(operated.againMs);
    }
    memory.unrecorded = operated.deployed ? commit : undefined;
    await publish(current, world, memory, { seen: after, decision, state, deployed: operated.deployed });
    memory.faultsInRow = 0;
    memory.unrecorded = undefined;
    // One more look tells what the spec's own revision says now, why nothing is tried again, and starts an operation that was asked for meanwhile.
    const isSettled = operated.deployed && !after.comparison.changes.changes.some(isOutOfSync);
    const isOfNow = target.ofSpec && target.specRevision === undefined;
    const isQuiet = isOfNow && isSettled && !(app.operation !== undefined && !decision.fresh);
    return isQuiet ? awaitChange : requeueAfter(0);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return fail(current, world, memory, thrown, state);
  }
}

/** Whether an apply would change anything of what was seen. */
function proves({ comparison: { changes, live }, cluster, context, guard }: Seen): Promise<boolean> {
  const { ignoreDifferences, revisionChanged } = context;
  return isAnyProven(changes, { live, cluster, guard, rules: { ignoreDifferences, revisionChanged } });
}

/** Whether the destination is a cluster whose Secret says that nothing of it is to be looked at, as in Argo CD. */
function isClusterSkipped({ spec }: Application, world: World): boolean {
  try {
    return world.clusters.locate(spec.destination).isSkipped === true;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    // The look itself reports it.
    return false;
  }
}

/** The state of an operation that works on the revision that was just seen. */
function begin(app: Application, state: OperationState, { comparison }: Seen): OperationState {
  const { syncResult: last } = app.status?.operationState ?? {};
  // A rehearsal leaves the namespace as the last sync made it.
  const { managedNamespaceMetadata: managed } = (state.operation.sync?.dryRun ? last : app.spec.syncPolicy) ?? {};
  const { source = comparison.source, resources = [] } = state.syncResult ?? {};
  const result = { revision: comparison.commit, source, resources };
  return { ...state, syncResult: { ...result, ...(managed && { managedNamespaceMetadata: managed }) } };
}

interface Publication {
  readonly seen?: Seen;
  readonly faults?: readonly Fault[];
  readonly decision?: Decision;
  readonly state: OperationState | undefined;
  readonly deployed: boolean;
}

/** What is shown of an Application whose operation is not over: how it stands to what its spec asks for, whatever else the operation works on. */
async function ofSpec(
  app: Application,
  seen: Seen,
  world: World,
  memory: Memory,
): Promise<Pick<Publication, 'seen' | 'faults'>> {
  const found = seen.target.ofSpec ? seen : await seeSpec(app, world, memory);
  return found instanceof Fault ? { faults: [found] } : { seen: found ?? seen };
}

async function publish(app: Application, world: World, memory: Memory, found: Publication): Promise<Application> {
  await pauseFor((found.seen?.comparison.desired.objects.length ?? 0) * objectLength);
  return step(world, 'publish', () => writeStatus(app, world, memory, found));
}

/** Writes the status once, and only what changed of it; tells people about it. */
async function writeStatus(app: Application, world: World, memory: Memory, found: Publication): Promise<Application> {
  const findings = {
    app,
    replaced: replacedBy(found.seen),
    comparison: found.seen?.target.ofSpec ? found.seen.comparison : undefined,
    faults: found.faults ?? [],
    refusal: refusalOf(found.decision),
    state: found.state,
    deployed: found.deployed,
    controllerNamespace: world.store.namespace,
    now: world.clock.now(),
    messageLength: operatorLimits.messageLength,
  };
  const { refusedBytes = Number.POSITIVE_INFINITY } = memory;
  let status = summarize({ ...findings, applicationBytes: operatorLimits.applicationBytes });
  if (memory.refusedBytes !== undefined && bytesOf({ ...app, status }) >= refusedBytes)
    status = summarize({ ...findings, applicationBytes: smallerThan(refusedBytes) });
  // Another operation that was asked for while one is under way waits for its turn.
  const taken = app.operation !== undefined && found.state?.operation === app.operation;
  const finalizers = finalizersOf(app, found.seen);
  const refreshed = app.metadata.annotations?.['argocd.argoproj.io/refresh'] !== undefined;
  await pauseFor((status.resources?.length ?? 0) * objectLength);
  const change = mergePatch(app.status, refreshed ? { ...status, reconciledAt: timestamp(world.clock.now()) } : status);
  if (change === undefined && !taken && !refreshed && finalizers === undefined) {
    // What stands in the way still does: its Event is counted.
    if (found.faults !== undefined) {
      for (const notice of conditionNotices(status.conditions ?? [])) world.notifier.notify(app, notice);
    }
    return app;
  }
  const patch = {
    ...(change && { status: change }),
    ...(taken && { operation: null }),
    metadata: {
      ...(finalizers !== undefined && { finalizers: finalizers.length > 0 ? finalizers : null }),
      ...(refreshed && { annotations: { 'argocd.argoproj.io/refresh': null } }),
    },
  };
  let stored: Application;
  try {
    stored = await world.store.patchApplication(app, patch);
  } catch (thrown) {
    if (!isTooLarge(thrown)) throw thrown;
    const bytes = bytesOf({ ...app, status });
    if (bytes >= refusedBytes || smallerThan(bytes) < applicationBytesLeast) throw tooLarge(thrown);
    world.telemetry.log.warn({ bytes }, 'the API server takes no Application of this size; its status is cut');
    memory.refusedBytes = bytes;
    return writeStatus(app, world, memory, found);
  }
  tell(app, status, world);
  measure(app, status, found.seen, world, memory);
  return stored;
}

/** Bytes of an Application below which no smaller status is tried: what is too large is not the status. */
const applicationBytesLeast = 8 * 1024;

/** The limit, halved as often as it takes to come below what was refused: always the same steps, so that a restart comes to the same status. */
function smallerThan(refusedBytes: number): number {
  let bytes = operatorLimits.applicationBytes;
  while (bytes >= refusedBytes) bytes = Math.floor(bytes / 2);
  return bytes;
}

function tooLarge(refusal: Fault): Fault {
  const message = `${refusal.message}: not even with a status that was cut short; make spec and annotations of the Application smaller, or have etcd, and whatever stands before the API server, take larger requests`;
  return new Fault(refusal.code, message, refusal.data, refusal);
}

/** Whether the API server, or etcd behind it, refused a write for its size. */
function isTooLarge(thrown: unknown): thrown is Fault {
  if (!(thrown instanceof Fault)) return false;
  return thrown.data['httpStatus'] === 413 || /request is too large|larger than max/i.test(thrown.message);
}

/** Objects that a sync would make anew if it did not know that it has. */
function replacedBy(seen: Seen | undefined): ReadonlySet<string> {
  const objects = seen?.comparison.desired.objects ?? [];
  return new Set(objects.filter(({ options }) => options.replace).map(({ key }) => keyText(key)));
}

function refusalOf(decision: Decision | undefined): Findings['refusal'] {
  if (decision?.do !== 'refuse' || decision.condition === undefined) return undefined;
  return { type: decision.condition, message: decision.reason };
}

/** The finalizers of an Application whose deletion hooks came or went; undefined where nothing is to be done. */
function finalizersOf(app: Application, seen: Seen | undefined): readonly string[] | undefined {
  if (!seen?.target.ofSpec) return undefined;
  const phases = new Set<DeletionPhase>();
  for (const { hook } of seen.comparison.desired.objects) {
    for (const phase of hook?.phases ?? []) if (phase === 'PreDelete' || phase === 'PostDelete') phases.add(phase);
  }
  const has = app.metadata.finalizers ?? [];
  const wanted = withHookFinalizers(has, phases);
  return wanted === has ? undefined : wanted;
}

function tell(app: Application, status: ApplicationStatus, world: World): void {
  for (const notice of notices(app.status, status)) {
    world.notifier.notify(app, notice);
    world.telemetry.log.info({ revision: status.sync?.revision, reason: notice.reason }, notice.message);
  }
}

/** Milliseconds after which a pass is made again that somebody else's write of the Application has overtaken: until the watch has told of it. */
const conflictWaitMs = 100;

/** An expected failure: shown, and tried again later and later where it may go away by itself. */
async function fail(
  app: Application,
  world: World,
  memory: Memory,
  fault: Fault,
  state: OperationState | undefined,
): Promise<Action> {
  const { condition, retry } = faultRules[fault.code];
  const { leadership } = world;
  const isStandby = condition === undefined || !leadership.leads();
  // That somebody changed the Application meanwhile is no trouble: it is looked at as it is now.
  const isQuiet = (isStandby && !leadership.isReadOnly) || fault.code === 'object-conflict';
  const told = { revision: app.status?.sync?.revision, code: fault.code };
  if (isQuiet) world.telemetry.log.debug(told, fault.message);
  else world.telemetry.log.warn(told, fault.message);
  if (retry === 'lead') return awaitChange;
  memory.faultsInRow += 1;
  // What stood in the way may be gone: the next pass asks Git anew.
  memory.revisionNotBefore = world.clock.now();
  let isWaiting = state?.phase === 'Running';
  // An operation whose end could not be stored is carried on from what is stored.
  const isUntold = state !== app.status?.operationState && state?.finishedAt !== undefined;
  if (!isStandby && !isUntold && fault.code !== 'object-conflict' && fault.code !== 'object-missing') {
    const failed = failOperation(app, state, fault, world);
    isWaiting = failed?.phase === 'Running';
    try {
      // An operation for another revision is told why it failed; the Application itself may be fine.
      const faults = isOfRevision(fault) && isElsewhere(app) ? [] : [fault];
      await publish(app, world, memory, { faults, state: failed, deployed: false });
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      if (faultRules[thrown.code].retry === 'lead') return awaitChange;
      isWaiting = true;
      world.telemetry.log.warn({ code: thrown.code }, thrown.message);
    }
  }
  if (retry === 'change' && !isWaiting && !isUntold) return awaitChange;
  const { backoffFirstMs, backoffLastMs } = operatorLimits;
  const firstMs = fault.code === 'object-conflict' ? conflictWaitMs : backoffFirstMs;
  return requeueAfter(Math.min(backoffLastMs, firstMs * 2 ** Math.min(20, memory.faultsInRow - 1)));
}

/** Whether a pass looks at another source or revision than the spec names. */
function isElsewhere(app: Application): boolean {
  try {
    return !targetOf(app).ofSpec;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return false;
  }
}

/** An operation that a fault stands in the way of ends, or waits for its next try: none that was accepted is left without an end (invariant I5). */
function failOperation(
  app: Application,
  state: OperationState | undefined,
  fault: Fault,
  world: World,
): OperationState | undefined {
  const now = timestamp(world.clock.now());
  const asked: OperationState | undefined = app.operation && {
    operation: app.operation,
    phase: 'Running' as const,
    startedAt: now,
  };
  const running = state?.phase === 'Running' || state?.phase === 'Terminating';
  const current = running ? state : asked;
  if (current === undefined) return state;
  const retries = current.retryCount ?? 0;
  if (current.phase === 'Running' && current.finishedAt !== undefined) {
    const waitMs = retryWaitMs(current.operation.retry, retries - 1) ?? 0;
    if (sinceMs(current.finishedAt, world.clock.now()) < waitMs) return state;
  }
  const waitMs = current.phase === 'Running' ? retryWaitMs(current.operation.retry, retries) : undefined;
  const message = cut(operationMessage(fault), operatorLimits.messageLength);
  if (waitMs === undefined) {
    const told = finalMessage(message, 'Error', current);
    const source = current.operation.sync?.source ?? app.spec.source;
    const nothing = { revision: current.operation.sync?.revision ?? '', ...(source && { source }) };
    return { ...current, phase: 'Error', message: told, finishedAt: now, syncResult: current.syncResult ?? nothing };
  }
  const at = timestamp(world.clock.now() + waitMs);
  return {
    ...current,
    message: `${message}. Retrying attempt #${retries + 1} at ${at}.`,
    retryCount: retries + 1,
    finishedAt: now,
  };
}
