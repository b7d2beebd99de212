import type { Application, OperationState } from '@mooring/crds';
import { annotation } from '../../model/annotations.ts';
import type { DeletionPhase, DesiredObject, SyncPhase } from '../../model/desired.ts';
import { hookFinalizers, hookHold } from '../../model/finalizers.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyText } from '../../model/resource-key.ts';

/** Names one try of one operation: the same while it lasts, another for the next. */
export function runOf({ syncResult, startedAt, retryCount = 0 }: OperationState): string {
  const run = `${syncResult?.revision.slice(0, 7) ?? ''}-${Math.floor(Date.parse(startedAt) / 1_000)}`;
  return retryCount === 0 ? run : `${run}-${retryCount}`;
}

/** Names the one deletion of an Application. */
export function runOfDeletion({ metadata }: Pick<Application, 'metadata'>): string {
  return `${Math.floor(Date.parse(metadata.deletionTimestamp ?? '') / 1_000)}`;
}

/** What a hook of a run is marked with. */
function markOf(run: string, phase: SyncPhase): string {
  return `${run}-${phase.toLowerCase()}`;
}

/**
 * A hook as one run creates it: marked with the run, so that after a restart it is known whether it was created already, and held until its end is stored, so that it
 * does not go unseen. One with `generateName` gets a name that is the same for one run and another for the next.
 */
export function hookOfRun(hook: DesiredObject, phase: SyncPhase, run: string): DesiredObject {
  const mark = markOf(run, phase);
  const { generateName, finalizers = [], ...rest } = hook.object.metadata;
  const name = hook.key.name || `${generateName ?? ''}${mark}`;
  const annotations: Record<string, string> = { ...rest.annotations, [annotation.hookRun]: mark };
  // Its tracking id could not name it yet, and would take it for a copy of something else: its end would wake nobody.
  const tracking = annotations[annotation.trackingId];
  if (hook.key.name === '' && tracking !== undefined) annotations[annotation.trackingId] = `${tracking}${name}`;
  const metadata = { ...rest, name, annotations, finalizers: [...new Set([...finalizers, hookHold])] };
  return { ...hook, key: { ...hook.key, name }, object: { ...hook.object, metadata } };
}

/** Whether a live object is the hook of this very run. */
export function isOfRun(record: LiveRecord | undefined, hook: DesiredObject | undefined): boolean {
  return record?.hints?.[annotation.hookRun] === hook?.object.metadata.annotations?.[annotation.hookRun];
}

/**
 * Whether a hook that is held has still to be: what is stored of the Application does not say yet how it ended. Everything else may go, whoever made it: hooks of
 * operations that are over, of those of which nothing is known any more, and those that Argo CD has left.
 */
export function isAwaited({ key, hints }: LiveRecord, { metadata, status }: Application): boolean {
  const mark = hints?.[annotation.hookRun];
  if (metadata.deletionTimestamp !== undefined) {
    const isOfPhase = (phase: DeletionPhase): boolean =>
      mark === markOf(runOfDeletion({ metadata }), phase) &&
      metadata.finalizers?.includes(hookFinalizers[phase].run) === true;
    return isOfPhase('PreDelete') || isOfPhase('PostDelete');
  }
  const state = status?.operationState;
  if (state === undefined || state.finishedAt !== undefined) return false;
  const results = (state.syncResult?.resources ?? []).filter(
    (result) => result.hookType !== undefined && keyText(result) === keyText(key),
  );
  // Also one that Argo CD made, in whose operation Mooring goes on.
  if (results.some(({ hookPhase }) => hookPhase === 'Running')) return true;
  const run = runOf(state);
  const isStored = results.some(({ syncPhase }) => mark === markOf(run, (syncPhase ?? 'Sync') as SyncPhase));
  return !isStored && syncPhases.some((phase) => mark === markOf(run, phase));
}

const syncPhases: readonly SyncPhase[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail'];
