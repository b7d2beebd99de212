import type { KubeObject } from '@mooring/renderer-contract';
import { isJsonObject, setOwn } from './json.ts';

/** Whether an object may hold what only a Secret should: whoever spells the kind in another way, or has a kind of that name of their own, means the same. */
export function isSecretLike({ kind }: { readonly kind?: unknown }): boolean {
  return typeof kind === 'string' && /^secret(?:list)?$/i.test(kind.trim());
}

/** Fields of a Secret that hold no value of it. */
const plainFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'type', 'immutable']);
const plainMetadata: ReadonlySet<string> = new Set([
  ...['name', 'generateName', 'namespace', 'uid', 'resourceVersion', 'generation'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'],
]);
/** These hold lists and objects of the server's. */
const deepMetadata: ReadonlySet<string> = new Set(['finalizers', 'ownerReferences', 'managedFields']);
/** Annotations whose values say how an object is handled. Every other may hold a copy of it, as kubectl's, kapp's and those of backups do. */
const shownAnnotations =
  /^(?:argocd\.argoproj\.io|mooring\.dev|helm\.sh|meta\.helm\.sh|kustomize\.toolkit\.fluxcd\.io)\/|^kubernetes\.io\/service-account\.(?:name|uid)$/;

/** Whether what stands at a path of a Secret, with the places of list items among its steps, is a value that may be shown. */
export function isShownOfSecret(path: readonly string[]): boolean {
  const [field = '', inner = '', name = ''] = path;
  if (field !== 'metadata') return path.length === 1 && plainFields.has(field);
  if (deepMetadata.has(inner)) return true;
  if (path.length === 2) return plainMetadata.has(inner);
  return path.length === 3 && (inner === 'labels' || (inner === 'annotations' && shownAnnotations.test(name)));
}

/** Every text that stands in a Secret as a value, as it was written, plain, and as the API server stores it; empty for other objects. */
export function secretTexts(object: { readonly kind?: unknown }): Set<string> {
  const texts = new Set<string>();
  if (!isSecretLike(object)) return texts;
  const add = (text: string): void => {
    if (text.trim() === '') return;
    texts.add(text).add(text.trim()).add(base64(text));
    const plain = plainOf(text);
    if (plain !== undefined && plain.trim() !== '') texts.add(plain).add(plain.trim());
    // A key in lines is wrapped anew by whoever repeats it.
    for (const line of (plain ?? text).split('\n')) if (line.trim().length >= lineLength) texts.add(line.trim());
  };
  const collect = (value: unknown, path: readonly string[]): void => {
    if (Array.isArray(value)) for (const [at, item] of value.entries()) collect(item, [...path, String(at)]);
    else if (isJsonObject(value)) for (const [field, inner] of Object.entries(value)) collect(inner, [...path, field]);
    else if (value !== null && value !== undefined && !isShownOfSecret(path)) {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      add(text);
      if (path[1] === 'annotations') for (const copied of secretTexts(copyIn(text))) texts.add(copied);
    }
  };
  collect(object, []);
  return texts;
}

/** Characters of one line of a value from which on it is looked for by itself. */
const lineLength = 16;

/** The object that an annotation holds as JSON; one without a kind where it holds none. */
function copyIn(text: string): { readonly kind?: unknown } {
  if (!text.trimStart().startsWith('{')) return {};
  try {
    const copy: unknown = JSON.parse(text);
    return isJsonObject(copy) ? { ...copy, kind: 'Secret' } : {};
  } catch {
    return {};
  }
}

function plainOf(text: string): string | undefined {
  const dense = text.replace(/\s+/g, '');
  if (dense === '' || dense.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(dense)) return undefined;
  try {
    const binary = atob(dense);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * A Secret with its `stringData` in `data`, as the server stores it; other objects as they are. Applied as `stringData`, the values would be owned
 * under that name: an edit of `data` would be no conflict, and leaving a value out would not remove it. A Secret with a value that is no text
 * stays as it is, for the server to refuse what the user wrote.
 */
export function withPlainData(object: KubeObject): KubeObject {
  const { stringData, data, ...rest } = object;
  if (object.apiVersion !== 'v1' || object.kind !== 'Secret' || !isJsonObject(stringData)) return object;
  if (!Object.values(stringData).every((value) => typeof value === 'string')) return object;
  const stored: Record<string, unknown> = isJsonObject(data) ? { ...data } : {};
  for (const [name, value] of Object.entries(stringData)) setOwn(stored, name, base64(String(value)));
  return { ...rest, data: stored } as KubeObject;
}

/** Bytes that become characters in one call: each is an argument on the stack. */
const argumentsAtOnce = 8_192;

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += argumentsAtOnce)
    parts.push(String.fromCharCode(...bytes.subarray(at, at + argumentsAtOnce)));
  return btoa(parts.join(''));
}
