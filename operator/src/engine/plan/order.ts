import type { ResourceKey } from '../../model/resource-key.ts';

/**
 * The order of kinds inside one wave, as Argo CD applies them: what others need comes first. Kinds that are not listed come after the built-in ones,
 * since they are instances of definitions.
 */
const kindOrder: readonly string[] = [
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
];

const rankByKind: ReadonlyMap<string, number> = new Map(kindOrder.map((kind, index) => [kind, index + 1]));

/** Rank of a kind inside a wave: 1 and up; custom resources last. Rank 0 is kept for prunes. */
export function kindRank(key: ResourceKey): number {
  const rank = rankByKind.get(key.kind);
  return rank ?? kindOrder.length + 1;
}
