import type {
  Application,
  OperationState,
  ResourceIgnoreDifferences,
  ResourceResult,
  SyncOperationResource,
} from '@mooring/crds';
import { pauseFor } from '@mooring/renderer-contract';
import { isOfRun, runOf } from '../../engine/plan/hook-run.ts';
import { kindsToServe, withoutUnserved } from '../../engine/plan/needs.ts';
import { fold, next, observeTasks, referencesTo } from '../../engine/plan/next.ts';
import { plan } from '../../engine/plan/plan.ts';
import { retryWaitMs } from '../../engine/policy/retry.ts';
import { containerImages } from '../../engine/summarize/images.ts';
import { finalMessage, isWaitingMessage, waitingMessage } from '../../engine/summarize/operation-message.ts';
import { cut } from '../../engine/summarize/summarize.ts';
import { isDeletionApproved } from '../../model/annotations.ts';
import type { DesiredObject, DesiredSet, DesiredWarning } from '../../model/desired.ts';
import type { Guard } from '../../model/guard.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { Next, Progress, SyncPlan, Task, TaskResult } from '../../model/plan.ts';
import { keyText, type ResourceKey, versionOf } from '../../model/resource-key.ts';
import { timestamp } from '../../model/timestamp.ts';
import type { Cluster } from '../../world/cluster.ts';
import type { World } from '../../world/world.ts';
import {
  type ApplyContext,
  applyTasks,
  comingNamespaces,
  isDoomed,
  isForced,
  rehearse,
  removeEarlierHooks,
  removeHooks,
} from './apply.ts';
import { childrenBehind } from './children.ts';
import { type Compared, objectLength } from './compare.ts';
import { heldBy, heldLookMs } from './held.ts';
import type { Memory } from './memory.ts';

/** One operation, and what it works on. */
export interface OperateRequest {
  readonly app: Application;
  readonly state: OperationState;
  /** The Application's name in tracking ids. */
  readonly tracking: string;
  readonly desired: DesiredSet;
  readonly compared: Compared;
  readonly cluster: Cluster;
  /** What the project forbids. */
  readonly guard: Guard;
  /** Created first where the sync makes the destination's namespace. */
  readonly namespace: DesiredObject | undefined;
  /** Set where it is not proven that the operation changes anything: asks the API server whether it would. */
  readonly proves: (() => Promise<boolean>) | undefined;
  /** `spec.ignoreDifferences`, and what the settings say for all. */
  readonly ignoreDifferences: readonly ResourceIgnoreDifferences[];
  /** Stores the state before the first effect of an operation that takes more than one pass. */
  readonly persist: (state: OperationState) => Promise<void>;
}

/** How far an operation has come. */
export interface Operated {
  readonly state: OperationState;
  /** Whether anything may have changed in the cluster. */
  readonly wrote: boolean;
  /** Whether the whole Application has just been synced. */
  readonly deployed: boolean;
  /** Whether the operation was not called for: it has changed nothing, and is as if it had never begun. */
  readonly isVain?: boolean;
  /** Milliseconds after which to look again; undefined where a change will tell. */
  readonly againMs?: number;
}

/** Carries an operation as far as it goes without waiting: plan, then next, apply and fold until there is nothing to run. */
export async function operate(request: OperateRequest, world: World, memory: Memory): Promise<Operated> {
  const { cluster, desired } = request;
  const sync = request.state.operation.sync ?? {};
  const syncOptions = sync.syncOptions ?? request.app.spec.syncPolicy?.syncOptions ?? [];
  const written = request.namespace ? [request.namespace, ...desired.objects] : desired.objects;
  const found = recordsOf(
    written.map(({ key }) => key),
    cluster,
  );
  const laidOut = plan(desired, request.compared.changes, found, {
    prune: sync.prune === true,
    ...(sync.resources?.length && { only: chosen(sync.resources) }),
    pruneConfirmed: isDeletionApproved(request.app.metadata.annotations, Date.parse(request.state.startedAt)),
    run: runOf(request.state),
    skipHooks: sync.syncStrategy?.apply !== undefined && sync.syncStrategy.hook === undefined,
    syncOptions,
    tracking: request.tracking,
    force: isForced(sync),
    ...(request.namespace && { namespace: request.namespace }),
  });
  const length = desired.objects.length * objectLength;
  await pauseFor(length);
  const stop = sharedStop(syncOptions, request.compared.shared);
  let progress = progressOf(request.state.syncResult?.resources ?? []);
  const syncPlan = await withServedOnly(laidOut, progress, cluster);
  // Results that there was no room for do not make it new.
  const isNew = progress.size === 0 && !isWaitingMessage(request.state.message);
  // What is taken from another Application is told before it is taken: afterwards it looks like one's own.
  const isLong = syncPlan.multiStep || syncPlan.tasks.some((task) => task.isHook);
  if (isNew && stop === undefined && (isLong || request.compared.shared.length > 0)) {
    if (request.proves !== undefined && !(await request.proves())) return vain(request.state);
    const first = referencesTo(syncPlan.tasks.map(({ key }) => key));
    const message = waitingMessage(`one or more tasks are running: ${first}`, undefined, world.clock.now());
    await request.persist({ ...request.state, message });
  }
  const context: ApplyContext = {
    cluster,
    guard: request.guard,
    tracking: request.tracking,
    operation: request.state.operation,
    syncOptions,
    coming: comingNamespaces(syncPlan.tasks, cluster),
    ignoreDifferences: request.ignoreDifferences,
    trace: memory.trace,
  };
  let rehearsed = sync.dryRun === true;
  let wrote = false;
  const waits = ({ reason, forMs }: Extract<Next, { do: 'wait' }>): Operated => {
    const state = withResults(request.state, syncPlan, progress);
    const limitMs = timeLeft(request.state, world);
    const againMs = Math.min(forMs ?? Number.POSITIVE_INFINITY, limitMs ?? Number.POSITIVE_INFINITY);
    return {
      state: { ...state, message: waitingMessage(reason, request.state.message, world.clock.now()) },
      wrote,
      deployed: false,
      ...(Number.isFinite(againMs) && { againMs }),
    };
  };
  for (;;) {
    await pauseFor(length);
    memory.trace.observe(cluster);
    const live = await recordsOfTasks(syncPlan.tasks, progress, cluster);
    const applied = syncPlan.tasks.flatMap(({ id, key }) =>
      progress.get(id)?.hookPhase === 'Running' ? (live.get(keyText(key)) ?? []) : [],
    );
    const view = {
      live: new Map([...live, ...(await childrenBehind(applied, world, memory.children))]),
      sinceLastWaveMs: world.clock.now() - memory.waveAppliedAt,
      waveDelayMs: world.store.settings().waveDelayMs,
    };
    await pauseFor(length);
    progress = observeTasks(syncPlan, progress, view);
    const step = interruption(request.state, world) ?? stop ?? next(syncPlan, progress, view);
    const leaving = step.do === 'run' ? leavingBefore(step.tasks, syncPlan, progress, request) : [];
    if (step.do === 'run' && leaving.length === 0) {
      if (!rehearsed && step.tasks.some(({ action }) => action === 'prune')) {
        rehearsed = true;
        const done = progress;
        const refused = await rehearse(
          syncPlan.tasks.filter(({ id }) => !done.has(id)),
          context,
        );
        progress = fold(progress, refused);
        if (refused.length > 0) continue;
      }
      // A hook of two phases takes the place of its first run, which only the status can then tell of.
      const isReplacing = step.tasks.some((task) => task.isHook && hasRunBefore(task, syncPlan, progress));
      if (isReplacing && !sync.dryRun) await request.persist(withResults(request.state, syncPlan, progress));
      const held = await removeEarlierHooks(step.tasks, context);
      if (held.length > 0) return waits({ do: 'wait', reason: await heldBy(held, cluster), forMs: heldLookMs });
      progress = fold(progress, await applyTasks(step.tasks, context));
      wrote ||= step.tasks.some((task) => !task.unchanged);
      if (step.tasks.some((task) => !task.unchanged)) memory.waveAppliedAt = world.clock.now();
      continue;
    }
    if (step.do === 'finish') {
      const isVain =
        request.proves !== undefined &&
        !isLong &&
        step.phase === 'Succeeded' &&
        isAsFound(syncPlan.tasks, found, cluster);
      if (isVain) return vain(request.state);
      return finish(request, withResults(request.state, syncPlan, progress), step, syncPlan, progress, wrote, world);
    }
    return waits(step.do === 'run' ? { do: 'wait', reason: `waiting for deletion of ${referencesTo(leaving)}` } : step);
  }
}

function vain(state: OperationState): Operated {
  return { state, wrote: false, deployed: false, isVain: true };
}

/** Whether everything is of the very version that was there before. */
function isAsFound(tasks: readonly Task[], found: ReadonlyMap<string, LiveRecord>, cluster: Cluster): boolean {
  return tasks.every(({ key, action }) => {
    if (action !== 'apply') return action !== 'prune';
    const before = found.get(keyText(key));
    return before !== undefined && before.resourceVersion === cluster.record(key)?.resourceVersion;
  });
}

/** The plan with everything refused that is of a kind which the cluster does not serve. */
async function withServedOnly(syncPlan: SyncPlan, progress: Progress, cluster: Cluster): Promise<SyncPlan> {
  const kinds = kindsToServe(syncPlan.tasks, progress);
  const answers = await Promise.all(kinds.map(({ apiVersion, kind }) => cluster.serves(apiVersion, kind)));
  const unserved = kinds.filter((_, index) => answers[index] === false);
  return unserved.length === 0 ? syncPlan : { ...syncPlan, tasks: withoutUnserved(syncPlan.tasks, unserved) };
}

/**
 * What the operation has pruned and is still going, where what is to run is of a later wave: that does not start before it is gone, as in Argo CD. What
 * an earlier pass pruned is no longer in the plan, but in the results.
 */
function leavingBefore(
  tasks: readonly Task[],
  syncPlan: SyncPlan,
  progress: Progress,
  { state, cluster }: OperateRequest,
): readonly ResourceKey[] {
  const [first] = tasks;
  const isOfWave = (task: Task): boolean => task.phase === first?.phase && task.wave === first.wave;
  const planned = new Set(syncPlan.tasks.map(({ key }) => keyText(key)));
  const pruned = [
    ...syncPlan.tasks
      .filter((task) => progress.get(task.id)?.status === 'Pruned' && !isOfWave(task))
      .map(({ key }) => key),
    ...(state.syncResult?.resources ?? []).filter(
      (result) => result.status === 'Pruned' && !planned.has(keyText(result)),
    ),
  ];
  return pruned.filter((key) => cluster.record(key)?.deleting === true);
}

/** Whether the same object was a hook of an earlier phase of this operation. */
function hasRunBefore(task: Task, { tasks }: SyncPlan, progress: Progress): boolean {
  const text = keyText(task.key);
  return tasks.some((other) => other !== task && progress.has(other.id) && keyText(other.key) === text);
}

/** `FailOnSharedResource=true`: nothing is applied while another Application tracks any of the objects; in Argo CD's words. */
function sharedStop(syncOptions: readonly string[], shared: readonly DesiredWarning[]): Next | undefined {
  const [first] = shared;
  if (first === undefined || !syncOptions.includes('FailOnSharedResource=true')) return undefined;
  return { do: 'finish', phase: 'Failed', message: `Shared resource found: ${first.message}` };
}

/** What ends an operation before its plan does: a person, or its time limit. */
function interruption(state: OperationState, world: World): Next | undefined {
  if (state.phase === 'Terminating') return { do: 'finish', phase: 'Failed', message: 'Operation terminated' };
  const left = timeLeft(state, world);
  if (left === undefined || left > 0) return undefined;
  const limitMs = world.store.settings().syncTimeoutMs;
  const limit = `controller.sync.timeout.seconds, ${limitMs / 1_000} s`;
  const message = `Operation terminated, triggered by controller sync timeout (${limit})`;
  return { do: 'finish', phase: 'Failed', message };
}

/** Milliseconds until the time limit of an operation; undefined where there is none. */
function timeLeft(state: OperationState, world: World): number | undefined {
  const limitMs = world.store.settings().syncTimeoutMs;
  return limitMs > 0 ? Date.parse(state.startedAt) + limitMs - world.clock.now() : undefined;
}

async function finish(
  request: OperateRequest,
  state: OperationState,
  end: Extract<Next, { do: 'finish' }>,
  syncPlan: SyncPlan,
  progress: Progress,
  wrote: boolean,
  world: World,
): Promise<Operated> {
  const { cluster } = request;
  const interrupted = interruption(request.state, world) !== undefined;
  const resultOf = (task: Task): TaskResult | undefined => {
    const result = progress.get(task.id);
    if (!interrupted) return result;
    // One may have been created right before a restart.
    const isUntold = result === undefined && isOfRun(cluster.record(task.key), task.desired);
    if (isUntold) return { status: 'Synced', message: '', hookPhase: 'Terminating' };
    return result?.hookPhase === 'Running' ? { ...result, hookPhase: 'Terminating' } : result;
  };
  const hooks = state.operation.sync?.dryRun ? [] : syncPlan.tasks.filter((task) => task.isHook);
  // A hook that is let go must be known to be done, or a restart would take it for lost.
  if (hooks.some((task) => isDoomed(task, resultOf(task)))) await request.persist(state);
  const { problems, removed } = await removeHooks(hooks, resultOf, request);
  const message = cut([end.message, ...problems].join('; '), messageLength);
  const now = world.clock.now();
  const sync = state.operation.sync;
  const over = { ...(interrupted ? withTerminated(state) : state), message, finishedAt: timestamp(now) };
  const retries = state.retryCount ?? 0;
  if (end.phase === 'Failed' && !interrupted) {
    const waitMs = retryWaitMs(state.operation.retry, retries);
    if (waitMs !== undefined) {
      const at = timestamp(now + waitMs);
      const told = `${message}. Retrying attempt #${retries + 1} at ${at}.`;
      const waiting = { ...over, message: told, retryCount: retries + 1 };
      return { state: waiting, wrote: wrote || removed, deployed: false, againMs: waitMs };
    }
  }
  const told = end.phase === 'Failed' ? finalMessage(message, 'Failed', state) : message;
  const deployed = end.phase === 'Succeeded' && !sync?.dryRun && !sync?.resources?.length;
  return { state: { ...over, message: told, phase: end.phase }, wrote: wrote || removed, deployed };
}

/** The hooks that an interrupted operation leaves unfinished are deleted: they have failed. */
function withTerminated(state: OperationState): OperationState {
  if (state.syncResult === undefined) return state;
  const resources = state.syncResult.resources?.map(
    (result): ResourceResult =>
      result.hookType !== undefined && result.hookPhase === 'Running'
        ? { ...result, hookPhase: 'Failed', message: 'Terminated' }
        : result,
  );
  return { ...state, syncResult: { ...state.syncResult, ...(resources && { resources }) } };
}

/** Characters of an operation's message. */
const messageLength = 4_096;

/**
 * Records of what the tasks are about; of a hook that nothing held and that has gone by itself when it was done, the last one. What was applied and is not in the
 * view is asked for: it may have gone, or another replica applied it and the watch has not told of it yet.
 */
async function recordsOfTasks(
  tasks: readonly Task[],
  progress: Progress,
  cluster: Cluster,
): Promise<ReadonlyMap<string, LiveRecord>> {
  const records = recordsOf(
    tasks.map(({ key }) => key),
    cluster,
  );
  for (const { id, key, apiVersion, isHook, desired } of tasks) {
    const last = isHook && !records.has(keyText(key)) ? cluster.lastOf(key) : undefined;
    const isDone = last?.health?.status === 'Healthy' || last?.health?.status === 'Degraded';
    if (last !== undefined && isOfRun(last, desired) && isDone) records.set(keyText(key), last);
    if (records.has(keyText(key)) || progress.get(id)?.hookPhase !== 'Running') continue;
    await cluster.get(key, apiVersion);
    const record = cluster.record(key);
    if (record !== undefined) records.set(keyText(key), record);
  }
  return records;
}

function recordsOf(keys: readonly ResourceKey[], cluster: Cluster): Map<string, LiveRecord> {
  const records = new Map<string, LiveRecord>();
  for (const key of keys) {
    const record = cluster.record(key);
    if (record !== undefined) records.set(keyText(key), record);
  }
  return records;
}

function chosen(resources: readonly SyncOperationResource[]): (key: ResourceKey) => boolean {
  const texts = new Set(
    resources.map(({ group = '', kind, namespace = '', name }) => keyText({ group, kind, namespace, name })),
  );
  const anywhere = new Set(
    resources.filter(({ namespace }) => !namespace).map(({ group = '', kind, name }) => `${group}/${kind}/${name}`),
  );
  return (key) => texts.has(keyText(key)) || anywhere.has(`${key.group}/${key.kind}/${key.name}`);
}

/** Rebuilds the progress of an operation from its status, so that a restart is no special case. */
function progressOf(results: readonly ResourceResult[]): Progress {
  const progress = new Map<string, TaskResult>();
  for (const { group, kind, namespace, name, status, message, hookPhase, syncPhase } of results) {
    progress.set(`${syncPhase ?? 'Sync'} ${keyText({ group, kind, namespace, name })}`, {
      status: status ?? 'Synced',
      message: message ?? '',
      hookPhase: hookPhase ?? 'Running',
    });
  }
  return progress;
}

function withResults(state: OperationState, syncPlan: SyncPlan, progress: Progress): OperationState {
  if (state.syncResult === undefined) return state;
  const resources: ResourceResult[] = [];
  for (const task of syncPlan.tasks) {
    const result = progress.get(task.id);
    if (result === undefined) continue;
    const { group, kind, namespace, name } = task.key;
    const images = task.desired === undefined ? [] : containerImages(task.desired.object);
    resources.push({
      group,
      version: versionOf(task.apiVersion),
      kind,
      namespace,
      name,
      status: result.status,
      message: cut(result.message, messageLength),
      ...(task.isHook && task.phase !== 'PreDelete' && { hookType: task.phase }),
      hookPhase: result.hookPhase,
      syncPhase: task.shownPhase ?? task.phase,
      ...(images.length > 0 && { images }),
    });
  }
  const planned = new Set(syncPlan.tasks.map((task) => task.id));
  // What an earlier pass pruned is no longer in the plan, and still part of what the operation did.
  const gone = (state.syncResult.resources ?? []).filter(
    ({ group, kind, namespace, name, syncPhase }) =>
      !planned.has(`${syncPhase ?? 'Sync'} ${keyText({ group, kind, namespace, name })}`),
  );
  return { ...state, syncResult: { ...state.syncResult, resources: [...gone, ...resources] } };
}
