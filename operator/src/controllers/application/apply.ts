import type { Operation, ResourceIgnoreDifferences, SyncOperation } from '@mooring/crds';
import { inSlices, type KubeObject } from '@mooring/renderer-contract';
import { keepIgnored } from '../../engine/diff/keep-ignored.ts';
import { isOfRun } from '../../engine/plan/hook-run.ts';
import { hookRefusal, isMadeAnew, recreationRefusal } from '../../engine/plan/recreate.ts';
import { withWayOut } from '../../engine/summarize/operation-message.ts';
import type { DesiredObject, Hook } from '../../model/desired.ts';
import { Fault, faultRules, messageOf } from '../../model/fault.ts';
import type { Guard } from '../../model/guard.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { Outcome, Task, TaskResult } from '../../model/plan.ts';
import { definesKinds, groupOf, isNamespace, keyForPeople } from '../../model/resource-key.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import type { ApplyOptions, Cluster } from '../../world/cluster.ts';
import { markStored } from './compare.ts';
import type { AppTrace } from './trace.ts';

/** What every task of one operation is run with. */
export interface ApplyContext {
  readonly cluster: Cluster;
  /** What the project forbids, also of what the plan took for permitted. */
  readonly guard: Guard;
  /** The Application's name in tracking ids. */
  readonly tracking: string;
  readonly operation: Operation;
  /** Sync options of the operation or the Application; an object's own annotation overrules them. */
  readonly syncOptions: readonly string[];
  /** Names of namespaces that the sync itself makes: a rehearsal cannot ask about what goes into them. */
  readonly coming: ReadonlySet<string>;
  /** `spec.ignoreDifferences`. */
  readonly ignoreDifferences: readonly ResourceIgnoreDifferences[];
  /** Where tasks are recorded; a rehearsal is not. */
  readonly trace?: Pick<AppTrace, 'task' | 'taskDone'> | undefined;
}

/** Characters of JSON that cost as much as to begin with one task does: an object of the usual length is written down. */
const taskLength = 3_000;

/**
 * Runs tasks side by side, and comes back when none of them is under way any more. An object that is refused is an outcome; a cluster that is out of reach
 * and a lead that is lost are thrown, since then nothing is known. Every write of a sync is made here.
 */
export async function applyTasks(tasks: readonly Task[], context: ApplyContext): Promise<Outcome[]> {
  const underWay: Promise<PromiseSettledResult<Outcome>>[] = [];
  await inSlices(
    (function* () {
      for (const task of tasks) {
        underWay.push(Promise.allSettled([outcomeOf(task, context)]).then(([end]) => end));
        yield taskLength;
      }
    })(),
  );
  const ended = await Promise.all(underWay);
  return ended.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

async function outcomeOf(task: Task, context: ApplyContext): Promise<Outcome> {
  const traceparent = context.trace?.task(task)?.traceparent;
  const done = (result: TaskResult): Outcome => {
    context.trace?.taskDone(task, result);
    return { task, result };
  };
  try {
    return done(await applyTask(task, context, traceparent));
  } catch (thrown) {
    const failed = done({ status: 'SyncFailed', message: refusalOf(task, thrown, context), hookPhase: 'Failed' });
    if (!(thrown instanceof Fault) || thrown.code === 'cluster-unreachable' || isLost(thrown)) throw thrown;
    return failed;
  }
}

function refusalOf({ key }: Task, thrown: unknown, { cluster, tracking }: ApplyContext): string {
  const record = cluster.record(key);
  const mayRecreate = record !== undefined && recreationRefusal(record, tracking) === undefined && !definesKinds(key);
  return withWayOut(messageOf(thrown), mayRecreate);
}

/** Whether this replica must not go on. */
function isLost({ code }: Fault): boolean {
  return faultRules[code].retry === 'lead';
}

/** Names of the namespaces that some tasks make and that are not there yet. */
export function comingNamespaces(tasks: readonly Task[], cluster: Cluster): ReadonlySet<string> {
  const made = tasks.filter(({ key, action }) => isNamespace(key) && action === 'apply');
  return new Set(made.filter(({ key }) => cluster.record(key) === undefined).map(({ key }) => key.name));
}

/**
 * Refusals that may be due to the very objects that are about to go: a webhook that wants each host in one Ingress only, a port that is taken, a quota that is
 * full. The words are the API server's.
 */
const hindered = /admission webhook .{0,300} denied the request|is already allocated|exceeded quota/;

/**
 * Asks the API server whether it would take what is still to be applied, and answers what it would refuse: before a sync deletes anything, since what replaces
 * the deleted may be broken. Objects whose kind or namespace comes with the sync itself are not asked about, and what may only stand in the way until the
 * prune is done is no refusal.
 */
export async function rehearse(tasks: readonly Task[], context: ApplyContext): Promise<Outcome[]> {
  const { cluster, operation } = context;
  const asked = tasks.filter(
    ({ action, key, isHook, unchanged }) =>
      action === 'refuse' ||
      (action === 'apply' && !isHook && !unchanged && cluster.scopeOf(key.group, key.kind) !== undefined),
  );
  const dry = { ...operation, sync: { ...operation.sync, dryRun: true } };
  const coming = comingNamespaces(tasks, cluster);
  const outcomes = await applyTasks(asked, { ...context, operation: dry, coming, trace: undefined });
  return outcomes.filter(({ result }) => result.hookPhase === 'Failed' && !hindered.test(result.message));
}

async function applyTask(task: Task, context: ApplyContext, traceparent: string | undefined): Promise<TaskResult> {
  switch (task.action) {
    case 'refuse':
      return { status: 'SyncFailed', message: task.refusal ?? 'forbidden', hookPhase: 'Failed' };
    case 'skip':
    case 'confirm': {
      const reason = context.operation.sync?.prune === true ? 'no prune' : 'requires pruning';
      return { status: 'PruneSkipped', message: `ignored (${reason})`, hookPhase: 'Succeeded' };
    }
    case 'prune':
      return prune(task, context, traceparent);
    case 'apply':
      return write(task, context, traceparent);
  }
}

/** Invariant I1: what is deleted is the very object that the plan saw, if it is still ours now. */
async function prune(
  task: Task,
  { cluster, guard, operation, syncOptions }: ApplyContext,
  traceparent: string | undefined,
): Promise<TaskResult> {
  const planned = task.live;
  const ours = (): LiveRecord | undefined => {
    const record = cluster.record(task.key);
    return record?.uid === planned?.uid && record?.app === planned?.app ? record : undefined;
  };
  const record = ours();
  if (record === undefined) return notPruned(task, cluster);
  if (operation.sync?.dryRun) return { status: 'Pruned', message: 'pruned (dry run)', hookPhase: 'Succeeded' };
  try {
    const propagation = syncOptionsOf(syncOptions, record.hints).prunePropagation;
    await cluster.remove(record, { propagation, guard, traceparent });
  } catch (thrown) {
    const isTaken = thrown instanceof Fault && thrown.code === 'object-conflict' && ours() === undefined;
    if (!isTaken) throw thrown;
    return notPruned(task, cluster);
  }
  return { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded' };
}

/** What became of an object that was to be pruned and is not ours now: it went, or it is there and stays. */
function notPruned({ key, live }: Task, cluster: Cluster): TaskResult {
  const record = cluster.record(key);
  if (record === undefined || record.uid !== live?.uid)
    return { status: 'Pruned', message: 'pruned (gone already)', hookPhase: 'Succeeded' };
  const why = record.app === undefined ? 'this Application tracks it no more' : `${record.app} tracks it now`;
  return { status: 'PruneSkipped', message: `kept (${why})`, hookPhase: 'Succeeded' };
}

/** How often a write begins anew because there is another object than the view knew of. */
const anewAtMost = 3;

async function write(
  task: Task,
  context: ApplyContext,
  traceparent: string | undefined,
  anew = 0,
): Promise<TaskResult> {
  const { cluster, operation } = context;
  const { desired } = task;
  if (desired === undefined) throw new Error(`task ${task.id} applies nothing`);
  const force = desired.options.force || isForced(operation.sync);
  const name = `${task.key.kind.toLowerCase()}${suffixOf(task)}/${task.key.name}`;
  const warnings: string[] = [];
  const dryRun = operation.sync?.dryRun === true;
  const before = cluster.record(task.key);
  // What was not stored has no health to wait for.
  const rehearsed = (verb: string): TaskResult => ({
    status: 'Synced',
    message: [`${name} ${verb} (dry run)`, ...warnings].join('; '),
    hookPhase: 'Succeeded',
  });
  if (task.unchanged && !(force && desired.options.replace)) {
    return dryRun ? rehearsed('unchanged') : { status: 'Synced', message: `${name} unchanged`, hookPhase: 'Running' };
  }
  if (dryRun && context.coming.has(task.key.namespace)) return rehearsed('created');
  // Invariant I3: a hook of this run that exists already was created before a restart, and is not run twice.
  if (task.isHook && before !== undefined && isOfRun(before, desired))
    return { status: 'Synced', message: `${name} created`, hookPhase: 'Running' };
  const optionsFor = (way: ApplyOptions['how']): ApplyOptions => ({
    how: way,
    dryRun,
    validate: desired.options.validate,
    guard: context.guard,
    traceparent,
    warn: (warning) => warnings.push(warning),
    // Invariant I3: what is deleted is what was seen. A hook of that name that came since may be of this very run, made by another replica.
    ...(way === 'recreate' && before && { uid: before.uid }),
  });
  const how = howOf(task, before !== undefined, force);
  // Somebody else may have come to have it since the sync was planned.
  const kept = before && (isMadeAnew(desired) ? hookRefusal : recreationRefusal)(before, context.tracking);
  if (how === 'recreate' && kept !== undefined) throw new Fault('object-refused', kept);
  const manifest = await manifestOf(task, desired, context);
  let stored: KubeObject;
  try {
    stored = await cluster.apply(manifest, optionsFor(how));
  } catch (thrown) {
    const isConflict = thrown instanceof Fault && thrown.code === 'object-conflict';
    const isOther = isConflict && cluster.record(task.key)?.uid !== before?.uid;
    if (isOther && anew < anewAtMost) return write(task, context, traceparent, anew + 1);
    const inPlace = how === 'server-side' || how === 'replace';
    const mayRecreate = force && inPlace && before !== undefined && kept === undefined;
    const retry = mayRecreate && thrown instanceof Fault && thrown.code.startsWith('object-');
    if (!retry) throw thrown;
    stored = await cluster.apply(manifest, optionsFor('recreate'));
  }
  if (dryRun) return rehearsed(before === undefined ? 'created' : 'configured');
  if (!task.isHook) markStored(cluster, desired, stored, context.ignoreDifferences);
  const verb =
    before === undefined
      ? 'created'
      : before.resourceVersion === stored.metadata.resourceVersion
        ? 'unchanged'
        : 'configured';
  return { status: 'Synced', message: [`${name} ${verb}`, ...warnings].join('; '), hookPhase: 'Running' };
}

/** What is sent: with `RespectIgnoreDifferences=true`, ignored fields as they are in the cluster now. */
async function manifestOf(
  { key, isHook }: Task,
  { object, options }: DesiredObject,
  { cluster, ignoreDifferences }: ApplyContext,
): Promise<KubeObject> {
  if (isHook || !options.respectIgnoreDifferences || ignoreDifferences.length === 0) return object;
  const live = await cluster.get(key, object.apiVersion);
  return live === undefined ? object : keepIgnored(object, live, ignoreDifferences);
}

function howOf(task: Task, exists: boolean, force: boolean): ApplyOptions['how'] {
  const { desired } = task;
  const options = desired?.options;
  if (desired !== undefined && exists && isMadeAnew(desired)) return 'recreate';
  // As in Argo CD, a definition is never deleted with all its objects.
  if (options?.replace) return force && exists && !definesKinds(task.key) ? 'recreate' : 'replace';
  return 'server-side';
}

/** Whether a sync as a whole is forced. */
export function isForced(sync: SyncOperation | undefined): boolean {
  return (sync?.syncStrategy?.apply ?? sync?.syncStrategy?.hook)?.force === true;
}

function suffixOf(task: Task): string {
  const group = groupOf(task.apiVersion);
  return group === '' ? '' : `.${group}`;
}

/**
 * Makes way for hooks that are about to run: what an earlier run has left of them is deleted, where their delete policies ask for that, and let go. Answers what is
 * on its way and not gone yet, since somebody's finalizer holds it: a hook runs for its own operation, so nothing is applied to that one.
 */
export async function removeEarlierHooks(
  tasks: readonly Task[],
  { cluster, guard, operation, tracking }: ApplyContext,
): Promise<readonly LiveRecord[]> {
  if (operation.sync?.dryRun) return [];
  const held: LiveRecord[] = [];
  for (const { key, desired, action } of tasks) {
    const record = desired?.hook !== undefined && action === 'apply' ? cluster.record(key) : undefined;
    if (record === undefined || isOfRun(record, desired)) continue;
    if (record.app === tracking && record.deleting && record.isHeld) await cluster.letGo(record);
    else if (record.app === tracking && !record.deleting && isReplaced(desired?.hook, record))
      await cluster.remove(record, { propagation: 'foreground', guard });
    const left = cluster.record(key);
    if (left?.deleting) held.push(left);
  }
  return held;
}

/** Whether a hook's next run takes the place of this one, which is there already. */
function isReplaced(hook: Hook | undefined, { health }: LiveRecord): boolean {
  const policies = hook?.deletePolicies ?? [];
  const status = health?.status ?? 'Healthy';
  if (policies.includes('BeforeHookCreation')) return true;
  return policies.includes('HookSucceeded')
    ? status === 'Healthy'
    : policies.includes('HookFailed') && status === 'Degraded';
}

/** Whether a hook's delete policies let it go now. */
export function isDoomed(task: Task, result: TaskResult | undefined): boolean {
  const phase = result?.hookPhase;
  const policies = task.desired?.hook?.deletePolicies ?? [];
  if (phase === 'Succeeded') return policies.includes('HookSucceeded');
  if (phase === 'Failed' || phase === 'Error') return policies.includes('HookFailed');
  return phase === 'Terminating';
}

/** Deletes the hooks of an operation whose end is stored, where their delete policies say so; tells what went wrong, and whether anything was deleted. */
export async function removeHooks(
  tasks: readonly Task[],
  resultOf: (task: Task) => TaskResult | undefined,
  { cluster, guard }: Pick<ApplyContext, 'cluster' | 'guard'>,
): Promise<{ readonly problems: readonly string[]; readonly removed: boolean }> {
  const problems: string[] = [];
  let removed = false;
  for (const task of tasks) {
    const record = isDoomed(task, resultOf(task)) ? cluster.record(task.key) : undefined;
    if (record === undefined) continue;
    try {
      await cluster.remove(record, { propagation: 'background', guard });
      removed = true;
    } catch (thrown) {
      if (!(thrown instanceof Fault) || isLost(thrown)) throw thrown;
      problems.push(`hook ${keyForPeople(task.key)} could not be deleted: ${thrown.message}`);
    }
  }
  return { problems, removed };
}
