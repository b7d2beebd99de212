import { copyJson, isJsonObject } from '@mooring/operator/model/json.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import type { Json } from '../../cluster/cluster.ts';

/** A schema as the API server describes it (OpenAPI 3), as far as it is needed here. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
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

/** Schemas by their names, the names by `apiVersion/kind`, and the kinds that can be created. */
export interface Schemas {
  readonly byName: ReadonlyMap<string, Schema>;
  readonly kinds: ReadonlyMap<string, Schema>;
  readonly created: ReadonlySet<string>;
}

type Path = readonly (string | number)[];

/** One value of one field that the object of a level lacks. */
export interface Candidate {
  readonly path: Path;
  readonly value: unknown;
}

/** An object that has one place filled with no more than must be there, and what that place may have besides. */
export interface Level {
  readonly object: KubeObject;
  readonly pointer: string;
  readonly candidates: readonly Candidate[];
  /** What may have to be there, too: one of several ways that the place can be filled, where one of them is needed. */
  readonly ways: readonly Candidate[];
}

/** Reads every schema of `/openapi/v3` that is of a stable version. */
export async function readSchemas(get: (path: string) => Promise<Json>): Promise<Schemas> {
  const byName = new Map<string, Schema>();
  const kinds = new Map<string, Schema>();
  const created = new Set<string>();
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
    const { resources } = (await get(`/${path}`)) as { resources: { name: string; kind: string; verbs: string[] }[] };
    for (const { name, kind, verbs } of resources)
      if (verbs.includes('create') && !name.includes('/')) created.add(`${path.replace(/^apis?\//, '')}/${kind}`);
  }
  return { byName, kinds, created };
}

/** What the server fills in itself or what names the object. */
const notAdded = new Set(['/status', '/metadata', '/apiVersion', '/kind']);

/** What a required text must be where the schema tells no choice, by the name of its field. */
const requiredTexts: Readonly<Record<string, string>> = { operator: 'Exists' };

/** Every place of a kind that is an object, at any depth; no schema is entered twice on the way to one. */
export function levelsOf(base: KubeObject, { byName, kinds }: Schemas): readonly Level[] {
  const levels: Level[] = [];
  const entered = new Set<Schema>();
  const resolve = (schema: Schema | undefined): Schema => {
    const only = schema?.allOf?.[0] ?? schema;
    return only?.$ref === undefined
      ? (only ?? {})
      : (byName.get(only.$ref.slice(only.$ref.lastIndexOf('/') + 1)) ?? {});
  };
  /** The least that the server may take for a field of this schema that is not empty. */
  const least = (schema: Schema): unknown => {
    if (schema.type === 'array') return [least(resolve(schema.items))];
    if (isMap(schema)) return { a: least(resolve(schema.additionalProperties)) };
    if (schema.properties === undefined) return scalarsOf(schema).at(-1) ?? {};
    const required = (schema.required ?? []).filter((name) => name !== 'apiVersion' && name !== 'kind');
    return Object.fromEntries(
      required.map((name) => [name, requiredTexts[name] ?? least(resolve(schema.properties?.[name]))]),
    );
  };
  const walk = (object: KubeObject, value: unknown, schema: Schema, path: Path): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(object, item, resolve(schema.items), [...path, index]);
      return;
    }
    if (!isJsonObject(value)) return;
    if (isMap(schema)) {
      for (const [key, item] of Object.entries(value))
        walk(object, item, resolve(schema.additionalProperties), [...path, key]);
      return;
    }
    if (schema.properties === undefined || entered.has(schema)) return;
    entered.add(schema);
    const candidates: Candidate[] = [];
    const ways: Candidate[] = [];
    for (const [name, property] of Object.entries(schema.properties)) {
      const at = [...path, name];
      if (notAdded.has(`/${at.join('/')}`)) continue;
      const inner = resolve(property);
      if (Object.hasOwn(value, name)) {
        walk(object, value[name], inner, at);
        continue;
      }
      const filled = least(inner);
      const isDeep = typeof filled === 'object';
      const values = isDeep ? [inner.type === 'array' ? [] : {}, filled] : scalarsOf(inner);
      const distinct = values.filter((one, index) => index === 0 || JSON.stringify(one) !== JSON.stringify(values[0]));
      for (const one of distinct) candidates.push({ path: at, value: one });
      ways.push({ path: at, value: filled });
      if (isDeep) walk(withValues(object, [{ path: at, value: filled }]), filled, inner, at);
    }
    levels.push({ object, pointer: `/${path.join('/')}`, candidates, ways });
    entered.delete(schema);
  };
  const schema = kinds.get(`${base.apiVersion}/${base.kind}`);
  if (schema === undefined) throw new Error(`the API server describes no ${base.apiVersion}/${base.kind}`);
  walk(base, base, schema, []);
  return levels;
}

function isMap({ type, properties, additionalProperties }: Schema): boolean {
  return type === 'object' && properties === undefined && additionalProperties !== undefined;
}

/** What is empty first. */
function scalarsOf({ type, format, oneOf, enum: known }: Schema): readonly unknown[] {
  if (oneOf !== undefined || format === 'int-or-string') return [0, 1];
  if (known !== undefined) return ['', known.find((one) => one !== '') ?? 'a'];
  switch (type) {
    case 'boolean':
      return [false, true];
    case 'integer':
    case 'number':
      return [0, 1];
    case 'string':
      if (format === 'date-time') return ['2026-01-01T00:00:00Z'];
      return format === 'byte' ? ['', 'YQ=='] : ['', 'a'];
    default:
      return [];
  }
}

export function withValues(base: KubeObject, candidates: readonly Candidate[]): KubeObject {
  const object = copyJson(base);
  for (const { path, value } of candidates) {
    let target = object as unknown as Record<string | number, unknown>;
    for (const step of path.slice(0, -1)) target = target[step] as Record<string | number, unknown>;
    target[path.at(-1) ?? ''] = value;
  }
  return object;
}
