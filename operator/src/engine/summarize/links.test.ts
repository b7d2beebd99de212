import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { hasLinks, linksOf } from './links.ts';

function ingress(spec: unknown, status?: unknown, annotations?: Record<string, string>): KubeObject {
  const metadata = { name: 'web', ...(annotations && { annotations }) };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec,
    ...(status !== undefined && { status }),
  };
}

function gateway(listeners: unknown, addresses: unknown = []): KubeObject {
  const apiVersion = 'gateway.networking.k8s.io/v1';
  return { apiVersion, kind: 'Gateway', metadata: { name: 'g' }, spec: { listeners }, status: { addresses } };
}

const rule = (host: string | undefined, ...paths: string[]) => ({
  ...(host !== undefined && { host }),
  http: { paths: paths.map((path) => ({ path })) },
});
const balanced = { loadBalancer: { ingress: [{ ip: '10.1.2.3' }] } };
const configMap = (annotations: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', annotations },
});

const cases: readonly [what: string, object: KubeObject, links: readonly string[] | undefined][] = [
  ['an Ingress', ingress({ rules: [rule('a.io', '/x', '/y/*')] }), ['http://a.io/x', 'http://a.io/y/']],
  ['the same path twice', ingress({ rules: [rule('a.io', '/'), rule('a.io', '/')] }), ['http://a.io/']],
  ['TLS with a Secret', ingress({ tls: [{ secretName: 's' }], rules: [rule('a.io', '/')] }), ['https://a.io/']],
  [
    'TLS of one host',
    ingress({ tls: [{ hosts: ['a.io'] }], rules: [rule('a.io', '/'), rule('b.io', '/')] }),
    ['http://b.io/', 'https://a.io/'],
  ],
  ['no host, but a balancer', ingress({ rules: [rule(undefined, '/')] }, balanced), ['http://10.1.2.3/']],
  ['no host and no balancer', ingress({ rules: [rule(undefined, '/')] }), undefined],
  [
    'default links that are not wanted',
    ingress({ rules: [rule('a.io', '/')] }, balanced, { 'argocd.argoproj.io/ignore-default-links': 'true' }),
    undefined,
  ],
  [
    'shapes that are none',
    ingress({ rules: [null, 5, { http: { paths: {} } }], tls: 'x' }, { loadBalancer: [] }),
    undefined,
  ],
  ['a listener', gateway([{ hostname: 'a.io', protocol: 'HTTPS', port: 443 }]), ['https://a.io']],
  ['another port', gateway([{ hostname: 'a.io', protocol: 'HTTP', port: 8080 }]), ['http://a.io:8080']],
  ['any host', gateway([{ hostname: '*', protocol: 'HTTP', port: 80 }], [{ value: '10.1.1.1' }]), ['http://10.1.1.1']],
  ['an annotation', configMap({ 'link.argocd.argoproj.io/docs': 'https://docs.io' }), ['https://docs.io']],
  ['a titled one', configMap({ 'link.argocd.argoproj.io/docs': 'Docs|https://docs.io' }), ['Docs|https://docs.io']],
  ['a script', configMap({ 'link.argocd.argoproj.io/docs': 'javascript:alert(1)' }), undefined],
  ['other annotations', configMap({ other: 'https://docs.io' }), undefined],
];
for (const [what, object, links] of cases) {
  test(`links of ${what}`, () => {
    assert.deepEqual(linksOf(object), links);
  });
}

test('kinds with links of their own are known', () => {
  assert.deepEqual([hasLinks('networking.k8s.io', 'Ingress'), hasLinks('', 'Service')], [true, false]);
});
