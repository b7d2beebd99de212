import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import type { Fault, FaultCode } from '../../model/fault.ts';
import { type Refusal, refusalOf as refuse } from './refusal.ts';
import type { KubeRequest } from './request.ts';

const refusalOf = (request: KubeRequest, httpStatus: number, body: string, more: Partial<Refusal> = {}): Fault =>
  refuse(request, { httpStatus, body, messageLength: 4096, ...more });

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
    test(`${what}: ${expected}`, () => assert.equal(refusalOf(request, code, body).code, expected));
  }
});

describe('its message', () => {
  test("is the API server's, with the object before it, cut to its limit", () => {
    assert.equal(refusalOf(apply, 422, status({ message: 'spec is bad' })).message, 'ConfigMap/shop/web: spec is bad');
    assert.equal(refusalOf(apply, 422, status({ message: 'x'.repeat(9_000) })).message.length, 4096);
  });

  test('quotes the start of what is no Status', () => {
    assert.equal(
      refusalOf(apply, 502, '<html>\n<h1>Bad  Gateway</h1>').message,
      'ConfigMap/shop/web: the API server answered 502: <html> <h1>Bad Gateway</h1>',
    );
    assert.equal(refusalOf(apply, 500, '{"cut').message, 'ConfigMap/shop/web: the API server answered 500: {"cut');
  });
});

test('the credentials that were sent are not repeated', () => {
  const authorization = 'Bearer eyJhbGciOi.canary.c2ln';
  for (const said of [authorization, encodeURIComponent(authorization), authorization.slice(0, 24)]) {
    const { message } = refusalOf(list, 401, `proxy: refused ${said}`, { authorization });
    assert.match(message, /^\/api\/v1\/secrets: the API server answered 401: proxy: refused (?:Bearer(?: |%20))?\+{8}/);
  }
});

describe('of a Secret', () => {
  const canary = 'c4n4ry-t3xt"\n<&>';
  const encoded = Buffer.from(canary).toString('base64');
  const metadata = { name: 'web', namespace: 'shop' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: { key: encoded } };
  const request = (carries: KubeObject): KubeRequest => ({ ...apply, subject: 'Secret/shop/web', carries });
  const invalid = (field: string, message: string): string =>
    status({ reason: 'Invalid', message, details: { causes: [{ field, reason: 'FieldValueInvalid', message }] } });

  /** The same value wherever a manifest can hold it. */
  const holders: Readonly<Record<string, unknown>> = {
    data: secret,
    stringData: { ...secret, data: {}, stringData: { key: canary } },
    'stringData that is a tree': { ...secret, data: {}, stringData: { deep: { er: [canary] } } },
    'a list': { ...secret, data: [canary] },
    'a text': { ...secret, data: canary },
    'another spelling of data': { ...secret, data: {}, Data: { key: canary } },
    'another spelling of the kind': { ...secret, kind: 'secret' },
    "kubectl's annotation": {
      ...secret,
      data: {},
      metadata: {
        ...metadata,
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret) },
      },
    },
    "kapp's annotation": {
      ...secret,
      data: {},
      metadata: {
        ...metadata,
        annotations: { 'kapp.k14s.io/original': JSON.stringify({ stringData: { key: canary } }) },
      },
    },
    'a field of metadata': { ...secret, data: {}, metadata: { ...metadata, clusterName: canary } },
  };
  const spellings: Readonly<Record<string, string>> = {
    plain: canary,
    JSON: JSON.stringify(canary),
    'JSON in JSON': JSON.stringify(JSON.stringify(canary)),
    base64: encoded,
    'base64 in lines': (encoded.match(/.{1,8}/g) ?? []).join('\n'),
    "a URL's": encodeURIComponent(canary),
    cut: `${canary.slice(0, 9)}...`,
  };
  for (const [where, object] of Object.entries(holders)) {
    test(`no value of ${where} is repeated, in any spelling`, () => {
      for (const [spelling, said] of Object.entries(spellings)) {
        for (const code of [400, 403, 404, 409, 413, 422, 429, 500, 503]) {
          const body =
            code === 422 ? invalid(`data[${said}]`, `Invalid value: ${said}`) : status({ message: `not ${said}!` });
          const { message } = refusalOf(request(object as KubeObject), code, body);
          assert.doesNotMatch(message, /c4n4ry|t3xt|YzRuNH/, `${spelling}, ${code}`);
        }
      }
    });
  }

  test('a refusal over the content names fields only', () => {
    const { message } = refusalOf(request(secret), 422, invalid('data[key]', `Invalid value: "${canary}"`));
    assert.equal(
      message,
      'Secret/shop/web: the API server refused it, Invalid: data[key] (FieldValueInvalid); its message is left out, since it may repeat secret values',
    );
  });

  test('any other keeps its message without the values', () => {
    const said = `denied because ${canary} and ${encoded} are weak`;
    const { message } = refusalOf(request(secret), 403, status({ message: said }));
    assert.equal(message, 'Secret/shop/web: denied because ++++++++ and ++++++++ are weak');
  });

  test('of a large one nothing is repeated that may hold a value, in little time', () => {
    const data = {
      ...Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`key-${at}`, encoded])),
      key: encoded,
    };
    const large = { ...secret, data };
    const before = process.threadCpuUsage().user;
    const causes = Array.from({ length: 1_000 }, () => ({ field: `data[${canary}]`, reason: 'FieldValueInvalid' }));
    const body = status({ message: `weak: ${canary}`, reason: 'Forbidden', details: { causes } });
    const { message } = refusalOf(request(large), 403, body);
    assert.ok(process.threadCpuUsage().user - before < 50_000);
    assert.match(
      message,
      /^Secret\/shop\/web: the API server refused it, Forbidden: data \(FieldValueInvalid\), .*, and 992 more; its message is left out/,
    );
    assert.equal(
      refusalOf(request(large), 409, status({ message: 'secrets "web" already exists' })).message,
      'Secret/shop/web: secrets "web" already exists',
    );
  });

  test('short values and words garble nothing, and are not given away', () => {
    const short = { ...secret, stringData: { a: 'e', b: 'is', c: 'unable', d: 'key', 'tls.crt': 'content' } };
    const said = (code: number, body: string): string => refusalOf(request(short), code, body).message;
    assert.match(
      said(422, invalid('data[tls.key]', 'Required value')),
      /Invalid: data\[tls\.key\] \(FieldValueInvalid\);/,
    );
    const leaving =
      'secrets "web" is forbidden: unable to create new content in namespace shop because it is being terminated';
    assert.equal(said(403, status({ message: leaving })), `Secret/shop/web: ${leaving}`);
    assert.equal(
      said(
        403,
        status({ reason: 'Forbidden', message: 'admission webhook "w.example.com" denied the request: unable' }),
      ),
      'Secret/shop/web: admission webhook "w.example.com" denied it; its message is left out, since it may repeat secret values',
    );
  });
});
