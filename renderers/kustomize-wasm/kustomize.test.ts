import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { onDisk, readCases } from '@mooring/go-wasm/cases';
import { RenderError, type RenderErrorCode, type Tree, treeOf } from '@mooring/renderer-contract';
import { createKustomize, kustomizeVersion } from './kustomize.ts';
import type { BuildOptions } from './options.ts';

interface Asked {
  readonly path: string;
  readonly build?: BuildOptions;
  /** The commands of `kustomize edit` that make the same edits. */
  readonly cli?: readonly (readonly string[])[];
}

const kustomize = await createKustomize();
after(() => kustomize.close());

describe('builds what the kustomize program builds', () => {
  const program = installedProgram();
  if (program === undefined)
    console.log(`kustomize ${kustomizeVersion} is not on PATH: its output is not compared, only what is recorded`);
  for (const one of readCases<Asked>(new URL('./testdata/', import.meta.url))) {
    test(one.name, async () => {
      const { yaml, objects } = await kustomize.build(treeOf(one.files), one.asked.path, one.asked.build);
      if (process.env['ACCEPT'] === '1') one.accept(yaml);
      else assert.equal(yaml, one.expected);
      assert.equal(objects.length, yaml.split('\n---\n').length);
      if (program !== undefined && (one.asked.build?.edits === undefined || one.asked.cli !== undefined))
        assert.equal(yaml, await buildByProgram(program, one.files, one.asked));
    });
  }
});

function installedProgram(): string | undefined {
  try {
    return execFileSync('kustomize', ['version'], { encoding: 'utf8' }).includes(kustomizeVersion)
      ? 'kustomize'
      : undefined;
  } catch {
    return undefined;
  }
}

function buildByProgram(program: string, files: Readonly<Record<string, string>>, asked: Asked): Promise<string> {
  return onDisk(files, (folder) => {
    const cwd = join(folder, asked.path);
    for (const edit of asked.cli ?? []) execFileSync(program, ['edit', ...edit], { cwd, stdio: 'pipe' });
    const flags = asked.build?.buildOptions?.split(' ') ?? [];
    return execFileSync(program, ['build', ...flags], { cwd, encoding: 'utf8', stdio: 'pipe' });
  });
}

/** A tree with a CustomResourceDefinition of so many fields, 240 bytes each. */
function definitionOf(fieldCount: number): Tree {
  const fields = Array.from(
    { length: fieldCount },
    (_, i) => `          field${i}:
            description: a field that says what it is for
            type: object
            properties:
              a:
                type: string
              b:
                type: integer
                format: int32
`,
  );
  const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.x.io}
spec:
  group: x.io
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
${fields.join('')}`;
  return treeOf({ 'kustomization.yaml': 'resources: [x.yaml]\n', 'x.yaml': definition });
}

test('a large definition takes no more memory than it does in the kustomize program', async () => {
  const { objects } = await kustomize.build(definitionOf(5_000), '', { limits: { memoryBytes: 256 * 1024 * 1024 } });
  assert.equal(objects.length, 1);
});

test('248 builds in one process leave no more memory behind than one', async () => {
  const megabytes = (): number => process.memoryUsage.rss() / 1024 / 1024;
  const [large, usual] = [definitionOf(2_000), definitionOf(10)];
  /** What the process holds when an engine that has grown is gone. */
  const settled = async (most: number): Promise<number> => {
    for (let waited = 0; megabytes() > most && waited < 5_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return megabytes();
  };
  const batch = async (): Promise<void> => {
    for (let build = 0; build < 62; build += 1) {
      const { objects } = await kustomize.build(build === 0 ? large : usual, '');
      assert.equal(objects.length, 1);
    }
  };
  await kustomize.build(usual, '');
  const first = megabytes();
  const later: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    await batch();
    later.push(await settled(first + 60));
  }
  assert.ok(Math.max(...later) < first + 60, `${first} MB have become ${later.join(', ')}`);
});

const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n';

test('the version is that of the module inside', async () => {
  const { yaml } = await kustomize.build(
    treeOf({ 'kustomization.yaml': 'resources: [s.yaml]\nbuildMetadata: [managedByLabel]\n', 's.yaml': service }),
    '',
  );
  assert.match(yaml, new RegExp(`app.kubernetes.io/managed-by: kustomize-${kustomizeVersion}\n`));
});

test('large integers keep their digits', async () => {
  const tree = treeOf({
    'kustomization.yaml': 'resources: [s.yaml]\n',
    's.yaml': `${service}spec: {n: 12345678901234567891}\n`,
  });
  const { objects } = await kustomize.build(tree, '');
  assert.match(JSON.stringify(objects), /"n":12345678901234567891/);
});

test('warnings are given, not printed', async () => {
  const { warnings } = await kustomize.build(
    treeOf({ 'kustomization.yaml': 'resources: [s.yaml]\ncommonLabels: {a: b}\n', 's.yaml': service }),
    '',
  );
  assert.match(warnings.join('\n'), /commonLabels.*deprecated/);
});

describe('says what is wrong and where', () => {
  const refused = (
    name: string,
    files: Record<string, string>,
    wanted: { code: RenderErrorCode; file?: string; line?: number; message: RegExp },
    build: BuildOptions = {},
  ): void => {
    test(name, async () => {
      await assert.rejects(kustomize.build(treeOf(files), 'app', build), (error) => {
        assert.ok(error instanceof RenderError, String(error));
        assert.match(error.message, wanted.message);
        assert.deepEqual([error.code, error.file, error.line], [wanted.code, wanted.file, wanted.line], error.message);
        return true;
      });
    });
  };
  const app = (kustomization: string, more: Record<string, string> = {}): Record<string, string> => ({
    'app/kustomization.yaml': kustomization,
    'app/service.yaml': service,
    ...more,
  });
  refused('a missing file', app('resources: [gone.yaml]\n'), {
    code: 'not-found',
    file: 'app/gone.yaml',
    message: /gone\.yaml/,
  });
  refused(
    'broken YAML in a base',
    app('resources: [../base]\n', {
      'base/kustomization.yaml': 'resources: [bad.yaml]\n',
      'base/bad.yaml': 'kind: A\nmetadata:\n\tname: x\n',
    }),
    {
      code: 'syntax',
      file: 'base/bad.yaml',
      line: 3,
      message: /bad\.yaml/,
    },
  );
  const inBase = (more: Record<string, string>): Record<string, string> =>
    app('resources: [../base]\n', { 'base/kustomization.yaml': 'resources: [two.yaml]\n', ...more });
  refused('broken YAML in the second document', inBase({ 'base/two.yaml': `${service}---\na: [b\n` }), {
    code: 'syntax',
    file: 'base/two.yaml',
    line: service.split('\n').length + 2,
    message: /^base\/two\.yaml, line \d+: broken YAML: .* \(Kustomize says: .*MalformedYAMLError/,
  });
  for (const [what, document, says] of [
    ['an object without kind', 'metadata: {name: a}', 'has no kind'],
    ['an object without a name', 'apiVersion: v1\nkind: A', '\\(A\\) has no metadata'],
    ['a list', '- a', 'holds a list'],
  ] as const) {
    refused(what, inBase({ 'base/two.yaml': `${service}---\n${document}\n` }), {
      code: 'invalid',
      file: 'base/two.yaml',
      line: service.split('\n').length + 1,
      message: new RegExp(`^base/two\\.yaml, document 2 \\(line \\d+\\) ${says}`),
    });
  }
  refused('a kustomization that is no YAML', inBase({ 'base/kustomization.yaml': 'resources:\n- a: [\n' }), {
    code: 'syntax',
    file: 'base/kustomization.yaml',
    line: 3,
    message: /^base\/kustomization\.yaml, line 3: broken YAML/,
  });
  refused(
    'a patch that is no YAML',
    inBase({
      'base/kustomization.yaml': 'resources: [two.yaml]\npatches: [{path: patch.yaml}]\n',
      'base/two.yaml': service,
      'base/patch.yaml': 'kind: Service\nspec: {a: b: c}\n',
    }),
    { code: 'syntax', file: 'base/patch.yaml', line: 2, message: /^base\/patch\.yaml, line 2: broken YAML/ },
  );
  refused('a field that does not exist', app('resource: [service.yaml]\n'), {
    code: 'syntax',
    file: 'app/kustomization.yaml',
    message: /unknown field "resource"/,
  });
  refused('a remote base', app('resources: ["https://github.com/org/repo//base?ref=v1"]\n'), {
    code: 'unsupported',
    file: 'app',
    message: /github\.com\/org\/repo.* is remote/,
  });
  refused('a remote file', app('resources: [https://example.com/service.yaml]\n'), {
    code: 'unsupported',
    file: 'app',
    message: /example\.com.* is remote/,
  });
  refused('a base by ssh', app('resources: ["git@example.com:org/repo.git"]\n'), {
    code: 'unsupported',
    file: 'app',
    message: /example\.com.* is remote/,
  });
  refused('a chart', app('helmCharts: [{name: web, repo: https://example.com}]\n'), {
    code: 'unsupported',
    file: 'app/kustomization.yaml',
    message: /source of its own/,
  });
  refused(
    'a file from outside its folder',
    app('configMapGenerator: [{name: a, files: [../secret.txt]}]\n', { 'secret.txt': 'x' }),
    { code: 'outside-tree', file: 'app/kustomization.yaml', message: /load-restrictor/ },
  );
  refused('a file from outside the tree', app('resources: [../../service.yaml]\n'), {
    code: 'not-found',
    file: 'app/kustomization.yaml',
    message: /service\.yaml/,
  });
  refused('a cycle', app('resources: [../app]\n'), { code: 'build', file: 'app/kustomization.yaml', message: /cycle/ });
  refused(
    'a flag that starts programs',
    app('resources: []\n'),
    { code: 'unsupported', message: /--enable-helm/ },
    { buildOptions: '--enable-helm' },
  );
  refused(
    'an alpha flag',
    app('resources: []\n'),
    { code: 'unsupported', message: /--enable-alpha-plugins/ },
    { buildOptions: '--enable-alpha-plugins' },
  );
  refused(
    'a label that is set already',
    app('commonLabels: {a: b}\nresources: [service.yaml]\n'),
    { code: 'build', file: 'app/kustomization.yaml', message: /label a already/ },
    { edits: { commonLabels: { a: 'c' } } },
  );
});
