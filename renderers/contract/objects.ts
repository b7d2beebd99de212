import { RenderError } from './error.ts';
import { readJsonList } from './json.ts';
import type { KubeObject, Origin } from './manifest.ts';

/**
 * The Kubernetes objects that one document stands for. What has a list in `items` is a list, whatever its kind, and becomes its items, as in Argo CD; so does a list in
 * a list, and items without a type have that of the list (`ConfigMapList`), as with kubectl. `items: null` is an empty list where there is neither `spec` nor
 * `status`. They are checked one by one, as they are taken: throws `RenderError` `invalid`, by the origin, for what is no object or lacks `apiVersion`, `kind` or a name.
 */
export function* objectsOf(document: unknown, origin: Origin): Generator<KubeObject> {
  const object = checkKind(document, origin);
  const items = object['items'];
  if (items === null && object['spec'] === undefined && object['status'] === undefined) return;
  if (!Array.isArray(items)) {
    yield checkObject(object, origin);
    return;
  }
  const { apiVersion, kind } = object;
  const itemKind = kind.endsWith('List') ? kind.slice(0, -'List'.length) : '';
  for (const item of items as readonly unknown[]) {
    const untyped = itemKind !== '' && isMap(item) && item['kind'] === undefined && item['apiVersion'] === undefined;
    yield* objectsOf(untyped ? { apiVersion, kind: itemKind, ...item } : item, origin);
  }
}

/** An object that an engine made, and the index of what it was made as: a list is several. */
export interface MadeObject {
  readonly object: KubeObject;
  readonly index: number;
}

/** The objects in the JSON list that an engine made; `originOf` says where the one at an index came from. Throws as `objectsOf`, and `limit` where one nests too deeply. */
export function* parseMade(text: string, originOf: (index: number) => Origin): Generator<MadeObject> {
  let index = 0;
  try {
    for (const document of readJsonList(text)) {
      for (const object of objectsOf(document, originOf(index))) yield { object, index };
      index += 1;
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const origin = originOf(index);
    const message = `${placeOf(origin, {})} cannot be read: ${cause.message}`;
    throw new RenderError('limit', message, { file: origin.path, cause });
  }
}

type JsonMap = { readonly [field: string]: unknown };

function isMap(value: unknown): value is JsonMap {
  // A number with more digits than a double holds is an object, too: `JSON.rawJSON`.
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !('rawJSON' in value && Object.isFrozen(value))
  );
}

function checkKind(value: unknown, origin: Origin): JsonMap & { readonly kind: string } {
  if (!isMap(value)) {
    const found = Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'a text' : 'a single value';
    throw invalid(origin, `holds ${found}, not a Kubernetes object; write a map with apiVersion, kind and metadata`);
  }
  checkText(value, 'kind', origin);
  return value as JsonMap & { readonly kind: string };
}

function checkText(object: JsonMap, field: 'apiVersion' | 'kind', origin: Origin): void {
  const found = object[field];
  if (found === undefined || found === null || found === '') {
    throw invalid(origin, `has no ${field}; add one, or leave the file out`, object);
  }
  if (typeof found !== 'string') throw invalid(origin, `has an ${field} that is no string; put it in quotes`, object);
}

function checkObject(object: JsonMap & { readonly kind: string }, origin: Origin): KubeObject {
  checkText(object, 'apiVersion', origin);
  const { kind, metadata } = object;
  if (metadata === undefined || metadata === null)
    throw invalid(origin, `(${kind}) has no metadata; add metadata.name`);
  if (!isMap(metadata)) throw invalid(origin, `(${kind}) has metadata that is no map; write metadata.name`);
  for (const field of ['name', 'generateName', 'namespace']) {
    const found = metadata[field];
    if (found !== undefined && found !== null && typeof found !== 'string') {
      throw invalid(origin, `(${kind}) has a metadata.${field} that is no string; put it in quotes`);
    }
  }
  if (!metadata['name'] && !metadata['generateName']) throw invalid(origin, `(${kind}) has no metadata.name; add one`);
  return object as unknown as KubeObject;
}

function invalid(origin: Origin, what: string, object: JsonMap = {}): RenderError {
  const { path, line } = origin;
  return new RenderError('invalid', `${placeOf(origin, object)} ${what}`, {
    file: path,
    ...(line === undefined ? {} : { line }),
  });
}

/** Names an object by its place in the file, or, where it was generated and has none, by what it says of itself. */
export function placeOf({ path, document, line, rendered }: Origin, object: unknown): string {
  const { kind, metadata }: JsonMap = isMap(object) ? object : {};
  const name = isMap(metadata) && typeof metadata['name'] === 'string' ? metadata['name'].slice(0, 253) : '';
  const called = `${typeof kind === 'string' && kind !== '' ? ` of kind ${kind.slice(0, 63)}` : ''}${name === '' ? '' : ` named ${JSON.stringify(name)}`}`;
  const made = rendered && `${path}, document ${rendered.document + 1} of what it renders to (line ${rendered.line})`;
  const place =
    document === undefined ? `an object${called} from ${path || 'the source'}` : `${path}, document ${document + 1}`;
  return made ?? (line === undefined ? place : `${place} (line ${line})`);
}
