/** A JSON value. Numbers that a double cannot hold exactly are `JSON.rawJSON` values, so that their digits reach the API server. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Metadata of a Kubernetes object, as far as Mooring looks at it. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  subresource?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
}

/** Any Kubernetes object as plain JSON. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** Where a manifest came from. */
export interface Origin {
  /** Path in the tree of the file (or the template) that it came from; for a generated one the file that asks for it. */
  readonly path: string;
  /** Which document of the file; the first is 0. */
  readonly document?: number;
  /** First line is 1. */
  readonly line?: number;
  /** Where in what the template at `path` renders to, in place of `document` and `line`. */
  readonly rendered?: DocumentPlace;
}

/** Where a document is in a text. */
export interface DocumentPlace {
  /** The first is 0. */
  readonly document: number;
  /** That of its first content; the first is 1. */
  readonly line: number;
}

/** One object that a source asks for. */
export interface Manifest {
  readonly object: KubeObject;
  readonly origin: Origin;
  /** SHA-256 of the object without its metadata: equal digest, equal rest. It is no renderer's to give; the pool adds it, so that it is made once for each render. */
  readonly digest?: string;
}
