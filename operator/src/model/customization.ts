import type { ResourceIgnoreDifferences } from '@mooring/crds';

/** What `argocd-cm` says of one kind under `resource.customizations`. */
export interface Customization {
  /** Where it is said. */
  readonly key: string;
  readonly what: 'ignoreDifferences' | 'knownTypeFields' | 'health';
  /** Globs. */
  readonly group: string;
  readonly kind: string;
  /** Of `ignoreDifferences`, where it is understood. */
  readonly rule?: ResourceIgnoreDifferences;
  /** Why it is not, to be read after the key. */
  readonly problem?: string;
}
