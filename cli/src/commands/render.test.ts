import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { describe } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { copyTestdata, mooring } from '../testing.ts';

const testdata = join(import.meta.dirname, '..', '..', 'testdata');

/** Output that reads back as the same objects whichever YAML reads it. */
function objectsOf(stdout: string): unknown[] {
  return parseAllDocuments(stdout, { version: '1.2' }).map((document) => document.toJS() as unknown);
}

test('plain YAML and JSON are printed as YAML that means the same everywhere', async () => {
  const { code, stdout, stderr } = await mooring(['render', 'plain'], { cwd: testdata });
  assert.equal(stdout, readFileSync(join(testdata, 'expected', 'plain.yaml'), 'utf8'));
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('JSON output has one object a line, with every digit', async () => {
  const { code, stdout } = await mooring(['render', 'plain', '--recurse', '-o', 'json'], { cwd: testdata });
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { kind: string }).kind),
    ['ConfigMap', 'Service', 'Big', 'Namespace'],
  );
  assert.match(lines[2] ?? '', /"number":12345678901234567890/);
  assert.equal(code, 0);
});

test('an overlay reaches its base through the root of the repository', async (t) => {
  const folder = copyTestdata(t);
  const overlay = join(folder, 'kustomize', 'overlays', 'dev');
  const alone = await mooring(['render', overlay]);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /\.\.\/\.\.\/base/);
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  const { code, stdout } = await mooring(['render'], { cwd: overlay });
  assert.deepEqual(objectsOf(stdout), [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'dev-cart' }, spec: { ports: [{ port: 80 }] } },
  ]);
  assert.equal(code, 0);
});

function configMap(name: string, namespace: string, data: Readonly<Record<string, string>>): unknown {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

test('a chart takes values, parameters and capabilities', async () => {
  const args = ['--name', 'blue', '-n', 'x', '--kube-version', '1.30.4', '--set', 'size=5', '--set', 'size=7'];
  const more = ['--api-versions', 'example.com/v1,example.com/v1/Thing', '--values', 'chart/values-dev.yaml'];
  const { code, stdout, stderr } = await mooring(['render', ...args, ...more, 'chart'], { cwd: testdata });
  assert.equal(stderr, '');
  assert.deepEqual(objectsOf(stdout), [
    configMap('blue-web', 'x', { color: 'red', size: '7', kubernetes: 'v1.30.4', things: 'true' }),
  ]);
  assert.equal(code, 0);
});

test('an Application is rendered from the local checkout', async (t) => {
  const cwd = copyTestdata(t);
  execFileSync('git', ['init', '--quiet'], { cwd });
  const args = ['--app', 'applications.yaml', '--name', 'web-dev', '--kube-version', '1.37.2'];
  const inside = await mooring(['render', ...args], { cwd: cwd });
  assert.deepEqual(objectsOf(inside.stdout), [
    configMap('blue-web', 'shop-dev', { color: 'red', size: '3', kubernetes: 'v1.37.2', things: 'false' }),
  ]);
  const manifest = join(testdata, 'applications.yaml');
  const outside = await mooring(['render', cwd, '--app', manifest, '--name', 'web-dev', '--kube-version', '1.37.2']);
  assert.equal(outside.stdout, inside.stdout);
});

test('values that are false or 0 are values', async (t) => {
  const cwd = copyTestdata(t);
  execFileSync('git', ['init', '--quiet'], { cwd });
  const args = ['--app', 'applications.yaml', '--name', 'falsy', '--kube-version', '1.37.2'];
  const { stdout, stderr } = await mooring(['render', ...args], { cwd });
  assert.equal(stderr, '');
  assert.deepEqual(objectsOf(stdout), [
    configMap('falsy-web', 'shop-dev', { color: 'false', size: '0', kubernetes: 'v1.37.2', things: 'false' }),
  ]);
});

test("a chart takes the flags that Helm's users know", async (t) => {
  const cwd = copyTestdata(t);
  execFileSync('git', ['init', '--quiet'], { cwd });
  writeFileSync(join(cwd, 'chart', 'color.txt'), 'teal');
  writeFileSync(join(cwd, 'chart', 'templates', 'NOTES.txt'), 'Welcome to {{ .Release.Name }}');
  const flags = ['-f', 'chart/values-dev.yaml', '-f', 'gone.yaml', '--ignore-missing-value-files', '--skip-tests'];
  const sets = ['--set-file', 'color=chart/color.txt', '--set-string', 'size=007', '--set-json', 'a.b=[1]', '--notes'];
  const only = ['-s', 'templates/config.yaml', '--kube-version', '1.30.4'];
  const { code, stdout, stderr } = await mooring(['render', 'chart', ...flags, ...sets, ...only], { cwd });
  assert.equal(stderr, 'Welcome to chart\n');
  assert.match(stdout, /^---\n# Source: chart\/templates\/config\.yaml\napiVersion: v1\n/);
  assert.deepEqual(objectsOf(stdout), [
    configMap('chart-web', 'default', { color: 'teal', size: '007', kubernetes: 'v1.30.4', things: 'false' }),
  ]);
  assert.equal(code, 0);
});

test('values of --set-json win over files, and parameters over them', async (t) => {
  const cwd = copyTestdata(t);
  execFileSync('git', ['init', '--quiet'], { cwd });
  const sets = ['--set-json', '{"color": "x", "size": 1}', '--set-json', 'size=2', '--set', 'color=green'];
  const args = ['render', 'chart', '--values', 'chart/values-dev.yaml', ...sets, '--kube-version', '1.30.4'];
  const { stdout } = await mooring(args, { cwd });
  assert.deepEqual(objectsOf(stdout), [
    configMap('chart-web', 'default', { color: 'green', size: '2', kubernetes: 'v1.30.4', things: 'false' }),
  ]);
});

test('--show-only takes patterns', async (t) => {
  const cwd = copyTestdata(t);
  execFileSync('git', ['init', '--quiet'], { cwd });
  const named = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
  for (const name of ['one', 'two', 'deep/one']) {
    mkdirSync(dirname(join(cwd, 'chart', 'templates', name)), { recursive: true });
    writeFileSync(join(cwd, 'chart', 'templates', `${name}.yaml`), named(name.replace('/', '-')));
  }
  const { stdout, stderr } = await mooring(['render', 'chart', '-s', 'templates/[ot]*.yaml', '-o', 'json'], { cwd });
  const names = stdout.split('\n').flatMap((line) => /"name":"([^"]+)"/.exec(line)?.[1] ?? []);
  assert.deepEqual([names, stderr], [['one', 'two'], '']);
});

describe('--debug', () => {
  const template = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n---\n';
  const cases: readonly (readonly [
    what: string,
    folder: string,
    files: Record<string, string>,
    stdout: string,
    says: RegExp,
  ])[] = [
    [
      'shows what a chart renders to that is no YAML',
      'chart',
      { 'chart/templates/config.yaml': `${template}a: {{ "b: c" }}\n` },
      '---\n# Source: web/templates/config.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: chart}\n---\na: b: c\n',
      /chart\/templates\/config\.yaml: YAML parse error .*document 2 that it renders to/,
    ],
    [
      'shows what a chart renders to that is no manifest',
      'chart',
      { 'chart/templates/config.yaml': `${template}a: {{ "b" }}\n` },
      '---\n# Source: web/templates/config.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: chart}\n---\na: b\n',
      /: chart\/templates\/config\.yaml, document 2 of what it renders to \(line 5\) has no kind/,
    ],
  ];
  for (const [what, folder, files, expected, says] of cases) {
    test(what, async (t) => {
      const cwd = copyTestdata(t);
      execFileSync('git', ['init', '--quiet'], { cwd });
      for (const [path, content] of Object.entries(files)) writeFileSync(join(cwd, path), content);
      const shown = await mooring(['render', folder, '--debug'], { cwd });
      assert.equal(shown.stdout, expected);
      assert.match(shown.stderr, says);
      assert.equal(shown.code, 2);
      const hidden = await mooring(['render', folder], { cwd });
      assert.equal(hidden.stdout, '');
      assert.equal(hidden.stderr, `${shown.stderr}Use --debug to see what was rendered.\n`);
      assert.equal(hidden.code, 2);
    });
  }

  test('shows what a kustomization builds that is no manifest', async (t) => {
    const cwd = copyTestdata(t);
    execFileSync('git', ['init', '--quiet'], { cwd });
    writeFileSync(join(cwd, 'kustomize', 'overlays', 'dev', 'kustomization.yaml'), 'resources: [thing.yaml]\n');
    writeFileSync(join(cwd, 'kustomize', 'overlays', 'dev', 'thing.yaml'), 'kind: Thing\nmetadata: {name: a}\n');
    const { code, stdout, stderr } = await mooring(['render', 'kustomize/overlays/dev', '--debug'], { cwd });
    assert.equal(stdout, 'kind: Thing\nmetadata:\n  name: a\n');
    assert.match(stderr, /: kustomize\/overlays\/dev\/thing\.yaml, document 1 \(line 1\) has no apiVersion/);
    assert.equal(code, 2);
  });

  test('changes nothing where there is nothing wrong, and nothing of plain files', async (t) => {
    const cwd = copyTestdata(t);
    execFileSync('git', ['init', '--quiet'], { cwd });
    for (const folder of ['plain', 'chart']) {
      assert.deepEqual(
        await mooring(['render', folder, '--debug'], { cwd }),
        await mooring(['render', folder], { cwd }),
      );
    }
    writeFileSync(join(cwd, 'plain', 'config.yaml'), 'apiVersion: v1\nkind: A\nmetadata: {}\n');
    const { code, stdout, stderr } = await mooring(['render', 'plain', '--debug'], { cwd });
    assert.match(stderr, /: plain\/config\.yaml, document 1 \(line 1\) \(A\) has no metadata\.name/);
    assert.deepEqual([code, stdout], [2, '']);
  });
});

const failures: readonly { readonly args: readonly string[]; readonly says: RegExp }[] = [
  { args: ['gone'], says: /^mooring: gone: there is no such file or folder; check the path\n$/ },
  { args: ['broken.yaml'], says: /^mooring: broken\.yaml: it is a file; name the folder/ },
  { args: ['chart', '--set', 'color=null'], says: /chart\/templates\/config\.yaml:7.*set color to one/ },
  {
    args: ['chart', '-s', 'templates/gone.yaml'],
    says: /nothing comes from it; manifests come from chart\/templates\/config/,
  },
  { args: ['chart', '--set-json', 'color=red'], says: /--set-json color=red: the value is no JSON/ },
  { args: ['chart', '--set', 'color'], says: /^mooring: --set color: write it as path=value/ },
  { args: ['chart', '--values', '/nowhere.yaml'], says: /^mooring: \/nowhere\.yaml: value files must be inside / },
  {
    args: ['--app', 'applications.yaml'],
    says: /more than one Application: pick one with --name \(web-dev, falsy, gone\)/,
  },
  {
    args: ['--app', 'applications.yaml', '--name', 'x'],
    says: /no Application called x; it has web-dev, falsy, gone\n$/,
  },
  {
    args: ['--app', 'applications.yaml', '--name', 'gone'],
    says: /"not\/there" does not exist in .*correct spec\.source\.path/,
  },
  {
    args: ['--app', 'misspelt.yaml'],
    says: /misspelt\.yaml, line 1: Application web-dev: spec\.source\.helm\.relaeseName is not a known field; did you mean releaseName\?\n$/,
  },
  { args: ['--app', 'misspelt.yaml', '--namespace', 'x'], says: /--namespace doesn't go with --app/ },
  { args: ['--app', 'plain/config.yaml'], says: /plain\/config\.yaml: there is no Application/ },
  { args: ['plain', '-o', 'toml'], says: /Allowed choices are yaml, json/ },
];

test('errors name the place and say what to do, and nothing is printed', async (t) => {
  const cwd = copyTestdata(t);
  execFileSync('git', ['init', '--quiet'], { cwd });
  for (const { args, says } of failures) {
    const { code, stdout, stderr } = await mooring(['render', ...args], { cwd });
    assert.match(stderr, says);
    assert.equal(stdout, '', args.join(' '));
    assert.equal(code, 2, args.join(' '));
  }
});
