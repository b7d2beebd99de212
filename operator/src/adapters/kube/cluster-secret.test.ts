import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fault } from '../../model/fault.ts';
import { type ClusterTarget, readClusterSecret } from './cluster-secret.ts';

function secret(fields: Readonly<Record<string, string>>): ClusterTarget {
  const data = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  );
  return readClusterSecret({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'far' }, data });
}

const server = 'https://far.example.com:6443';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a cluster Secret', () => {
  test('says who, where and how much', () => {
    const target = secret({
      name: 'far',
      server: `${server}/`,
      namespaces: 'a, b,',
      clusterResources: 'true',
      project: 'shop',
    });
    assert.deepEqual(
      [target.name, target.server, target.namespaces, target.clusterResources, target.project],
      ['far', server, ['a', 'b'], true, 'shop'],
    );
    assert.equal(secret({ server, namespaces: 'a' }).clusterResources, false);
    assert.equal(secret({ server }).clusterResources, true);
    assert.equal(secret({ server }).name, server);
    assert.notEqual(secret({ server }).digest, secret({ server, project: 'p' }).digest);
  });

  test('says whether nothing of the cluster is to be looked at', () => {
    const skipped = (text?: string): ClusterTarget => {
      const annotations = text === undefined ? {} : { 'argocd.argoproj.io/skip-reconcile': text };
      return readClusterSecret({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'far', annotations } });
    };
    assert.deepEqual(
      [undefined, 'true', 'T', '1', 'false', 'yes'].map((text) => skipped(text).isSkipped),
      [false, true, true, true, false, false],
    );
    assert.notEqual(skipped('true').digest, skipped().digest);
  });

  test('gives a token, a user, a certificate', async () => {
    const token = secret({
      server,
      config: JSON.stringify({ bearerToken: 't', tlsClientConfig: { caData: base64('CA'), serverName: 'inner' } }),
    }).connect();
    assert.equal(await token.authorization?.(false), 'Bearer t');
    const { ca, serverName, insecure } = (await token.tls?.(false)) ?? {};
    assert.deepEqual([String(ca), serverName, insecure], ['CA', 'inner', false]);
    const user = secret({
      server,
      config: JSON.stringify({ username: 'u', password: 'p', proxyUrl: 'http://proxy:3128' }),
    }).connect();
    assert.equal(await user.authorization?.(false), `Basic ${base64('u:p')}`);
    assert.equal(user.proxyUrl, 'http://proxy:3128');
    const certificate = secret({
      server,
      config: JSON.stringify({ tlsClientConfig: { insecure: true, certData: base64('C'), keyData: base64('K') } }),
    }).connect();
    const { cert, key, insecure: isInsecure } = (await certificate.tls?.(false)) ?? {};
    assert.deepEqual([String(cert), String(key), isInsecure, certificate.authorization], ['C', 'K', true, undefined]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['a config that is no JSON', '{"bearerToken":"c4n4ry"', /its config is not valid JSON$/],
    ['a config that is no object', '[]', /must be a JSON object/],
    ['AWS', '{"awsAuthConfig":{}}', /config\.awsAuthConfig is not supported yet/],
    ['a plugin', '{"execProviderConfig":{"command":"x"}}', /config\.execProviderConfig is not supported yet/],
    [
      'insecure with an authority',
      `{"tlsClientConfig":{"insecure":true,"caData":"${base64('CA')}"}}`,
      /both insecure and caData/,
    ],
    ['half a certificate', `{"tlsClientConfig":{"certData":"${base64('C')}"}}`, /certData and keyData together/],
  ];
  for (const [what, config, message] of refused) {
    test(`${what} is refused`, () => {
      assert.throws(
        () => secret({ server, config }).connect(),
        (thrown: unknown) => {
          assert.ok(thrown instanceof Fault);
          assert.equal(thrown.code, 'cluster-refused');
          assert.match(thrown.message, /^cluster Secret far: /);
          assert.match(thrown.message, message);
          assert.ok(!thrown.message.includes('c4n4ry'));
          return true;
        },
      );
    });
  }

  test('an address without TLS is refused, before a token is read', () =>
    assert.throws(() => secret({ server: 'http://far.example.com', config: '{"bearerToken":"c4n4ry"}' }).connect(), {
      code: 'cluster-refused',
      message: /^cluster Secret far: its server must begin with https:/,
    }));

  test('without an address is refused', () => assert.throws(() => secret({}).connect(), { code: 'cluster-refused' }));
});
