export * from './application.ts';
export * from './appproject.ts';
export * from './operation.ts';
export { apiGroup, apiVersion, type ManagedFieldsEntry, type ObjectMeta, type OwnerReference } from './resource.ts';
export type { Schema, Structure } from './schema.ts';
export * from './source.ts';
export * from './spec.ts';
export * from './status.ts';
