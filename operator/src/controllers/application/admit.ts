import type { Application, ApplicationSource, AppProject } from '@mooring/crds';
import { destinationPermitted, sourcePermitted } from '../../engine/desire/project.ts';
import { Fault } from '../../model/fault.ts';
import type { World } from '../../world/world.ts';

/** The project of an Application, and the address of its destination. */
export interface Admitted {
  readonly project: AppProject;
  readonly server: string;
}

/** Finds the project and the destination, and holds the Application to what the project permits. Throws `Fault`. */
export function admit(app: Application, source: ApplicationSource, world: Pick<World, 'store' | 'clusters'>): Admitted {
  const name = app.spec.project || 'default';
  const project = world.store.project(name);
  if (project === undefined) {
    throw new Fault(
      'project-missing',
      `Application referencing project ${name} which does not exist; create the AppProject or change spec.project`,
    );
  }
  if (!sourcePermitted(project, source.repoURL)) {
    throw new Fault(
      'source-forbidden',
      `application repo ${source.repoURL} is not permitted in project '${name}'; add it to the project's spec.sourceRepos`,
    );
  }
  const { destination } = app.spec;
  const server = world.clusters.addressOf(destination);
  if (!destinationPermitted(project, { ...destination, server })) {
    const place = `server '${destination.server ?? destination.name}' and namespace '${destination.namespace ?? ''}'`;
    throw new Fault(
      'destination-forbidden',
      `application destination ${place} do not match any of the allowed destinations in project '${name}'; add it to the project's spec.destinations`,
    );
  }
  return { project, server };
}
