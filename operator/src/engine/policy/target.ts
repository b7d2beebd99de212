import type { Application, ApplicationSource, OperationState } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
import { operatorLimits } from '../../model/limits.ts';
import { equalJson } from '../../model/merge-patch.ts';

/** What one pass renders: what the spec says, unless an operation under way or asked for names another source or revision. */
export interface Target {
  readonly source: ApplicationSource;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Whether this is what the spec asks for, so that the pass also tells the sync status. */
  readonly ofSpec: boolean;
  /** The spec's revision, where that is another text than `revision` of the same source: both may be one commit, as in an operation under way. */
  readonly specRevision?: string;
  readonly syncOptions: readonly string[];
  /** Manifests that the operation brings along in the place of those of the source (`argocd app sync --local`), each as JSON or YAML. */
  readonly manifests?: readonly string[];
}

/** Throws `Fault` `spec-invalid` where the Application names no source that can be rendered. */
export function targetOf(app: Application): Target {
  const { status } = app;
  const { source: wanted, revision: wantedRevision, syncOptions: wantedOptions } = specTarget(app);
  const state = status?.operationState;
  const underWay = state?.phase === 'Running' || state?.phase === 'Terminating' ? state : undefined;
  const running = underWay !== undefined && isSupersedable(underWay) ? undefined : underWay;
  const sync = running === undefined ? app.operation?.sync : running.operation.sync;
  const source = running?.syncResult?.source ?? sync?.source ?? wanted;
  refuseUnfit(source);
  const renew = running?.finishedAt !== undefined && running.operation.retry?.refresh === true;
  const pinned = renew ? undefined : running?.syncResult?.revision || sync?.revision;
  const revision = pinned || source.targetRevision || 'HEAD';
  const manifests = sync?.manifests?.length ? sync.manifests : undefined;
  const ofSpec = isSameSource(source, wanted) && revision === wantedRevision && manifests === undefined;
  const isOther = !ofSpec && equalJson(source, wanted) && manifests === undefined;
  return {
    source,
    revision,
    ofSpec,
    ...(isOther && { specRevision: wantedRevision }),
    syncOptions: sync?.syncOptions ?? wantedOptions,
    ...(manifests && { manifests }),
  };
}

/** What the spec asks for, whatever operation is under way. Throws `Fault` `spec-invalid`, as `targetOf`. */
export function specTarget(app: Application): Target {
  const source = specSource(app);
  const { syncOptions = [] } = app.spec.syncPolicy ?? {};
  return { source, revision: source.targetRevision || 'HEAD', ofSpec: true, syncOptions };
}

/**
 * Whether an operation gives way to a newer revision: an automated one that waits for its next try. Argo CD would go on with the revision that has just
 * failed, and leave the commit that mends it waiting.
 */
export function isSupersedable(state: OperationState): boolean {
  return state.phase === 'Running' && state.finishedAt !== undefined && state.operation.initiatedBy?.automated === true;
}

/** The one source that the spec names. Throws `Fault` `spec-invalid` where there is none that can be rendered. */
export function specSource({ spec }: Application): ApplicationSource {
  if (spec.sources !== undefined && spec.sources.length > 1) {
    throw new Fault(
      'spec-invalid',
      'spec.sources has more than one source, which is not supported yet; use spec.source',
    );
  }
  const source = spec.sources?.[0] ?? spec.source;
  if (source === undefined || !source.repoURL || (!source.path && !source.chart)) {
    throw new Fault(
      'spec-invalid',
      "spec.source.repoURL and either spec.source.path or spec.source.chart are required; the path of the whole repository is '.'",
    );
  }
  if (source.chart) {
    throw new Fault(
      'spec-invalid',
      'spec.source.chart names a chart of a Helm registry, which is not supported yet; use spec.source.path',
    );
  }
  refuseUnfit(source);
  return source;
}

/** Throws `Fault` `spec-invalid` for a path that no file system takes, and for what would change which commit is meant and is not read yet. */
function refuseUnfit({ path = '', tagPrefix }: ApplicationSource): void {
  const { pathLength } = operatorLimits;
  if (path.length > pathLength)
    throw new Fault('spec-invalid', `spec.source.path is longer than ${pathLength} characters; shorten it`);
  if (!tagPrefix) return;
  throw new Fault(
    'spec-invalid',
    `tagPrefix of the source is ${JSON.stringify(tagPrefix.slice(0, 100))}, which is not supported yet: it says which tags targetRevision may mean; take it out and name the tag`,
  );
}

/** Whether two sources say the same, whatever revision they name: `HEAD` and `main` may be one commit. */
export function isSameSource(a: ApplicationSource | undefined, b: ApplicationSource | undefined): boolean {
  return equalJson({ ...a, targetRevision: undefined }, { ...b, targetRevision: undefined });
}
