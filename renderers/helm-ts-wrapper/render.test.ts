import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  defaultLimits,
  type RenderContext,
  RenderError,
  type RenderErrorCode,
  type Rendered,
  treeOf,
} from '@mooring/renderer-contract';
import { conformance, type Files, type Poison } from '@mooring/renderer-contract/conformance';
import { createHelmRenderer, helmRenderer } from './render.ts';

const chart = (name: string, more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`;
const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  color: {{ .Values.color }}\n`;

function loops(inner: string): string {
  return `${'{{ range until 100000 }}'.repeat(3)}${inner}${'{{ end }}'.repeat(3)}`;
}

/** A chart of one template. */
function poison(name: string, template: string, code: RenderErrorCode, message: RegExp): Poison {
  const files = { 'Chart.yaml': chart('poison'), 'templates/a.yaml': `${template}\n` };
  return { name, path: '', files, code, message, ...(code === 'timeout' && { limits: { timeMs: 1_000 } }) };
}

conformance(helmRenderer, {
  renders: [
    {
      name: 'a chart with a dependency, values and a hook',
      path: 'charts/shop',
      entry: 'charts/shop/templates/settings.yaml',
      options: { valueFiles: ['values-prod.yaml', '/values/all.yaml'], parameters: [{ name: 'size', value: 'big' }] },
      files: {
        'charts/shop/Chart.yaml': chart('shop', 'dependencies:\n- name: db\n  version: 1.0.0\n'),
        'charts/shop/values.yaml': 'color: blue\n',
        'charts/shop/values-prod.yaml': 'color: green\n',
        'values/all.yaml': 'size: small\n',
        'charts/shop/templates/settings.yaml': configMap('{{ .Release.Name }}-{{ .Values.size }}'),
        'charts/shop/templates/hook.yaml': configMap('hook').replace(
          '  name',
          '  annotations: {helm.sh/hook: pre-install}\n  name',
        ),
        'charts/shop/charts/db/Chart.yaml': chart('db'),
        'charts/shop/charts/db/values.yaml': 'color: red\n',
        'charts/shop/charts/db/templates/settings.yaml': configMap('db'),
      },
    },
    {
      name: 'a chart whose dependency is beside it, under an alias',
      path: 'shop',
      entry: 'shop/Chart.yaml',
      files: {
        'shop/Chart.yaml': chart(
          'shop',
          'dependencies:\n- name: db\n  version: ^1.0.0\n  repository: file://../db\n  alias: store\n',
        ),
        'db/Chart.yaml': chart('db'),
        'db/values.yaml': 'color: red\n',
        'db/templates/settings.yaml': configMap('db'),
      },
    },
  ],
  poison: [
    poison('an endless loop', '{{ range until 1000000000 }}{{ end }}', 'limit', /MiB of memory/),
    poison('loops in loops', loops('{{ $x := 1 }}'), 'timeout', /longer than the limit of 1000 ms/),
    poison(
      'certificates without end',
      loops('{{ $ca := genCA "x" 1 }}'),
      'timeout',
      /longer than the limit of 1000 ms/,
    ),
    poison('a text of a gigabyte', 'a: {{ repeat 1000000000 "x" }}', 'limit', /MiB of memory/),
    poison('a text that doubles', '{{ $s := "x" }}{{ range until 40 }}{{ $s = print $s $s }}{{ end }}', 'limit', /MiB/),
    poison('a text over the limit', 'a: {{ repeat 20000000 "x" }}', 'limit', /limit of 10000000 bytes/),
    poison('recursion', '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}', 'template', /nested|depth/),
    poison(
      'recursion by tpl',
      '{{ define "a" }}{{ tpl "{{ include \\"a\\" . }}" . }}{{ end }}{{ include "a" . }}',
      'limit',
      /MiB of memory/,
    ),
    poison('the environment', 'a: {{ env "PATH" }}', 'template', /"env" not defined/),
    {
      name: 'notes of 100 MB',
      path: '',
      files: { 'Chart.yaml': chart('poison'), 'templates/NOTES.txt': '{{ repeat 100000000 "x" }}' },
      code: 'limit',
      message: /NOTES.*limit of 1048576 bytes/,
    },
    {
      name: 'a chart that is its own dependency',
      path: 'app',
      files: { 'app/Chart.yaml': chart('app'), 'app/charts/app': { link: '../../app' } },
      code: 'limit',
      message: /nest too deeply/,
    },
    {
      name: 'an archive that is none',
      path: '',
      files: {
        'Chart.yaml': chart('app', 'dependencies: [{name: db, version: 1.0.0}]\n'),
        'charts/db-1.0.0.tgz': 'no archive',
      },
      code: 'invalid',
      message: /cannot be loaded/,
    },
    {
      name: 'a schema from a file outside',
      path: '',
      files: { 'Chart.yaml': chart('app'), 'values.schema.json': '{"$ref": "file:///etc/passwd"}' },
      code: 'invalid',
      message: /there is no network here/,
    },
  ],
  strangers: [
    { name: 'a folder of manifests', path: '', files: { 'settings.yaml': 'a: b\n' } },
    { name: 'the folder above', path: '', files: { 'chart/Chart.yaml': chart('chart') } },
  ],
});

const renderer = createHelmRenderer();
after(() => renderer.close?.());

function render(
  files: Files,
  options: Record<string, unknown> = {},
  more: object = {},
  context: Partial<RenderContext> = {},
): Promise<Rendered> {
  const spec = {
    appName: 'web',
    namespace: '',
    path: 'app',
    options,
    kubeVersion: '1.37.2',
    apiVersions: ['v1'],
    env: {},
  };
  return renderer.render(
    treeOf({ 'app/Chart.yaml': chart('app'), ...files }),
    { ...spec, ...more },
    { limits: defaultLimits, ...context },
  );
}

async function refused(call: Promise<Rendered>, code: RenderErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof RenderError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** A template that shows expressions as data of a ConfigMap. */
function showing(expressions: Record<string, string>): Files {
  const data = Object.entries(expressions).map(([name, text]) => `  ${name}: {{ ${text} | toJson | quote }}\n`);
  return { 'app/templates/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n${data.join('')}` };
}

async function shown(
  files: Files,
  options: Record<string, unknown>,
  more: object = {},
): Promise<Record<string, unknown>> {
  const { manifests } = await render(files, options, more);
  const data = manifests[0]?.object['data'] as Record<string, string>;
  return Object.fromEntries(Object.entries(data).map(([name, json]) => [name, JSON.parse(json) as unknown]));
}

describe('the release has', () => {
  const release = showing({ name: '.Release.Name', namespace: '.Release.Namespace' });
  const cases: readonly [Record<string, unknown>, object, unknown][] = [
    [{}, {}, { name: 'web', namespace: 'default' }],
    [{}, { namespace: 'front' }, { name: 'web', namespace: 'front' }],
    [{ releaseName: 'blue', namespace: 'back' }, { namespace: 'front' }, { name: 'blue', namespace: 'back' }],
    [{ releaseName: '', namespace: '' }, {}, { name: 'web', namespace: 'default' }],
    [{ passCredentials: true, version: 'v3', skipTests: true }, {}, { name: 'web', namespace: 'default' }],
  ];
  for (const [options, more, expected] of cases) {
    test(JSON.stringify([options, expected]), async () =>
      assert.deepEqual(await shown(release, options, more), expected),
    );
  }
});

describe('the cluster is', () => {
  const seen = showing({
    kube: '.Capabilities.KubeVersion.Version',
    has: '.Capabilities.APIVersions.Has "example.com/v1"',
  });
  const there = { apiVersions: ['example.com/v1'] };
  const cases: readonly [string, Record<string, unknown>, object, unknown][] = [
    ['that of the destination', {}, there, { kube: 'v1.37.2', has: true }],
    [
      'without what a provider adds to its version',
      {},
      { kubeVersion: '1.33.2-gke.100+x' },
      { kube: 'v1.33.2', has: false },
    ],
    [
      'what the options say',
      { kubeVersion: 'v1.30.4-eks-1', apiVersions: ['a/v1'] },
      there,
      { kube: 'v1.30.4', has: false },
    ],
    ['with short versions', { kubeVersion: '1.30', apiVersions: [] }, there, { kube: 'v1.30', has: true }],
  ];
  for (const [what, options, more, expected] of cases) {
    test(what, async () => assert.deepEqual(await shown(seen, options, more), expected));
  }

  test('new enough for a chart, although a provider added to its version', async () => {
    const files = { ...seen, 'app/Chart.yaml': chart('app', 'kubeVersion: ">=1.33.0"\n') };
    assert.equal((await shown(files, {}, { kubeVersion: '1.33.0-eks-1' }))['kube'], 'v1.33.0');
  });
});

describe('values', () => {
  const seen = showing({ a: '.Values.a' });
  const values = { 'app/values.yaml': 'a: chart\n', 'app/one.yaml': 'a: file\n' };
  const cases: readonly [string, Record<string, unknown>, unknown][] = [
    ["are the chart's", {}, 'chart'],
    ['of files win over the chart', { valueFiles: ['one.yaml'] }, 'file'],
    ['of the application win over files', { valueFiles: ['one.yaml'], values: 'a: inline\n' }, 'inline'],
    ['as an object take the place of text', { values: 'a: inline\n', valuesObject: { b: 1 } }, 'chart'],
    ['that are false are values', { valuesObject: { a: false } }, false],
    ['that are 0 are values', { valuesObject: { a: 0 } }, 0],
    ['that are empty texts are values', { valuesObject: { a: '' } }, ''],
    ['that are empty lists are values', { valuesObject: { a: [] } }, []],
    ['that are null in an object remove', { valuesObject: { a: null } }, null],
    ['as an empty object, too', { values: 'a: inline\n', valuesObject: {} }, 'chart'],
    ['are not substituted', { values: 'a: $ARGOCD_APP_NAME\n' }, '$ARGOCD_APP_NAME'],
    ['that are null remove', { values: 'a: null\n' }, null],
    ['of parameters win', { valuesObject: { a: 1 }, parameters: [{ name: 'a', value: '2' }] }, 2],
    ['of parameters are typed', { parameters: [{ name: 'a', value: 'true' }] }, true],
    ['may be forced to be text', { parameters: [{ name: 'a', value: '1.10', forceString: true }] }, '1.10'],
    [
      'may be forced as image updaters write it',
      { parameters: [{ name: 'a', value: '1.10', forcestring: true }] },
      '1.10',
    ],
    [
      'forced win',
      {
        parameters: [
          { name: 'a', value: 'x', forceString: true },
          { name: 'a', value: 'y' },
        ],
      },
      'x',
    ],
    [
      'of a name given twice are the last',
      {
        parameters: [
          { name: 'a', value: 'x' },
          { name: 'a', value: 'y' },
        ],
      },
      'y',
    ],
    ['are substituted in parameters', { parameters: [{ name: 'a', value: '$ARGOCD_APP_NAME-$$' }] }, 'web-$'],
    ['keep commas', { parameters: [{ name: 'a', value: 'x,y\\,z' }] }, 'x,y,z'],
    ['in braces are lists', { parameters: [{ name: 'a', value: '{x,y}' }] }, ['x', 'y']],
    ['lead into maps and lists', { parameters: [{ name: 'a.b[1].c\\.d', value: 'x' }] }, { b: [null, { 'c.d': 'x' }] }],
    [
      'of file parameters win over all',
      { parameters: [{ name: 'a', value: 'x' }], fileParameters: [{ name: 'a', path: 'one.yaml' }] },
      'a: file\n',
    ],
    [
      'of file parameters may be from the root',
      { fileParameters: [{ name: 'a', path: '/app/$ARGOCD_FILE' }] },
      'a: file\n',
    ],
  ];
  for (const [what, options, expected] of cases) {
    test(what, async () => {
      const env = { ARGOCD_APP_NAME: 'web', ARGOCD_FILE: 'one.yaml' };
      assert.deepEqual((await shown({ ...seen, ...values }, options, { env }))['a'], expected);
    });
  }
});

describe('value files', () => {
  const names = ['app/env/a.yaml', 'app/env/b.yml', 'app/env/deep/c.yaml', 'app/env/deep/er/d.yaml', 'all/e.yaml'];
  const pair = (one: string, other: string): string =>
    [one, other]
      .map((name) => name.replace(/.*\//, '')[0])
      .sort()
      .join('');
  // Every file contradicts every other one: who wins how often gives the order.
  const files = Object.fromEntries(
    names.map((name) => {
      const letter = name.replace(/.*\//, '')[0];
      const others = names.filter((other) => other !== name);
      return [name, others.map((other) => `${pair(name, other)}: ${letter}\n`).join('')];
    }),
  );
  const cases: readonly [valueFiles: string[], order: string][] = [
    [['env/a.yaml', '/all/e.yaml', '../all/../app/env/b.yml'], 'aeb'],
    [['/all/e.yaml', 'env/a.yaml'], 'ea'],
    [['env/*.yaml'], 'a'],
    [['env/*.{yml,yaml}'], 'ab'],
    [['env/[ab].y*'], 'ab'],
    [['env/**/*.yaml'], 'acd'],
    [['env/**'], 'abcd'],
    [['/**/e.yaml', 'env/deep/*'], 'ec'],
    [['env/*', 'env/a.yaml'], 'ba'],
    [['env/a.yaml', 'env/*'], 'ab'],
    [['env/a.yaml', 'env/b.yml', 'env/a.yaml'], 'ab'],
    [['$ARGOCD_DIR/a.yaml'], 'a'],
  ];
  for (const [valueFiles, order] of cases) {
    test(`${valueFiles.join(', ')}: ${order}`, async () => {
      const { values } = (await shown(
        { ...files, ...showing({ values: '.Values' }) },
        { valueFiles },
        { env: { ARGOCD_DIR: 'env' } },
      )) as {
        values: Record<string, string>;
      };
      const found = [
        ...new Set(
          Object.keys(values)
            .flatMap((key) => [...key])
            .filter((letter) => order.includes(letter)),
        ),
      ];
      const wins = (letter: string): number =>
        found.filter((other) => other !== letter && values[[letter, other].sort().join('')] === letter).length;
      assert.equal(found.sort((one, other) => wins(one) - wins(other)).join(''), order);
      assert.ok(
        Object.values(values).every((letter) => order.includes(letter)),
        JSON.stringify(values),
      );
    });
  }

  test('that are missing are refused, or left out', async () => {
    for (const name of ['gone.yaml', 'gone/*.yaml', 'env']) {
      await refused(
        render(files, { valueFiles: [name] }),
        'not-found',
        /there is no values file "app\/[a-z*./]+".*ignoreMissingValueFiles/,
      );
      await render(files, { valueFiles: [name], ignoreMissingValueFiles: true });
    }
  });

  test('that lead out are refused, also where missing ones are left out', async () => {
    const outside = { 'app/link.yaml': { link: '../../x.yaml' }, 'app/env/z.yaml': { link: '/etc/passwd' } };
    for (const name of ['../../x.yaml', '/../x.yaml', 'link.yaml', 'env/*.yaml']) {
      const options = { valueFiles: [name], ignoreMissingValueFiles: true };
      await refused(render({ ...files, ...outside }, options), 'outside-tree', /./);
    }
  });
});

describe('dependencies', () => {
  const wants = (more: string): string =>
    chart('app', `dependencies:\n- name: redis\n  version: 1.0.0\n  repository: https://charts.example.com\n${more}`);
  const missing = /"redis" 1\.0\.0 from "https:\/\/charts\.example\.com" is not in charts\//;

  test('that are switched off may be missing', async () => {
    const off = { ...showing({ a: '1' }), 'app/values.yaml': 'redis: {enabled: false}\ntags: {store: false}\n' };
    await render({ ...off, 'app/Chart.yaml': wants('  condition: redis.enabled\n') });
    await render({ ...off, 'app/Chart.yaml': wants('  tags: [store]\n') });
    await render({ ...off, 'app/Chart.yaml': wants('  alias: cache\n  condition: redis.enabled\n') });
    const on = { parameters: [{ name: 'redis.enabled', value: 'true' }] };
    await refused(
      render({ ...off, 'app/Chart.yaml': wants('  condition: redis.enabled\n') }, on),
      'not-found',
      missing,
    );
    await refused(render({ ...off, 'app/Chart.yaml': wants('  condition: other.enabled\n') }), 'not-found', missing);
  });

  test('that lack what they depend on are warned of', async () => {
    const local = 'dependencies:\n- name: mid\n  version: 1.0.0\n  repository: file://../mid\n';
    const { warnings, manifests } = await render({
      ...showing({ a: '1' }),
      'app/Chart.yaml': chart('app', local),
      'mid/Chart.yaml': chart('mid', local.replaceAll('mid', 'leaf')),
      'mid/templates/a.yaml': configMap('mid'),
      'leaf/Chart.yaml': chart('leaf'),
      'leaf/templates/a.yaml': configMap('leaf'),
    });
    assert.deepEqual(
      manifests.map(({ origin }) => origin.path),
      ['mid/templates/a.yaml', 'app/templates/a.yaml'],
    );
    assert.match(warnings.join(), /"leaf" of the chart "mid" is not in its charts\/, so that Helm leaves it out/);
  });
});

describe('options that cannot be', () => {
  const cases: readonly [Record<string, unknown>, RenderErrorCode, RegExp][] = [
    [{ version: 'v2' }, 'unsupported', /helm\.version "v2"/],
    [{ kubeVersion: 'new' }, 'invalid', /helm\.kubeVersion "new" is no version/],
    [{ valueFiles: ['a.yaml', 'a'.repeat(4_097)] }, 'invalid', /^helm\.valueFiles\[1\] must be no longer than 4096 /],
    [{ parameters: [{ name: 'a'.repeat(4_097) }] }, 'invalid', /^helm\.parameters\[0\]\.name must be no longer than /],
    [{ releaseName: 'a'.repeat(54) }, 'invalid', /longer than 53/],
    [{ releaseName: '--post-renderer=x' }, 'invalid', /release name/],
    [{ valueFile: 'x' }, 'invalid', /helm\.valueFile is not known/],
    [{ parameters: [{ value: 'x' }] }, 'invalid', /helm\.parameters\[0\]\.name must be set/],
    [{ parameters: [{ name: 'a', value: 1 }] }, 'invalid', /helm\.parameters\[0\]\.value must be a string/],
    [{ parameters: [{ name: 'a[x]', value: 'x' }] }, 'invalid', /the parameter "a\[x\]"/],
    [{ values: 'a: [\n' }, 'syntax', /the application's values/],
    [{ valueFiles: ['[a'] }, 'invalid', /no valid pattern/],
  ];
  for (const [options, code, message] of cases) {
    test(JSON.stringify(options).slice(0, 60), () => refused(render(showing({ a: '1' }), options), code, message));
  }
});

/** What a render of one template fails with. */
async function failure(template: string, more: Files = {}, context: Partial<RenderContext> = {}): Promise<RenderError> {
  const files = { 'app/Chart.yaml': chart('app'), 'app/templates/x.yaml': template, ...more };
  const error = await render(files, {}, {}, context).then(
    () => assert.fail('it rendered'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RenderError, String(error));
  return error;
}

const one = configMap('one').replace('{{ .Values.color }}', 'blue');

test('a line of what a template renders to is not given as one of the template', async () => {
  const template = `${one}---\n{{ if true }}\n{{ end }}apiVersion: v1\nkind: X\ndata:\n  a: b: c\n`;
  const { message, file, line } = await failure(template);
  assert.match(message, /line \d+ of document 2 that it renders to: mapping values are not allowed/);
  assert.deepEqual([file, line], ['app/templates/x.yaml', undefined]);
});

describe('what is no manifest is named by its document and line', () => {
  test('of what its template renders to', async () => {
    const { message, file, line } = await failure(
      `{{ if true }}\n${one}{{ end }}---\n# the second\nmetadata: {name: two}\n---\n${one}`,
    );
    assert.equal(
      message,
      'app/templates/x.yaml, document 2 of what it renders to (line 10) has no kind; add one, or leave the file out',
    );
    assert.deepEqual([file, line], ['app/templates/x.yaml', undefined]);
  });

  test('also where it is a hook, and where the output is long', async () => {
    const hook = 'apiVersion: v1\nmetadata: {name: two, annotations: {helm.sh/hook: pre-install}}\n';
    const long = `${one}  long: {{ repeat 200000 "x" }}\n`;
    for (const first of [one, long]) {
      const { message } = await failure(`${first}---\n\n\n${hook}`);
      assert.match(message, /^app\/templates\/x\.yaml, document 2 of what it renders to \(line \d+\) has no kind/);
    }
  });

  test('of the file, in crds/', async () => {
    const crds = { 'app/crds/a.yaml': `# none\n---\n${one}---\n\nkind: X\n` };
    const { message, file, line } = await failure(one, crds);
    assert.match(message, /^app\/crds\/a\.yaml, document 3 \(line 11\) has no apiVersion/);
    assert.deepEqual([file, line], ['app/crds/a.yaml', 11]);
  });
});

describe('with debug an error has what was rendered', () => {
  const broken = `{{ if true }}{{ end }}\n${one}---\n{{ if true }}a: b: c{{ end }}\n`;
  const kindless = `{{ if true }}{{ end }}\n${one}---\n{{ if true }}metadata: {}{{ end }}\n`;
  for (const [what, template, last] of [
    ['where it is no YAML', broken, 'a: b: c'],
    ['where it is no manifest', kindless, 'metadata: {}'],
  ] as const) {
    test(what, async () => {
      const more = { 'app/templates/a.yaml': one, 'app/templates/NOTES.txt': 'Hello', 'app/templates/b.yaml': '\n' };
      const { rendered } = await failure(template, more, { debug: true });
      const expected = `---\n# Source: app/templates/a.yaml\n${one}---\n# Source: app/templates/x.yaml\n\n${one}---\n${last}\n`;
      assert.equal(rendered, expected);
      assert.equal((await failure(template)).rendered, undefined);
    });
  }

  test('up to the limit', async () => {
    const limits = { ...defaultLimits, manifestBytes: 100 };
    const { rendered = '' } = await failure(broken, { 'app/templates/a.yaml': one }, { limits, debug: true });
    assert.match(rendered, /^---\n# Source: app\/templates\/a\.yaml\n/);
    assert.match(rendered, /\n# The rest is left out: it is more than the limit of 100 bytes\.\n$/);
    assert.ok(rendered.length < 200, rendered);
  });

  test('and not where a template itself fails', async () => {
    assert.equal((await failure('{{ fail "no" }}', {}, { debug: true })).rendered, undefined);
  });
});

test('all dependencies that are missing are named at once', async () => {
  const wanted = ['db', 'cache'].map(
    (name) => `- {name: ${name}, version: 1.0.0, repository: https://charts.example.com}\n`,
  );
  const files = { 'app/Chart.yaml': chart('app', `dependencies:\n${wanted.join('')}`) };
  await assert.rejects(
    render(files),
    /the dependency "db" .* is not in charts\/.*; the dependency "cache" .* is not in charts/,
  );
});
