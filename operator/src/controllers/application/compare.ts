import type { Application, ResourceIgnoreDifferences } from '@mooring/crds';
import { inSlices, type KubeObject, pauseFor } from '@mooring/renderer-contract';
import { coversAll } from '../../engine/diff/covers.ts';
import { diffing, isAsWished, isVouchedFor } from '../../engine/diff/diff.ts';
import { sharedObjects } from '../../engine/diff/shared.ts';
import { appHealth } from '../../engine/health/aggregate.ts';
import { annotation } from '../../model/annotations.ts';
import type { ChangeSet } from '../../model/change.ts';
import type { DesiredObject, DesiredSet, DesiredWarning } from '../../model/desired.ts';
import type { Guard } from '../../model/guard.ts';
import type { AppHealth } from '../../model/health.ts';
import { type AppliedMark, isOld, type LiveRecord, type LiveSet } from '../../model/live.ts';
import type { MadeNamespace } from '../../model/managed-namespace.ts';
import { keyText, type ResourceKey } from '../../model/resource-key.ts';
import type { Cluster } from '../../world/cluster.ts';
import type { Step } from '../../world/telemetry.ts';
import { permittedBy } from './admit.ts';
import { type Asks, askAbout } from './ask.ts';

/** The cluster held against the desired set, at one moment. */
export interface Compared {
  readonly live: LiveSet;
  readonly changes: ChangeSet;
  readonly health: AppHealth;
  /** A warning for each object that another Application tracks. */
  readonly shared: readonly DesiredWarning[];
  /** The destination's namespace, where a sync is to make it or to look after it. */
  readonly namespace: MadeNamespace | undefined;
}

/** What is compared for. */
export interface CompareContext {
  /** Name of the Application in tracking ids. */
  readonly tracking: string;
  /** What the project forbids is nobody's to prune. */
  readonly guard: Guard;
  /** Whether the revision is another one than that of the last sync. */
  readonly revisionChanged: boolean;
  /** Whether to ask for objects that marks vouch for, too: for all of them, or for those that have changed in whatever since they were compared. */
  readonly thorough: 'no' | 'changed' | 'all';
  /** The destination's namespace, as a sync would make it now; undefined where it would not. */
  readonly namespace: () => DesiredObject | undefined;
  /** What is not to be pruned although no source has it. */
  readonly kept: ResourceKey | undefined;
  /** `spec.ignoreDifferences`, and what the settings say for all. */
  readonly ignoreDifferences: readonly ResourceIgnoreDifferences[];
  /** What the API server is asked by a dry run where only it knows; see `askAbout`. */
  readonly asks: Asks;
}

/** Makes a step of the comparison, such as one that is measured. */
export type MakeStep = <T>(name: Step, run: () => T | Promise<T>) => Promise<T>;

/** Characters of JSON that cost as much as a look at one object in each of these steps, and as finding out what of it is ours. */
export const objectLength = 300;
const markingLength = 3_000;

const justRun: MakeStep = async (_, run) => run();

/**
 * Looks at the cluster and compares. Objects are asked for only where the marks don't vouch for them, and what turns out equal gets its mark,
 * so that the next look costs nothing.
 */
export async function compare(
  app: Application,
  desired: DesiredSet,
  cluster: Cluster,
  context: CompareContext,
  step: MakeStep = justRun,
): Promise<Compared> {
  const { tracking, revisionChanged } = context;
  const namespace = context.namespace();
  const wanted = namespace === undefined ? desired : { ...desired, objects: [...desired.objects, namespace] };
  const asked = wanted.objects.filter(({ hook }) => hook === undefined);
  cluster.want(
    tracking,
    asked.map(({ key }) => key),
  );
  await pauseFor(asked.length * objectLength);
  const live = await step('observe', () => observe(wanted, cluster, context));
  const { ignoreDifferences } = context;
  const rules = { ignoreDifferences, revisionChanged };
  const found = await step('diff', () => inSlices(diffing(wanted, live, rules)));
  const all = await askAbout(found, { live, cluster, rules, ...context });
  await inSlices(
    (function* () {
      for (const [index, change] of all.changes.entries()) {
        if (change.action === 'update') cluster.dropMark(change.key);
        const compared = live.objects.get(keyText(change.key));
        if (change.action !== 'none' || compared === undefined) continue;
        const isAsked = found.changes[index]?.action === 'update';
        markEqual(cluster, change.desired, compared, { ignoreDifferences, isAsked });
        yield markingLength;
      }
    })(),
  );
  await pauseFor(asked.length * objectLength);
  const qualified = `${app.metadata.namespace}/${app.metadata.name}`;
  const shared = sharedObjects(desired.objects, live.desired, { tracking, qualified });
  const changes = { changes: all.changes.filter(({ key }) => keyText(key) !== (namespace && keyText(namespace.key))) };
  const made = namespace && { desired: namespace, isOutdated: isOutdated(namespace, all, live, tracking) };
  return { live, changes, health: assess(app, desired, live), shared, namespace: made };
}

/** Whether a namespace has other metadata than it is given, or is still tracked since a source had it. */
function isOutdated({ key, object }: DesiredObject, { changes }: ChangeSet, live: LiveSet, tracking: string): boolean {
  const text = keyText(key);
  const isLeft = live.desired.get(text)?.app === tracking && !object.metadata.annotations?.[annotation.trackingId];
  return isLeft || changes.some((change) => change.action === 'update' && keyText(change.key) === text);
}

/** Marks an object that is equal to what is asked for. */
function markEqual(
  cluster: Cluster,
  { key, object, hash: desiredHash }: DesiredObject,
  live: KubeObject,
  by: { readonly ignoreDifferences: readonly ResourceIgnoreDifferences[]; readonly isAsked: boolean },
): void {
  const isCovered = coversAll(object, live, by.ignoreDifferences);
  cluster.setMark(key, { desiredHash, resourceVersion: live.metadata.resourceVersion, isCovered, isAsked: by.isAsked });
}

/** Marks an object that was just written, where it was stored as it was asked for. Else the next look finds out whether another apply would change anything. */
export function markStored(
  cluster: Cluster,
  desired: DesiredObject,
  stored: KubeObject,
  ignoreDifferences: readonly ResourceIgnoreDifferences[],
): void {
  if (isAsWished(desired, stored, ignoreDifferences))
    markEqual(cluster, desired, stored, { ignoreDifferences, isAsked: false });
  else cluster.dropMark(desired.key);
}

async function observe(
  desired: DesiredSet,
  cluster: Cluster,
  { tracking, guard, thorough, kept }: CompareContext,
): Promise<LiveSet> {
  const records = new Map<string, LiveRecord>();
  const marks = new Map<string, AppliedMark>();
  const objects = new Map<string, KubeObject>();
  const unknown: { readonly key: ResourceKey; readonly apiVersion: string }[] = [];
  for (const wish of desired.objects) {
    const { key, hook, object } = wish;
    const record = cluster.record(key);
    if (record === undefined) continue;
    records.set(keyText(key), record);
    const mark = cluster.mark(key);
    if (mark !== undefined) marks.set(keyText(key), mark);
    const isAsked = thorough === 'all' || (thorough === 'changed' && isOld(mark, record));
    if (hook === undefined && (isAsked || !isVouchedFor(wish, record, mark)))
      unknown.push({ key, apiVersion: object.apiVersion });
  }
  await pauseFor(desired.objects.length * objectLength);
  const asked = await Promise.all(unknown.map(({ key, apiVersion }) => cluster.get(key, apiVersion)));
  await pauseFor(unknown.length * objectLength);
  for (const [index, { key }] of unknown.entries()) {
    const object = asked[index];
    if (object === undefined) records.delete(keyText(key));
    else objects.set(keyText(key), object);
  }
  const isPermitted = permittedBy(guard);
  const wanted = new Set([...desired.objects.map(({ key }) => key), ...(kept ? [kept] : [])].map(keyText));
  const others = cluster.tracked(tracking).filter(({ key }) => !wanted.has(keyText(key)) && isPermitted(key));
  return { desired: records, marks, objects, others };
}

function assess(app: Application, desired: DesiredSet, live: LiveSet): AppHealth {
  return appHealth(
    desired.objects.map(({ key, hook, object }) => {
      const record = live.desired.get(keyText(key));
      return {
        key,
        health: record?.health,
        missing: record === undefined,
        hook: hook !== undefined,
        ignored: object.metadata.annotations?.[annotation.ignoreHealthCheck] === 'true' || isSelf(app, key),
      };
    }),
  );
}

/** An app of apps may render itself; its own health is not part of its health. */
function isSelf(app: Application, key: ResourceKey): boolean {
  const { name, namespace } = app.metadata;
  return key.group === 'argoproj.io' && key.kind === 'Application' && key.name === name && key.namespace === namespace;
}
