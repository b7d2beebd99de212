import type { Application } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
import type { ResourceKey } from '../../model/resource-key.ts';
import type { Cluster } from '../../world/cluster.ts';

/**
 * Invariant I1: nothing is decided about objects that cannot be seen. Throws `Fault` `cluster-unreachable` where a kind is unseen of which the Application
 * has objects: among `keys`, or by what its status says of the last time it was looked at. Applications without that kind go on.
 */
export function requireSeen(
  app: Application,
  keys: readonly ResourceKey[],
  { server, unseen }: Pick<Cluster, 'server' | 'unseen'>,
): void {
  const { resources = [], operationState } = app.status ?? {};
  for (const { group, kind, fault } of unseen()) {
    const isOfKind = (object: { readonly group?: string; readonly kind?: string }): boolean =>
      object.kind === kind && (object.group ?? '') === group;
    const known = [...keys, ...resources, ...(operationState?.syncResult?.resources ?? [])];
    if (known.some(isOfKind)) throw new Fault('cluster-unreachable', fault.message, { server, group, kind }, fault);
  }
}
