import type { Structure } from './schema.ts';

/** One thing that is wrong with a value. */
export interface Violation {
  /** Where, such as `spec.sources[2].repoURL` or `metadata.labels["app.kubernetes.io/name"]`; `''` is the value itself. */
  readonly path: string;
  /** What, to be read after the path, and what to do. Never repeats a value: it may be a secret. */
  readonly message: string;
}

/**
 * Checks a JSON value against a schema as the API server would with strict field validation: unknown fields count.
 * Stops after `limit` violations, so a list of that length may not be all. No violation means that the structure is right,
 * not that the spec makes sense.
 */
export function validate(schema: Structure, value: unknown, limit = 20): Violation[] {
  return violations(schema, value, '').take(limit).toArray();
}

function* violations(schema: Structure, value: unknown, path: string): IteratorObject<Violation> {
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value !== 'string' && !isInt64(value)) {
      yield { path, message: `must be a whole number or a string, but is ${nameOf(value)}` };
    }
    return;
  }
  switch (schema.type) {
    case 'object':
      if (isObject(value)) yield* inObject(schema, value, path);
      else yield mismatch(path, 'an object', value);
      return;
    case 'array':
      if (Array.isArray(value)) yield* inArray(schema, value, path);
      else yield mismatch(path, 'a list', value);
      return;
    case 'string':
      if (typeof value === 'string') yield* inString(schema, value, path);
      else yield mismatch(path, 'a string', value);
      return;
    case 'integer':
      if (!isInt64(value)) yield mismatch(path, 'a whole number of 64 bits', value);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') yield mismatch(path, 'true or false', value);
      return;
  }
}

function* inObject(schema: Structure, value: Readonly<Record<string, unknown>>, path: string): Generator<Violation> {
  const { properties, additionalProperties } = schema;
  for (const name of schema.required ?? []) {
    if (!isPresent(value, name)) yield { path: join(path, name), message: 'is missing and must be there' };
  }
  // An object of which a schema says nothing more, such as metadata, is not for this schema to judge.
  if (properties === undefined && additionalProperties === undefined) return;
  for (const name of Object.keys(value)) {
    const field = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (field !== undefined) {
      if (isPresent(value, name)) yield* violations(field, value[name], join(path, name));
    } else if (schema['x-kubernetes-preserve-unknown-fields'] !== true) {
      yield { path: join(path, name), message: unknownField(name, Object.keys(properties ?? {})) };
    }
  }
}

function* inArray(schema: Structure, value: readonly unknown[], path: string): Generator<Violation> {
  if (schema.items === undefined) return;
  for (const [index, item] of value.entries()) yield* violations(schema.items, item, `${path}[${index}]`);
}

function* inString(schema: Structure, value: string, path: string): Generator<Violation> {
  const { minLength, maxLength, pattern } = schema;
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    yield { path, message: `must be one of ${schema.enum.join(', ')}` };
  }
  if (minLength !== undefined && isShorter(value, minLength)) {
    yield { path, message: `must not be shorter than ${minLength}, counted in characters` };
  }
  if (maxLength !== undefined && !isShorter(value, maxLength + 1)) {
    yield { path, message: `must not be longer than ${maxLength}, counted in characters` };
  }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) {
    yield { path, message: `must match the regular expression ${pattern}` };
  }
  if (schema.format === 'date-time' && !isTime(value)) {
    yield { path, message: 'must be a time such as 2026-01-02T15:04:05Z' };
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The API server drops a field that is null before it looks at the rest, unless its schema is `nullable`: here none is. */
function isPresent(value: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== null && value[name] !== undefined;
}

function isInt64(value: unknown): boolean {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value;
  return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}

/** Whether it has fewer code points than `length`; reads no more of it than it must. */
function isShorter(value: string, length: number): boolean {
  return value.length < length || [...value.slice(0, 2 * length)].length < length;
}

const timeForm = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339, with a day that the calendar has. */
function isTime(value: string): boolean {
  const parts = timeForm.exec(value);
  if (parts === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
}

function mismatch(path: string, expected: string, value: unknown): Violation {
  const scalar = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  const advice = expected === 'a string' && scalar ? ': put it in quotes' : '';
  return { path, message: `must be ${expected}, but is ${nameOf(value)}${advice}` };
}

function nameOf(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a string';
    case 'boolean':
      return 'a boolean';
    case 'number':
    case 'bigint':
      return 'a number';
    default:
      return 'an object';
  }
}

function unknownField(name: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.min(2, candidate.length / 3))
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest === undefined ? 'is not a known field' : `is not a known field; did you mean ${nearest.candidate}?`;
}

/** How many letters to insert, remove or replace; `Infinity` for lengths that no typing error explains. */
function editDistance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 2) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

const longestName = 80;

function join(path: string, name: string): string {
  const short = name.length > longestName ? `${name.slice(0, longestName)}…` : name;
  if (!/^[A-Za-z_][\w-]*$/.test(short)) return `${path}[${JSON.stringify(short)}]`;
  return path === '' ? short : `${path}.${short}`;
}
