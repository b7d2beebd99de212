import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { joinPath, RenderError, type Renderer, treeOf } from '@mooring/renderer-contract';
import { plainRenderer } from '@mooring/renderer-plain';
import { Fault, type FaultCode } from '../../model/fault.ts';
import type { Clock } from '../../world/clock.ts';
import type { GitTree } from '../../world/git.ts';
import type { RenderPool, RenderRequest } from '../../world/renderer.ts';
import type { RenderFacts } from '../../world/telemetry.ts';
import { createRenderPool, type RenderPoolOptions } from './render-pool.ts';

const clock: Clock = {
  now: Date.now,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

type Files = Readonly<Record<string, string | { readonly link: string }>>;

/** A tree in memory with ids as Git has them: equal id, equal content. */
function gitTreeOf(files: Files, commit = createHash('sha1').update(JSON.stringify(files)).digest('hex')): GitTree {
  const ids = new Map<string, string>();
  const idOf = (value: unknown): string => createHash('sha1').update(JSON.stringify(value)).digest('hex');
  const folders = new Set<string>(['']);
  for (const path of Object.keys(files)) {
    ids.set(path, idOf(files[path]));
    for (let folder = path; folder.includes('/'); ) {
      folder = folder.slice(0, folder.lastIndexOf('/'));
      folders.add(folder);
    }
  }
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
    const inside = [...ids].filter(([path]) => folder === '' || path.startsWith(`${folder}/`)).sort();
    ids.set(folder, idOf(inside));
  }
  return { ...treeOf(files), commit, committedAt: undefined, oid: (path) => ids.get(path) };
}

const configMap = (name: string, value = 'one'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: ${value}\n`;

const request = (path: string, more: Partial<RenderRequest> = {}): RenderRequest => ({
  repository: 'https://git.example.com/shop',
  appName: 'shop',
  namespace: 'default',
  path,
  options: {},
  kubeVersion: '1.37.2',
  apiVersions: ['v1'],
  env: { ARGOCD_APP_NAME: 'shop', ARGOCD_APP_REVISION: 'a'.repeat(40) },
  ...more,
});

/** A renderer of one object that `look` may read things for. */
function custom(
  name: string,
  look: (...given: Parameters<Renderer['render']>) => Promise<unknown>,
  more: Partial<Renderer> = {},
): Renderer {
  return {
    name,
    sourceType: 'Plugin',
    optionsKey: name,
    version: '1',
    detect: async (tree, path) => (await tree.stat(joinPath(path, `${name}.txt`))) !== undefined,
    async render(tree, spec, context) {
      const data = await look(tree, spec, context);
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
      return { manifests: [{ object, origin: { path: spec.path } }], warnings: [] };
    },
    ...more,
  };
}

function open(renderers: readonly Renderer[], more: Partial<RenderPoolOptions> = {}): RenderPool {
  return createRenderPool({ renderers, clock, ...more });
}

const cached = { fresh: false };

async function fault(code: FaultCode, message: RegExp, run: Promise<unknown>): Promise<Fault> {
  const error = await run.then(
    () => assert.fail(`no fault ${code}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return error;
}

test('a commit that touches nothing a render looked at gives the very same manifests', async () => {
  const pool = open([plainRenderer]);
  const files = { 'apps/a/one.yaml': configMap('one'), 'apps/b/two.yaml': configMap('two') };
  const first = await pool.render(gitTreeOf(files), request('apps/a'), cached);
  assert.equal(first.rendered, true);
  assert.equal(first.sourceType, 'Directory');
  const env = { ARGOCD_APP_NAME: 'shop', ARGOCD_APP_REVISION: 'b'.repeat(40) };
  const beside = gitTreeOf({ ...files, 'apps/b/two.yaml': configMap('two', 'two'), 'apps/c/three.yaml': 'x: y\n' });
  const second = await pool.render(beside, request('apps/a', { env, kubeVersion: '1.38.0', apiVersions: [] }), cached);
  assert.equal(second.rendered, false);
  assert.equal(second.manifests, first.manifests);
  const inside = gitTreeOf({ ...files, 'apps/a/one.yaml': configMap('one', 'two') });
  const third = await pool.render(inside, request('apps/a'), cached);
  assert.equal(third.rendered, true);
  const added = gitTreeOf({ ...files, 'apps/a/more.yaml': configMap('more') });
  assert.equal((await pool.render(added, request('apps/a'), cached)).manifests.length, 2);
});

test('going back to the commit before renders nothing', async () => {
  const pool = open([plainRenderer]);
  const one = gitTreeOf({ 'a/one.yaml': configMap('one') });
  const two = gitTreeOf({ 'a/one.yaml': configMap('one', 'two') });
  const first = await pool.render(one, request('a'), cached);
  await pool.render(two, request('a'), cached);
  const back = await pool.render(one, request('a'), cached);
  assert.deepEqual([back.rendered, back.manifests === first.manifests], [false, true]);
});

test('fresh renders again, and is what is remembered', async () => {
  const pool = open([plainRenderer]);
  const tree = gitTreeOf({ 'a/one.yaml': configMap('one') });
  const first = await pool.render(tree, request('a'), cached);
  const fresh = await pool.render(tree, request('a'), { fresh: true });
  assert.equal(fresh.rendered, true);
  assert.notEqual(fresh.manifests, first.manifests);
  assert.equal((await pool.render(tree, request('a'), cached)).manifests, fresh.manifests);
});

test('what was absent, what a link points to, and what a directory holds are depended on', async () => {
  const renderer = custom('look', async (tree) => ({
    optional: (await tree.stat('shared/optional')) === undefined ? 'no' : 'yes',
    linked: Buffer.from(await tree.read('a/link')).toString('utf8'),
    names: (await tree.list('shared')).map(({ name }) => name).join(),
  }));
  const files: Files = {
    'a/look.txt': '',
    'a/link': { link: '../values/current/file' },
    'values/current': { link: 'v1' },
    'values/v1/file': 'one',
    'values/v2/file': 'two',
    'shared/x/deep': '1',
  };
  const cases: [string, Files, boolean][] = [
    ['nothing', {}, false],
    ['a file beside', { 'values/v2/file': 'three' }, false],
    ['a file far below a listed directory', { 'shared/x/deep': '2' }, false],
    ['the file behind the links', { 'values/v1/file': 'uno' }, true],
    ['a link on the way', { 'values/current': { link: 'v2' } }, true],
    ['the optional file', { 'shared/optional': 'here' }, true],
    ['a name in the directory', { 'shared/y': '' }, true],
  ];
  for (const [what, change, rendered] of cases) {
    const pool = open([renderer]);
    await pool.render(gitTreeOf(files), request('a'), cached);
    const answer = await pool.render(gitTreeOf({ ...files, ...change }), request('a'), cached);
    assert.equal(answer.rendered, rendered, what);
  }
});

test('only the surroundings that a render looked at void it', async () => {
  const tree = gitTreeOf({ 'a/env.txt': '', 'a/cluster.txt': '' });
  const env = { ARGOCD_APP_NAME: 'shop', ARGOCD_APP_REVISION: 'b'.repeat(40) };
  const again = async (renderer: Renderer, more: Partial<RenderRequest>): Promise<boolean> => {
    const pool = open([renderer]);
    await pool.render(tree, request('a'), cached);
    return (await pool.render(tree, request('a', more), cached)).rendered;
  };
  const name = custom('env', async (_tree, spec) => spec.env['ARGOCD_APP_NAME']);
  assert.equal(await again(name, { env, kubeVersion: '1.38.0', apiVersions: ['v2'] }), false);
  const revision = custom('env', async (_tree, spec) => spec.env['ARGOCD_APP_REVISION']);
  assert.equal(await again(revision, { env }), true);
  const whole = custom('env', async (_tree, spec) => structuredClone(spec.env));
  assert.equal(await again(whole, { env }), true);
  const version = custom('cluster', async (_tree, spec) => spec.kubeVersion);
  assert.equal(await again(version, { kubeVersion: '1.38.0' }), true);
  const apis = custom('cluster', async (_tree, spec) => spec.apiVersions);
  assert.equal(await again(apis, { apiVersions: ['v1'] }), false);
  assert.equal(await again(apis, { apiVersions: ['v1', 'v2'] }), true);
  assert.equal(await again(name, { options: { x: 1 } }), true);
  assert.equal(await again(name, { namespace: 'other' }), true);
});

test('the spec chooses the renderer, else the first that knows the folder', async () => {
  const pool = open([custom('first', async () => 1), custom('second', async () => 2), plainRenderer]);
  const tree = gitTreeOf({ 'a/first.txt': '', 'a/second.txt': '', 'b/second.txt': '', 'c/x.yaml': configMap('x') });
  const rendererOf = async (path: string, renderer?: string): Promise<string | undefined> => {
    const answer = await pool.render(tree, request(path, renderer === undefined ? {} : { renderer }), cached);
    return answer.manifests[0]?.object.metadata.name;
  };
  assert.equal(await rendererOf('a'), 'first');
  assert.equal(await rendererOf('b'), 'second');
  assert.equal(await rendererOf('c'), 'x');
  assert.equal(await rendererOf('c', 'second'), 'second');
  assert.equal(await rendererOf('a', 'directory'), undefined);
  await fault(
    'render-failed',
    /no renderer for spec\.source\.plugin; there are first, second, directory/,
    rendererOf('a', 'plugin'),
  );
});

test('a source type that is switched off is rendered as a directory, also where the source asks for it', async () => {
  const helm = custom('helm', async () => 1, { sourceType: 'Helm' });
  const tool = custom('tool', async () => 1, { sourceType: 'Tool' });
  const tree = gitTreeOf({ 'a/helm.txt': '', 'a/x.yaml': configMap('x'), 'b/helm.txt': '', 'b/tool.txt': '' });
  let settings: Readonly<Record<string, string>> = {};
  const pool = open([helm, tool, plainRenderer], { settings: () => settings });
  const typeOf = async (path: string, more: Partial<RenderRequest> = {}): Promise<string> =>
    (await pool.render(tree, request(path, more), cached)).sourceType;
  assert.equal(await typeOf('a'), 'Helm');
  for (const value of ['false', 'no']) {
    settings = { 'helm.enable': value };
    assert.equal(await typeOf('a'), 'Directory');
    assert.equal(await typeOf('b'), 'Tool');
    assert.equal(await typeOf('b', { renderer: 'helm' }), 'Directory');
  }
  settings = { 'helm.enable': '', 'jsonnet.enable': 'false' };
  assert.equal(await typeOf('a'), 'Helm');
});

test('settings reach the renderer, and a change of them renders again', async () => {
  let settings: Readonly<Record<string, string>> = { 'tool.flags': 'a' };
  const tool = custom('tool', async (_tree, spec) => spec.settings);
  const pool = open([tool], { settings: () => settings });
  const tree = gitTreeOf({ 'a/tool.txt': '' });
  const seen = async (): Promise<unknown> =>
    (await pool.render(tree, request('a'), cached)).manifests[0]?.object['data'];
  assert.deepEqual(await seen(), { 'tool.flags': 'a' });
  settings = { 'tool.flags': 'b' };
  assert.deepEqual(await seen(), { 'tool.flags': 'b' });
});

test('files in the repository override the source', async () => {
  const renderer = custom('tool', async (_tree, spec) => spec.options);
  const optionsOf = async (files: Files, more: Partial<RenderRequest> = {}): Promise<unknown> => {
    const answer = await open([renderer, plainRenderer]).render(
      gitTreeOf({ 'a/tool.txt': '', ...files }),
      request('a', more),
      cached,
    );
    return answer.manifests[0]?.object['data'];
  };
  const given = { renderer: 'tool', options: { images: ['x:1'], deep: { keep: 1, drop: 2 } } };
  const shared = {
    'a/.argocd-source.yaml': 'tool:\n  images: [x:2]\n  deep: {drop: null}\nrepoURL: https://evil.example.com\n',
  };
  assert.deepEqual(await optionsOf({}, given), given.options);
  assert.deepEqual(await optionsOf(shared, given), { images: ['x:2'], deep: { keep: 1 } });
  const own = {
    ...shared,
    'a/.argocd-source-shop.yaml': 'tool: {images: [x:3]}\n',
    'a/.argocd-source-cart.yaml': 'tool: {images: [x:4]}\n',
  };
  assert.deepEqual(await optionsOf(own, given), { images: ['x:3'], deep: { keep: 1 } });
  assert.deepEqual(
    await optionsOf({ 'a/.argocd-source.yaml': 'tool: {__proto__: {polluted: 1}}' }),
    JSON.parse('{"__proto__":{"polluted":1}}'),
  );
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  await fault('render-failed', /a\/\.argocd-source\.yaml/, optionsOf({ 'a/.argocd-source.yaml': '- tool\n' }));
  await fault('render-failed', /a\/\.argocd-source\.yaml/, optionsOf({ 'a/.argocd-source.yaml': 'tool: [\n' }));
  await fault(
    'render-failed',
    /options for tool and directory/,
    optionsOf({ 'a/.argocd-source.yaml': 'directory: {recurse: true}' }, given),
  );
});

test('an override that comes, changes or goes is seen', async () => {
  const pool = open([custom('tool', async (_tree, spec) => spec.options)]);
  const at = async (override?: string): Promise<boolean> => {
    const files: Files = { 'a/tool.txt': '', ...(override === undefined ? {} : { 'a/.argocd-source.yaml': override }) };
    return (await pool.render(gitTreeOf(files), request('a'), cached)).rendered;
  };
  assert.deepEqual(
    [await at(), await at(), await at('tool: {a: 1}'), await at('tool: {a: 2}'), await at()],
    [true, false, true, true, true],
  );
});

test('failures name folder, file and line, and are not rendered twice', async () => {
  let renders = 0;
  const broken = custom('tool', async (tree) => {
    renders += 1;
    await tree.read('a/tool.txt');
    throw new RenderError('syntax', 'a colon is missing', { file: 'a/tool.txt', line: 7 });
  });
  const pool = open([broken]);
  const tree = gitTreeOf({ 'a/tool.txt': '', 'b/x': '1' });
  const expected = /cannot render "a" of https:\/\/git\.example\.com\/shop: a\/tool\.txt:7: a colon is missing/;
  await fault('render-failed', expected, pool.render(tree, request('a'), cached));
  await fault(
    'render-failed',
    expected,
    pool.render(gitTreeOf({ 'a/tool.txt': '', 'b/x': '2' }), request('a'), cached),
  );
  assert.equal(renders, 1);
  await fault('render-failed', expected, pool.render(gitTreeOf({ 'a/tool.txt': 'now' }), request('a'), cached));
  assert.equal(renders, 2);
});

test('a message that names its line is left as it is, and the root has a name', async () => {
  const pool = open([plainRenderer]);
  await fault(
    'render-failed',
    /^cannot render "\." of https:\/\/git\.example\.com\/shop: x\.yaml, line \d: broken YAML/,
    pool.render(gitTreeOf({ 'x.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: [\n' }), request(''), cached),
  );
});

test('a folder that is missing, or a file, or outside, is a clear fault', async () => {
  const pool = open([plainRenderer]);
  const tree = gitTreeOf({ 'a/x.yaml': configMap('x'), out: { link: '../..' }, in: { link: 'a' } }, 'c'.repeat(40));
  await fault(
    'render-failed',
    /app path "nope" does not exist in https:\S+ at cccccccccccc; correct spec\.source\.path/,
    pool.render(tree, request('nope'), cached),
  );
  await fault('render-failed', /app path "a\/x\.yaml" is a file/, pool.render(tree, request('a/x.yaml'), cached));
  await fault('render-failed', /leaves the repository/, pool.render(tree, request('out'), cached));
  assert.equal((await pool.render(tree, request('in'), cached)).manifests.length, 1);
});

test('limits: time, files and objects; other faults pass; an unknown error is one of the renderer', async () => {
  const tree = gitTreeOf({ 'a/tool.txt': '', 'a/x.yaml': configMap('x') });
  const failing = async (renderer: Renderer, limits: RenderPoolOptions['limits'] = {}): Promise<unknown> =>
    open([renderer], { limits }).render(tree, request('a'), cached);
  const never = custom('tool', () => new Promise(() => {}));
  await fault('render-limit', /it took longer than 0\.02 s/, failing(never, { timeMs: 20, graceMs: 20 }));
  const patient = custom(
    'tool',
    (_tree, _spec, { signal }) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('ended')))),
  );
  await fault('render-limit', /it took longer than 0\.02 s/, failing(patient, { timeMs: 20, graceMs: 60_000 }));
  const greedy = custom('tool', async (all) => {
    for (;;) await all.read('a/x.yaml');
  });
  await fault('render-limit', /more than 5 files/, failing(greedy, { fileCount: 5 }));
  await fault(
    'render-limit',
    /more than 0 objects/,
    failing(
      custom('tool', async () => 1),
      { manifestCount: 0 },
    ),
  );
  const refused = new Fault('repository-unreachable', 'gone');
  assert.equal(await failing(custom('tool', () => Promise.reject(refused))).catch((error: unknown) => error), refused);
  await fault(
    'render-failed',
    /the renderer tool failed: boom/,
    failing(custom('tool', () => Promise.reject(new TypeError('boom')))),
  );
});

test('the same request at the same time is rendered once, and only so many at once', async () => {
  let running = 0;
  let most = 0;
  let renders = 0;
  const slow = custom('tool', async () => {
    renders += 1;
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
  });
  const facts: RenderFacts[] = [];
  const pool = open([slow], { limits: { rendersAtOnce: 3 }, onRendered: (fact) => facts.push(fact) });
  const tree = gitTreeOf({ 'a/tool.txt': '' });
  const apiVersions = ['v1'];
  const names = Array.from({ length: 10 }, (_, index) => `app-${index}`);
  const all = [...names, ...names].map((appName) => pool.render(tree, request('a', { appName, apiVersions }), cached));
  const answers = await Promise.all(all);
  assert.deepEqual([renders, most], [10, 3]);
  assert.equal(answers[0]?.manifests, answers[10]?.manifests);
  await pool.render(tree, request('a', { appName: 'app-3', apiVersions }), cached);
  assert.deepEqual([facts.length, facts.at(-1)?.cached], [11, true]);
});

test('what is remembered is bounded by bytes', async () => {
  const pool = open([plainRenderer], { limits: { cacheBytes: 20_000 } });
  const tree = gitTreeOf({ 'a/x.yaml': configMap('x', 'v'.repeat(5_000)) });
  const names = Array.from({ length: 10 }, (_, index) => `app-${index}`);
  for (const appName of names) await pool.render(tree, request('a', { appName }), cached);
  assert.equal((await pool.render(tree, request('a', { appName: 'app-9' }), cached)).rendered, false);
  assert.equal((await pool.render(tree, request('a', { appName: 'app-0' }), cached)).rendered, true);
});

test('files that links lead to over and over are read one after the other, up to a number of bytes', async () => {
  const megabyte = 'x'.repeat(1_000_000);
  let held = 0;
  let most = 0;
  const files = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`a/${index}.bin`, megabyte]));
  const tree = gitTreeOf({ 'a/greedy.txt': '', ...files });
  const counting: GitTree = {
    ...tree,
    async read(path) {
      held += 1;
      most = Math.max(most, held);
      await new Promise((resolve) => setImmediate(resolve));
      held -= 1;
      return tree.read(path);
    },
  };
  const greedy = custom('greedy', async (given) => {
    await Promise.all(Object.keys(files).map((path) => given.read(path)));
  });
  const pool = open([greedy], { limits: { inputBytes: 3_000_000 } });
  await assert.rejects(pool.render(counting, request('a'), { fresh: false }), {
    code: 'render-limit',
    message: /more than 3000000 bytes of files are read; split the application, or raise the limit inputBytes/,
  });
  assert.equal(most, 1);
});

test('endless renders of one engine keep neither its other renders nor those of others waiting, and their time begins when they do', async () => {
  const began: string[] = [];
  const engine = custom(
    'engine',
    (_, spec, { signal }) => {
      began.push(spec.appName);
      if (!spec.appName.startsWith('endless')) return Promise.resolve();
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    },
    { hasEngine: true },
  );
  const pool = open([engine, plainRenderer], { limits: { timeMs: 2_000, sliceMs: 50, graceMs: 10 } });
  const tree = gitTreeOf({ 'a/engine.txt': '', 'b/x.yaml': configMap('x') });
  const endless = Array.from({ length: 4 }, (_, index) =>
    pool.render(tree, request('a', { appName: `endless-${index}` }), { fresh: true }).then(
      () => 'rendered',
      ({ code }: Fault) => code,
    ),
  );
  const startedAt = performance.now();
  await pool.render(tree, request('a', { appName: 'good' }), { fresh: true });
  await pool.render(tree, request('b', { appName: 'plain' }), { fresh: true });
  const goodMs = performance.now() - startedAt;
  assert.ok(goodMs < 1_500, `${Math.round(goodMs)} ms`);
  assert.ok(began.includes('good'));
  // Each had its whole time, one after the other.
  assert.deepEqual(await Promise.all(endless), Array(4).fill('render-limit'));
  assert.ok(performance.now() - startedAt > 6_000);
});

test('what was rendered comes with a fault only where it was asked for', async () => {
  const renderer = custom('custom', async (_tree, _spec, { debug }) => {
    throw new RenderError('syntax', 'a.yaml: no YAML', debug === true ? { rendered: 'a: b: c' } : {});
  });
  for (const debug of [undefined, true] as const) {
    const pool = open([renderer], debug === undefined ? {} : { debug });
    const tree = gitTreeOf({ 'apps/a/custom.txt': '' });
    const { cause } = await fault('render-failed', /no YAML/, pool.render(tree, request('apps/a'), cached));
    assert.ok(cause instanceof RenderError);
    assert.equal(cause.rendered, debug && 'a: b: c');
  }
});
