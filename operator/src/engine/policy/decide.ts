import type { Application, ApplicationConditionType, Operation, OperationState } from '@mooring/crds';
import { type Change, type ChangeSet, isOutOfSync, isUnproven } from '../../model/change.ts';
import { isNamespaceOutdated } from '../../model/managed-namespace.ts';
import { keyText } from '../../model/resource-key.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { timestamp } from '../../model/timestamp.ts';
import { automatedRetry, errorWaitMs, retryWaitMs, selfHealCooldownMs, selfHealWaitMs, sinceMs } from './retry.ts';
import { isSameSource, isSupersedable, specSource } from './target.ts';
import { blockedBy, type Windows } from './windows.ts';

/** What is to be done about one Application now, and why. */
export type Decision =
  | { readonly do: 'rest'; readonly reason: string; readonly againMs?: number }
  /** Nothing is done, and the user should know why. */
  | {
      readonly do: 'refuse';
      readonly reason: string;
      /** What shows the reason; absent where the operation does, or where it is shown already. */
      readonly condition?: ApplicationConditionType;
      /** An operation that was asked for or is under way, as it is from now on. */
      readonly state?: OperationState;
      readonly againMs?: number;
    }
  | {
      readonly do: 'sync';
      readonly reason: string;
      readonly state: OperationState;
      readonly fresh: boolean;
      /** Whether it is not proven that the sync changes anything; see `isUnproven`. */
      readonly unproven?: boolean;
    };

/** What is decided upon. `now` is milliseconds since 1970. */
export interface Situation {
  readonly app: Application;
  /** Its name in tracking ids; see `trackingName`. */
  readonly tracking: string;
  readonly commit: string;
  readonly changes: ChangeSet;
  /** Whether the destination's namespace, which no source has, is not as a sync would leave it. Default: no. */
  readonly namespaceOutdated?: boolean;
  readonly now: number;
  /** Whether this process has brought in the commit, and could not store that it has. */
  readonly unrecorded?: boolean;
  /** The revision of the spec, where what is looked at is known to be something else. */
  readonly otherThan?: string | undefined;
  /** Why nothing may be written for this Application, whoever asks; none where it may. */
  readonly holds?: readonly string[];
  /** The sync windows that it is subject to; none where absent. */
  readonly windows?: Windows;
}

/**
 * The operation that is under way comes first, then one that is asked for, then the automated policy. An automated operation that waits for its next try
 * gives way to either.
 */
export function decide(situation: Situation): Decision {
  const decision = wished(situation);
  return decision.do === 'sync' ? permitted(decision, situation) : decision;
}

/** What would be done if everything were permitted at any time. */
function wished(situation: Situation): Decision {
  const { app, now } = situation;
  const state = app.status?.operationState;
  const underWay = state?.phase === 'Running' || state?.phase === 'Terminating';
  if (underWay && isSupersedable(state)) {
    if (app.operation !== undefined) return start(app.operation, situation, 'an operation was asked for');
    const newer = attempted(app, situation.commit) === undefined ? automated(situation) : undefined;
    if (newer?.do === 'sync') return newer;
  }
  if (underWay && state.phase === 'Running' && state.finishedAt !== undefined) return resume(state, now);
  if (underWay) return { do: 'sync', reason: 'the operation goes on', state, fresh: false };
  if (app.operation !== undefined) return start(app.operation, situation, 'an operation was asked for');
  return automated(situation);
}

type Sync = Extract<Decision, { readonly do: 'sync' }>;

/**
 * Holds a sync against what stands in its way. Nothing passes a hold. Outside of its windows an automated sync is not started, one that a person asks for ends at
 * once, and one that is under way waits; that a person ends one is always possible.
 */
function permitted(sync: Sync, situation: Situation): Decision {
  const { app, now, holds = [], windows } = situation;
  const { state, fresh } = sync;
  const manual = state.operation.initiatedBy?.automated !== true;
  if (holds.length > 0) {
    const reason = holds.join('; ');
    return fresh && !manual ? { do: 'refuse', reason } : { do: 'refuse', reason, state: ended(state, reason, now) };
  }
  const undone = fresh && manual ? undoing(situation, state.operation) : undefined;
  if (undone !== undefined) return { do: 'refuse', reason: undone, state: ended(state, undone, now) };
  if (state.phase === 'Terminating' || windows === undefined) return sync;
  const blocked = blockedBy(windows, { manual, ...(!fresh && { startedAt: Date.parse(state.startedAt) }) }, now);
  if (blocked === undefined) return sync;
  const reason = `Sync ${fresh && manual ? 'refused' : 'prevented'}: ${blocked.message}`;
  const again = { againMs: blocked.again - now };
  if (fresh && manual) return { do: 'refuse', reason, state: ended(state, reason, now) };
  if (fresh) return { do: 'refuse', reason, condition: 'SyncWindowWarning', ...again };
  const waiting = app.status?.operationState ?? state;
  return { do: 'refuse', reason, state: { ...waiting, message: reason }, ...again };
}

/**
 * Why an operation must not be carried out that the automated policy would undo at once: a rollback, a sync to another revision, or one of manifests that are brought
 * along. Argo CD refuses it where it is asked for. A rehearsal harms nobody.
 */
function undoing({ app, commit, otherThan }: Situation, { sync }: Operation): string | undefined {
  const { automated } = app.spec.syncPolicy ?? {};
  const isAutomated = automated !== undefined && automated.enabled !== false;
  if (!isAutomated || otherThan === undefined || sync?.dryRun === true) return undefined;
  const what = sync?.manifests?.length ? 'the manifests of the operation' : sync?.revision || commit;
  return `Cannot sync to ${what}: auto-sync currently set to ${otherThan}, and would undo it at once; turn automated sync off first (spec.syncPolicy.automated.enabled: false), or have spec.source.targetRevision name what is to be live`;
}

/** An operation that is given up before it does anything more. */
function ended(state: OperationState, message: string, now: number): OperationState {
  const { sync } = state.operation;
  const nothing = { revision: sync?.revision ?? '', ...(sync?.source && { source: sync.source }) };
  return { ...state, phase: 'Error', message, finishedAt: timestamp(now), syncResult: state.syncResult ?? nothing };
}

/** The retry that a failed operation waits for; it begins anew, so what it did the last time does not count. */
function resume(state: OperationState, now: number): Decision {
  const retries = state.retryCount ?? 1;
  const wait = retryWaitMs(state.operation.retry, retries - 1) ?? 0;
  const since = sinceMs(state.finishedAt, now);
  if (since < wait) return { do: 'rest', reason: 'waiting to try again', againMs: wait - since };
  const { finishedAt: _, syncResult, ...rest } = state;
  const restarted: OperationState = {
    ...rest,
    ...(syncResult && { syncResult: { ...syncResult, resources: [] } }),
  };
  return { do: 'sync', reason: `try ${retries + 1}`, state: restarted, fresh: false };
}

/** Operations of one Application start in different seconds, so that `startedAt` tells them apart, also where one takes less than that. */
function start(operation: Operation, { app, now }: Situation, reason: string): Sync {
  const last = Date.parse(app.status?.operationState?.startedAt ?? '');
  const isRecent = last > now - 1_000 && last < now + 60_000;
  const at = isRecent ? last + 1_000 : now;
  const startedAt = timestamp(at);
  return { do: 'sync', reason, fresh: true, state: { operation, phase: 'Running', startedAt } };
}

/**
 * Argo CD's rules for automated sync: one try a revision, none after a failure of the same revision, drift only with `selfHeal`,
 * prunes only with `prune`, and never everything at once without `allowEmpty`.
 */
function automated(situation: Situation): Decision {
  const { app, changes, commit, now } = situation;
  const policy = app.spec.syncPolicy?.automated;
  if (policy === undefined || policy.enabled === false) return { do: 'rest', reason: 'sync is manual' };
  const pending = changes.changes.filter(isOutOfSync);
  const isOutdated =
    situation.namespaceOutdated === true || isNamespaceOutdated(app.spec.syncPolicy, app.status?.operationState);
  const work = policy.prune === true ? pending : pending.filter(({ action }) => action !== 'prune');
  const unproven = !isOutdated && work.length > 0 && work.every(isUnproven);
  if (pending.length === 0 && !isOutdated && !isUnrecorded(situation)) return { do: 'rest', reason: 'synced' };
  if (
    policy.prune !== true &&
    !isOutdated &&
    pending.length > 0 &&
    pending.every((change) => change.action === 'prune')
  ) {
    return { do: 'rest', reason: 'only pruning is left, and the policy does not prune' };
  }
  const wipesOut = pending.length > 0 && changes.changes.every((change) => change.action === 'prune');
  if (policy.prune === true && policy.allowEmpty !== true && wipesOut) {
    return {
      do: 'refuse',
      condition: 'SyncError',
      reason: `Skipping sync attempt to [${commit}]: auto-sync will wipe out all resources; set syncPolicy.automated.allowEmpty to allow it`,
    };
  }
  const sync = {
    source: specSource(app),
    revision: commit,
    prune: policy.prune === true,
    ...operationOptions(app),
  };
  const operation: Operation = {
    sync,
    initiatedBy: { automated: true },
    retry: app.spec.syncPolicy?.retry ?? automatedRetry,
  };
  const last = attempted(app, commit);
  if (last === undefined) return { ...start(operation, situation, `new revision ${commit}`), unproven };
  if (last.phase === 'Error') {
    // Something stood in the way of the last try, and not the revision itself: a later one may do better.
    const inRow = errorsInRow(last);
    const since = sinceMs(last.finishedAt ?? last.startedAt, now);
    const wait = errorWaitMs(inRow) - since;
    if (wait > 0) {
      const at = timestamp(now + wait);
      const reason = `Failed last sync attempt to [${commit}]: ${last.message ?? ''}; it is started again at ${at}, or at once for another commit or where a person asks for it. Syncs that ended so: ${inRow}`;
      return { do: 'refuse', condition: 'SyncError', reason, againMs: wait };
    }
    const counted = { ...operation, info: [{ name: errorsInfo, value: String(inRow) }] };
    return { ...start(counted, situation, 'the last operation could not be carried out'), unproven };
  }
  if (last.phase !== 'Succeeded') {
    return {
      do: 'refuse',
      condition: 'SyncError',
      reason: `Failed last sync attempt to [${commit}]: ${last.message ?? ''}`,
    };
  }
  const options = app.spec.syncPolicy?.syncOptions ?? [];
  if (!isOutdated && !pending.some((change) => isCurable(change, options)))
    return { do: 'rest', reason: 'only objects are left that must not be pruned' };
  if (policy.selfHeal !== true) return { do: 'rest', reason: 'changed in the cluster, and the policy does not heal' };
  const since = sinceMs(last.finishedAt ?? last.startedAt, now);
  const attempts = since > selfHealCooldownMs ? 0 : (last.operation.sync?.autoHealAttemptsCount ?? 0);
  const wait = selfHealWaitMs(attempts) - since;
  if (wait > 0) return { do: 'rest', reason: 'waiting to heal again', againMs: wait };
  // An outdated namespace is no object of the source, so nothing less than the whole brings it up to date. A long list has no room in a status.
  const resources = (isOutdated || pending.length > healedByName ? [] : pending).map(({ key }) => ({
    ...(key.group !== '' && { group: key.group }),
    kind: key.kind,
    name: key.name,
    ...(key.namespace !== '' && { namespace: key.namespace }),
  }));
  const chosen = resources.length > 0 ? { resources } : {};
  const healing = { ...operation, sync: { ...sync, ...chosen, autoHealAttemptsCount: attempts + 1 } };
  return { ...start(healing, situation, 'the cluster differs from Git'), unproven };
}

/** Where an automated operation says how many before it, of the same revision, ended in `Error` one after the other. */
const errorsInfo = 'mooring.dev/errors-in-row';

/** How many syncs of one revision have ended in `Error` one after the other, this one among them. */
function errorsInRow({ operation }: OperationState): number {
  const before = Number(operation.info?.find(({ name }) => name === errorsInfo)?.value ?? 0);
  return (Number.isSafeInteger(before) && before > 0 ? before : 0) + 1;
}

/** Objects that a heal names at most; of more it is one of the whole Application. */
const healedByName = 1_000;

/** Milliseconds that the clocks of the API server and of the operator may be apart. */
const clockSkewMs = 2_000;

/**
 * Whether an automated sync brought the revision in, and the operator died before it could say so: objects are as the revision wants them, and were applied or
 * pruned since the last operation that is known of. Such a sync is begun once more; it finds nothing to do, and is recorded (invariant I5).
 */
function isUnrecorded({ app, tracking, changes, commit, unrecorded }: Situation): boolean {
  if (attempted(app, commit) !== undefined) return false;
  if (unrecorded) return true;
  const { operationState, resources = [], sync } = app.status ?? {};
  const since = Date.parse(operationState?.finishedAt ?? app.metadata.creationTimestamp ?? '') + clockSkewMs;
  const isApplied = changes.changes.some(
    (change) => change.action === 'none' && change.live.app === tracking && change.live.ownedAt > since,
  );
  if (isApplied) return true;
  if (app.spec.syncPolicy?.automated?.prune !== true || sync?.revision === commit) return false;
  const there = new Set(changes.changes.map(({ key }) => keyText(key)));
  return resources.some(
    ({ group = '', kind = '', namespace = '', name = '', hook, requiresPruning }) =>
      hook !== true && requiresPruning !== true && !there.has(keyText({ group, kind, namespace, name })),
  );
}

function operationOptions(app: Application): { readonly syncOptions?: readonly string[] } {
  const options = app.spec.syncPolicy?.syncOptions;
  return options === undefined ? {} : { syncOptions: options };
}

/** Objects that differ from Git although the last sync brought in this very revision: what somebody changed in the cluster. */
export function driftOf({ app, changes, commit }: Pick<Situation, 'app' | 'changes' | 'commit'>): number {
  if (attempted(app, commit)?.phase !== 'Succeeded') return 0;
  return changes.changes.filter((change) => change.action !== 'prune' && isOutOfSync(change)).length;
}

/** Whether another sync may change anything: not where `Prune=false` says that the object must stay. */
function isCurable(change: Change, syncOptions: readonly string[]): boolean {
  return change.action !== 'prune' || syncOptionsOf(syncOptions, change.live.hints).prune !== 'no';
}

/** The last operation, if it was one for this revision of this very source, and no rehearsal. */
function attempted(app: Application, commit: string): OperationState | undefined {
  const state = app.status?.operationState;
  if (state?.syncResult?.revision !== commit || state.operation.sync?.dryRun === true) return undefined;
  return isSameSource(state.syncResult.source, specSource(app)) ? state : undefined;
}
