import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RenderError, type RenderErrorCode } from './error.ts';
import { recordReads, type TreeRead } from './recording.ts';
import { defaultLimits, type Limits, type Rendered, type Renderer, type RenderSpec } from './renderer.ts';
import { followLinks, parentPath, type Tree, treeOf } from './tree.ts';

/** The files of a tree, as `treeOf` takes them. */
export type Files = Parameters<typeof treeOf>[0];

/** A source that the renderer can render. */
export interface Sample {
  readonly name: string;
  readonly files: Files;
  /** Folder of the source in the tree. */
  readonly path: string;
  /** The renderer's part of `spec.source`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** A regular file without which the source cannot be rendered. */
  readonly entry: string;
}

/** A folder that is none of the renderer's. */
export interface Stranger {
  readonly name: string;
  readonly files: Files;
  readonly path: string;
}

/** A source that is made to do harm: it must be refused, clearly, and the render after it must be as if nothing had been. */
export interface Poison {
  readonly name: string;
  readonly files: Files;
  readonly path: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Bounds that are tighter than the usual ones. */
  readonly limits?: Partial<Limits>;
  readonly code: RenderErrorCode;
  /** What the error must say. */
  readonly message: RegExp;
}

export interface ConformanceSamples {
  readonly renders: readonly [Sample, ...Sample[]];
  readonly poison?: readonly Poison[];
  /** Folders for which `detect` must answer false. */
  readonly strangers: readonly Stranger[];
}

const canary = 'canary-outside-the-tree';

/** Registers, with `node:test`, what every renderer must hold; call it in the renderer's `render.test.ts`. Closes the renderer at the end. */
export function conformance(renderer: Renderer, samples: ConformanceSamples): void {
  describe(`the ${renderer.name} renderer is a renderer`, () => {
    let outside = '';
    before(() => {
      outside = mkdtempSync(join(tmpdir(), 'outside-'));
      writeFileSync(join(outside, 'canary.yaml'), `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${canary}}\n`);
    });
    after(async () => {
      rmSync(outside, { recursive: true });
      await renderer.close?.();
    });

    test('it has a name, a source type, an options key and a version', () => {
      assert.match(renderer.name, /^[a-z][a-z0-9-]*$/);
      assert.match(renderer.sourceType, /^[A-Z][A-Za-z]*$/);
      assert.match(renderer.optionsKey, /^[a-z][A-Za-z]*$/);
      assert.notEqual(renderer.version, '');
    });

    for (const stranger of samples.strangers) {
      test(`it does not claim ${stranger.name}`, async () => {
        assert.equal(await renderer.detect(treeOf(stranger.files), stranger.path), false);
      });
    }

    for (const sample of samples.renders) describe(sample.name, () => sampleTests(renderer, sample, () => outside));

    for (const poison of samples.poison ?? []) {
      test(`it refuses ${poison.name}, and renders the next source`, async () => {
        const [sample] = samples.renders;
        const before = await outcome(renderer, treeOf(sample.files), sample);
        const error = await refused(render(renderer, treeOf(poison.files), poison, poison.limits), [poison.code]);
        assert.match(error.message, poison.message);
        clear(error);
        assert.equal(await outcome(renderer, treeOf(sample.files), sample), before);
      });
    }
  });
}

function sampleTests(renderer: Renderer, sample: Sample, outside: () => string): void {
  test('is claimed, and a missing folder is not', async () => {
    const tree = treeOf(sample.files);
    assert.equal(await renderer.detect(tree, sample.path), true);
    assert.equal(await renderer.detect(tree, 'no/such/folder'), false);
  });

  test('gives the same manifests each time, and the tree stays as it was', async () => {
    const files = asBytes(sample.files);
    const tree = treeOf(files);
    const first = await render(renderer, tree, sample);
    const second = await render(renderer, tree, sample);
    assert.ok(first.manifests.length > 0, 'a sample must render to something');
    assert.equal(JSON.stringify(second), JSON.stringify(first));
    assert.deepEqual(second, first);
    assert.deepEqual(files, asBytes(sample.files));
  });

  test('gives manifests that are objects and say which file of the tree they come from', async () => {
    const tree = treeOf(sample.files);
    for (const { object, origin } of (await render(renderer, tree, sample)).manifests) {
      assert.equal(typeof object.apiVersion, 'string');
      assert.equal(typeof object.kind, 'string');
      assert.ok(object.metadata.name ?? object.metadata.generateName, JSON.stringify(object));
      assert.equal((await tree.stat(await followLinks(tree, origin.path)))?.type, 'file', origin.path);
    }
  });

  test('keeps the limits on bytes, objects and files', async () => {
    const tree = treeOf(sample.files);
    const { manifests } = await render(renderer, tree, sample);
    await refused(render(renderer, tree, sample, { manifestBytes: 1 }), ['limit']);
    await refused(render(renderer, tree, sample, { manifestCount: manifests.length - 1 }), ['limit']);
    await refused(render(renderer, tree, sample, { fileCount: 0 }), ['limit']);
  });

  test('looks at every file and folder that changes the outcome', async () => {
    const before = recordReads(treeOf(sample.files));
    const original = await outcome(renderer, before.tree, sample);
    const reads = before.reads();
    const { [sample.entry]: _entry, ...withoutEntry } = sample.files;
    assert.notEqual(await outcome(renderer, treeOf(withoutEntry), sample), original, 'an entry must be needed');
    const wrecked = treeOf({ ...sample.files, [sample.entry]: '\nwrecked: [\n' });
    assert.notEqual(await outcome(renderer, wrecked, sample), original, 'a render must not outlive its tree');
    for (const [path, content] of Object.entries(asBytes(sample.files))) {
      const { [path]: _, ...others } = sample.files;
      const without = treeOf(others);
      if ((await outcome(renderer, without, sample)) !== original) {
        assert.ok(covers(reads, path, ['read', 'stat']) || coversFolder(reads, path), `${path} may be deleted unseen`);
      }
      if (!(content instanceof Uint8Array)) continue;
      for (const changed of [new Uint8Array(), Buffer.concat([content, Buffer.from('\nchanged: [\n')])]) {
        if ((await outcome(renderer, treeOf({ ...sample.files, [path]: changed }), sample)) === original) continue;
        assert.ok(await readsContent(reads, before.tree, path), `${path} may change unseen`);
      }
    }
    for (const folder of new Set(Object.keys(sample.files).map(parentPath))) {
      for (const name of ['added.yaml', 'kustomization.yaml', 'Chart.yaml', 'values.yaml']) {
        const path = folder === '' ? name : `${folder}/${name}`;
        if (path in sample.files) continue;
        const more = { ...sample.files, [path]: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\n' };
        if ((await outcome(renderer, treeOf(more), sample)) === original) continue;
        assert.ok(covers(reads, path, ['read', 'stat']) || coversFolder(reads, path), `${path} may appear unseen`);
      }
    }
  });

  test('is refused where a file leads out of the tree, and nothing from outside shows', async () => {
    const canaryPath = join(outside(), 'canary.yaml');
    const ups = '../'.repeat(sample.entry.split('/').length - 1);
    const targets = [
      canaryPath,
      `${ups}../${relative('/', canaryPath)}`,
      `${ups}${'../'.repeat(30)}${relative('/', canaryPath)}`,
    ];
    for (const link of targets) await hostile(renderer, sample, { [sample.entry]: { link } }, ['outside-tree']);
  });

  test('is refused where a file is a link to itself or to nothing', async () => {
    const name = sample.entry.slice(sample.entry.lastIndexOf('/') + 1);
    const codes: RenderErrorCode[] = ['invalid', 'not-found', 'build', 'template'];
    for (const link of [name, 'no-such-file']) await hostile(renderer, sample, { [sample.entry]: { link } }, codes);
  });

  for (const [name, content] of poisonedManifests) {
    test(`is refused where a file is ${name}, and renders again`, async () => {
      const before = await outcome(renderer, treeOf(sample.files), sample);
      const poisoned = treeOf({ ...sample.files, [sample.entry]: content });
      clear(await refused(render(renderer, poisoned, sample), ['syntax', 'invalid', 'limit', 'build', 'template']));
      assert.equal(await outcome(renderer, treeOf(sample.files), sample), before);
    });
  }

  test('is found through links inside the tree', async () => {
    const content = sample.files[sample.entry] as string;
    const expected = await render(renderer, treeOf(sample.files), sample);
    const link = `${'../'.repeat(sample.entry.split('/').length - 1)}elsewhere/content`;
    const linked = { ...sample.files, [sample.entry]: { link }, 'elsewhere/content': content };
    const found = await render(renderer, treeOf(linked), sample);
    assert.deepEqual(
      found.manifests.map(({ object }) => object),
      expected.manifests.map(({ object }) => object),
    );
  });

  test('is refused by name where its folder is missing or outside', async () => {
    const tree = treeOf(sample.files);
    await refused(render(renderer, tree, { ...sample, path: 'no/such/folder' }), ['not-found']);
    await refused(render(renderer, tree, { ...sample, path: '../outside' }), ['outside-tree']);
  });

  test('stops when it is told to', async () => {
    const controller = new AbortController();
    controller.abort();
    const call = renderer.render(treeOf(sample.files), specOf(sample), {
      limits: defaultLimits,
      signal: controller.signal,
    });
    await assert.rejects(
      call,
      (error) => error === controller.signal.reason || (error instanceof RenderError && error.code === 'timeout'),
    );
    assert.ok(
      (await render(renderer, treeOf(sample.files), sample)).manifests.length > 0,
      'it must render again afterwards',
    );
  });
}

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: poison\ndata:\n';
const bomb = Array.from(
  { length: 10 },
  (_, i) => `  a${i}: &a${i} [${Array(10).fill(i === 0 ? 'x' : `*a${i - 1}`)}]\n`,
);

/** Contents of a file that readers of YAML have died of. */
const poisonedManifests: readonly (readonly [name: string, content: string | Uint8Array])[] = [
  ['an alias bomb', `${head}${bomb.join('')}`],
  ['nested 100,000 deep', `${head}  a: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n`],
  ['nested 100,000 deep in maps', `${head}  a: ${'{a: '.repeat(100_000)}${'}'.repeat(100_000)}\n`],
  ['11 MB of text', `${head}  a: ${'x'.repeat(11_000_000)}\n`],
  [
    'no UTF-8',
    Buffer.concat([Buffer.from(`${head}  a: "`), Buffer.from([0xff, 0xfe, 0xc0, 0x80]), Buffer.from('"\n')]),
  ],
  ['full of NUL bytes', `${head}  a: "${'\0'.repeat(1_000)}"\n`],
  ['a key of a megabyte', `${head}  ? ${'x'.repeat(1_000_000)}: ${'y'.repeat(10)}\n  : [\n`],
];

/** Messages are read by people, in a status. */
function clear({ message }: RenderError): void {
  assert.ok(message.length <= 3_100, `an error of ${message.length} characters: ${message.slice(0, 200)}`);
  assert.doesNotMatch(message, /undefined|\[object |goroutine|\.go:[0-9]/);
}

function specOf(sample: Pick<Sample, 'path' | 'options'>): RenderSpec {
  return {
    appName: 'sample',
    namespace: 'sample-namespace',
    path: sample.path,
    options: sample.options ?? {},
    kubeVersion: '1.37.2',
    apiVersions: ['apps/v1', 'apps/v1/Deployment', 'v1', 'v1/ConfigMap'],
    env: { ARGOCD_APP_NAME: 'sample' },
  };
}

function render(
  renderer: Renderer,
  tree: Tree,
  sample: Pick<Sample, 'path' | 'options'>,
  limits: Partial<Limits> = {},
): Promise<Rendered> {
  return renderer.render(tree, specOf(sample), { limits: { ...defaultLimits, ...limits } });
}

/** What a render comes to, as a text to compare: its manifests, or the code of its error. */
async function outcome(renderer: Renderer, tree: Tree, sample: Sample): Promise<string> {
  try {
    return JSON.stringify((await render(renderer, tree, sample)).manifests);
  } catch (error) {
    if (error instanceof RenderError) return error.code;
    throw error;
  }
}

async function refused(call: Promise<Rendered>, codes: readonly RenderErrorCode[]): Promise<RenderError> {
  let refusal: RenderError | undefined;
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof RenderError, `expected a RenderError, not ${String(error)}`);
    refusal = error;
    assert.ok(codes.includes(error.code), `expected ${codes.join(' or ')}, not ${error.code}: ${error.message}`);
    assert.ok(
      !`${error.message} ${String(error.cause)}`.includes(canary),
      'the error shows bytes from outside the tree',
    );
    return true;
  });
  assert.ok(refusal);
  return refusal;
}

async function hostile(
  renderer: Renderer,
  sample: Sample,
  files: Files,
  codes: readonly RenderErrorCode[],
): Promise<void> {
  await refused(render(renderer, treeOf({ ...sample.files, ...files }), sample), codes);
}

function asBytes(files: Files): Record<string, Uint8Array | { readonly link: string }> {
  return Object.fromEntries(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === 'string'
        ? new TextEncoder().encode(content)
        : content instanceof Uint8Array
          ? content.slice()
          : content,
    ]),
  );
}

function covers(reads: readonly TreeRead[], path: string, ops: readonly TreeRead['op'][]): boolean {
  return reads.some((read) => read.path === path && ops.includes(read.op));
}

/** Whether a folder above `path` was listed or found missing; what appears or goes below shows there. */
function coversFolder(reads: readonly TreeRead[], path: string): boolean {
  for (let folder = parentPath(path); ; folder = parentPath(folder)) {
    if (covers(reads, folder, ['list'])) return true;
    if (folder === '') return false;
  }
}

/** Whether the content of `path` was read, by its own name or through a link. */
async function readsContent(reads: readonly TreeRead[], tree: Tree, path: string): Promise<boolean> {
  for (const read of reads) {
    if (read.op !== 'read') continue;
    if (read.path === path || (await followLinks(tree, read.path)) === path) return true;
  }
  return false;
}
