import type { Change, ChangeSet } from '../../model/change.ts';
import type { DesiredObject, DesiredSet, SyncPhase } from '../../model/desired.ts';
import { waveOf } from '../../model/hooks.ts';
import type { LiveRecord } from '../../model/live.ts';
import type { SyncPlan, Task } from '../../model/plan.ts';
import { keyText, type ResourceKey } from '../../model/resource-key.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { hookOfRun } from './hook-run.ts';
import { withNeedsFirst } from './needs.ts';
import { kindRank } from './order.ts';
import { withoutRecreation } from './recreate.ts';

/** What a sync is asked to do, besides making the cluster equal to the desired set. */
export interface PlanRequest {
  /** Whether objects that Git no longer has may be deleted. */
  readonly prune: boolean;
  /** Only these objects; no hooks run then. undefined is all. */
  readonly only?: (key: ResourceKey) => boolean;
  /** `argocd.argoproj.io/deletion-approved` has been set since the operation began. */
  readonly pruneConfirmed: boolean;
  /** Short name of this run, for hooks: the same while one try of the operation lasts, another for the next. */
  readonly run: string;
  readonly skipHooks: boolean;
  /** The Application's name in tracking ids; needed where objects are applied. */
  readonly tracking?: string;
  /** Whether the operation itself is forced; default: only objects whose own options say so. */
  readonly force?: boolean;
  /** Sync options of the operation or the Application; a live object's own annotation overrules them. Default: none. */
  readonly syncOptions?: readonly string[];
  /** Applied first, in front of everything else, where the sync creates the destination's namespace. */
  readonly namespace?: DesiredObject;
}

const phaseOrder: readonly SyncPhase[] = ['PreDelete', 'PreSync', 'Sync', 'PostSync', 'SyncFail', 'PostDelete'];

/** Order of a phase in a sync. */
export function phaseIndex(phase: SyncPhase): number {
  return phaseOrder.indexOf(phase);
}

function pruneAction(live: LiveRecord, request: PlanRequest): Task['action'] {
  const permission = syncOptionsOf(request.syncOptions ?? [], live.hints).prune;
  if (!request.prune || permission === 'no') return 'skip';
  return permission === 'confirm' && !request.pruneConfirmed ? 'confirm' : 'prune';
}

function applyTask(desired: DesiredObject, phase: SyncPhase, live: LiveRecord | undefined, unchanged: boolean): Task {
  return {
    id: `${phase} ${keyText(desired.key)}`,
    key: desired.key,
    apiVersion: desired.object.apiVersion,
    phase,
    wave: desired.wave,
    rank: kindRank(desired.key),
    action: desired.forbidden === undefined ? 'apply' : 'refuse',
    ...(desired.forbidden !== undefined && { refusal: desired.forbidden }),
    unchanged,
    isHook: desired.hook !== undefined,
    desired,
    ...(live && { live }),
  };
}

function changeTask(change: Change, request: PlanRequest): Task {
  if (change.action !== 'prune') {
    const live = change.action === 'create' ? undefined : change.live;
    return applyTask(change.desired, 'Sync', live, change.action === 'none');
  }
  return {
    id: `Sync ${keyText(change.key)}`,
    key: change.key,
    apiVersion: change.live.apiVersion,
    phase: 'Sync',
    wave: waveOf(change.live.hints),
    rank: 0,
    action: pruneAction(change.live, request),
    unchanged: false,
    isHook: false,
    live: change.live,
  };
}

/** Prunes of a set run in the opposite order of the waves that created it; `PruneLast` ones after everything else. */
function placePrunes(tasks: readonly Task[], desired: DesiredSet, syncOptions: readonly string[]): Task[] {
  const prunes = tasks.filter((task) => task.rank === 0);
  const waves = [...new Set(prunes.map((task) => task.wave))].sort((a, b) => a - b);
  const mirrored = new Map(waves.map((wave, index) => [wave, waves[waves.length - 1 - index] ?? wave]));
  const hooks = desired.objects.filter((object) => object.hook?.phases.includes('Sync'));
  const lastWave = Math.max(0, ...tasks.map((task) => task.wave), ...hooks.map((hook) => hook.wave));
  const pruneLast = desired.objects.some((object) => object.options.pruneLast);
  return tasks.map((task) => {
    if (task.rank !== 0) return task;
    const own = syncOptionsOf(syncOptions, task.live?.hints).pruneLast;
    return { ...task, wave: own || pruneLast ? lastWave + 1 : (mirrored.get(task.wave) ?? task.wave) };
  });
}

function inOrder(a: Task, b: Task): number {
  return (
    phaseIndex(a.phase) - phaseIndex(b.phase) ||
    a.wave - b.wave ||
    a.rank - b.rank ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/**
 * Lays out one sync: phases, waves inside them, and the order inside a wave. Pure: the same input gives the same plan, so that a sync which was
 * interrupted finds its place again.
 */
export function plan(
  desired: DesiredSet,
  changes: ChangeSet,
  liveHooks: ReadonlyMap<string, LiveRecord>,
  request: PlanRequest,
): SyncPlan {
  const wanted = request.only ?? (() => true);
  const selective = request.only !== undefined;
  const unordered = placePrunes(
    changes.changes.filter((change) => wanted(change.key)).map((change) => changeTask(change, request)),
    desired,
    request.syncOptions ?? [],
  );
  if (!selective && !request.skipHooks) {
    for (const object of desired.objects) {
      for (const phase of object.hook?.phases ?? []) {
        if (phase === 'PreDelete' || phase === 'PostDelete') continue;
        const hook = hookOfRun(object, phase, request.run);
        unordered.push(applyTask(hook, phase, liveHooks.get(keyText(hook.key)), false));
      }
    }
  }
  const permitted = withoutRecreation(unordered, request.tracking ?? '', request.force === true);
  const tasks = withNeedsFirst(permitted.sort(inOrder)).sort(inOrder);
  if (request.namespace !== undefined) {
    // Argo CD shows it as one of PreSync; here it is of the first step, whatever that is, so that nothing waits for it. Hooks for failures are no step.
    const { phase = 'Sync', wave = 0 } = tasks.find((task) => task.phase !== 'SyncFail') ?? {};
    tasks.unshift({
      ...applyTask(request.namespace, 'PreSync', undefined, false),
      shownPhase: 'PreSync',
      phase,
      wave,
    });
  }
  const main = tasks.filter((task) => task.phase !== 'SyncFail');
  const steps = new Set(main.map((task) => `${task.phase} ${task.wave}`));
  const last = main.at(-1);
  const hasHooks = main.some((task) => task.isHook && task.phase === last?.phase && task.wave === last.wave);
  return { tasks, multiStep: steps.size > 1, end: last && { phase: last.phase, wave: last.wave, hasHooks } };
}
