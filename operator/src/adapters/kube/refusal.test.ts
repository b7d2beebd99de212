import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FaultCode } from '../../model/fault.ts';
import { refusalOf } from './refusal.ts';
import type { KubeRequest } from './request.ts';

const key = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'web' };
const list: KubeRequest = {
  method: 'GET',
  path: '/api/v1/secrets',
  query: {},
  accept: '',
  repeatable: true,
  subject: '/api/v1/secrets',
};
const apply: KubeRequest = { ...list, method: 'PATCH', subject: 'ConfigMap/shop/web', key };
const get: KubeRequest = { ...apply, method: 'GET' };

function status(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', ...fields });
}

describe('what an answer means', () => {
  const cases: readonly (readonly [string, KubeRequest, number, string, FaultCode])[] = [
    ['no credentials', apply, 401, '', 'cluster-refused'],
    ['a forbidden list', list, 403, '', 'cluster-refused'],
    ['a forbidden write', apply, 403, '', 'object-refused'],
    ['no object', get, 404, '', 'object-missing'],
    ['no namespace', apply, 404, status({ details: { kind: 'namespaces', name: 'shop' } }), 'object-refused'],
    ['a conflict', apply, 409, '', 'object-conflict'],
    ['another uid', apply, 422, status({ details: { causes: [{ field: 'metadata.uid' }] } }), 'object-conflict'],
    ['an invalid value', apply, 422, '', 'object-refused'],
    ['too large', apply, 413, '', 'object-refused'],
    ['a webhook that fails', apply, 500, '', 'object-refused'],
    ['an internal error of a list', list, 500, '', 'cluster-unreachable'],
    ['too many requests', apply, 429, '', 'cluster-unreachable'],
    ['no backend', apply, 503, '', 'cluster-unreachable'],
  ];
  for (const [what, request, code, body, expected] of cases) {
    test(`${what}: ${expected}`, () => assert.equal(refusalOf(request, code, body, 4096).code, expected));
  }
});

describe('its message', () => {
  test("is the API server's, with the object before it, cut to its limit", () => {
    assert.equal(
      refusalOf(apply, 422, status({ message: 'spec is bad' }), 4096).message,
      'ConfigMap/shop/web: spec is bad',
    );
    assert.equal(refusalOf(apply, 422, status({ message: 'x'.repeat(9_000) }), 4096).message.length, 4096);
  });

  test('quotes the start of what is no Status', () => {
    assert.equal(
      refusalOf(apply, 502, '<html>\n<h1>Bad  Gateway</h1>', 4096).message,
      'ConfigMap/shop/web: the API server answered 502: <html> <h1>Bad Gateway</h1>',
    );
    assert.equal(
      refusalOf(apply, 500, '{"cut', 4096).message,
      'ConfigMap/shop/web: the API server answered 500: {"cut',
    );
  });
});

describe('of a Secret', () => {
  const canary = 'c4n4ry';
  const encoded = Buffer.from(canary).toString('base64');
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'web', namespace: 'shop' },
    data: { key: encoded },
    stringData: { deep: { er: canary } },
  };
  const request: KubeRequest = { ...apply, subject: 'Secret/shop/web', carries: secret };

  test('a refusal over the content names fields only', () => {
    const body = status({
      reason: 'Invalid',
      message: `Invalid value: "${canary}"`,
      details: { causes: [{ field: `data[${canary}]`, reason: 'FieldValueInvalid', message: canary }] },
    });
    const { message } = refusalOf(request, 422, body, 4096);
    assert.match(
      message,
      /^Secret\/shop\/web: the API server refused it, Invalid: data\[\+\+\+\+\+\+\+\+\] \(FieldValueInvalid\); its message is left out/,
    );
  });

  test('any other keeps its message without the values', () => {
    const { message } = refusalOf(
      request,
      403,
      status({ message: `denied because ${canary} and ${encoded} are weak` }),
      4096,
    );
    assert.equal(message, 'Secret/shop/web: denied because ++++++++ and ++++++++ are weak');
  });
});
