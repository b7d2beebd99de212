import type { Application, ApplicationSource, AppProject } from '@mooring/crds';
import { destinationPermitted, forbiddenBy, sourcePermitted } from '../../engine/desire/project.ts';
import { Fault } from '../../model/fault.ts';
import type { Guard } from '../../model/guard.ts';
import { isExcludedKind } from '../../model/kind-filter.ts';
import { operatorLimits } from '../../model/limits.ts';
import { maskAddress } from '../../model/mask.ts';
import { readRepositoryAddress } from '../../model/repository-url.ts';
import type { ResourceKey } from '../../model/resource-key.ts';
import type { ClusterIdentity } from '../../world/cluster.ts';
import type { World } from '../../world/world.ts';

/** The project of an Application, and the cluster of its destination. */
export interface Admitted {
  readonly project: AppProject;
  readonly cluster: ClusterIdentity;
}

/** Finds the project and the destination, and holds the Application to what the project permits. Throws `Fault`. */
export function admit(app: Application, source: ApplicationSource, world: Pick<World, 'store' | 'clusters'>): Admitted {
  const project = projectOf(app, world);
  readRepositoryAddress(source.repoURL);
  const name = project.metadata.name ?? '';
  if (!sourcePermitted(project, source.repoURL)) {
    throw new Fault(
      'source-forbidden',
      `application repo ${maskAddress(source.repoURL)} is not permitted in project '${name}'; add it to the project's spec.sourceRepos`,
    );
  }
  const { destination } = app.spec;
  const { namespaceLength } = operatorLimits;
  // It becomes a part of the key of every object.
  if ((destination.namespace ?? '').length > namespaceLength)
    throw new Fault(
      'spec-invalid',
      `spec.destination.namespace is longer than ${namespaceLength} characters, as no namespace is; correct it`,
    );
  const cluster = world.clusters.locate(destination);
  if (!destinationPermitted(project, { ...destination, ...cluster })) {
    const place = `server '${destination.server ?? destination.name}' and namespace '${destination.namespace ?? ''}'`;
    throw new Fault(
      'destination-forbidden',
      `application destination ${place} do not match any of the allowed destinations in project '${name}'; add it to the project's spec.destinations`,
    );
  }
  return { project, cluster };
}

/** Throws `Fault` `project-missing`. */
export function projectOf(app: Application, { store }: Pick<World, 'store'>): AppProject {
  const name = app.spec.project || 'default';
  const project = store.project(name);
  if (project !== undefined) return project;
  throw new Fault(
    'project-missing',
    `Application referencing project ${name} which does not exist; create the AppProject or change spec.project`,
  );
}

/**
 * What the project of an Application forbids it, in the cluster of its destination. The project is asked as it is at that moment, so that what was permitted
 * when a sync began is asked for again when it is written.
 */
export function guardOf(app: Application, place: ClusterIdentity, world: Pick<World, 'store'>): Guard {
  const { namespace = '' } = app.spec.destination;
  return (claim) => {
    const { group, kind } = claim.key;
    if (isExcludedKind(world.store.settings().kinds, group, kind, place.server))
      return `${kind} is excluded in the settings; see resource.exclusions and resource.inclusions in argocd-cm`;
    const project = world.store.project(app.spec.project || 'default');
    if (project === undefined) return `the project ${app.spec.project || 'default'} does not exist any more`;
    return forbiddenBy(project, claim, { ...place, namespace });
  };
}

/**
 * Whether an Application may have a live object: who may not create it may not prune it either. A tracking id is no more than an annotation, and may be left
 * over from an Application of another project.
 */
export function permittedBy(guard: Guard): (key: ResourceKey) => boolean {
  return (key) => guard({ key, scope: key.namespace === '' ? 'Cluster' : 'Namespaced' }) === undefined;
}
