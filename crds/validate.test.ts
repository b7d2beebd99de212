import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applicationSchema } from './application.ts';
import { appProjectSchema } from './appproject.ts';
import type { Structure } from './schema.ts';
import { validate } from './validate.ts';

const destination = { server: 'https://kubernetes.default.svc', namespace: 'shop' };
const source = { repoURL: 'https://git.example.com/shop.git', path: 'base' };
const syncSource = { targetBranch: 'live', path: 'shop' };
const drySource = { ...source, targetRevision: 'HEAD' };

function application(spec: object, more: object = {}): object {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', labels: { any: 1 } },
    spec: { project: 'default', destination, source, ...spec },
    ...more,
  };
}

const history = (entry: object) => application({}, { status: { history: [{ id: 1, ...entry }] } });

/** Each with the violations that it must have, as `path message`. */
const cases: Readonly<Record<string, { readonly value: unknown; readonly violations: readonly string[] }>> = {
  'a good Application': {
    value: application({
      source: { ...source, helm: { valuesObject: { a: [1, null, { b: true }] }, parameters: [{ name: 'a' }] } },
      revisionHistoryLimit: 10n,
    }),
    violations: [],
  },
  'a field that is not there': {
    value: application({ project: undefined, destination: undefined }),
    violations: ['spec.destination is missing and must be there', 'spec.project is missing and must be there'],
  },
  'nothing at all': {
    value: {},
    violations: ['metadata is missing and must be there', 'spec is missing and must be there'],
  },
  'no object': { value: [], violations: [' must be an object, but is a list'] },
  'a typing error': {
    value: application({ source: { ...source, targetRevison: 'main' } }),
    violations: ['spec.source.targetRevison is not a known field; did you mean targetRevision?'],
  },
  'the wrong case': {
    value: application({ source: { repoUrl: 'https://git.example.com/shop.git' } }),
    violations: [
      'spec.source.repoURL is missing and must be there',
      'spec.source.repoUrl is not a known field; did you mean repoURL?',
    ],
  },
  'an unknown field like no other': {
    value: application({ replicas: 2 }),
    violations: ['spec.replicas is not a known field'],
  },
  'a field of another object': {
    value: application({ prune: true, ...JSON.parse('{"__proto__": 1}') }, { status: { constructor: {} } }),
    violations: [
      'spec.prune is not a known field',
      'spec.__proto__ is not a known field',
      'status.constructor is not a known field',
    ],
  },
  'a number for a string, in a list': {
    value: application({ sources: [source, { ...source, helm: { parameters: [{ name: 'port', value: 80 }] } }] }),
    violations: ['spec.sources[1].helm.parameters[0].value must be a string, but is a number: put it in quotes'],
  },
  'a string for true': {
    value: application({ syncPolicy: { automated: { prune: 'true' } } }),
    violations: ['spec.syncPolicy.automated.prune must be true or false, but is a string'],
  },
  'an object for a list': {
    value: application({ syncPolicy: { syncOptions: { CreateNamespace: true } } }),
    violations: ['spec.syncPolicy.syncOptions must be a list, but is an object'],
  },
  'null for a field is as if it were not there': {
    value: application({
      project: null,
      syncPolicy: null,
      source: { ...source, kustomize: { commonLabels: { tier: null } } },
    }),
    violations: ['spec.project is missing and must be there'],
  },
  'null in a list': {
    value: application({ sources: [source, null], syncPolicy: { syncOptions: [null] } }),
    violations: [
      'spec.sources[1] must be an object, but is null',
      'spec.syncPolicy.syncOptions[0] must be a string, but is null',
    ],
  },
  'null for an unknown field': {
    value: application({ replicas: null }),
    violations: ['spec.replicas is not a known field'],
  },
  'a broken number': {
    value: application({ revisionHistoryLimit: 1.5 }),
    violations: ['spec.revisionHistoryLimit must be a whole number of 64 bits, but is a number'],
  },
  'a number too large': {
    value: application({ revisionHistoryLimit: 2n ** 63n }),
    violations: ['spec.revisionHistoryLimit must be a whole number of 64 bits, but is a number'],
  },
  'numbers and strings where both may be': {
    value: application({
      source: { ...source, kustomize: { replicas: [2, '2', true, 0.5].map((count) => ({ name: 'web', count })) } },
    }),
    violations: [
      'spec.source.kustomize.replicas[2].count must be a whole number or a string, but is a boolean',
      'spec.source.kustomize.replicas[3].count must be a whole number or a string, but is a number',
    ],
  },
  'a value of a map': {
    value: application({
      source: { ...source, kustomize: { commonLabels: { tier: 'web', 'example.com/team': 1 } } },
    }),
    violations: [
      'spec.source.kustomize.commonLabels["example.com/team"] must be a string, but is a number: put it in quotes',
    ],
  },
  'a key with control characters, and a very long one': {
    value: application({ '\u001b[2J': 1, ['k'.repeat(200)]: 1 }),
    violations: ['spec["\\u001b[2J"] is not a known field', `spec["${'k'.repeat(80)}…"] is not a known field`],
  },
  'a path that a pattern refuses': {
    value: application({ sourceHydrator: { drySource, syncSource: { ...syncSource, path: '.' } } }),
    violations: ['spec.sourceHydrator.syncSource.path must match the regular expression ^.{2,}|[^./]$'],
  },
  'a path that is empty': {
    value: application({ sourceHydrator: { drySource, syncSource: { ...syncSource, path: '' } } }),
    violations: [
      'spec.sourceHydrator.syncSource.path must not be shorter than 1, counted in characters',
      'spec.sourceHydrator.syncSource.path must match the regular expression ^.{2,}|[^./]$',
    ],
  },
  'a phase that is none': {
    value: application({}, { status: { sourceHydrator: { currentOperation: { phase: 'Done', message: '' } } } }),
    violations: ['status.sourceHydrator.currentOperation.phase must be one of Hydrating, Failed, Hydrated'],
  },
  'times with a fraction, an offset and a leap day': {
    value: application(
      {},
      {
        status: {
          reconciledAt: '2026-01-02T15:04:05.123456Z',
          observedAt: '2024-02-29T23:59:59+05:30',
          health: { lastTransitionTime: '0000-02-29T00:00:00Z' },
        },
      },
    ),
    violations: [],
  },
  'a day that the calendar lacks': {
    value: history({ deployedAt: '2026-02-29T00:00:00Z' }),
    violations: ['status.history[0].deployedAt must be a time such as 2026-01-02T15:04:05Z'],
  },
  'an hour that the day lacks': {
    value: history({ deployedAt: '2026-02-28T24:00:00Z' }),
    violations: ['status.history[0].deployedAt must be a time such as 2026-01-02T15:04:05Z'],
  },
  'a time without a zone': {
    value: history({ deployedAt: '2026-02-28T00:00:00' }),
    violations: ['status.history[0].deployedAt must be a time such as 2026-01-02T15:04:05Z'],
  },
};

for (const [name, { value, violations }] of Object.entries(cases)) {
  test(name, () => {
    const found = validate(applicationSchema, value).map(({ path, message }) => `${path} ${message}`);
    assert.deepEqual(found, violations);
  });
}

test('length is counted in code points', () => {
  const project = (description: string) => ({ metadata: { name: 'shop' }, spec: { description } });
  assert.deepEqual(validate(appProjectSchema, project('🚢'.repeat(255))), []);
  assert.deepEqual(validate(appProjectSchema, project('🚢'.repeat(256))), [
    { path: 'spec.description', message: 'must not be longer than 255, counted in characters' },
  ]);
});

test('no more violations than asked for, the first ones first', () => {
  const sources = Array.from({ length: 100_000 }, () => ({}));
  assert.equal(validate(applicationSchema, application({ sources })).length, 20);
  assert.deepEqual(
    validate(applicationSchema, application({ sources }), 2).map(({ path }) => path),
    ['spec.sources[0].repoURL', 'spec.sources[1].repoURL'],
  );
});

test('no value is repeated', () => {
  const secret = 'hunter2';
  const found = validate(
    applicationSchema,
    application(
      { source: { ...source, helm: secret }, sourceHydrator: { drySource, syncSource: secret } },
      { status: { reconciledAt: secret, sourceHydrator: { currentOperation: { phase: secret, message: secret } } } },
    ),
  );
  assert.equal(found.length, 4);
  assert.equal(JSON.stringify(found).includes(secret), false);
});

/** RFC 3339 has years of four digits. */
const rfc3339Range = { min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z') };

/** Any value that the schema allows. */
function anyOf(schema: Structure): fc.Arbitrary<unknown> {
  if (schema['x-kubernetes-int-or-string']) return fc.oneof(fc.integer(), fc.string());
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.maxSafeInteger();
    case 'array':
      return fc.array(anyOf(schema.items ?? {}), { maxLength: 2 });
    case 'string':
      if (schema.enum) return fc.constantFrom(...schema.enum);
      if (schema.pattern) return fc.stringMatching(/^[a-z]{2,9}$/);
      if (schema.format) return fc.date({ ...rfc3339Range, noInvalidDate: true }).map((date) => date.toISOString());
      return fc.string();
    default:
      if (schema.properties === undefined) {
        return schema.additionalProperties
          ? fc.dictionary(fc.string(), anyOf(schema.additionalProperties), { maxKeys: 2 })
          : fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 });
      }
      return fc.record(
        Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, anyOf(field)])),
        { requiredKeys: [...(schema.required ?? [])] },
      );
  }
}

/** A copy in which no two places share an object. */
function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Every place in the value that is no object or list and that the schema knows the type of: its path and how to change it. */
function leaves(
  schema: Structure,
  value: unknown,
  path: string,
  set: (value: unknown) => void,
): { path: string; set: (value: unknown) => void }[] {
  if (schema.type === 'array') {
    const list = value as unknown[];
    return list.flatMap((item, index) =>
      leaves(schema.items ?? {}, item, `${path}[${index}]`, (changed) => {
        list[index] = changed;
      }),
    );
  }
  if (schema.type !== 'object') return [{ path, set }];
  const record = value as Record<string, unknown>;
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    Object.hasOwn(record, name)
      ? leaves(field, record[name], path === '' ? name : `${path}.${name}`, (changed) => {
          record[name] = changed;
        })
      : [],
  );
}

for (const [name, schema] of Object.entries({ Application: applicationSchema, AppProject: appProjectSchema })) {
  test(`any ${name} that its schema allows is good, and one wrong value in it is found where it is`, () => {
    fc.assert(
      fc.property(anyOf(schema).map(plainJson), fc.nat(), (good, choice) => {
        assert.deepEqual(validate(schema, good), []);
        const value = plainJson(good);
        const places = leaves(schema, value, '', () => undefined);
        const place = places[choice % Math.max(places.length, 1)];
        if (place === undefined) return;
        place.set([{}]);
        assert.deepEqual(
          validate(schema, value).map(({ path }) => path),
          [place.path],
        );
      }),
      { numRuns: 200 },
    );
  });
}
