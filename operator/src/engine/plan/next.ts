import type { Health } from '../../model/health.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { Next, Outcome, Progress, SyncPlan, Task, TaskResult } from '../../model/plan.ts';
import { definesKinds, keyForPeople, keyText, type ResourceKey } from '../../model/resource-key.ts';

/** What `next` looks at besides the plan and how far it has come. */
export interface NextView {
  /** Records of the objects the plan touches, by `keyText`. */
  readonly live: ReadonlyMap<string, LiveRecord>;
  /** Milliseconds since the last wave was applied; Infinity where that is not known. */
  readonly sinceLastWaveMs: number;
  /** Milliseconds to let other controllers notice a wave before its health is believed. */
  readonly waveDelayMs: number;
}

/** How far an applied object is, by its health. A kind without a health rule is done when it is applied; only a hook fails for being Unknown. */
function phaseOf(health: Health | undefined, isHook: boolean): TaskResult['hookPhase'] {
  switch (health?.status) {
    case undefined:
    case 'Healthy':
      return 'Succeeded';
    case 'Degraded':
      return 'Failed';
    case 'Unknown':
      return isHook ? 'Failed' : 'Running';
    default:
      return 'Running';
  }
}

/**
 * Whether a task must have run to its end, and not only been applied, before the sync goes on. Nothing comes after the last step: unless it has hooks,
 * the sync is over when it is applied, as in Argo CD, and the health of the Application tells the rest.
 */
function awaited(task: Task, plan: SyncPlan): boolean {
  if (task.action !== 'apply') return false;
  return task.isHook || definesKinds(task.key) || (plan.multiStep && !isOfQuietEnd(task, plan));
}

/** Whether a task is of the last step, and that step has no hooks. */
function isOfQuietEnd(task: Task, { end }: SyncPlan): boolean {
  return end !== undefined && !end.hasHooks && task.phase === end.phase && task.wave === end.wave;
}

/**
 * Whether the health of an applied object may be taken for that of its new state. A controller needs a moment to notice a change, and until then its old
 * status stands; that only matters where another step depends on it. New hooks have no old status.
 */
function isBelieved(task: Task, plan: SyncPlan, view: NextView): boolean {
  if (task.isHook || task.unchanged || !plan.multiStep || view.sinceLastWaveMs >= view.waveDelayMs) return true;
  return plan.end?.phase === task.phase && plan.end.wave === task.wave;
}

/** Reads the world once more into the results of tasks that were applied and are awaited. */
export function observeTasks(plan: SyncPlan, progress: Progress, view: NextView): Progress {
  const seen = new Map(progress);
  for (const task of plan.tasks) {
    const result = progress.get(task.id);
    if (result === undefined || result.hookPhase !== 'Running' || !awaited(task, plan)) continue;
    const record = view.live.get(keyText(task.key));
    if (record === undefined) {
      const message = `Resource ${referenceOf(task.key)} is missing, it might have been deleted before it was done`;
      seen.set(task.id, { status: 'SyncFailed', message, hookPhase: 'Error' });
      continue;
    }
    const hookPhase = phaseOf(record.health, task.isHook);
    // It may never come to an end then, and must not be held for ever.
    if (task.isHook && record.deleting && hookPhase === 'Running') {
      const message = `Resource ${referenceOf(task.key)} was deleted before it was done`;
      seen.set(task.id, { status: 'SyncFailed', message, hookPhase: 'Error' });
      continue;
    }
    if (hookPhase === 'Running' || (record.health !== undefined && !isBelieved(task, plan, view))) continue;
    const message = record.health?.message ?? result.message;
    seen.set(task.id, { status: result.status, message, hookPhase });
  }
  return seen;
}

function failed(result: TaskResult | undefined): boolean {
  return result !== undefined && (result.hookPhase === 'Failed' || result.hookPhase === 'Error');
}

function failure(tasks: readonly Task[], progress: Progress): string {
  const isRefused = ({ status, hookPhase }: TaskResult) => status === 'SyncFailed' && hookPhase === 'Failed';
  const bad = tasks.filter((task) => failed(progress.get(task.id)));
  const main = bad.filter((task) => task.phase !== 'SyncFail');
  const refused = main.filter((task) => isRefused(progress.get(task.id) as TaskResult));
  const what = [
    ...(refused.some(({ action }) => action !== 'prune') ? ['one or more objects failed to apply'] : []),
    ...(refused.some(({ action }) => action === 'prune') ? ['one or more objects could not be pruned'] : []),
  ];
  if (what.length === 0) what.push('one or more synchronization tasks completed unsuccessfully');
  const told = `${what.join(', and ')}, reason: ${reasonsOf(main, progress)}`;
  const hooks = bad.filter((task) => task.phase === 'SyncFail');
  return hooks.length === 0
    ? told
    : `${told}\none or more SyncFail hooks failed, reason: ${reasonsOf(hooks, progress)}`;
}

function reasonsOf(tasks: readonly Task[], progress: Progress): string {
  const reasons = tasks.map((task) => {
    const name = keyForPeople(task.key);
    const message = progress.get(task.id)?.message ?? '';
    return message.startsWith(`${name}:`) ? message : `${name}: ${message}`;
  });
  return `${reasons.slice(0, 5).join('; ')}${reasons.length > 5 ? `; and ${reasons.length - 5} more` : ''}`;
}

/** What the project forbids is known before anything is applied, so nothing is; undefined where it forbids nothing. */
function refusal(plan: SyncPlan, progress: Progress): Next | undefined {
  const refused = plan.tasks.filter((task) => task.action === 'refuse');
  if (refused.length === 0) return undefined;
  const untold = refused.filter((task) => !progress.has(task.id));
  if (untold.length > 0) return { do: 'run', tasks: untold };
  const message = `one or more synchronization tasks are not valid: ${reasonsOf(refused, progress)}`;
  return { do: 'finish', phase: 'Failed', message };
}

/** The tasks of the earliest phase and wave that has one which is not done, or none. */
function currentWave(tasks: readonly Task[], done: (task: Task) => boolean): readonly Task[] {
  const first = tasks.find((task) => !done(task));
  return first === undefined ? [] : tasks.filter((task) => task.phase === first.phase && task.wave === first.wave);
}

/**
 * The next thing a sync does, given how far it has come. A failed task ends the sync once the rest of its rank has run; the `SyncFail` hooks run then.
 * Invariant I3: nothing of a wave starts before everything of the one before it is applied and healthy.
 */
export function next(plan: SyncPlan, progress: Progress, view: NextView): Next {
  const refused = refusal(plan, progress);
  if (refused !== undefined) return refused;
  const main = plan.tasks.filter((task) => task.phase !== 'SyncFail');
  const broken = main.some((task) => failed(progress.get(task.id)));
  const tasks = broken ? plan.tasks.filter((task) => task.phase === 'SyncFail') : main;
  const isDone = (task: Task): boolean => {
    const result = progress.get(task.id);
    return result !== undefined && !(result.hookPhase === 'Running' && awaited(task, plan));
  };
  const delay = view.sinceLastWaveMs < view.waveDelayMs ? view.waveDelayMs - view.sinceLastWaveMs : undefined;
  if (broken) {
    const running = main.filter((task) => task.isHook && progress.has(task.id) && !isDone(task));
    if (running.length > 0) return waitFor(running);
  }
  const wave = currentWave(tasks, isDone);
  if (wave.length === 0 || (broken && tasks.some((task) => failed(progress.get(task.id))))) {
    return broken
      ? { do: 'finish', phase: 'Failed', message: failure(plan.tasks, progress) }
      : { do: 'finish', phase: 'Succeeded', message: success(plan) };
  }
  const pending = wave.filter((task) => !progress.has(task.id));
  const runnable = pending.filter((task) => task.action !== 'confirm');
  const rank = runnable[0]?.rank ?? Number.POSITIVE_INFINITY;
  const started = wave.filter((task) => progress.has(task.id) && !isDone(task));
  const gate = started.filter((task) => definesKinds(task.key) && task.rank < rank);
  const waiting = pending.length > 0 ? gate : started;
  if (waiting.length > 0) return waitFor(waiting, delay);
  const confirm = pending.filter((task) => task.action === 'confirm');
  if (confirm.length > 0 && confirm.length === pending.length) {
    const names = referencesTo(confirm.map(({ key }) => key));
    return { do: 'wait', reason: `waiting for pruning confirmation of ${names}` };
  }
  const startsWave = wave.every((task) => !progress.has(task.id)) && progress.size > 0;
  if (startsWave && delay !== undefined) return { do: 'wait', reason: 'waiting before the next wave', forMs: delay };
  return { do: 'run', tasks: runnable.filter((task) => task.rank === rank) };
}

/** Kinds that are being defined belong to no Application, so no change of theirs wakes it: it looks again. */
const definitionPollMs = 1_000;

/** A child Application may come to a newer commit without any change of its health, and then nothing wakes its parent either. */
const childPollMs = 2_000;

function pollMsOf(tasks: readonly Task[]): number | undefined {
  if (tasks.some(({ key }) => definesKinds(key))) return definitionPollMs;
  return tasks.some(({ key }) => key.group === 'argoproj.io' && key.kind === 'Application') ? childPollMs : undefined;
}

function waitFor(tasks: readonly Task[], delayMs?: number): Next {
  const hooks = tasks.filter((task) => task.isHook);
  const what = hooks.length > 0 ? 'completion of hook' : 'healthy state of';
  const named = [...hooks, ...tasks.filter((task) => !task.isHook)];
  const forMs = delayMs ?? pollMsOf(tasks);
  return {
    do: 'wait',
    reason: `waiting for ${what} ${referencesTo(
      named.map(({ key }) => key),
      hooks.length === tasks.length ? 'hooks' : 'resources',
    )}`,
    ...(forMs !== undefined && { forMs }),
  };
}

/** The first of them and how many more there are, as Argo CD says it; scripts wait for these words. */
export function referencesTo(keys: readonly ResourceKey[], kind: 'hooks' | 'resources' = 'resources'): string {
  const names = keys.slice(0, 1).map(referenceOf);
  return keys.length > 1 ? `${names.join('')} and ${keys.length - 1} more ${kind}` : names.join('');
}

/** `apps/Deployment/cart`, `/Pod/cart`: how Argo CD names an object that an operation waits for. */
function referenceOf({ group, kind, name }: ResourceKey): string {
  return `${group}/${kind}/${name}`;
}

/** Argo CD tells a sync that ends with its last objects from one that ends with a hook or has nothing to do. */
function success({ end }: SyncPlan): string {
  return `successfully synced (${end?.hasHooks === false ? 'all tasks run' : 'no more tasks'})`;
}

/** Adds what came of running tasks to the progress. */
export function fold(progress: Progress, outcomes: readonly Outcome[]): Progress {
  const folded = new Map(progress);
  for (const outcome of outcomes) folded.set(outcome.task.id, outcome.result);
  return folded;
}
