import { copyJson, isJsonObject } from '@mooring/operator/model/json.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import type { Json } from '../../cluster/cluster.ts';

/** A schema as the API server describes it (OpenAPI 3), as far as it is needed here. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** Schemas by their names, and the names by `apiVersion/kind`. */
export interface Schemas {
  readonly byName: ReadonlyMap<string, Schema>;
  readonly kinds: ReadonlyMap<string, Schema>;
}

/** An object with one field more than its base. */
export interface Candidate {
  readonly pointer: string;
  readonly value: unknown;
  readonly object: KubeObject;
}

/** Reads every schema of `/openapi/v3`. */
export async function readSchemas(get: (path: string) => Promise<Json>): Promise<Schemas> {
  const byName = new Map<string, Schema>();
  const kinds = new Map<string, Schema>();
  const { paths } = (await get('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> };
  for (const [path, { serverRelativeURL }] of Object.entries(paths)) {
    if (!/^apis?\/.*v\d+$/.test(path)) continue;
    const { components } = (await get(serverRelativeURL)) as unknown as {
      components?: { schemas?: Record<string, Schema> };
    };
    for (const [name, schema] of Object.entries(components?.schemas ?? {})) {
      byName.set(name, schema);
      for (const { group, version, kind } of schema['x-kubernetes-group-version-kind'] ?? [])
        kinds.set(`${group === '' ? version : `${group}/${version}`}/${kind}`, schema);
    }
  }
  return { byName, kinds };
}

/** What the server fills in itself or what names the object. */
const notAdded = new Set(['/status', '/metadata', '/apiVersion', '/kind']);

/** The base with each field that its schema has and it hasn't, once empty and once not. */
export function candidatesOf(base: KubeObject, { byName, kinds }: Schemas): readonly Candidate[] {
  const found: Candidate[] = [];
  const resolve = (schema: Schema | undefined): Schema => {
    const only = schema?.allOf?.[0] ?? schema;
    return only?.$ref === undefined
      ? (only ?? {})
      : (byName.get(only.$ref.slice(only.$ref.lastIndexOf('/') + 1)) ?? {});
  };
  const walk = (value: unknown, schema: Schema, path: readonly (string | number)[]): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(item, resolve(schema.items), [...path, index]);
      return;
    }
    if (!isJsonObject(value)) return;
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      const at = [...path, name];
      const pointer = `/${at.join('/')}`;
      if (notAdded.has(pointer)) continue;
      if (Object.hasOwn(value, name)) {
        walk(value[name], resolve(inner), at);
        continue;
      }
      for (const wish of valuesOf(resolve(inner)))
        found.push({ pointer, value: wish, object: withValue(base, at, wish) });
    }
  };
  const schema = kinds.get(`${base.apiVersion}/${base.kind}`);
  if (schema === undefined) throw new Error(`the API server describes no ${base.apiVersion}/${base.kind}`);
  walk(base, schema, []);
  return found;
}

function valuesOf({ type, format, oneOf }: Schema): readonly unknown[] {
  if (oneOf !== undefined || format === 'int-or-string') return [0, 1];
  switch (type) {
    case 'boolean':
      return [false, true];
    case 'integer':
    case 'number':
      return [0, 1];
    case 'string':
      return format === 'date-time' ? [] : ['', 'a'];
    case 'array':
      return [[]];
    default:
      return [{}];
  }
}

function withValue(base: KubeObject, path: readonly (string | number)[], value: unknown): KubeObject {
  const object = copyJson(base);
  let target = object as unknown as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) target = target[step] as Record<string | number, unknown>;
  target[path.at(-1) ?? ''] = value;
  return object;
}
