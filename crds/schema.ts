declare const shape: unique symbol;

/** The part of OpenAPI v3 that Kubernetes calls a structural schema, as far as these CRDs use it. Plain JSON. */
export interface Structure {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly format?: 'int64' | 'date-time';
  readonly enum?: readonly string[];
  /** A regular expression in the syntax that Go's RE2 and ECMAScript share; it is not anchored. */
  readonly pattern?: string;
  /** In Unicode code points, as is `maxLength`. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, Structure>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Structure;
  readonly items?: Structure;
  readonly anyOf?: readonly Structure[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
}

/**
 * The schema of a `T`. The type parameter is there for the compiler alone, which takes the schema of one type for that of
 * another only if each is assignable to the other. `Required` makes that tell types apart whose fields are all optional.
 */
export interface Schema<T> extends Structure {
  readonly [shape]?: (value: readonly [T, Required<T>]) => readonly [T, Required<T>];
}

/** A field that an object must have; made by {@link required}. */
export interface RequiredField<T> {
  readonly presence: 'required';
  readonly schema: Schema<T>;
}

/** One schema for every field of `T`, none missing and none more; `required(…)` exactly where `T` has no `?`. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? Schema<Required<T>[K]> : RequiredField<T[K]>;
};

/** Marks a field of an {@link object} as one that must be there. */
export function required<T>(schema: Schema<T>): RequiredField<T> {
  return { presence: 'required', schema };
}

/** An object with these fields and no others. */
export function object<T extends object>(description: string, fields: Fields<T>): Schema<T> {
  const properties: Record<string, Structure> = {};
  const requiredNames: string[] = [];
  for (const [name, field] of Object.entries(fields) as [string, Structure | RequiredField<unknown>][]) {
    if ('presence' in field) requiredNames.push(name);
    properties[name] = 'presence' in field ? field.schema : field;
  }
  return {
    description,
    type: 'object',
    properties,
    ...(requiredNames.length > 0 && { required: requiredNames.sort() }),
  };
}

/** An object of any fields, kept as they are. */
export function freeObject(): Schema<Readonly<Record<string, unknown>>> {
  return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
}

/** An object whose keys are data and whose values are alike. */
export function map<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { type: 'object', additionalProperties: values };
}

export function array<T>(items: Schema<T>): Schema<readonly T[]> {
  return { type: 'array', items };
}

/** What a string may be restricted to by the API server. */
export type StringRules = Pick<Structure, 'pattern' | 'minLength' | 'maxLength'>;

/**
 * A string. `T` may be a union of the strings that controllers write: the API server accepts any other too, as it does
 * in Argo CD's CRDs. {@link oneOf} makes it refuse them.
 */
export function string<T extends string = string>(rules: StringRules = {}): Schema<T> {
  return { type: 'string', ...rules };
}

/** One of these strings; the API server refuses any other. */
export function oneOf<T extends string>(...values: readonly T[]): Schema<T> {
  return { type: 'string', enum: values };
}

/** A time in RFC 3339, such as `2026-01-02T15:04:05Z`. */
export function time(): Schema<string> {
  return { type: 'string', format: 'date-time' };
}

export function boolean(): Schema<boolean> {
  return { type: 'boolean' };
}

/** A whole number of 64 bits. */
export function integer(): Schema<number> {
  return { type: 'integer', format: 'int64' };
}

/** A whole number, or a string that stands for one. */
export function intOrString(): Schema<number | string> {
  return { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true };
}
