import { type KubeObject, type Manifest, type Origin, RenderError } from '@mooring/renderer-contract';

/**
 * Turns the objects that an engine made into manifests. A list of any kind (`List`, `ConfigMapList`) becomes its items.
 * Throws `invalid` for what is no Kubernetes object: it names the file and what is missing.
 */
export function manifestsOf(objects: readonly unknown[], originOf: (index: number) => Origin): Manifest[] {
  return objects.flatMap((object, index) => expand(object, originOf(index)));
}

function expand(value: unknown, origin: Origin): Manifest[] {
  const object = checked(value, origin);
  const items = object['items'];
  if (!object.kind.endsWith('List') || !(Array.isArray(items) || items === null)) return [{ object, origin }];
  const kind = object.kind.slice(0, -'List'.length);
  // The items of a typed list may leave their type to the list.
  const type = kind === '' ? {} : { apiVersion: object.apiVersion, kind };
  return (items ?? []).flatMap((item: unknown) =>
    expand(typeof item === 'object' && item !== null ? { ...type, ...item } : item, origin),
  );
}

function checked(value: unknown, origin: Origin): KubeObject {
  const object = value as Partial<KubeObject> | null;
  const fail = (what: string): never => {
    throw new RenderError('invalid', `an object from ${origin.path || 'the source'} ${what}`, { file: origin.path });
  };
  if (typeof object !== 'object' || object === null) return fail('is no mapping');
  if (typeof object.apiVersion !== 'string' || object.apiVersion === '') return fail('has no apiVersion: add it');
  if (typeof object.kind !== 'string' || object.kind === '') return fail('has no kind: add it');
  if (object.metadata === undefined || object.metadata === null) return { ...object, metadata: {} } as KubeObject;
  if (typeof object.metadata !== 'object') return fail(`(kind ${object.kind}) has metadata that is no mapping`);
  return object as KubeObject;
}
