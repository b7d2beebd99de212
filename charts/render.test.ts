import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { onDisk } from '@mooring/go-wasm/cases';
import { createHelm, treeOf } from 'helm-ts-wrapper';
import { buildHelm } from '../e2e/cluster/build.ts';
import { chartFiles, ciValues } from './chart.ts';
import { valuesSchema } from './schema.ts';

const helm = await createHelm();
after(() => helm.close());
let program: string;

before(async () => {
  program = await buildHelm((line) => console.log(line));
});

type Files = Readonly<Record<string, string>>;

/** An object as it is rendered. */
interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string>; readonly annotations?: object };
  // biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
  readonly [field: string]: any;
}

/** The objects and the notes that the chart makes, by our own engine; they are those of the program. */
async function render(files: Files, values: string): Promise<{ objects: readonly Rendered[]; notes: string }> {
  const tree = treeOf(files);
  const { yaml, notes, objects } = await helm.template(tree, '', { releaseName: 'shop', namespace: 'argocd', values });
  await onDisk({ ...files, 'asked.yaml': values }, async (folder) => {
    const helmOf = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)(program, args, { cwd: folder, maxBuffer: 2 ** 25 })).stdout;
    const release = ['shop', '.', '--namespace', 'argocd', '--values', 'asked.yaml'];
    assert.equal(yaml, await helmOf('template', ...release));
    const installed = await helmOf('install', '--dry-run=client', ...release);
    assert.equal(notes.trim(), installed.split('\nNOTES:\n')[1]?.trim());
    const linted = await helmOf('lint', '--strict', '.', '--values', 'asked.yaml');
    assert.match(linted, /1 chart\(s\) linted, 0 chart\(s\) failed/);
  });
  return { objects: objects as unknown as readonly Rendered[], notes };
}

describe('our engine and the helm program agree, and lint has nothing to say', () => {
  for (const [name, values] of Object.entries(ciValues())) {
    test(name, async () => void (await render(chartFiles(), values)));
  }
});

/** What the chart makes of these values, and finders in it. */
async function make(
  values: unknown,
  files: Files = chartFiles(),
): Promise<{
  notes: string;
  all(kind: string): Rendered[];
  one(kind: string, name?: string): Rendered;
  container: Rendered['spec'];
}> {
  const { objects, notes } = await render(files, JSON.stringify(values));
  const all = (kind: string): Rendered[] => objects.filter((object) => object.kind === kind);
  const one = (kind: string, name?: string): Rendered => {
    const [found, ...more] = all(kind).filter((object) => name === undefined || object.metadata.name === name);
    assert.ok(
      found !== undefined && more.length === 0,
      `${kind} ${name ?? ''}: ${all(kind).map((object) => object.metadata.name)}`,
    );
    return found;
  };
  return { notes, all, one, container: one('Deployment').spec.template.spec.containers[0] };
}

const decoded = (secret: Rendered): Record<string, string> =>
  Object.fromEntries(
    Object.entries(secret['data'] as Record<string, string>).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );

describe('rules and dashboards are what files there are', () => {
  const values = { controller: { metrics: { rules: { enabled: true } } }, dashboards: { enabled: true } };
  const bare = Object.fromEntries(Object.entries(chartFiles()).filter(([path]) => !/^(rules|dashboards)\//.test(path)));
  const rules = (name: string): string => `# Of Prometheus.
groups:
  - name: ${name}
    rules:
      - alert: A
        expr: up == 0
        annotations:
          summary: '{{ $labels.job }} is {{ printf "%v" $value }}'
`;
  const dashboard = (title: string): string => JSON.stringify({ title, legendFormat: '{{ name }}' }, null, 2);

  test('none', async () => {
    const { all } = await make(values, bare);
    assert.deepEqual(all('PrometheusRule'), []);
    assert.ok(all('ConfigMap').every(({ metadata }) => metadata.labels['grafana_dashboard'] === undefined));
  });

  test('many', async () => {
    const texts = {
      'rules/a.yaml': rules('a'),
      'rules/b.yaml': rules('b'),
      'dashboards/overview.json': dashboard('o'),
      'dashboards/app.json': dashboard('a'),
    };
    const { all, one } = await make(values, { ...bare, ...texts });
    assert.equal(all('PrometheusRule').length, 2);
    const { spec } = one('PrometheusRule', 'shop-mooring-b');
    assert.equal(spec.groups[0].rules[0].annotations.summary, '{{ $labels.job }} is {{ printf "%v" $value }}');
    const found = all('ConfigMap').filter(({ metadata }) => metadata.labels['grafana_dashboard'] === '1');
    assert.deepEqual(
      found.map(({ metadata }) => metadata.name),
      ['shop-mooring-dashboard-app', 'shop-mooring-dashboard-overview'],
    );
    assert.equal(found[1]?.['data']['overview.json'].trim(), texts['dashboards/overview.json']);
  });

  test('none of them where they are not asked for', async () => {
    const { all } = await make({}, { ...bare, 'rules/a.yaml': rules('a'), 'dashboards/a.json': dashboard('a') });
    assert.deepEqual(all('PrometheusRule'), []);
    assert.ok(all('ConfigMap').every(({ metadata }) => metadata.labels['grafana_dashboard'] === undefined));
  });
});

describe('the notes', () => {
  const noEffect = /no effect, since Mooring has no such part: (.*)\.$/m;

  test('name what has no effect, and only that', async () => {
    const { notes } = await make({
      dex: { enabled: true },
      server: { replicas: 2, ingress: { aws: {} } },
      global: { storageClass: 'fast' },
    });
    assert.equal(noEffect.exec(notes)?.[1], 'dex, global.storageClass, server.replicas');
  });

  test('name the settings that are given and not read, and no other', async () => {
    const { notes } = await make({
      configs: {
        cm: {
          'timeout.reconciliation': '3m',
          'application.resourceTrackingMethod': 'label',
          'resource.customizations.actions.apps_Deployment': 'x',
          'resource.ignoreResourceUpdatesEnabled': true,
          'resource.exclusion': '[]',
          installationID: '',
        },
        params: { 'controller.sync.wave.delay.seconds': 5, 'controller.status.processors': 50 },
      },
    });
    const named = Array.from(notes.matchAll(/^ {2}configs\.(\S+) \((\w+)\): ./gm), ([, key, is]) => `${key} ${is}`);
    assert.deepEqual(named, [
      'cm.application.resourceTrackingMethod rule',
      'cm.resource.customizations.actions.apps_Deployment hint',
      'cm.resource.exclusion unknown',
      'params.controller.status.processors none',
    ]);
    assert.doesNotMatch((await make({})).notes, /are not read/);
  });

  test('count no global value that the schema knows among them', async () => {
    const { global } = valuesSchema.properties ?? {};
    const { notes } = await make({
      global: {
        env: [{ name: 'A' }],
        addPrometheusAnnotations: true,
        hostAliases: [{ ip: '::1' }],
        podLabels: { a: 'b' },
      },
    });
    assert.doesNotMatch(notes, noEffect);
    const texts = chartFiles()['templates/_values.tpl'] ?? '';
    for (const key of Object.keys(global?.properties ?? {}))
      assert.match(texts, new RegExp(`omit \\$values.global [^}]*"${key}"`));
  });

  test('warn where metrics are open to the world, and where webhooks are not signed', async () => {
    const open = await make({ server: { ingress: { enabled: true, path: '/', pathType: 'Prefix' } } });
    assert.match(open.notes, /metrics can be read by whoever reaches argocd\.example\.com/);
    assert.match(open.notes, /http:\/\/argocd\.example\.com\/api\/webhook, and put the secret/);
    const closed = await make({
      server: { ingress: { enabled: true, tls: true } },
      configs: { secret: { githubSecret: 'a' } },
    });
    assert.doesNotMatch(closed.notes, /metrics|secret/);
    assert.match(closed.notes, /https:\/\/argocd\.example\.com\/api\/webhook$/m);
  });
});

describe('values that are easily lost', () => {
  test('large numbers keep their digits', async () => {
    const { one } = await make({
      configs: {
        params: { 'reposerver.parallelism.limit': 5_000_000 },
        credentialTemplates: { app: { url: 'https://github.com/example', githubAppID: 1_234_567 } },
      },
      controller: { podAnnotations: { build: 20_261_126 }, extraArgs: [10_000_000] },
    });
    assert.equal(one('ConfigMap', 'argocd-cmd-params-cm')['data']['reposerver.parallelism.limit'], '5000000');
    assert.deepEqual(decoded(one('Secret', 'argocd-repo-creds-app')), {
      url: 'https://github.com/example',
      githubAppID: '1234567',
    });
    const { metadata, spec } = one('Deployment')['spec'].template;
    assert.deepEqual(metadata.annotations, { build: '20261126' });
    assert.equal(spec.containers[0].args.at(-1), '10000000');
  });

  test('of a variable that is given twice the last one stays', async () => {
    const { container } = await make({
      global: {
        env: [
          { name: 'A', value: 'global' },
          { name: 'SSL_CERT_FILE', value: '/certs' },
        ],
      },
      controller: { env: [{ name: 'A', value: 'own' }] },
    });
    const names = container.env.map(({ name, value }: { name: string; value?: string }) => [name, value]);
    assert.deepEqual(names.slice(-2), [
      ['SSL_CERT_FILE', '/certs'],
      ['A', 'own'],
    ]);
    assert.equal(new Set(names.map(([name]: string[]) => name)).size, names.length);
  });

  test('a Secret and ConfigMaps that nothing is said of have no data: what others write into them stays', async () => {
    const { one } = await make({});
    for (const object of [
      one('Secret', 'argocd-secret'),
      one('ConfigMap', 'argocd-cm'),
      one('ConfigMap', 'argocd-cmd-params-cm'),
    ])
      assert.equal(object['data'], undefined);
  });

  test('the image of Argo CD is not run, another one is', async () => {
    const argo = await make({ global: { image: { repository: 'mirror.example.com/argoproj/argocd', tag: 'v3.1.0' } } });
    assert.match(argo.container.image, /^ghcr\.io\/mooring-cd\/mooring:\d/);
    assert.match(argo.notes, /global\.image \(it is Argo CD's\)/);
    const own = await make({ global: { image: { repository: 'mirror.example.com/mooring', tag: 'v1' } } });
    assert.equal(own.container.image, 'mirror.example.com/mooring:v1');
    assert.equal(own.one('Deployment').metadata.labels['app.kubernetes.io/version'], 'v1');
  });

  test('a cluster Secret of ones own for the own cluster takes the place of the one for its namespaces', async () => {
    const server = 'https://kubernetes.default.svc';
    const rbac = { mode: 'namespaced', namespaces: ['shop'] };
    const made = await make({ rbac });
    assert.deepEqual(decoded(made.one('Secret', 'shop-mooring-cluster-in-cluster')), {
      name: 'in-cluster',
      server,
      namespaces: 'shop',
      config: '{"tlsClientConfig":{"insecure":false}}',
    });
    const given = await make({
      rbac,
      configs: { clusterCredentials: { home: { server, namespaces: 'shop,web', config: {} } } },
    });
    assert.equal(decoded(given.one('Secret', 'shop-mooring-cluster-home'))['namespaces'], 'shop,web');
    assert.equal(given.all('Secret').length, 2);
  });

  test('`createClusterRoles: false` of the argo-cd chart grants the own namespace', async () => {
    const { all, one } = await make({ createClusterRoles: false });
    assert.deepEqual(all('ClusterRole'), []);
    assert.deepEqual(
      all('Role').map(({ metadata }) => metadata['namespace' as 'name']),
      ['argocd', 'argocd'],
    );
    assert.equal(decoded(one('Secret', 'shop-mooring-cluster-in-cluster'))['namespaces'], 'argocd');
  });

  test('pods are replaced where what they read once changes, and only then', async () => {
    const annotationsOf = async (configs: unknown): Promise<object> =>
      (await make({ configs })).one('Deployment')['spec'].template.metadata.annotations;
    const before = await annotationsOf({ params: { 'otlp.address': 'collector:4317' } });
    assert.deepEqual(Object.keys(before), ['checksum/otlp']);
    const settings = { cm: { 'timeout.reconciliation': '60s' }, tls: { certificates: { 'git.example.com': 'a' } } };
    const same = { ...settings, params: { 'otlp.address': 'collector:4317', other: 'a' } };
    assert.deepEqual(await annotationsOf(same), before);
    assert.notDeepEqual(await annotationsOf({ params: { 'otlp.address': 'collector:4318' } }), before);
  });

  test('labels and annotations of ones own go beside ours, empty ones too, and never over what selects', async () => {
    const { one } = await make({
      global: {
        podLabels: { 'app.kubernetes.io/instance': 'other', inject: '' },
        additionalLabels: { 'app.kubernetes.io/part-of': 'platform' },
      },
      controller: { podAnnotations: { note: '' } },
      configs: { repositories: { a: { url: 'x' } } },
    });
    const { selector, template } = one('Deployment')['spec'];
    assert.deepEqual(template.metadata.labels, {
      ...selector.matchLabels,
      'app.kubernetes.io/component': 'application-controller',
      'app.kubernetes.io/part-of': 'platform',
      'app.kubernetes.io/version': template.metadata.labels['app.kubernetes.io/version'],
      inject: '',
    });
    assert.deepEqual(template.metadata.annotations, { note: '' });
    assert.equal(one('Secret', 'argocd-repo-a').metadata.labels['argocd.argoproj.io/secret-type'], 'repository');
  });

  test('names that look like numbers stay names', async () => {
    const options = {
      releaseName: '12',
      namespace: '2e3',
      valuesObject: { rbac: { mode: 'namespaced', namespaces: ['34'] } },
    };
    const { objects } = await helm.template(treeOf(chartFiles()), '', options);
    const metadata = objects.map((object) => (object as unknown as { metadata: Record<string, unknown> }).metadata);
    assert.deepEqual(new Set(metadata.map((one) => one['namespace'])), new Set([undefined, '2e3', '34']));
    for (const { labels } of metadata)
      assert.equal((labels as Record<string, unknown>)['app.kubernetes.io/instance'], '12');
  });

  test('probes have a port of their own, which the NetworkPolicy does not open', async () => {
    const { container, one } = await make({});
    assert.ok(container.args.includes('--probe-listen=0.0.0.0:8081'));
    const { livenessProbe, readinessProbe, ports } = container;
    for (const probe of [livenessProbe, readinessProbe]) assert.equal(probe.httpGet.port, 'probes');
    assert.deepEqual(
      ports.map(({ name, containerPort }: { name: string; containerPort: number }) => [name, containerPort]),
      [
        ['http', 8080],
        ['probes', 8081],
      ],
    );
    assert.deepEqual(one('NetworkPolicy')['spec'].ingress[0].ports, [{ port: 'http', protocol: 'TCP' }]);
  });

  test('metrics have a port of their own where that is asked for', async () => {
    const { container, all } = await make({
      global: { addPrometheusAnnotations: true },
      controller: { metrics: { enabled: true, separatePort: true } },
    });
    assert.ok(container.args.includes('--metrics-listen=0.0.0.0:8082'));
    const service = all('Service').find(({ metadata }) => metadata.name.endsWith('-metrics'));
    assert.equal(service?.['spec'].ports[0].targetPort, 'metrics');
    assert.deepEqual(service?.metadata.annotations, { 'prometheus.io/port': '8082', 'prometheus.io/scrape': 'true' });
    const [policy] = all('NetworkPolicy');
    assert.deepEqual(
      policy?.['spec'].ingress[0].ports.map(({ port }: { port: string }) => port),
      ['http', 'metrics'],
    );
  });

  test('with IPv6 it listens on both', async () => {
    const { container, one } = await make({ global: { dualStack: { ipFamilies: ['IPv6', 'IPv4'] } } });
    assert.ok(container.args.includes('--listen=[::]:8080'));
    assert.deepEqual(one('Service')['spec'].ipFamilies, ['IPv6', 'IPv4']);
  });

  test('names of Services, which are labels, fit', async () => {
    const { all } = await make({ fullnameOverride: 'a'.repeat(63), controller: { metrics: { enabled: true } } });
    for (const { metadata } of all('Service')) assert.ok(metadata.name.length <= 63, metadata.name);
  });
});
