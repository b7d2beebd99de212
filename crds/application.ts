import { type Operation, operationSchema } from './operation.ts';
import { type ObjectMeta, resource } from './resource.ts';
import { required, type Schema } from './schema.ts';
import { type ApplicationSpec, applicationSpecSchema } from './spec.ts';
import { type ApplicationStatus, applicationStatusSchema } from './status.ts';

/** Keeps the objects of one destination equal to what one source, or several, say. */
export interface Application {
  readonly apiVersion: 'argoproj.io/v1alpha1';
  readonly kind: 'Application';
  readonly metadata: ObjectMeta;
  readonly spec: ApplicationSpec;
  readonly operation?: Operation;
  readonly status?: ApplicationStatus;
}

export const applicationSchema: Schema<Application> = resource<Application>(
  'Keeps the objects of a cluster equal to what a source says.',
  {
    spec: required(applicationSpecSchema),
    operation: operationSchema,
    status: applicationStatusSchema,
  },
);
