import type { KubeObject } from '@mooring/renderer-contract';
import { Fault } from '../../model/fault.ts';
import { keyForPeople, keyOf, type ResourceKey, versionOf } from '../../model/resource-key.ts';
import type { Propagation, WriteOptions } from '../../world/cluster.ts';
import type { KubeRequestFacts } from '../../world/telemetry.ts';
import type { ServedKind } from './served-kind.ts';

/** The name under which fields are owned; Argo CD's, so that a cluster can be taken over and handed back. */
export const fieldManager = 'argocd-controller';

/** One HTTP request to an API server. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly accept: string;
  readonly contentType?: string;
  readonly body?: string;
  /** Whether sending it twice does the same as sending it once, so that it may be sent again after a broken connection. */
  readonly repeatable: boolean;
  /** How often it is sent at most; four times where absent. */
  readonly attempts?: number;
  /** What it is about, for messages: `Deployment/shop/cart`. */
  readonly subject: string;
  /** The object it carries, from which secret values are known that no message may repeat. */
  readonly carries?: KubeObject;
  /** Header of the span that it is made for. */
  readonly traceparent?: string | undefined;
  /** Set where the answer is about one object, so that a refusal is that object's fault and not the cluster's. */
  readonly key?: ResourceKey;
  /** Plural name of that object's kind. */
  readonly plural?: string;
}

const json = 'application/json';
const metadataOf = (list: 'PartialObjectMetadata' | 'PartialObjectMetadataList'): string =>
  `application/json;as=${list};g=meta.k8s.io;v=v1`;

/** A GET of a path that is about no object: `/version`, `/apis`. */
export function plainGet(path: string, accept: string = json): KubeRequest {
  return { method: 'GET', path, query: {}, accept, repeatable: true, subject: path };
}

/** Path of all objects of a kind, or of those of one namespace. */
export function collectionPath(served: ServedKind, namespace: string): string {
  const root = served.group === '' ? `/api/${served.version}` : `/apis/${served.group}/${served.version}`;
  const scope = served.scope === 'Namespaced' && namespace !== '' ? `/namespaces/${segment(namespace)}` : '';
  return `${root}${scope}/${served.plural}`;
}

/** Path of one object. Throws `Fault` `object-refused` where it has no name, or one that no object can have. */
export function objectPath(served: ServedKind, key: ResourceKey): string {
  if (served.scope === 'Namespaced' && key.namespace === '') {
    throw new Fault(
      'object-refused',
      `${keyForPeople(key)} needs a namespace: set metadata.namespace or spec.destination.namespace`,
      about(key),
    );
  }
  return `${collectionPath(served, key.namespace)}/${segment(key.name)}`;
}

export function getObject(served: ServedKind, key: ResourceKey): KubeRequest {
  return { ...ofObject('GET', served, key), repeatable: true };
}

/** An object as it was seen; a write that names it is refused as a conflict where it is another one, or, by its version, where it has changed. */
export interface Seen {
  readonly uid: string;
  readonly resourceVersion?: string;
}

/**
 * In the place of an object that was seen: there was none. No object ever has this version, so an apply that names it is refused as a conflict where there is
 * an object, and one that is created is not asked for its version.
 */
export const noneSeen = { resourceVersion: '1' } as const;

/**
 * Server-side apply, forced; over the object as it was seen, or none. Without either it creates or changes, whatever is there. A body's `managedFields` are
 * left out, since the API server refuses them.
 */
export function applyObject(
  served: ServedKind,
  object: KubeObject,
  options: WriteOptions,
  over?: Seen | typeof noneSeen,
): KubeRequest {
  const key = keyOf(object);
  return {
    ...ofObject('PATCH', served, key),
    query: { fieldManager, force: 'true', ...writeQuery(options) },
    contentType: 'application/apply-patch+yaml',
    body: bodyOf(object, { ...over }),
    carries: object,
    traceparent: options.traceparent,
    repeatable: true,
  };
}

export function createObject(served: ServedKind, object: KubeObject, options: WriteOptions): KubeRequest {
  const key = keyOf(object);
  return {
    ...ofObject('POST', served, key),
    path: collectionPath(served, key.namespace),
    query: { fieldManager, ...writeQuery(options) },
    contentType: json,
    body: bodyOf(object, {}),
    carries: object,
    traceparent: options.traceparent,
    repeatable: false,
  };
}

/** PUT of the whole object over the one that has this uid and resourceVersion; `managedFields` say who owned what before, where that is not as it is there. */
export function replaceObject(
  served: ServedKind,
  object: KubeObject,
  over: Required<Seen> & Pick<KubeObject['metadata'], 'managedFields'>,
  options: WriteOptions,
): KubeRequest {
  return {
    ...ofObject('PUT', served, keyOf(object)),
    query: { fieldManager, ...writeQuery(options) },
    contentType: json,
    body: bodyOf(object, over),
    carries: object,
    traceparent: options.traceparent,
    repeatable: true,
  };
}

/** A JSON merge patch (RFC 7396), or a list of JSON patch operations (RFC 6902). */
export function patchObject(
  served: ServedKind,
  key: ResourceKey,
  patch: Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[],
  manager: string,
): KubeRequest {
  const operations = Array.isArray(patch);
  return {
    ...ofObject('PATCH', served, key),
    query: { fieldManager: manager },
    contentType: operations ? 'application/json-patch+json' : 'application/merge-patch+json',
    body: JSON.stringify(patch),
    repeatable: !operations,
    ...(operations ? {} : { carries: { apiVersion: '', kind: key.kind, metadata: {}, ...patch } }),
  };
}

const propagationPolicies: Readonly<Record<Propagation, string>> = {
  foreground: 'Foreground',
  background: 'Background',
  orphan: 'Orphan',
};

/** Deletes the object only as it was seen. */
export function deleteObject(
  served: ServedKind,
  key: ResourceKey,
  only: Seen,
  propagation: Propagation,
  dryRun: boolean = false,
): KubeRequest {
  const options = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: only,
    propagationPolicy: propagationPolicies[propagation],
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
  return { ...ofObject('DELETE', served, key), contentType: json, body: JSON.stringify(options), repeatable: true };
}

/** What of a kind is listed and watched. */
export interface Selection {
  /** `''` for every namespace. */
  readonly namespace: string;
  /** Whether only metadata is asked for. */
  readonly metadataOnly: boolean;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** One page of a list. `more` is the `continue` token of the page before. */
export function listPage(
  served: ServedKind,
  selection: Selection,
  pageSize: number,
  more: string | undefined,
): KubeRequest {
  const path = collectionPath(served, selection.namespace);
  return {
    method: 'GET',
    path,
    query: { ...selectors(selection), limit: String(pageSize), ...(more === undefined ? {} : { continue: more }) },
    accept: selection.metadataOnly ? `${metadataOf('PartialObjectMetadataList')},${json}` : json,
    repeatable: true,
    subject: path,
  };
}

/** A watch from a resourceVersion on; without one it begins with every object there is (a streaming list). */
export function watchFrom(
  served: ServedKind,
  selection: Selection,
  resourceVersion: string | undefined,
  timeoutSeconds: number,
): KubeRequest {
  const path = collectionPath(served, selection.namespace);
  const start: Record<string, string> =
    resourceVersion === undefined
      ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion };
  return {
    method: 'GET',
    path,
    query: {
      ...selectors(selection),
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(timeoutSeconds),
      ...start,
    },
    accept: selection.metadataOnly ? `${metadataOf('PartialObjectMetadata')},${json}` : json,
    repeatable: true,
    subject: path,
  };
}

const writeVerbs = { POST: 'Create', PUT: 'Update', PATCH: 'Patch', DELETE: 'Delete' } as const;

/** What Kubernetes calls a request. */
export function verbOf({ method, query }: Pick<KubeRequest, 'method' | 'query'>): KubeRequestFacts['verb'] {
  if (method !== 'GET') return writeVerbs[method];
  if (query['watch'] === 'true') return 'Watch';
  return query['limit'] === undefined ? 'Get' : 'List';
}

/** Whether only a leader may send a request: it may change something. Reviews of who one is and what one may are asked by POST and stored nowhere, as dry runs are. */
export function isFenced({ method, path, query }: KubeRequest): boolean {
  return (
    method !== 'GET' &&
    query['dryRun'] === undefined &&
    !/^\/apis\/(?:authentication|authorization)\.k8s\.io\//.test(path)
  );
}

/** The request's path and query as it goes over the wire. */
export function targetOf(request: KubeRequest): string {
  const query = new URLSearchParams(request.query).toString();
  return query === '' ? request.path : `${request.path}?${query}`;
}

function ofObject(
  method: KubeRequest['method'],
  served: ServedKind,
  key: ResourceKey,
): Omit<KubeRequest, 'repeatable'> {
  const path = method === 'POST' ? '' : objectPath(served, key);
  const { plural } = served;
  return { method, path, query: {}, accept: json, subject: keyForPeople(key), key, plural };
}

function writeQuery(options: WriteOptions): Record<string, string> {
  const query: Record<string, string> = { fieldValidation: options.validate ? 'Strict' : 'Ignore' };
  if (options.dryRun === true) query['dryRun'] = 'All';
  return query;
}

function bodyOf(object: KubeObject, metadata: Partial<Seen> & Pick<KubeObject['metadata'], 'managedFields'>): string {
  const { managedFields: _, ...own } = object.metadata;
  return JSON.stringify({ ...object, metadata: { ...own, ...metadata } });
}

function selectors(selection: Selection): Record<string, string> {
  const query: Record<string, string> = {};
  if (selection.labelSelector !== undefined) query['labelSelector'] = selection.labelSelector;
  if (selection.fieldSelector !== undefined) query['fieldSelector'] = selection.fieldSelector;
  return query;
}

// A name of `.` or `..` would be folded away on its path and name another object.
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new Fault(
      'object-refused',
      `"${name}" cannot be the name of an object or a namespace: set metadata.name to a valid one`,
      { name },
    );
  }
  return encodeURIComponent(name);
}

function about(key: ResourceKey): { group: string; kind: string; namespace: string; name: string } {
  return { group: key.group, kind: key.kind, namespace: key.namespace, name: key.name };
}

/** `apps/v1` and `v1` from a served kind. */
export function apiVersionOf(served: { readonly group: string; readonly version: string }): string {
  return served.group === '' ? served.version : `${served.group}/${versionOf(served.version)}`;
}
