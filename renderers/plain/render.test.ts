import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  defaultLimits,
  type Limits,
  RenderError,
  type RenderErrorCode,
  type Rendered,
  type Tree,
  treeOf,
} from '@mooring/renderer-contract';
import { conformance, type Files } from '@mooring/renderer-contract/conformance';
import { plainRenderer } from './index.ts';

/** The files below `testdata/NAME`. */
function testdata(name: string): Record<string, string> {
  const root = join(import.meta.dirname, 'testdata', name);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name: file }) => {
      const path = join(parentPath, file);
      return [path.slice(root.length + 1), readFileSync(path, 'utf8')];
    }),
  );
}

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
}

function render(
  tree: Tree,
  path: string,
  options: Record<string, unknown> = {},
  limits: Partial<Limits> = {},
  settings: Record<string, string> = {},
): Promise<Rendered> {
  const spec = {
    appName: 'a',
    namespace: '',
    path,
    options,
    kubeVersion: '1.37.2',
    apiVersions: [],
    env: {},
    settings,
  };
  return plainRenderer.render(tree, spec, { limits: { ...defaultLimits, ...limits } });
}

async function names(files: Files, options: Record<string, unknown> = {}, path = 'app'): Promise<string[]> {
  const { manifests } = await render(treeOf(files), path, options);
  return manifests.map(({ object }) => object.metadata.name ?? '');
}

async function refused(call: Promise<unknown>, code: RenderErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof RenderError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

const shop = testdata('shop');

conformance(plainRenderer, {
  renders: [
    { name: 'a folder of YAML and JSON', files: shop, path: 'shop', entry: 'shop/web.yaml' },
    {
      name: 'a folder with its subfolders',
      files: shop,
      path: '',
      options: { recurse: true, include: '{shop/*,*.json}', exclude: '*/jobs/*' },
      entry: 'shop/cache/settings.yaml',
    },
  ],
  strangers: [
    { name: 'a file', files: { 'app/x.yaml': configMap('x') }, path: 'app/x.yaml' },
    { name: 'a link out of the tree', files: { app: { link: '../outside' } }, path: 'app' },
  ],
});

test('a folder renders to its objects in the order of its files, with their places', async () => {
  const { manifests, warnings } = await render(treeOf(shop), 'shop');
  assert.deepEqual(
    manifests.map(
      ({ object, origin }) =>
        `${object.kind}/${object.metadata.name} ${origin.path}:${origin.line} #${origin.document}`,
    ),
    [
      'ConfigMap/prices shop/prices.json:1 #0',
      'Deployment/web shop/web.yaml:2 #0',
      'Service/web shop/web.yaml:19 #1',
      'Role/reader shop/z-list.yml:1 #0',
      'RoleBinding/reader shop/z-list.yml:1 #0',
    ],
  );
  assert.deepEqual(warnings, []);
});

describe('which files are read', () => {
  const files = {
    'app/a.yaml': configMap('a'),
    'app/b.yml': configMap('b'),
    'app/c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}',
    'app/d.txt': configMap('d'),
    'app/.hidden.yaml': configMap('hidden'),
    'app/sub/e.yaml': configMap('e'),
    'app/sub/.deep/f.yaml': configMap('f'),
    'app/sub.yaml': configMap('sub'),
    'other/g.yaml': configMap('g'),
  };
  const cases: readonly [string, Record<string, unknown>, string[]][] = [
    ['without options those of the folder', {}, ['hidden', 'a', 'b', 'c', 'sub']],
    ['with recurse those below too', { recurse: true }, ['hidden', 'a', 'b', 'c', 'f', 'e', 'sub']],
    ['without the extension filter all', { disableExtensionFilter: true }, ['hidden', 'a', 'b', 'c', 'd', 'sub']],
    ['with include those that match', { include: '*.yml' }, ['b']],
    ['a star crosses folders', { recurse: true, include: 's*.yaml' }, ['f', 'e', 'sub']],
    ['braces are alternatives', { recurse: true, include: '{a.yaml,sub/*}' }, ['a', 'f', 'e']],
    ['exclude wins over include', { include: '{a,b}.*', exclude: 'b*' }, ['a']],
    ['a leading ./ means nothing', { include: './a.yaml' }, ['a']],
    ['a leading / means the root of the repository', { include: '/app/a.yaml' }, ['a']],
    ['classes and question marks', { include: '[!a-b].jso?' }, ['c']],
  ];
  for (const [name, options, expected] of cases) {
    test(name, async () => assert.deepEqual(await names(files, options), expected));
  }

  test('a folder whose name has glob characters is taken as it is', async () => {
    assert.deepEqual(await names({ 'x[1]{a}*/a.yaml': configMap('a') }, { include: 'a.*' }, 'x[1]{a}*'), ['a']);
  });

  test('links to files are followed, links to folders are not', async () => {
    const linked = { ...files, 'app/l.yaml': { link: '../other/g.yaml' }, 'app/m.yaml': { link: 'sub' } };
    assert.deepEqual(await names(linked, { include: '[lm].yaml' }), ['g']);
  });

  test('a source folder may itself be a link', async () => {
    assert.deepEqual(await names({ 'real/a.yaml': configMap('a'), app: { link: 'real' } }), ['a']);
  });
});

describe('what is no manifest', () => {
  test('YAML that does not look like one is left out, with a warning where it is broken', async () => {
    const files = { 'app/values.yaml': 'image: x\n', 'app/a.yaml': configMap('a'), 'app/notes.yaml': 'a: b: c\n' };
    const { manifests, warnings } = await render(treeOf(files), 'app');
    assert.deepEqual(
      manifests.map(({ origin }) => origin.path),
      ['app/a.yaml'],
    );
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^app\/notes\.yaml, line 1: broken YAML.*left out/);
  });

  test('a file with the marker of Argo CD is left out', async () => {
    const files = {
      'app/a.yaml': configMap('a'),
      'app/b.yaml': `# +argocd:skip-file-rendering\n${configMap('b')}broken: [`,
    };
    assert.deepEqual(await names(files), ['a']);
  });

  test('a broken manifest fails by file and line', async () => {
    await refused(
      names({ 'app/a.yaml': `${configMap('a')}---\n${configMap('b')}  x: [\n` }),
      'syntax',
      /^app\/a\.yaml, line [0-9]+: broken YAML/,
    );
    await refused(
      names({ 'app/a.yaml': `${configMap('a')}---\nspec: {}\n` }),
      'invalid',
      /^app\/a\.yaml, document 2 \(line 6\) has no kind/,
    );
    await refused(
      names({ 'app/a.yaml': 'apiVersion: v1\nkind: X\nmetadata: {}\n' }),
      'invalid',
      /has no metadata\.name/,
    );
  });

  test('a file that begins with an object as JSON is none to leave out', async () => {
    const json = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}\n';
    await refused(names({ 'app/a.yaml': `${json}---\nb: [\n` }), 'syntax', /^app\/a\.yaml, line [0-9]+: broken/);
    await refused(names({ 'app/a.yaml': `${json}---\nb: c\n` }), 'invalid', /^app\/a\.yaml, document 2 .* has no kind/);
  });

  test('JSON that is no object fails', async () => {
    await refused(
      names({ 'app/package.json': '{"name": "x"}' }),
      'invalid',
      /^app\/package\.json, document 1 .* has no kind/,
    );
    await refused(names({ 'app/a.json': '{"a": ' }), 'syntax', /^app\/a\.json, line 1: broken JSON/);
  });

  test('Jsonnet is refused by name', async () => {
    await refused(names({ 'app/a.jsonnet': '{}' }), 'unsupported', /^app\/a\.jsonnet is Jsonnet/);
    const files = { 'app/a.jsonnet': '{}', 'app/b.yaml': configMap('b') };
    assert.deepEqual(await names(files, { exclude: '*.jsonnet' }), ['b']);
    const { manifests } = await render(treeOf(files), 'app', {}, {}, { 'jsonnet.enable': 'false' });
    assert.deepEqual(
      manifests.map(({ origin }) => origin.path),
      ['app/b.yaml'],
    );
  });

  test('a folder of nothing renders to nothing', async () => {
    assert.deepEqual(await names({ 'app/README.md': '# app' }), []);
  });

  test('a file in the place of the folder is no folder', async () => {
    await refused(names({ app: configMap('a') }), 'not-found', /^"app" is no directory/);
  });
});

describe('options', () => {
  const files = { 'app/a.yaml': configMap('a') };
  const cases: readonly [Record<string, unknown>, RenderErrorCode, RegExp][] = [
    [{ recurse: 'yes' }, 'invalid', /^directory\.recurse must be true or false/],
    [{ include: 1 }, 'invalid', /^directory\.include must be a string/],
    [{ recursive: true }, 'invalid', /^directory\.recursive is not known/],
    [{ include: '../*' }, 'outside-tree', /^directory\.include .* has a `\.\.` segment/],
    [{ exclude: '{a,../b}' }, 'outside-tree', /^directory\.exclude/],
    [{ include: '!a' }, 'invalid', /begins with `!`/],
    [{ include: '{a' }, 'invalid', /has a `\{` without/],
    [{ include: '[a' }, 'invalid', /has a `\[` without/],
    [{ include: '[a-cx]' }, 'invalid', /has a class/],
    [{ include: 'a\\' }, 'invalid', /ends with a single/],
    [{ include: '{'.repeat(200) }, 'invalid', /too deep/],
    [{ include: 'a'.repeat(5_000) }, 'invalid', /is longer than 4096/],
  ];
  for (const [options, code, message] of cases) {
    test(`${JSON.stringify(options).slice(0, 60)} is refused`, () => refused(names(files, options), code, message));
  }

  test('a pattern made to be slow is not', async () => {
    const start = performance.now();
    assert.deepEqual(
      await names({ [`app/${'a'.repeat(200)}.yaml`]: configMap('a') }, { include: `${'*a'.repeat(100)}b` }),
      [],
    );
    assert.ok(performance.now() - start < 2_000);
  });
});

describe('limits', () => {
  const files = { 'app/a.yaml': configMap('a'), 'app/b.yaml': configMap('b') };
  const size = configMap('a').length;
  const cases: readonly [Partial<Limits>, RenderErrorCode, RegExp][] = [
    [
      { manifestBytes: size },
      'limit',
      /^app\/b\.yaml takes the manifests of the source over .* raise the limit manifestBytes$/,
    ],
    [{ manifestBytes: size - 1 }, 'limit', /^app\/a\.yaml .* raise the limit manifestBytes$/],
    [{ manifestCount: 1 }, 'limit', /^app\/b\.yaml .* raise the limit manifestCount$/],
    [{ fileCount: 1 }, 'limit', /raise the limit fileCount$/],
    [{ timeMs: 0 }, 'timeout', /^app\/a\.yaml was not reached in 0 ms.* raise the limit timeMs$/],
  ];
  for (const [limits, code, message] of cases) {
    test(`${JSON.stringify(limits)} names what passed it`, () =>
      refused(render(treeOf(files), 'app', {}, limits), code, message));
  }

  test('count what aliases stand for, over all files', async () => {
    const item = '- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: *a}}\n';
    const list = `apiVersion: v1\nkind: List\nx: &a ${'z'.repeat(1_000)}\nitems:\n${item.repeat(4)}`;
    const repeating = treeOf({ 'app/a.yaml': list, 'app/b.yaml': list });
    const { manifests } = await render(repeating, 'app', { exclude: 'b*' }, { manifestBytes: 3_000 });
    assert.equal(manifests.length, 4);
    const expected = /^app\/b\.yaml takes the objects of the source over 6000 bytes once aliases are written out; /;
    await refused(render(repeating, 'app', {}, { manifestBytes: 3_000 }), 'limit', expected);
  });

  test('are those of the files that are read', async () => {
    const { manifests } = await render(treeOf(files), 'app', { exclude: 'b*' }, { manifestBytes: size, fileCount: 1 });
    assert.equal(manifests.length, 1);
  });
});
