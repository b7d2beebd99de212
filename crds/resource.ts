import { type Fields, object, type Schema, type Structure, string } from './schema.ts';

/** API group of every kind here. */
export const apiGroup = 'argoproj.io';
/** The group and the only version that is served and stored. */
export const apiVersion = 'argoproj.io/v1alpha1';

/** Metadata of a Kubernetes object, as far as it is read or written here. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  /** RFC 3339. */
  creationTimestamp?: string;
  /** RFC 3339; set once deletion has been asked for and finalizers hold it up. */
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
}

/** The object that this one is deleted with. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Which fields one writer owns. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  subresource?: string;
  /** RFC 3339. */
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
}

type Envelope = 'apiVersion' | 'kind' | 'metadata';

/** A kind with these fields beside `apiVersion`, `kind` and `metadata`, which the API server checks itself: a CRD says next to nothing about them. */
export function resource<T extends { readonly metadata: ObjectMeta }>(
  description: string,
  fields: Fields<Omit<T, Envelope>>,
): Schema<T> {
  const own: Structure = object<Omit<T, Envelope>>(description, fields);
  return {
    ...own,
    properties: { apiVersion: string(), kind: string(), metadata: { type: 'object' }, ...own.properties },
    required: ['metadata', ...(own.required ?? [])].sort(),
  };
}
