import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../model/fault.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeRequest } from '../kube/request.ts';
import { lookAtDefinitions } from './definitions.ts';

const good = [
  { name: 'applications', namespaced: true },
  { name: 'appprojects', namespaced: true },
];
const missing = new Fault('object-missing', 'not found', { httpStatus: 404 });

/** A client whose API server serves this; `create` answers the dry runs. */
function clientOf(
  served: Readonly<Record<string, unknown>>,
  create: (request: KubeRequest) => unknown = () => ({}),
): KubeClient {
  return {
    server: 'https://api.example.com',
    send: async (request) => {
      if (request.method === 'POST') return create(request);
      const answer = served[request.path];
      if (answer === undefined) throw missing;
      return answer;
    },
    stream: () => assert.fail('nothing is watched'),
    close: async () => {},
  };
}

const path = '/apis/argoproj.io/v1alpha1';
const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, string, RegExp])[] = [
  [
    'no group at all',
    {},
    'CRDsMissing',
    /does not serve Applications and AppProjects \(argoproj\.io\/v1alpha1\): install/,
  ],
  [
    'another version only',
    { '/apis/argoproj.io': { versions: [{ version: 'v1beta1' }, { version: 'v1' }] } },
    'CRDsOfAnotherVersion',
    /only as v1beta1, v1, not as v1alpha1: install/,
  ],
  ['no Applications', { [path]: { resources: good.slice(1) } }, 'CRDsMissing', /does not serve Application \(app/],
  ['no AppProjects', { [path]: { resources: good.slice(0, 1) } }, 'CRDsMissing', /does not serve AppProject \(app/],
  [
    'a cluster-scoped kind',
    { [path]: { resources: good.map((one) => ({ ...one, namespaced: false })) } },
    'CRDsOfAnotherVersion',
    /applications\.argoproj\.io is not namespaced/,
  ],
  [
    'a status subresource',
    { [path]: { resources: [...good, { name: 'applications/status', namespaced: true }] } },
    'CRDsOfAnotherVersion',
    /applications\.argoproj\.io has a status subresource/,
  ],
];
for (const [what, served, reason, message] of cases) {
  test(`${what} cannot be worked with`, async () => {
    const { usable, problems } = await lookAtDefinitions(clientOf(served), 'argocd', 'operate');
    assert.equal(usable, false);
    assert.equal(problems[0]?.reason, reason);
    assert.match(problems[0]?.message ?? '', message);
  });
}

test('fields that the server does not know are named, and the rest can be worked with', async () => {
  const asked: KubeRequest[] = [];
  const client = clientOf({ [path]: { resources: good } }, (request) => {
    asked.push(request);
    if (request.carries?.kind === 'AppProject') return {};
    const unknown = Array.from({ length: 7 }, (_, index) => `unknown field "spec.f${index}"`).join(', ');
    throw new Fault('object-refused', `Application/x: strict decoding error: ${unknown}`, { httpStatus: 400 });
  });
  const { usable, problems } = await lookAtDefinitions(client, 'argocd', 'operate');
  assert.ok(usable);
  assert.match(
    problems.map(({ message }) => message).join('; '),
    /^applications\.argoproj\.io is of another version: it does not know spec\.f0, .*spec\.f4 and 2 more: install/,
  );
  assert.deepEqual(
    asked.map(({ query }) => [query['dryRun'], query['fieldValidation']]),
    Array(2).fill(['All', 'Strict']),
  );
  assert.equal((await lookAtDefinitions(client, 'argocd', 'inspect')).problems.length, 0);
  assert.equal(asked.length, 2, 'who only looks asks for no dry run');
});

test('who may not create, or whom a policy refuses, is not told that fields are missing', async () => {
  const client = clientOf({ [path]: { resources: good } }, () => {
    throw new Fault('object-refused', 'Application/x: admission webhook denied the request', { httpStatus: 403 });
  });
  assert.deepEqual(await lookAtDefinitions(client, 'argocd', 'operate'), { problems: [], usable: true });
});
