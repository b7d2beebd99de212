import type { Application } from '@mooring/crds';
import {
  defaultLimits,
  inSlices,
  type Manifest,
  objectBytesMax,
  pauseFor,
  RenderError,
  readManifests,
} from '@mooring/renderer-contract';
import { desiring } from '../../engine/desire/desire.ts';
import { ignoreProblems } from '../../engine/diff/ignore.ts';
import { holdsOf, kindHoldsOf, unreadHealth } from '../../engine/policy/holds.ts';
import { specTarget, type Target, targetOf } from '../../engine/policy/target.ts';
import { type Windows, windowsOf } from '../../engine/policy/windows.ts';
import { isOfRevision } from '../../engine/summarize/fault-message.ts';
import type { Comparison } from '../../engine/summarize/summarize.ts';
import { annotation } from '../../model/annotations.ts';
import type { DesiredSet, DesiredWarning } from '../../model/desired.ts';
import { Fault } from '../../model/fault.ts';
import type { Guard } from '../../model/guard.ts';
import { canonicalJson } from '../../model/json.ts';
import { isExcludedKind } from '../../model/kind-filter.ts';
import { trackingName } from '../../model/tracking.ts';
import type { Cluster } from '../../world/cluster.ts';
import type { RepositoryAccess, Revision } from '../../world/git.ts';
import type { RenderAnswer } from '../../world/renderer.ts';
import { step } from '../../world/telemetry.ts';
import type { World } from '../../world/world.ts';
import { admit, guardOf } from './admit.ts';
import type { Asks } from './ask.ts';
import { type CompareContext, compare, type MakeStep, objectLength } from './compare.ts';
import { type Memory, sight } from './memory.ts';
import { createdNamespace, namespaceOf } from './namespace.ts';
import { renderRequest } from './request.ts';
import { requireCovered, requireSeen } from './unseen.ts';
import { isUnderWay } from './wake.ts';

/** What Git asks for, and where. */
export interface Wanted {
  readonly target: Target;
  /** The revision of the spec, where the target is known to be something else. */
  readonly otherThan: string | undefined;
  readonly cluster: Cluster;
  readonly commit: string;
  /** Committer date in milliseconds since 1970; undefined where nothing was read from Git. */
  readonly committedAt: number | undefined;
  readonly sourceType: string;
  readonly desired: DesiredSet;
  /** What the project forbids, asked as it is whenever something is written. */
  readonly guard: Guard;
  readonly windows: Windows;
  /** Why nothing may be written, whatever the source holds. */
  readonly holds: readonly string[];
}

/** What one pass knows once Git and the cluster have been looked at. */
export interface Seen
  extends Pick<Wanted, 'target' | 'otherThan' | 'cluster' | 'committedAt' | 'guard' | 'windows' | 'holds'> {
  readonly context: CompareContext;
  readonly comparison: Comparison;
}

/** What to look at. Answers about its revision are no older than `notBefore`, milliseconds since 1970. */
interface Look {
  readonly asked: Target;
  readonly notBefore: number;
  /** What the API server is asked by a dry run; see `askAbout`. */
  readonly asks: Asks;
}

function lookAt(app: Application, world: World, memory: Memory): Look {
  // Whoever asks for a sync means the newest commit there is, also where no webhook told of it and the poll is yet to come.
  const isAsked = isRefreshed(app) || app.operation !== undefined;
  // What Git has just changed is applied right after, where something is applied at all.
  const asks = isAutomated(app) || isUnderWay(app) ? 'old' : 'rest';
  return { asked: targetOf(app), notBefore: isAsked ? world.clock.now() : memory.revisionNotBefore, asks };
}

function isRefreshed({ metadata }: Application): boolean {
  return metadata.annotations?.[annotation.refresh] !== undefined;
}

/** resolve → open → render → desire. Throws `Fault`. */
export async function want(
  app: Application,
  world: World,
  memory: Memory,
  { asked, notBefore }: Look = lookAt(app, world, memory),
): Promise<Wanted> {
  const { project, cluster: place } = admit(app, asked.source, world);
  const refresh = app.metadata.annotations?.[annotation.refresh];
  const repository = world.store.repository(asked.source.repoURL, project.metadata.name ?? '');
  const now = world.clock.now();
  const resolve = (from: number): Promise<Revision> =>
    step(world, 'resolve', () => world.git.resolve(repository, asked.revision, from));
  const [cluster, known] = await Promise.all([
    world.clusters.open(place.server),
    resolve(notBefore).catch((thrown: unknown) => {
      if (!isMissing(thrown) || notBefore >= now) throw thrown;
      return resolve(now);
    }),
  ]);
  let committedAt: number | undefined;
  const render = (revision: Revision): Promise<RenderAnswer> =>
    step(world, 'render', async () => {
      sight(memory, revision.commit, world.clock.now());
      const tree = await world.git.open(repository, revision);
      committedAt = tree.committedAt;
      const request = renderRequest(app, asked.source, revision, cluster);
      return world.renderers.render(tree, request, { fresh: refresh === 'hard' });
    });
  /** What is missing may have been pushed since Git was asked: nobody is told before Git says so anew. */
  const renderNewer = async (thrown: unknown): Promise<Rendering> => {
    if (!isMissing(thrown) || notBefore >= now) throw thrown;
    const revision = await resolve(now).catch((other: unknown) => {
      // What is wrong with the known revision says more.
      throw other instanceof Fault ? thrown : other;
    });
    if (revision.commit === known.commit) throw thrown;
    return { revision, rendered: await render(revision) };
  };
  const { revision, rendered }: Rendering =
    asked.manifests === undefined
      ? await render(known).then((rendered) => ({ revision: known, rendered }), renderNewer)
      : { revision: known, rendered: await broughtAlong(app, asked.manifests) };
  const relation = await relationToSpec(asked, revision, repository, isUnderWayOf(app) ? 0 : notBefore, world);
  const target = { ...asked, ofSpec: relation === 'same' };
  if (rendered.rendered) {
    for (const warning of rendered.warnings) world.telemetry.log.warn({ revision: revision.commit }, warning);
  }
  const guard = guardOf(app, place, world);
  const settings = world.store.settings();
  const desiringAll = desiring(rendered.manifests, {
    appName: trackingName(app, world.store.namespace),
    destinationNamespace: app.spec.destination.namespace ?? '',
    guard,
    syncOptions: target.syncOptions,
    scopeOf: (group, kind) => cluster.scopeOf(group, kind),
    isExcluded: (group, kind) => isExcludedKind(settings.kinds, group, kind, place.server),
  });
  const desired = await inSlices(desiringAll);
  return {
    target,
    otherThan: relation === 'other' ? specTarget(app).revision : undefined,
    cluster,
    commit: revision.commit,
    committedAt,
    sourceType: rendered.sourceType,
    desired,
    guard,
    windows: windowsOf(project, app, place),
    holds: holdsOf({ project, server: place.server, unread: settings.unread }),
  };
}

interface Rendering {
  readonly revision: Revision;
  readonly rendered: RenderAnswer;
}

/** Whether something that a source names may be missing: a branch, a path, a file. */
function isMissing(thrown: unknown): boolean {
  return thrown instanceof Fault && (thrown.code === 'revision-unknown' || thrown.code === 'render-failed');
}

/** Whether an operation has begun and is not over. */
function isUnderWayOf({ status }: Application): boolean {
  return status?.operationState?.phase === 'Running' || status?.operationState?.phase === 'Terminating';
}

/**
 * Whether an operation works on the very commit that the spec's revision stands for, so that what it sees is the state of the Application. For one that is under way
 * any remembered answer will do: it must not wait for a Git server that it needs no more, and the pass that follows its end asks anew.
 */
async function relationToSpec(
  { ofSpec, specRevision }: Target,
  { commit }: Revision,
  repository: RepositoryAccess,
  notBefore: number,
  { git }: World,
): Promise<'same' | 'other' | 'unknown'> {
  if (ofSpec) return 'same';
  if (specRevision === undefined) return 'other';
  try {
    return (await git.resolve(repository, specRevision, notBefore)).commit === commit ? 'same' : 'other';
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return 'unknown';
  }
}

/** What an operation brings along, in the form of a render. Throws `Fault` `spec-invalid`. */
async function broughtAlong(app: Application, texts: readonly string[]): Promise<RenderAnswer> {
  try {
    const manifests: Manifest[] = [];
    const most = objectBytesMax(defaultLimits);
    let bytes = 0;
    for (const [index, text] of texts.entries()) {
      const path = `operation.sync.manifests[${index}]`;
      const { found, objectBytes } = await readManifests(Buffer.from(text), path, defaultLimits);
      bytes += objectBytes;
      if (bytes > most) {
        throw new RenderError(
          'limit',
          `${path} takes the objects over ${most} bytes once aliases are written out; repeat less`,
        );
      }
      for (const { object, document, line } of found) manifests.push({ object, origin: { path, document, line } });
    }
    return { manifests, warnings: [], sourceType: app.status?.sourceType ?? 'Directory', rendered: false };
  } catch (thrown) {
    if (!(thrown instanceof RenderError)) throw thrown;
    throw new Fault('spec-invalid', thrown.message, { file: thrown.file, line: thrown.line }, thrown);
  }
}

/** resolve → open → render → desire → observe, diff and assess. Throws `Fault`. */
export async function see(
  app: Application,
  world: World,
  memory: Memory,
  look: Look = lookAt(app, world, memory),
): Promise<Seen> {
  const wanted = await want(app, world, memory, look);
  const { target, otherThan, cluster, commit, committedAt, sourceType, desired: found, guard, windows } = wanted;
  const { customizations, unread } = world.store.settings();
  const tracking = trackingName(app, world.store.namespace);
  await pauseFor(found.objects.length * objectLength);
  requireCovered(
    found.objects.map(({ key }) => key),
    cluster,
  );
  const keys = [...found.objects, ...cluster.tracked(tracking)].map(({ key }) => key);
  requireSeen(app, keys, cluster);
  const own = app.spec.ignoreDifferences ?? [];
  const rules = [...own, ...customizations.flatMap(({ rule }) => rule ?? [])];
  const problems = ignoreProblems(own);
  const live = cluster.tracked(tracking).map(({ key }) => key);
  const holds = [...wanted.holds, ...kindHoldsOf({ desired: found.objects, live, sourceType, customizations, unread })];
  const warnings: readonly DesiredWarning[] = [
    ...found.warnings,
    ...problems.map((message) => ({ type: 'InvalidSpecError' as const, message })),
    ...holds.map((message) => ({ type: 'SyncError' as const, message })),
    ...unreadHealth(customizations, keys).map((message) => ({ type: 'UnreadSettingWarning' as const, message })),
  ];
  const desired = { ...found, warnings };
  const ignoring = canonicalJson(rules);
  const context: CompareContext = {
    tracking,
    ignoreDifferences: rules,
    guard,
    revisionChanged: app.status?.operationState?.syncResult?.revision !== commit,
    // Marks are from comparisons under the rules of then.
    thorough:
      app.metadata.annotations?.[annotation.refresh] === 'hard' || memory.ignoring !== ignoring
        ? 'all'
        : memory.anew
          ? 'changed'
          : 'no',
    namespace: () => namespaceOf(app, desired, cluster, { syncOptions: target.syncOptions, tracking, guard }),
    // Also where an operation leaves the option of the spec out.
    kept: createdNamespace(app, [...target.syncOptions, ...(app.spec.syncPolicy?.syncOptions ?? [])]),
    asks: look.asks,
  };
  if (memory.server !== cluster.server) world.clusters.forget(tracking, cluster.server);
  memory.server = cluster.server;
  const compared = await compare(app, desired, cluster, context, stepsOf(world));
  memory.ignoring = ignoring;
  memory.anew = false;
  const comparison: Comparison = { commit, source: target.source, sourceType, desired, ...compared };
  const all = [...holds, ...problems.map((problem) => `${problem}; nothing is written until it is changed`)];
  return { target, otherThan, cluster, committedAt, guard, windows, holds: all, context, comparison };
}

function isAutomated({ spec }: Application): boolean {
  const policy = spec.syncPolicy?.automated;
  return policy !== undefined && policy.enabled !== false;
}

/** Observe, diff and assess once more, after something was written. */
export async function seeAgain(app: Application, seen: Seen, world: World): Promise<Seen> {
  const context = { ...seen.context, revisionChanged: false, thorough: 'no' as const };
  const compared = await compare(app, seen.comparison.desired, seen.cluster, context, stepsOf(world));
  return { ...seen, comparison: { ...seen.comparison, ...compared } };
}

/**
 * The Application as its spec asks for it, while an operation works on something else: a commit that was pushed meanwhile. What is wrong with that revision is a
 * fault to be shown; undefined where it cannot be told just now, which is no reason to hold up the operation.
 */
export async function seeSpec(app: Application, world: World, memory: Memory): Promise<Seen | Fault | undefined> {
  try {
    // Any remembered answer will do: whoever asks Git for news wakes the Application.
    const notBefore = isRefreshed(app) ? world.clock.now() : 0;
    return await see(app, world, memory, { asked: specTarget(app), notBefore, asks: 'rest' });
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return isOfRevision(thrown) ? thrown : undefined;
  }
}

function stepsOf(world: World): MakeStep {
  return (name, run) => step(world, name, run);
}
