import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { defaultLimits, RenderError, type RenderErrorCode, treeOf } from '@mooring/renderer-contract';
import { conformance, type Files, type Poison } from '@mooring/renderer-contract/conformance';
import { createKustomizeRenderer, kustomizeRenderer } from './render.ts';

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  color: blue\n';
const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n  - port: 80\n';

const patch = JSON.stringify({ target: { kind: 'ConfigMap' }, patch: '- {op: add, path: /data/a, value: b}' }).concat(
  '\n',
);

/** A kustomization, and files beside it. */
function poison(name: string, kustomization: string, code: RenderErrorCode, message: RegExp, more: Files = {}): Poison {
  const files = { 'app/kustomization.yaml': kustomization, 'app/settings.yaml': configMap, ...more };
  return { name, path: 'app', files, code, message };
}

function plugin(runs: string): Files {
  const annotation = `config.kubernetes.io/function: "${runs}"`;
  return {
    'app/plugin.yaml': `apiVersion: example.com/v1\nkind: Evil\nmetadata: {name: evil, annotations: {${annotation}}}\n`,
    'app/run.sh': '#!/bin/sh\ntouch /tmp/pwned\n',
  };
}

conformance(kustomizeRenderer, {
  renders: [
    {
      name: 'an overlay',
      path: 'shop/prod',
      entry: 'shop/prod/kustomization.yaml',
      files: {
        'shop/base/kustomization.yaml': 'resources:\n- settings.yaml\n- service.yaml\n',
        'shop/base/settings.yaml': configMap,
        'shop/base/service.yaml': service,
        'shop/prod/kustomization.yaml': 'resources:\n- ../base\nnamePrefix: prod-\n',
      },
    },
    {
      name: 'a folder with options',
      path: 'app',
      entry: 'app/settings.yaml',
      options: { nameSuffix: '-$ARGOCD_APP_NAME', commonLabels: { app: '$ARGOCD_APP_NAME' }, namespace: 'shop' },
      files: { 'app/kustomization.yml': 'resources: [settings.yaml]\n', 'app/settings.yaml': configMap },
    },
  ],
  poison: [
    poison('a base on the web', 'resources: [https://example.com/base]\n', 'unsupported', /example\.com.* is remote/),
    poison('a base by git', 'resources: ["git::https://example.com/a.git//b?ref=c"]\n', 'unsupported', /is remote/),
    poison('a base by ssh', 'resources: ["ssh://git@example.com/a.git"]\n', 'unsupported', /is remote/),
    poison('an option of git as base', 'resources: ["--upload-pack=touch /tmp/x"]\n', 'not-found', /upload-pack/),
    poison('a component on the web', 'components: [github.com/org/repo]\n', 'unsupported', /is remote/),
    poison('a patch on the web', 'patches: [{path: "https://example.com/p.yaml"}]\n', 'unsupported', /is remote/),
    poison('definitions on the web', 'crds: [https://example.com/crd.json]\n', 'unsupported', /is remote/),
    poison('a schema on the web', 'openapi: {path: "https://example.com/schema.json"}\n', 'unsupported', /is remote/),
    poison(
      'settings on the web',
      'configMapGenerator: [{name: a, files: ["https://example.com/a"]}]\n',
      'unsupported',
      /is remote/,
    ),
    poison(
      'replacements on the web',
      'replacements: [{path: "https://example.com/r.yaml"}]\n',
      'unsupported',
      /is remote/,
    ),
    poison('a chart', 'helmCharts: [{name: a, repo: https://example.com}]\n', 'unsupported', /source of its own/),
    poison(
      'a program as generator',
      'generators: [plugin.yaml]\n',
      'unsupported',
      /commit what they produce/,
      plugin('exec: {path: ./run.sh}'),
    ),
    poison(
      'a container as generator',
      'generators: [plugin.yaml]\n',
      'unsupported',
      /commit what they produce/,
      plugin('container: {image: a}'),
    ),
    poison(
      'a program as transformer',
      'transformers: [plugin.yaml]\n',
      'unsupported',
      /commit what they produce/,
      plugin('exec: {path: ./run.sh}'),
    ),
    poison(
      'a container as validator',
      'validators: [plugin.yaml]\n',
      'unsupported',
      /commit what they produce/,
      plugin('container: {image: a}'),
    ),
    poison('a plugin of its own kind', 'generators: [plugin.yaml]\n', 'unsupported', /commit what they produce/, {
      'app/plugin.yaml': 'apiVersion: example.com/v1\nkind: Evil\nmetadata: {name: evil}\n',
    }),
    poison('a cycle', 'resources: [../app]\n', 'build', /cycle/),
    poison('a long cycle', 'resources: [../other]\n', 'build', /cycle/, {
      'other/kustomization.yaml': 'resources: [../app]\n',
    }),
    poison(
      'a file of the system',
      'configMapGenerator: [{name: a, files: [/etc/passwd]}]\n',
      'not-found',
      /etc\/passwd/,
    ),
    poison(
      'files above',
      `configMapGenerator: [{name: a, files: [${'../'.repeat(20)}etc/passwd]}]\n`,
      'not-found',
      /etc\/passwd/,
    ),
    {
      ...poison(
        '10,000 patches',
        `resources: [settings.yaml]\npatches:\n${`- ${patch}`.repeat(10_000)}`,
        'timeout',
        /1000 ms/,
      ),
      limits: { timeMs: 1_000 },
    },
  ],
  strangers: [
    { name: 'a folder of manifests', path: '', files: { 'settings.yaml': configMap } },
    { name: 'a chart', path: 'chart', files: { 'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n' } },
    { name: 'the folder above', path: '', files: { 'app/kustomization.yaml': 'resources: []\n' } },
  ],
});

const renderer = createKustomizeRenderer();
after(() => renderer.close?.());

const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: front}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx:1}, {name: log, image: registry.example.com:5000/log@sha256:aa}]}
`;
const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
const app: Files = {
  'app/kustomization.yaml': 'resources: [web.yaml]\n',
  'app/web.yaml': web,
  'app/patch.yaml': '- {op: replace, path: /spec/paused, value: true}\n',
  'parts/blue/kustomization.yaml': `${component}namePrefix: blue-\n`,
};

async function render(
  options: Record<string, unknown>,
  settings: Record<string, string> = {},
  files: Files = {},
): Promise<{ object: unknown; warnings: readonly string[] }> {
  const env = { ARGOCD_APP_NAME: 'shop', ARGOCD_APP_REVISION: 'abc' };
  const spec = {
    appName: 'shop',
    namespace: '',
    path: 'app',
    options,
    kubeVersion: '',
    apiVersions: [],
    env,
    settings,
  };
  const { manifests, warnings } = await renderer.render(treeOf({ ...app, ...files }), spec, { limits: defaultLimits });
  return { object: manifests[0]?.object, warnings };
}

/** What is at a path of a JSON value, such as `metadata.labels`. */
function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}

describe("Argo CD's options", () => {
  const images = 'spec.template.spec.containers';
  const image = (index: number): string => `${images}.${index}.image`;
  const cases: readonly [options: Record<string, unknown>, path: string, expected: unknown][] = [
    [{ namePrefix: 'a-', nameSuffix: '-z' }, 'metadata.name', 'a-web-z'],
    [{ namePrefix: '-' }, 'metadata.name', '-web'],
    [{ namespace: 'front' }, 'metadata.namespace', 'front'],
    [{ images: ['nginx:2'] }, image(0), 'nginx:2'],
    [{ images: ['nginx=httpd'] }, image(0), 'httpd:1'],
    [{ images: ['nginx=registry.example.com:5000/httpd:2'] }, image(0), 'registry.example.com:5000/httpd:2'],
    [{ images: ['nginx@sha256:bb'] }, image(0), 'nginx@sha256:bb'],
    [{ images: ['nginx=httpd@sha256:bb'] }, image(0), 'httpd@sha256:bb'],
    [{ images: ['nginx:2@sha256:bb'] }, image(0), 'nginx:2@sha256:bb'],
    [{ images: ['registry.example.com:5000/log:2'] }, image(1), 'registry.example.com:5000/log:2'],
    [{ images: ['registry.example.com:5000/log=log:2'] }, image(1), 'log:2'],
    [{ images: [`nginx:\${ARGOCD_APP_REVISION}`] }, image(0), 'nginx:abc'],
    [{ images: ['other:2'] }, image(0), 'nginx:1'],
    [{ replicas: [{ name: 'web', count: 3 }] }, 'spec.replicas', 3],
    [{ replicas: [{ name: 'web', count: '4' }] }, 'spec.replicas', 4],
    [{ replicas: [{ name: 'web', count: 0 }] }, 'spec.replicas', 0],
    [{ commonLabels: { team: '$ARGOCD_APP_NAME' } }, 'spec.selector.matchLabels', { app: 'web', team: 'shop' }],
    [{ commonLabels: { team: 'a' }, labelWithoutSelector: true }, 'spec.selector.matchLabels', { app: 'web' }],
    [{ commonLabels: { team: 'a' }, labelWithoutSelector: true }, 'spec.template.metadata.labels', { app: 'web' }],
    [
      { commonLabels: { team: 'a' }, labelWithoutSelector: true, labelIncludeTemplates: true },
      'spec.template.metadata.labels',
      { app: 'web', team: 'a' },
    ],
    [{ commonAnnotations: { note: '' } }, 'metadata.annotations', { note: '' }],
    [{ commonLabels: { team: '' }, labelWithoutSelector: true }, 'metadata.labels.team', ''],
    [{ commonAnnotations: { by: '$ARGOCD_APP_NAME' } }, 'metadata.annotations.by', '$ARGOCD_APP_NAME'],
    [
      { commonAnnotations: { by: '$ARGOCD_APP_NAME' }, commonAnnotationsEnvsubst: true },
      'metadata.annotations.by',
      'shop',
    ],
    [{ patches: [{ path: 'patch.yaml', target: { kind: 'Deployment' } }] }, 'spec.paused', true],
    [{ patches: [{ path: 'patch.yaml', target: { labelSelector: 'tier=front' } }] }, 'spec.paused', true],
    [{ patches: [{ path: 'patch.yaml', target: { name: 'other' } }] }, 'spec.paused', undefined],
    [{ patches: [{ patch: `${web.split('spec:')[0]}spec: {paused: true}\n` }] }, 'spec.paused', true],
    [
      {
        patches: [
          {
            patch: '- {op: replace, path: /metadata/name, value: site}\n',
            target: { name: 'web' },
            options: { allowNameChange: true },
          },
        ],
      },
      'metadata.name',
      'site',
    ],
    [{ components: ['../parts/blue'] }, 'metadata.name', 'blue-web'],
    [{ components: ['../parts/red', '../parts/blue'], ignoreMissingComponents: true }, 'metadata.name', 'blue-web'],
    [{ components: ['../parts/red'], ignoreMissingComponents: true }, 'metadata.name', 'web'],
    [{ kubeVersion: '1.30', apiVersions: ['a/v1'] }, 'metadata.name', 'web'],
  ];
  for (const [options, path, expected] of cases) {
    test(`${JSON.stringify(options)} ${path}`, async () => {
      assert.deepEqual(at((await render(options)).object, path), expected);
    });
  }

  const forced: Files = {
    'app/kustomization.yaml': 'resources: [web.yaml]\ncommonLabels: {team: a}\ncommonAnnotations: {by: a}\n',
  };
  test('replace labels and annotations of the kustomization only by force', async () => {
    const change = { commonLabels: { team: 'b' }, commonAnnotations: { by: 'b' } };
    const force = { forceCommonLabels: true, forceCommonAnnotations: true };
    const { object } = await render({ ...change, ...force }, {}, forced);
    assert.deepEqual([at(object, 'metadata.labels.team'), at(object, 'metadata.annotations.by')], ['b', 'b']);
    await assert.rejects(render(change, {}, forced), /label team already/);
  });

  test('that cannot be are refused by name', async () => {
    const wrong: readonly [Record<string, unknown>, RegExp][] = [
      [{ replicas: [{ name: 'web', count: 'many' }] }, /kustomize\.replicas\[0\]\.count must be a whole number/],
      [{ replicas: [{ count: 1 }] }, /kustomize\.replicas\[0\]\.name must be set/],
      [{ images: [{ name: 'nginx' }] }, /kustomize\.images must be a list of strings/],
      [{ patches: [{ patchh: '' }] }, /kustomize\.patches\[0\]\.patchh is not known/],
      [{ namePrefx: 'a' }, /kustomize\.namePrefx is not known/],
      [{ components: ['../parts/red'] }, /parts\/red/],
    ];
    for (const [options, message] of wrong) await assert.rejects(render(options), message);
  });

  test('of another version are warned of', async () => {
    assert.match((await render({ version: 'v4.5.7' })).warnings.join(), /kustomize\.version v4\.5\.7 is not used/);
    assert.deepEqual((await render({ version: '' })).warnings, []);
  });
});

describe('kustomize.buildOptions of argocd-cm', () => {
  const outside: Files = {
    'app/kustomization.yaml': 'resources: [../web.yaml]\n',
    'web.yaml': web,
  };
  test('are taken', async () => {
    await assert.rejects(render({}, {}, outside), /is not in or below/);
    const options = '--load-restrictor LoadRestrictionsNone --enable-managedby-label';
    const { object } = await render({}, { 'kustomize.buildOptions': options }, outside);
    assert.match(JSON.stringify(at(object, 'metadata.labels')), /managed-by/);
  });

  test('that let programs start hinder only those that need them', async () => {
    const options =
      '--enable-helm --helm-command helm3 --enable-alpha-plugins --network --mount type=bind --helm-debug --load-restrictor=LoadRestrictionsNone';
    await render({}, { 'kustomize.buildOptions': options }, outside);
    const chart: Files = { 'app/kustomization.yaml': 'helmCharts: [{name: web, repo: https://charts.example.com}]\n' };
    await assert.rejects(render({}, { 'kustomize.buildOptions': options }, chart), /source of its own/);
  });

  test('are checked before there is anything to render', () => {
    const check = (text: string) => kustomizeRenderer.checkSettings?.({ 'kustomize.buildOptions': text });
    assert.deepEqual(check('--enable-helm --load-restrictor LoadRestrictionsNone'), {});
    assert.match(
      check('--load_restrictor none')?.['kustomize.buildOptions'] ?? '',
      /^but .*has no flag --load_restrictor/,
    );
  });

  test('that are unknown are refused', async () => {
    await assert.rejects(
      render({}, { 'kustomize.buildOptions': '--load_restrictor none' }),
      /has no flag --load_restrictor/,
    );
  });
});

describe('an object that a build gives and is no manifest', () => {
  const files: Files = {
    'app/kustomization.yaml': 'resources: [web.yaml, ../base]\nnamePrefix: a-\n',
    'base/kustomization.yaml': 'resources: [list.yaml]\n',
    'base/list.yaml': `${web}---\n# no group\nkind: Thing\nmetadata: {name: one}\n`.replace(
      'name: web,',
      'name: other,',
    ),
  };
  const failure = async (debug: boolean): Promise<RenderError> => {
    const spec = {
      appName: 'shop',
      namespace: '',
      path: 'app',
      options: {},
      kubeVersion: '',
      apiVersions: [],
      env: {},
    };
    const context = { limits: defaultLimits, ...(debug && { debug }) };
    const error = await renderer.render(treeOf({ ...app, ...files }), spec, context).then(
      () => assert.fail('it rendered'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof RenderError, String(error));
    return error;
  };

  test('is named by its file, document and line', async () => {
    const { message, file, line, rendered } = await failure(false);
    assert.match(message, /^base\/list\.yaml, document 2 \(line 11\) has no apiVersion/);
    assert.deepEqual([file, line, rendered], ['base/list.yaml', 11, undefined]);
  });

  test('is shown with debug', async () => {
    assert.match(
      (await failure(true)).rendered ?? '',
      /^apiVersion: apps\/v1\n[\s\S]*---\nkind: Thing\nmetadata:\n {2}name: a-one\n$/,
    );
  });
});
