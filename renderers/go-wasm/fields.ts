import { RenderError } from '@mooring/renderer-contract';

/**
 * Reads the options that a user wrote, field by field; every error is `invalid` and names the field by its full name, such as `helm.parameters[2].name`.
 * The case of names does not matter, as it does not in Go: argocd-image-updater writes `forcestring`.
 */
export interface Fields {
  /** A name, a path, a version: at most `optionLengthMax` characters. */
  string(name: string): string | undefined;
  /** A text of any length. */
  text(name: string): string | undefined;
  boolean(name: string): boolean | undefined;
  /** A list of such strings as `string` takes. */
  strings(name: string): readonly string[] | undefined;
  /** A map of texts. */
  stringMap(name: string): Readonly<Record<string, string>> | undefined;
  /** A map of anything. */
  object(name: string): Readonly<Record<string, unknown>> | undefined;
  /** A list of maps, each read by `read`. */
  list<T>(name: string, read: (item: Fields) => T): readonly T[] | undefined;
  /** A whole number, or a string that holds one. */
  integer(name: string): number | undefined;
  /** Throws where a field is not among `names`. */
  only(names: readonly string[]): void;
  /** As `string`, `integer` …, for a field that must be there. */
  required<T>(name: string, value: T | undefined): T;
}

/** Characters of an option that names something. It is repeated in messages, keys and objects. */
export const optionLengthMax = 4_096;

export function readFields(from: unknown, owner: string): Fields {
  const fail = (name: string, wanted: string): never => {
    throw new RenderError('invalid', `${owner}.${name} must be ${wanted}`);
  };
  if (!isMap(from)) throw new RenderError('invalid', `${owner} must be a map`);
  const fields = new Map(Object.entries(from).map(([name, value]) => [name.toLowerCase(), value]));
  const given = (name: string): unknown => fields.get(name.toLowerCase()) ?? undefined;
  const typed =
    <T>(is: (value: unknown) => value is T, wanted: string) =>
    (name: string): T | undefined => {
      const value = given(name);
      return value === undefined || is(value) ? value : fail(name, wanted);
    };
  const text = typed((value): value is string => typeof value === 'string', 'a string');
  const strings = typed(
    (value): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    'a list of strings',
  );
  const short = (name: string, value: string): string =>
    value.length <= optionLengthMax ? value : fail(name, `no longer than ${optionLengthMax} characters`);
  const array = typed((value): value is unknown[] => Array.isArray(value), 'a list');
  return {
    string(name) {
      const value = text(name);
      return value && short(name, value);
    },
    text,
    boolean: typed((value): value is boolean => typeof value === 'boolean', 'true or false'),
    object: typed(isMap, 'a map'),
    strings: (name) => strings(name)?.map((value, index) => short(`${name}[${index}]`, value)),
    stringMap: typed(
      (value): value is Record<string, string> =>
        isMap(value) && Object.values(value).every((item) => typeof item === 'string'),
      'a map of strings',
    ),
    list: (name, read) => array(name)?.map((item, index) => read(readFields(item, `${owner}.${name}[${index}]`))),
    integer(name) {
      const value = given(name);
      if (value === undefined) return undefined;
      const number = typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : value;
      return typeof number === 'number' && Number.isSafeInteger(number) ? number : fail(name, 'a whole number');
    },
    only(names) {
      const known = new Set(names.map((name) => name.toLowerCase()));
      for (const name of Object.keys(from)) {
        if (known.has(name.toLowerCase())) continue;
        throw new RenderError('invalid', `${owner}.${name} is not known; remove it or use one of ${names.join(', ')}`);
      }
    },
    required: (name, value) => value ?? fail(name, 'set'),
  };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
