import { isExcludedKind } from '../../model/excluded-kinds.ts';
import type { ServedKinds } from './discovery.ts';
import type { ServedKind } from './served-kind.ts';

/** The kinds that the live view holds: each in its preferred version, where it can be listed and watched and is not left out. */
export function watchedKinds(served: ServedKinds): readonly ServedKind[] {
  return served.preferred.filter(
    ({ group, kind, verbs }) => verbs.includes('list') && verbs.includes('watch') && !isExcludedKind(group, kind),
  );
}
