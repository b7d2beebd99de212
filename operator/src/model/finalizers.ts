import type { DeletionPhase } from './desired.ts';

const cascade = 'resources-finalizer.argocd.argoproj.io';

/** The cascade finalizers, and how each deletes (Argo CD's docs/user-guide/app_deletion.md). */
export const cascadeFinalizers: Readonly<Record<string, 'foreground' | 'background'>> = {
  [cascade]: 'foreground',
  [`${cascade}/foreground`]: 'foreground',
  [`${cascade}/background`]: 'background',
};

/** What holds an Application until the hooks of a phase have run, and until their delete policies were followed. */
export const hookFinalizers: Readonly<Record<DeletionPhase, { readonly run: string; readonly cleanUp: string }>> = {
  PreDelete: {
    run: 'pre-delete-finalizer.argocd.argoproj.io',
    cleanUp: 'pre-delete-finalizer.argocd.argoproj.io/cleanup',
  },
  PostDelete: {
    run: 'post-delete-finalizer.argocd.argoproj.io',
    cleanUp: 'post-delete-finalizer.argocd.argoproj.io/cleanup',
  },
};

/**
 * What holds a hook from its creation until its end is stored, so that nothing that deletes it by itself, such as `ttlSecondsAfterFinished` of a Job, takes it away
 * unseen; Argo CD's.
 */
export const hookHold = 'argocd.argoproj.io/hook-finalizer';

/** Every finalizer that Mooring takes away when its part of a deletion is done. */
export const ownFinalizers: ReadonlySet<string> = new Set([
  ...Object.keys(cascadeFinalizers),
  ...Object.values(hookFinalizers).flatMap(({ run, cleanUp }) => [run, cleanUp]),
]);

/** The finalizers that an Application needs for its deletion hooks, besides those that it has; the very same list where nothing is to be done. */
export function withHookFinalizers(has: readonly string[], phases: ReadonlySet<DeletionPhase>): readonly string[] {
  let wanted = has;
  for (const phase of ['PreDelete', 'PostDelete'] as const) {
    for (const name of Object.values(hookFinalizers[phase])) {
      if (phases.has(phase) === wanted.includes(name)) continue;
      wanted = phases.has(phase) ? [...wanted, name] : wanted.filter((other) => other !== name);
    }
  }
  return wanted;
}
