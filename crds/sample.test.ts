import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationCrd, appProjectCrd } from './crd.ts';
import { sampleOf } from './sample.ts';
import type { Structure } from './schema.ts';
import { validate } from './validate.ts';

for (const crd of [applicationCrd, appProjectCrd]) {
  const { kind } = crd.spec.names;
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema as Structure;

  test(`the sample of an ${kind} has each field, and none more`, () => {
    const sample = sampleOf(schema);
    assert.deepEqual(validate(schema, sample), []);
    for (const field of leavesOf(schema)) {
      const poorer = without(schema, field) as Structure;
      const [violation] = validate(poorer, sample);
      assert.match(violation?.path ?? '', new RegExp(`${field.at(-1)}"?\\]?$`), field.join('.'));
    }
  });
}

/** Names on the way to each field that has none below it. */
function* leavesOf(schema: Structure, path: readonly string[] = []): Generator<readonly string[]> {
  const fields = Object.entries(schema.properties ?? {});
  for (const [name, field] of fields) {
    const below = [...leavesOf(inner(field), [...path, name])];
    if (below.length > 0) yield* below;
    else yield [...path, name];
  }
}

function inner(schema: Structure): Structure {
  const next = schema.items ?? schema.additionalProperties;
  return next === undefined ? schema : inner(next);
}

function without(schema: Structure, [name = '', ...rest]: readonly string[]): Structure {
  if (schema.items !== undefined) return { ...schema, items: without(schema.items, [name, ...rest]) };
  if (schema.additionalProperties !== undefined)
    return { ...schema, additionalProperties: without(schema.additionalProperties, [name, ...rest]) };
  const { [name]: field, ...others } = schema.properties ?? {};
  const { required: _, ...open } = schema;
  if (rest.length === 0 || field === undefined) return { ...open, properties: others };
  return { ...open, properties: { ...others, [name]: without(field, rest) } };
}
