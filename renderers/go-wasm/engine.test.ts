import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RenderError, type RenderErrorCode, type Tree, treeOf } from '@mooring/renderer-contract';
import { createEngine, type Engine } from './engine.ts';

// Helm's engine is the one that can be asked for anything: its templates are programs.
const chart = 'apiVersion: v2\nname: demo\nversion: 1.0.0\n';

function request(path: string): object {
  return { path, releaseName: 'r', namespace: 'n', manifestBytes: 1_000_000, manifestCount: 100, values: {} };
}

function treeWith(template: string): Tree {
  return treeOf({ 'Chart.yaml': chart, 'templates/a.yaml': template });
}

const harmless = treeWith('a: b\n');
const endless = treeWith(
  '{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}',
);

describe('an engine', () => {
  let engine: Engine;
  before(() => {
    engine = createEngine({
      name: 'helm',
      wasm: new URL('../helm-ts-wrapper/dist/helm.wasm', import.meta.url),
    });
  });
  after(() => engine.close());

  const text = async (tree: Tree): Promise<string> =>
    new TextDecoder().decode((await engine.run(tree, request(''))).text);
  const fails = (run: Promise<unknown>, code: RenderErrorCode, message: RegExp): Promise<void> =>
    assert.rejects(run, (error) => {
      assert.ok(error instanceof RenderError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });

  test('ends a run that takes too long; those that wait go on', async () => {
    const late = engine.run(endless, request(''), { timeMs: 300 });
    const waiting = text(harmless);
    await fails(late, 'timeout', /limit of 300 ms/);
    assert.match(await waiting, /a: b/);
  });

  test('a run that takes long does not hold up the others, and their thread ends when they are done', async () => {
    const workers = (): number => (process.report.getReport() as { workers: unknown[] }).workers.length;
    const stop = new AbortController();
    const long = engine.run(endless, request(''), { signal: stop.signal });
    let ended = false;
    const rejected = assert.rejects(long, /enough/).finally(() => {
      ended = true;
    });
    for (const text of await Promise.all([1, 2, 3].map(() => engine.run(harmless, request(''))))) {
      assert.match(new TextDecoder().decode(text.text), /a: b/);
    }
    assert.equal(ended, false);
    for (let waited = 0; workers() > 1 && waited < 5_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(workers(), 1);
    stop.abort(new Error('enough'));
    await rejected;
    assert.match(await text(harmless), /a: b/);
  });

  test('ends a run that needs too much memory, and goes on', async () => {
    const greedy = treeWith('{{ $s := "x" }}{{ range until 40 }}{{ $s = print $s $s }}{{ end }}a: {{ len $s }}\n');
    await fails(engine.run(greedy, request(''), { memoryBytes: 64 * 1024 * 1024 }), 'limit', /64 MiB of memory/);
    assert.match(await text(harmless), /a: b/);
  });

  test('gives back the memory that a run took', async () => {
    const megabytes = (): number => process.memoryUsage.rss() / 1024 / 1024;
    const large = treeWith('{{ $s := repeat 150000000 "x" }}a: {{ len $s }}\n');
    await text(harmless);
    const before = megabytes();
    for (let i = 0; i < 3; i += 1) assert.match(await text(large), /a: 150000000/);
    for (let waited = 0; megabytes() > before + 100 && waited < 5_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(megabytes() < before + 100, `${before} MB have become ${megabytes()}`);
  });

  test('survives input that nests too deeply', async () => {
    const deep = treeWith(`a: ${'['.repeat(200_000)}${']'.repeat(200_000)}\n`);
    await assert.rejects(engine.run(deep, request('')), RenderError);
    assert.match(await text(harmless), /a: b/);
  });

  test('keeps nothing of a run for the next', async () => {
    const first = await engine.run(harmless, request(''));
    for (let i = 0; i < 20; i += 1) {
      await engine.run(treeWith(`{{ $x := repeat 100000 "${i}" }}a: {{ len $x }}\n`), request(''));
    }
    assert.deepEqual(await engine.run(harmless, request('')), first);
  });

  test('can be told to stop, waiting or running', async () => {
    const running = new AbortController();
    const waiting = new AbortController();
    const first = engine.run(endless, request(''), { signal: running.signal });
    const second = engine.run(harmless, request(''), { signal: waiting.signal });
    waiting.abort(new Error('no longer wanted'));
    await assert.rejects(second, /no longer wanted/);
    setTimeout(() => running.abort(new Error('enough')), 50);
    await assert.rejects(first, /enough/);
    assert.match(await text(harmless), /a: b/);
  });

  test('passes on what the tree fails with, whatever the engine would make of it', async () => {
    const broken: Tree = { ...harmless, read: () => Promise.reject(new Error('the repository is gone')) };
    await assert.rejects(engine.run(broken, request('')), /the repository is gone/);
    assert.match(await text(harmless), /a: b/);
  });

  test('starts again after it was closed', async () => {
    await engine.close();
    assert.match(await text(harmless), /a: b/);
  });

  test('ends its worker when idle', async () => {
    const idle = createEngine({
      name: 'helm',
      wasm: new URL('../helm-ts-wrapper/dist/helm.wasm', import.meta.url),
      idleMs: 20,
    });
    const workers = (): number => (process.report.getReport() as { workers: unknown[] }).workers.length;
    const before = workers();
    await idle.run(harmless, request(''));
    assert.equal(workers(), before + 1);
    for (let waited = 0; workers() > before && waited < 5_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(workers(), before);
    await idle.run(harmless, request(''));
    await idle.close();
  });

  test('says what to do where its module is not built', async () => {
    const missing = createEngine({ name: 'none', wasm: new URL('./dist/none.wasm', import.meta.url) });
    await fails(missing.run(harmless, request('')), 'crashed', /none\.wasm.*build\.ts/);
  });
});
