import type { ManagedNamespaceMetadata, OperationState, SyncPolicy } from '@mooring/crds';
import type { DesiredObject } from './desired.ts';
import { equalJson } from './merge-patch.ts';

/** The destination's namespace, where no source has it and a sync makes it or looks after it. */
export interface MadeNamespace {
  readonly desired: DesiredObject;
  /** Whether it is there, and is not as a sync would leave it. */
  readonly isOutdated: boolean;
}

/**
 * Whether `managedNamespaceMetadata` is another one than the last sync gave the destination's namespace, which keeps the Application from being Synced, as in
 * Argo CD: no object of the source differs then.
 */
export function isNamespaceOutdated(policy: SyncPolicy | undefined, state: OperationState | undefined): boolean {
  const wanted: ManagedNamespaceMetadata | undefined = policy?.managedNamespaceMetadata;
  if (wanted === undefined || state?.syncResult === undefined) return false;
  return !equalJson(wanted, state.syncResult.managedNamespaceMetadata ?? null);
}
