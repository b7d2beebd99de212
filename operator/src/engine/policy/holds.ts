import type { AppProject, SourceIntegrity } from '@mooring/crds';
import type { Customization } from '../../model/customization.ts';
import type { DesiredObject } from '../../model/desired.ts';
import { globMatches } from '../../model/glob.ts';
import { ownServer } from '../../model/own-cluster.ts';
import type { ResourceKey } from '../../model/resource-key.ts';
import type { UnreadRules } from '../../model/unread-rules.ts';

/** Whose writes are held against what is not read yet. */
export interface HoldQuestion {
  readonly project: AppProject;
  readonly server: string;
  readonly unread: UnreadRules;
}

/**
 * Why nothing may be written for an Application, whatever it holds: gates of its project and settings that are not read yet, each naming the field. Whom a gate
 * protects does not depend on what is written.
 */
export function holdsOf({ project, server, unread }: HoldQuestion): readonly string[] {
  const { signatureKeys = [], sourceIntegrity, destinationServiceAccounts = [] } = project.spec;
  const name = project.metadata.name ?? '';
  const held: string[] = [...unread.everybody];
  const gate = (field: string, why: string): void => {
    held.push(
      `${field} of AppProject ${name} is not supported yet, and ${why}: nothing is written until it is taken out`,
    );
  };
  if (signatureKeys.length > 0) gate('spec.signatureKeys', 'commits must be signed');
  if (demandsProof(sourceIntegrity)) gate('spec.sourceIntegrity', 'commits must prove where they are from');
  const { impersonation } = unread;
  if (impersonation === 'needed' || (impersonation === 'used' && destinationServiceAccounts.length > 0)) {
    held.push(
      `application.sync.impersonation.enabled in argocd-cm (spec.destinationServiceAccounts of AppProject ${name}) is not supported yet, and syncs would have more rights than they are to have: nothing is written until it is off`,
    );
  }
  if (unread.ownClusterOff && server === ownServer)
    held.push(`cluster.inClusterEnabled in argocd-cm is false: nothing is written to ${ownServer}`);
  return held;
}

function demandsProof(integrity: SourceIntegrity | undefined): boolean {
  if (integrity === undefined || Object.keys(integrity).length === 0) return false;
  const policies = integrity.git?.policies ?? [];
  return Object.keys(integrity).some((name) => name !== 'git') || policies.some(({ gpg }) => gpg?.mode !== 'none');
}

/** What an Application holds. */
export interface Holding {
  readonly desired: readonly Pick<DesiredObject, 'key' | 'object'>[];
  /** What it has in the cluster. */
  readonly live: readonly ResourceKey[];
  readonly sourceType: string;
  readonly customizations: readonly Customization[];
  readonly unread: UnreadRules;
}

/** Why nothing may be written for an Application because of what it holds: rules that are not read yet, or not understood. */
export function kindHoldsOf({ desired, live, sourceType, customizations, unread }: Holding): readonly string[] {
  const keys = [...desired.map(({ key }) => key), ...live];
  const held = customizations.flatMap((one) => {
    if (one.what === 'health' || (one.what === 'ignoreDifferences' && one.problem === undefined)) return [];
    const found = keys.find((key) => isAbout(one, key));
    if (found === undefined) return [];
    const why = one.problem === undefined ? 'is not supported yet' : `cannot be used, ${one.problem}`;
    return [
      `${one.key} in argocd-cm ${why}, and this Application has ${found.kind} ${found.name}: nothing is written until it is changed`,
    ];
  });
  const role = keys.find(({ group, kind }) => group === 'rbac.authorization.k8s.io' && kind === 'ClusterRole');
  if (unread.aggregatedRoles && role !== undefined)
    held.push(
      `ignoreAggregatedRoles of resource.compareoptions in argocd-cm is not supported yet, and this Application has ClusterRole ${role.name}: nothing is written until it is changed`,
    );
  const withStatus = unread.comparesStatus ? desired.find(({ object }) => object['status'] !== undefined) : undefined;
  if (withStatus !== undefined)
    held.push(
      `ignoreResourceStatusField of resource.compareoptions in argocd-cm is only supported as all, and the source has a status of ${withStatus.key.kind} ${withStatus.key.name}: nothing is written until one of them is taken out`,
    );
  if (unread.hiddenDirectories && sourceType === 'Directory')
    held.push(
      'reposerver.include.hidden.directories in argocd-cmd-params-cm is not supported yet, and this Application is a directory of manifests: nothing is written until it is off',
    );
  return held;
}

/** Health checks of users' own that are not run, of kinds that an Application holds. */
export function unreadHealth(
  customizations: readonly Customization[],
  keys: readonly ResourceKey[],
): readonly string[] {
  return customizations
    .filter((one) => one.what === 'health' && keys.some((key) => isAbout(one, key)))
    .map(
      ({ key, kind }) =>
        `${key} in argocd-cm is not supported yet: the health of ${kind} is what Mooring's own check says, for waves, too`,
    );
}

function isAbout({ group, kind }: Customization, key: ResourceKey): boolean {
  return globMatches(group, key.group) && globMatches(kind, key.kind);
}
