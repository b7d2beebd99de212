import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, boolean, integer, map, object, oneOf, required, type Schema, string } from './schema.ts';

interface Port {
  readonly name: string;
  readonly number?: number;
  readonly protocol?: 'TCP' | 'UDP';
  readonly hosts?: readonly string[];
}

test('an object is its fields, and those that must be there', () => {
  const schema = object<Port>('A port.', {
    name: required(string({ maxLength: 15 })),
    number: integer(),
    protocol: oneOf<'TCP' | 'UDP'>('TCP', 'UDP'),
    hosts: array(string()),
  });
  assert.deepEqual(schema, {
    description: 'A port.',
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 15 },
      number: { type: 'integer', format: 'int64' },
      protocol: { type: 'string', enum: ['TCP', 'UDP'] },
      hosts: { type: 'array', items: { type: 'string' } },
    },
    required: ['name'],
  });
});

test('an object that needs nothing has no list of what it needs', () => {
  const schema = object<{ readonly labels?: Readonly<Record<string, string>> }>('Labels.', { labels: map(string()) });
  assert.equal(Object.hasOwn(schema, 'required'), false);
});

// What must not compile: each line is an error of tsc as soon as it does.
test('a schema cannot part from its type', () => {
  const rest = { protocol: string<'TCP' | 'UDP'>(), hosts: array(string()) };
  const wrong = [
    // @ts-expect-error a required field that is not marked
    object<Port>('', { ...rest, name: string(), number: integer() }),
    // @ts-expect-error an optional field that is marked
    object<Port>('', { ...rest, name: required(string()), number: required(integer()) }),
    // @ts-expect-error a field that is missing
    object<Port>('', { ...rest, name: required(string()) }),
    // @ts-expect-error a field that the type has not
    object<Port>('', { ...rest, name: required(string()), number: integer(), port: integer() }),
    // @ts-expect-error a field of another type
    object<Port>('', { ...rest, name: required(string()), number: boolean() }),
    // @ts-expect-error a list of another type
    object<Port>('', { ...rest, name: required(string()), number: integer(), hosts: array(integer()) }),
  ];
  const port: Schema<Port> = object<Port>('', { ...rest, name: required(string()), number: integer() });
  // @ts-expect-error a schema of more than the type
  const name: Schema<{ readonly name: string }> = port;
  assert.equal(name, port);
  assert.equal(wrong.length, 6);
});
