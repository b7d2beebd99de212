import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Bundle, bundle } from './bundle.ts';

const root = join(import.meta.dirname, '..');

describe('a bundle', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'mooring-bundle-'));
  after(() => rmSync(scratch, { recursive: true }));
  let count = 0;

  /** Writes a bundle where nothing of the repository can be found, and runs it. */
  const run = ({ scripts, assets }: Bundle, ...args: readonly string[]): string => {
    count += 1;
    const folder = join(scratch, `bundle-${count}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    for (const [name, script] of scripts) writeFileSync(join(folder, name), script);
    for (const asset of assets) {
      mkdirSync(dirname(join(folder, asset)), { recursive: true });
      for (const file of [asset, asset.replace(/\.wasm$/, '.state')]) cpSync(join(root, file), join(folder, file));
    }
    return execFileSync(process.execPath, [join(folder, 'main.js'), ...args], { cwd: folder, encoding: 'utf8' });
  };

  test('of the operator runs, holds the packages it names, and has the same bytes each time', async () => {
    const operator = await bundle('operator/src/main.ts');
    assert.match(run(operator, '--help'), /mooring-operator \[options\]/);
    assert.ok(operator.packages.includes('node_modules/undici'), operator.packages.join(' '));
    assert.deepEqual([...operator.assets].sort(), [
      'renderers/helm-ts-wrapper/dist/helm.wasm',
      'renderers/kustomize-wasm/dist/kustomize.wasm',
    ]);
    assert.deepEqual((await bundle('operator/src/main.ts')).scripts, operator.scripts);
  });

  test('finds engines and their threads', async () => {
    const helm = await bundle('renderers/helm-ts-wrapper/example.ts');
    assert.match(run(helm), /- port: 8080\n[\s\S]*1 object\n/);
    const kustomize = await bundle('renderers/kustomize-wasm/example.ts');
    assert.match(run(kustomize), /namespace: shop\n[\s\S]*2 objects\n/);
  });

  test('of a module that finds itself in another way is refused by name and line', async () => {
    const entry = join(scratch, 'entry.ts');
    writeFileSync(entry, 'const a = 1;\nconsole.log(a, import.meta.dirname);\n');
    await assert.rejects(bundle(entry), /entry\.ts, about line 2: .*import\.meta only works as/);
  });
});
