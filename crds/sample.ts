import type { Structure } from './schema.ts';

/**
 * A value in which every field of a schema is there, with one item in each list and one entry in each map. An API server whose CRD is another one
 * names what it does not know of it.
 */
export function sampleOf(schema: Structure): unknown {
  if (schema['x-kubernetes-int-or-string'] === true) return 0;
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, sampleOf(field)] as const);
      const { additionalProperties: more } = schema;
      return Object.fromEntries(more === undefined ? fields : [...fields, ['key', sampleOf(more)]]);
    }
    case 'array':
      return schema.items === undefined ? [] : [sampleOf(schema.items)];
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    default:
      return schema.enum?.[0] ?? (schema.format === 'date-time' ? '2000-01-01T00:00:00Z' : 'x');
  }
}
