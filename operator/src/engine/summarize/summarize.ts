import type {
  Application,
  ApplicationCondition,
  ApplicationConditionType,
  ApplicationSource,
  ApplicationSourceType,
  ApplicationStatus,
  HealthStatus,
  OperationState,
  ResourceStatus,
  RevisionHistory,
} from '@mooring/crds';
import { type Change, type ChangeSet, isOutOfSync } from '../../model/change.ts';
import type { DesiredSet, DesiredWarning, SyncOptions } from '../../model/desired.ts';
import { type Fault, faultRules } from '../../model/fault.ts';
import type { AppHealth } from '../../model/health.ts';
import { hookRole } from '../../model/hooks.ts';
import type { LiveSet } from '../../model/live.ts';
import { isNamespaceOutdated, type MadeNamespace } from '../../model/managed-namespace.ts';
import { equalJson } from '../../model/merge-patch.ts';
import { keyText, type ResourceKey, versionOf } from '../../model/resource-key.ts';
import { syncOptionsOf } from '../../model/sync-options.ts';
import { timestamp } from '../../model/timestamp.ts';
import { conditionMessage } from './fault-message.ts';
import { bytesOf, fitted } from './fit.ts';
import { imagesOf } from './images.ts';
import { annotatedLinks } from './links.ts';

/** What one pass over an Application found where nothing stood in its way. */
export interface Comparison {
  readonly commit: string;
  readonly source: ApplicationSource;
  readonly sourceType: string;
  readonly desired: DesiredSet;
  readonly changes: ChangeSet;
  readonly live: LiveSet;
  readonly health: AppHealth;
  /** Warnings about objects that other Applications track, too. */
  readonly shared: readonly DesiredWarning[];
  readonly namespace: MadeNamespace | undefined;
}

/** Everything one pass found. `now` is milliseconds since 1970. */
export interface Findings {
  readonly app: Application;
  /** undefined where a fault kept the pass from comparing, or where it looked at another revision than the spec asks for. */
  readonly comparison: Comparison | undefined;
  readonly faults: readonly Fault[];
  /** Why an automated sync was refused. */
  readonly refusal: { readonly type: ApplicationConditionType; readonly message: string } | undefined;
  readonly state: OperationState | undefined;
  /** Whether `state` has just succeeded in full, so that it belongs in the history. */
  readonly deployed: boolean;
  readonly controllerNamespace: string;
  readonly now: number;
  /** Longest message kept, in characters. */
  readonly messageLength: number;
  /** Bytes of the whole Application as JSON. */
  readonly applicationBytes: number;
  /** Objects that are replaced rather than applied, by `keyText`. */
  readonly replaced: ReadonlySet<string>;
}

const defaultHistoryLimit = 10;

export { timestamp };

/** Turns everything seen in one pass into the one status that is written. What a pass could not see keeps what was known of it. */
export function summarize(findings: Findings): ApplicationStatus {
  const { app, comparison, state, now } = findings;
  const old = app.status ?? {};
  const { conditions: _, ...kept } = old;
  const conditions = conditionsOf(findings);
  const history = historyOf(findings);
  const whole: ApplicationStatus = {
    ...kept,
    ...(comparison !== undefined ? compared(findings, comparison) : findings.faults.length > 0 ? blind(findings) : {}),
    ...(state && { operationState: state }),
    ...(history && { history }),
    ...(conditions.length > 0 && { conditions }),
    controllerNamespace: findings.controllerNamespace,
    resourceHealthSource: 'appTree',
  };
  const { status: __, ...others } = app;
  const bytes = findings.applicationBytes - bytesOf(others);
  const status = fitted(whole, { bytes, needed: findings.replaced, before: old, now });
  return equalJson(status, old) ? old : { ...status, reconciledAt: timestamp(now) };
}

function compared(findings: Findings, comparison: Comparison): Partial<ApplicationStatus> {
  const { app } = findings;
  const outOfSync =
    comparison.namespace?.isOutdated === true ||
    isNamespaceOutdated(app.spec.syncPolicy, findings.state ?? app.status?.operationState) ||
    comparison.changes.changes.some(isOutOfSync);
  const live = [...comparison.live.desired.values(), ...comparison.live.others];
  const images = new Set([...live.flatMap((record) => record.images ?? []), ...unwatchedImages(comparison)]);
  const links = new Set([...annotatedLinks(app.metadata.annotations), ...live.flatMap((record) => record.links ?? [])]);
  const isAppOfApps = comparison.desired.objects.some(
    ({ key }) => key.group === 'argoproj.io' && key.kind === 'Application',
  );
  return {
    sync: {
      status: outOfSync ? 'OutOfSync' : 'Synced',
      revision: comparison.commit,
      comparedTo: {
        source: comparison.source,
        destination: app.spec.destination,
        ...(app.spec.ignoreDifferences && { ignoreDifferences: app.spec.ignoreDifferences }),
      },
    },
    health: healthStatus(app, comparison.health, findings.now),
    resources: resourcesOf(app, comparison),
    sourceType: comparison.sourceType as ApplicationSourceType,
    summary: {
      ...(links.size > 0 && { externalURLs: [...links].sort() }),
      ...(images.size > 0 && { images: [...images].sort() }),
      ...(isAppOfApps && { isAppOfApps }),
    },
  };
}

/** Images of objects whose records hold none, since their kind is watched by metadata only: those that Git names. */
function unwatchedImages({ desired, live }: Comparison): readonly string[] {
  const there = desired.objects.filter(({ key }) => {
    const record = live.desired.get(keyText(key));
    return record !== undefined && record.images === undefined;
  });
  return imagesOf(there.map(({ object }) => object));
}

/** A pass that could not compare knows nothing of sync; of health only where the cluster itself was out of sight or the spec makes no sense. */
function blind(findings: Findings): Partial<ApplicationStatus> {
  const { app, faults } = findings;
  const { destination, source } = app.spec;
  const unseen = faults.some(
    (fault) => fault.code.startsWith('cluster-') || faultRules[fault.code].condition === 'InvalidSpecError',
  );
  const before = app.status?.health;
  const isUncompared = faults.some((fault) => faultRules[fault.code].condition === 'ComparisonError');
  const resources = isUncompared ? app.status?.resources?.map(unknown) : undefined;
  return {
    ...(resources && { resources }),
    sync: {
      ...app.status?.sync,
      status: 'Unknown',
      comparedTo: { ...app.status?.sync?.comparedTo, ...(source && { source }), destination },
    },
    health:
      unseen || before === undefined ? healthStatus(app, { status: 'Unknown', causes: [] }, findings.now) : before,
  };
}

/** What was listed of an object, where nothing is known of its sync any more. Hooks never had a status. */
function unknown(resource: ResourceStatus): ResourceStatus {
  return resource.status === undefined ? resource : { ...resource, status: 'Unknown' };
}

/**
 * The message tells what the status comes from now. Only of what is on its way it stays while it names anything that still is: a rollout would write at each
 * of its steps.
 */
function healthStatus(app: Application, { status, message, causes }: AppHealth, now: number): HealthStatus {
  const before = app.status?.health;
  if (before?.status !== status || before.lastTransitionTime === undefined)
    return { status, ...(message !== undefined && { message }), lastTransitionTime: timestamp(now) };
  const isTold = status === 'Progressing' && causes.some((name) => before.message?.includes(name));
  if (isTold || before.message === message) return before;
  const { message: _, ...rest } = before;
  return { ...rest, ...(message !== undefined && { message }) };
}

/** Hooks are listed while they exist, those of earlier syncs too; what a source only carries for others always is, without a status. */
function resourcesOf(app: Application, { desired, changes, live }: Comparison): ResourceStatus[] {
  const resources = changes.changes.map((change) => resourceOf(app, change));
  for (const { key, object, hook, wave } of desired.objects) {
    if (hook === undefined) continue;
    const isHook = hookRole(object.metadata.annotations).role !== 'skip';
    if (isHook && !live.desired.has(keyText(key))) continue;
    resources.push({
      ...identity(key, object.apiVersion),
      ...(isHook && { hook: true }),
      ...(wave !== 0 && { syncWave: wave }),
    });
  }
  for (const { key, apiVersion, hints } of live.others) {
    const { role } = hookRole(hints);
    if (role === 'hook' || role === 'ignored') resources.push({ ...identity(key, apiVersion), hook: true });
  }
  const named = resources.map((resource) => [identityText(resource), resource] as const);
  return named.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
}

function resourceOf(app: Application, change: Change): ResourceStatus {
  const asks =
    change.action !== 'create' && asksPeople(syncOptionsOf(app.spec.syncPolicy?.syncOptions ?? [], change.live.hints));
  if (change.action === 'prune') {
    return {
      ...identity(change.key, change.live.apiVersion),
      status: 'OutOfSync',
      requiresPruning: true,
      ...(asks && { requiresDeletionConfirmation: true }),
    };
  }
  const { wave, object, options, forbidden } = change.desired;
  const status = change.action === 'none' ? 'Synced' : 'OutOfSync';
  return {
    ...identity(change.key, object.apiVersion),
    status: forbidden === undefined ? status : 'Unknown',
    ...((asks || asksPeople(options)) && { requiresDeletionConfirmation: true }),
    ...(wave !== 0 && { syncWave: wave }),
  };
}

function asksPeople(options: SyncOptions): boolean {
  return options.delete === 'confirm' || options.prune === 'confirm';
}

function identity(key: ResourceKey, apiVersion: string): ResourceStatus {
  return {
    ...(key.group !== '' && { group: key.group }),
    version: versionOf(apiVersion),
    kind: key.kind,
    ...(key.namespace !== '' && { namespace: key.namespace }),
    name: key.name,
  };
}

function identityText({ group = '', kind = '', namespace = '', name = '' }: ResourceStatus): string {
  return keyText({ group, kind, namespace, name });
}

function conditionsOf(findings: Findings): ApplicationCondition[] {
  const wanted: ApplicationCondition[] = findings.faults.flatMap((fault) => {
    const { condition } = faultRules[fault.code];
    return condition === undefined ? [] : [{ type: condition, message: conditionMessage(fault) }];
  });
  if (findings.refusal !== undefined) wanted.push(findings.refusal);
  const newer = newerCommit(findings);
  if (newer !== undefined) wanted.push({ type: newerCommitWaits, message: newer });
  const { desired, shared = [] } = findings.comparison ?? {};
  for (const { type, message } of [...(desired?.warnings ?? []), ...shared]) wanted.push({ type, message });
  const before = findings.app.status?.conditions ?? [];
  // A pass over another revision than the spec's says nothing about what was found there.
  if (findings.comparison === undefined && findings.faults.length === 0)
    return before.filter(({ type }) => !['SyncError', 'SyncWindowWarning', newerCommitWaits].includes(type));
  return wanted.map(({ type, message: full }) => {
    const message = cut(full, findings.messageLength);
    const same = before.find((condition) => condition.type === type && condition.message === message);
    return same ?? { type, message, lastTransitionTime: timestamp(findings.now) };
  });
}

const newerCommitWaits = 'mooring.dev/NewerCommitWaits';

/** What keeps an automated Application from the commit that its spec stands for now: a sync to another one that is not over, and may never be. */
function newerCommit({ app, comparison, state }: Findings): string | undefined {
  const { automated } = app.spec.syncPolicy ?? {};
  const syncing = state?.phase === 'Running' ? state.syncResult?.revision : undefined;
  if (automated === undefined || automated.enabled === false || comparison === undefined) return undefined;
  if (state === undefined || syncing === undefined || syncing === comparison.commit) return undefined;
  const { name = '' } = app.metadata;
  return [
    `${comparison.source.targetRevision || 'HEAD'} is at ${comparison.commit} now, which is synced as soon as the sync to ${syncing} is over`,
    `that one began at ${state.startedAt}: ${state.message ?? 'under way'}`,
    `if it cannot end by itself, end it: kubectl patch application ${name} --type merge --patch '{"status":{"operationState":{"phase":"Terminating"}}}'`,
  ].join('; ');
}

/** Cuts a message to a length, saying so. */
export function cut(message: string, length: number): string {
  return message.length <= length ? message : `${message.slice(0, length - 14)} … (shortened)`;
}

function historyOf({ app, state, deployed, now }: Findings): readonly RevisionHistory[] | undefined {
  const history = app.status?.history ?? [];
  if (!deployed || state?.syncResult === undefined) return undefined;
  const limit = app.spec.revisionHistoryLimit ?? defaultHistoryLimit;
  const { revision, source } = state.syncResult;
  const entry: RevisionHistory = {
    id: (history.at(-1)?.id ?? -1) + 1,
    revision,
    ...(source && { source }),
    deployStartedAt: state.startedAt,
    deployedAt: state.finishedAt ?? timestamp(now),
    ...(state.operation.initiatedBy && { initiatedBy: state.operation.initiatedBy }),
  };
  return limit <= 0 ? [] : [...history, entry].slice(-limit);
}
