import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createHelm, RenderError, treeOf } from 'helm-ts-wrapper';
import { buildHelm } from '../e2e/cluster/build.ts';
import { chartFiles, chartFolder } from './chart.ts';
import { valuesSchema } from './schema.ts';

const helm = await createHelm();
after(() => helm.close());
let program: string;

before(async () => {
  program = await buildHelm((line) => console.log(line));
});

const chart = treeOf(chartFiles());

/** Wrong values, and the path that the refusal names; for a key that is not there, the map it is in and the key. */
const wrong: readonly (readonly [values: unknown, path: string, key?: string])[] = [
  [{ replicas: 2 }, '', 'replicas'],
  [{ Controller: {} }, '', 'Controller'],
  [{ controller: { replcas: 2 } }, '/controller', 'replcas'],
  [{ controller: { replicas: '2' } }, '/controller/replicas'],
  [{ controller: { replicas: -1 } }, '/controller/replicas'],
  [{ controller: { image: 'mooring:1' } }, '/controller/image'],
  [{ controller: { image: { name: 'mooring' } } }, '/controller/image', 'name'],
  [{ controller: { image: { imagePullPolicy: 'Sometimes' } } }, '/controller/image/imagePullPolicy'],
  [{ controller: { env: [{ name: 'A', value: 1 }] } }, '/controller/env/0/value'],
  [{ controller: { env: { A: 'b' } } }, '/controller/env'],
  [{ controller: { envFrom: [{ secret: 'a' }] } }, '/controller/envFrom/0', 'secret'],
  [{ controller: { resources: { limits: { memory: '2 GB' } } } }, '/controller/resources/limits/memory'],
  [{ controller: { resources: { limit: {} } } }, '/controller/resources', 'limit'],
  [{ controller: { tolerations: [{ effect: 'Never' }] } }, '/controller/tolerations/0/effect'],
  [{ controller: { nodeSelector: { zone: 1 } } }, '/controller/nodeSelector/zone'],
  [{ controller: { affinity: { podAntiAfinity: {} } } }, '/controller/affinity', 'podAntiAfinity'],
  [{ controller: { topologySpreadConstraints: [{ maxSkew: 1 }] } }, '/controller/topologySpreadConstraints/0'],
  [{ controller: { podAnnotations: { a: ['b'] } } }, '/controller/podAnnotations/a'],
  [{ controller: { podLabels: { a: 1 } } }, '/controller/podLabels/a'],
  [{ controller: { extraArgs: '--log-level=debug' } }, '/controller/extraArgs'],
  [{ controller: { extraContainers: [{ name: 'a' }] } }, '/controller/extraContainers/0'],
  [{ controller: { volumeMounts: [{ name: 'a' }] } }, '/controller/volumeMounts/0'],
  [{ controller: { serviceAccount: { name: 'Not_A_Name' } } }, '/controller/serviceAccount/name'],
  [{ controller: { pdb: { minAvailable: 'half' } } }, '/controller/pdb/minAvailable'],
  [{ controller: { readinessProbe: { periodSeconds: 0 } } }, '/controller/readinessProbe/periodSeconds'],
  [
    { controller: { metrics: { applicationLabels: { labels: 'team' } } } },
    '/controller/metrics/applicationLabels/labels',
  ],
  [{ controller: { metrics: { service: { servicePort: 0 } } } }, '/controller/metrics/service/servicePort'],
  [{ controller: { metrics: { serviceMonitor: { interval: 30 } } } }, '/controller/metrics/serviceMonitor/interval'],
  [{ controller: { metrics: { rules: { spec: [{ alert: 'A' }] } } } }, '/controller/metrics/rules/spec/0'],
  [{ controller: { networkPolicy: true } }, '/controller/networkPolicy'],
  [{ controller: { roleRules: [{ apiGroups: [''] }] } }, '/controller/roleRules/0'],
  [
    { controller: { containerSecurityContext: { runAsRoot: true } } },
    '/controller/containerSecurityContext',
    'runAsRoot',
  ],
  [{ global: { logging: { level: 'trace' } } }, '/global/logging/level'],
  [{ global: { image: { repository: 1 } } }, '/global/image/repository'],
  [{ global: { affinity: { podAntiAffinity: 'always' } } }, '/global/affinity/podAntiAffinity'],
  [{ global: { dualStack: { ipFamilies: ['IPv5'] } } }, '/global/dualStack/ipFamilies/0'],
  [{ global: { deploymentStrategy: { type: 'OnDelete' } } }, '/global/deploymentStrategy/type'],
  [{ global: { securityContext: { runAsUser: 'mooring' } } }, '/global/securityContext/runAsUser'],
  [{ rbac: { mode: 'admin' } }, '/rbac/mode'],
  [{ rbac: { mode: 'namespaced', namespaces: ['Shop'] } }, '/rbac/namespaces/0'],
  [{ rbac: { mode: 'namespaced', namespaces: 'shop' } }, '/rbac/namespaces'],
  [{ rbac: { namespaces: ['shop'] } }, '/rbac/mode'],
  [{ rbac: { mode: 'read-only', namespaces: ['shop'] } }, '/rbac/mode'],
  [{ crds: { install: 'yes' } }, '/crds/install'],
  [{ configs: { cm: { 'timeout.reconciliation': 'two minutes' } } }, '/configs/cm/timeout.reconciliation'],
  [{ configs: { cm: { 'timeout.reconciliation.jitter': 60 } } }, '/configs/cm/timeout.reconciliation.jitter'],
  [{ configs: { cm: { 'resource.respectRBAC': 'Strict' } } }, '/configs/cm/resource.respectRBAC'],
  [{ configs: { cm: { 'resource.exclusions': [{ kinds: ['*'] }] } } }, '/configs/cm/resource.exclusions'],
  [
    { configs: { params: { 'controller.sync.timeout.seconds': '5m' } } },
    '/configs/params/controller.sync.timeout.seconds',
  ],
  [{ configs: { repositories: { shop: { name: 'shop' } } } }, '/configs/repositories/shop'],
  [{ configs: { repositories: { shop: 'https://git.example.com' } } }, '/configs/repositories/shop'],
  [{ configs: { repositories: { shop: { url: 'x', type: 'svn' } } } }, '/configs/repositories/shop/type'],
  [{ configs: { repositories: { 'The Shop': { url: 'x' } } } }, '/configs/repositories', 'The Shop'],
  [{ configs: { clusterCredentials: { a: { server: 'https://a' } } } }, '/configs/clusterCredentials/a'],
  [{ configs: { clusterCredentials: { a: { server: 'a', config: {} } } } }, '/configs/clusterCredentials/a/server'],
  [{ configs: { clusterCredentials: [{ name: 'a' }] } }, '/configs/clusterCredentials'],
  [{ configs: { secret: { githubSecret: 1 } } }, '/configs/secret/githubSecret'],
  [{ configs: { secret: { giteaSecret: 'a' } } }, '/configs/secret', 'giteaSecret'],
  [{ configs: { tls: { certificates: { 'git.example.com': 1 } } } }, '/configs/tls/certificates/git.example.com'],
  [{ server: { ingress: { enabled: 'true' } } }, '/server/ingress/enabled'],
  [{ server: { ingress: { host: 'a' } } }, '/server/ingress', 'host'],
  [{ server: { ingress: { pathType: 'prefix' } } }, '/server/ingress/pathType'],
  [{ dashboards: { labels: { grafana_dashboard: 1 } } }, '/dashboards/labels/grafana_dashboard'],
  [{ extraObjects: [1] }, '/extraObjects/0'],
];

describe('a wrong value is refused with its path', () => {
  for (const [values, path, key] of wrong) {
    test(JSON.stringify(values), async () => {
      const fault = await helm.template(chart, '', { values: JSON.stringify(values) }).then(
        () => assert.fail('it was taken'),
        (thrown: unknown) => thrown,
      );
      assert.ok(fault instanceof RenderError);
      assert.equal(fault.code, 'invalid');
      const line = fault.message.split('\n').find((one) => one.includes(`at '${path}'`) && one.includes(key ?? ''));
      assert.ok(line !== undefined, fault.message);
    });
  }
});

test('the helm program says it in the same words', async () => {
  const values = { controller: { replcas: 2, env: [{ name: 'A', value: 1 }] }, rbac: { mode: 'admin' } };
  const ours = await helm.template(chart, '', { values: JSON.stringify(values) }).catch((thrown) => thrown.message);
  const sets = Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
  const args = ['template', chartFolder, ...sets];
  const theirs = await promisify(execFile)(program, args).catch((thrown) => thrown.stderr);
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line.includes("at '"))
      .map((line) => line.trim());
  assert.deepEqual(lines(ours).sort(), lines(theirs).sort());
  assert.ok(lines(ours).length >= 3, ours);
});

test('every map of the schema is closed, but for those that say why they are not', () => {
  const open: string[] = [];
  const look = (schema: Readonly<Record<string, unknown>>, path: string): void => {
    if (schema['properties'] !== undefined && schema['additionalProperties'] === undefined) open.push(path);
    for (const [key, child] of Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>))
      look(child, `${path}/${key}`);
  };
  look(valuesSchema, '');
  assert.deepEqual(open, ['/global', '/server']);
});
