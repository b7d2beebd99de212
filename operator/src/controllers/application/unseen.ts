import type { Application } from '@mooring/crds';
import { Fault } from '../../model/fault.ts';
import type { ResourceKey } from '../../model/resource-key.ts';
import type { Cluster } from '../../world/cluster.ts';

/**
 * Invariant I1: nothing is decided about objects that cannot be seen. Throws `Fault` `cluster-unreachable` or `cluster-refused` where a kind is unseen of which the
 * Application has objects: among `keys`, or by what its status says of the last time it was looked at. Applications without that kind go on.
 */
export function requireSeen(
  app: Application,
  keys: readonly ResourceKey[],
  { server, unseen }: Pick<Cluster, 'server' | 'unseen'>,
): void {
  const { resources = [], operationState } = app.status ?? {};
  for (const { group, kind, namespace, fault } of unseen()) {
    const isAmong = (object: Partial<ResourceKey>): boolean =>
      object.kind === kind && (object.group ?? '') === group && (namespace === '' || object.namespace === namespace);
    const known = [...keys, ...resources, ...(operationState?.syncResult?.resources ?? [])];
    if (known.some(isAmong)) throw new Fault(fault.code, fault.message, { server, group, kind }, fault);
  }
}

/** Throws `Fault` `cluster-refused`, in Argo CD's words, for an object outside of what of the cluster is looked after. */
export function requireCovered(
  keys: readonly ResourceKey[],
  { server, covers }: Pick<Cluster, 'server' | 'covers'>,
): void {
  const outside = keys.find((key) => !covers(key));
  if (outside === undefined) return;
  const { kind, name, namespace } = outside;
  const what =
    namespace === ''
      ? `cluster level ${kind} "${name}" can not be managed when in namespaced mode`
      : `namespace "${namespace}" for ${kind} "${name}" is not managed`;
  throw new Fault(
    'cluster-refused',
    `${what}: correct namespaces or clusterResources in the Secret of the cluster ${server}`,
    {
      server,
      kind,
      namespace,
      name,
    },
  );
}
