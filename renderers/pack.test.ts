import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { onDisk } from '@mooring/go-wasm/cases';
import { packRenderers } from './pack.ts';

const root = join(import.meta.dirname, '..');

/** Runs `use` in a folder where the packages are installed from their archives. */
function installed(archives: readonly string[], use: (folder: string) => void): Promise<void> {
  return onDisk({ 'package.json': '{"type": "module"}' }, (folder) => {
    for (const archive of archives) {
      const described = execFileSync('tar', ['-xOzf', archive, 'package/package.json'], { encoding: 'utf8' });
      const target = join(folder, 'node_modules', (JSON.parse(described) as { name: string }).name);
      mkdirSync(target, { recursive: true });
      execFileSync('tar', ['-xzf', archive, '-C', target, '--strip-components=1']);
    }
    // What they depend on is taken from here rather than from a registry.
    for (const name of ['@types', 'undici-types']) {
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    }
    use(folder);
  });
}

/** The first example of a README. */
function exampleOf(name: string): string {
  return /^```ts\n(.*?)^```/ms.exec(readFileSync(join(import.meta.dirname, name, 'README.md'), 'utf8'))?.[1] ?? '';
}

describe('installed from their archives', () => {
  let archives: readonly string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'packages-'));
  before(() => {
    archives = packRenderers(folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  const cases: readonly [name: string, output: RegExp][] = [
    ['kustomize-wasm', /name: prod-web\n {2}namespace: shop/],
    ['helm-ts-wrapper', /# Source: web\/templates\/service\.yaml\n.*name: shop/s],
  ];
  for (const [name, output] of cases) {
    test(`${name} runs its README's example`, () =>
      installed(archives, (folder) => {
        writeFileSync(join(folder, 'example.js'), `${exampleOf(name)}console.log(yaml, objects.length, warnings);\n`);
        assert.match(execFileSync(process.execPath, ['example.js'], { cwd: folder, encoding: 'utf8' }), output);
      }));
  }

  test('they have types, a licence and a README', () =>
    installed(archives, (folder) => {
      for (const [name] of cases) writeFileSync(join(folder, `${name}.ts`), exampleOf(name));
      writeFileSync(
        join(folder, 'wrong.ts'),
        "import { createHelm } from 'helm-ts-wrapper';\n// @ts-expect-error\nawait createHelm({ idleMs: 'long' });\n",
      );
      const options = ['--module', 'nodenext', '--target', 'esnext', '--strict', '--noEmit', '--types', 'node'];
      execFileSync(
        process.execPath,
        [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...cases.map(([name]) => `${name}.ts`), 'wrong.ts'],
        { cwd: folder, stdio: 'pipe' },
      );
      for (const [name] of cases) {
        for (const file of ['LICENSE', 'README.md']) readFileSync(join(folder, 'node_modules', name, file));
      }
    }));
});
