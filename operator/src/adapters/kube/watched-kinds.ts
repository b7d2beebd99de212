import { isExcludedKind, usualFilter } from '../../model/kind-filter.ts';
import type { ServedKinds } from './discovery.ts';
import type { ServedKind } from './served-kind.ts';

/** Which kinds the settings leave out of the view of a cluster, by its address. */
export interface KindChoice {
  isExcluded(group: string, kind: string, server: string): boolean;
  /** Calls back when that may have changed; the answer stops it. */
  subscribe(changed: () => void): () => void;
}

/** What is left out where nothing is set. */
export const usualKinds: KindChoice = {
  isExcluded: (group, kind, server) => isExcludedKind(usualFilter, group, kind, server),
  subscribe: () => () => {},
};

/** The kinds that the live view of a cluster holds: each in its preferred version, where it can be listed and watched and is not left out. */
export function watchedKinds(served: ServedKinds, choice: KindChoice, server: string): readonly ServedKind[] {
  return served.preferred.filter(
    ({ group, kind, verbs }) =>
      verbs.includes('list') && verbs.includes('watch') && !choice.isExcluded(group, kind, server),
  );
}
