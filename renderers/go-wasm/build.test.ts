import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const shared = ['contract', 'go-wasm'];
const engines = [
  ['kustomize-wasm', 'kustomize'],
  ['helm-ts-wrapper', 'helm'],
] as const;

describe('an engine that is built elsewhere has the same bytes', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'a longer path than that of the repository '));
  before(() => {
    for (const name of [...shared, ...engines.map(([folder]) => folder)]) {
      const filter = (path: string): boolean => !['dist', 'testdata'].includes(basename(path));
      cpSync(join(root, 'renderers', name), join(elsewhere, 'renderers', name), { recursive: true, filter });
    }
    const modules = join(elsewhere, 'node_modules');
    mkdirSync(join(modules, '@mooring'), { recursive: true });
    symlinkSync(join(elsewhere, 'renderers', 'go-wasm'), join(modules, '@mooring', 'go-wasm'));
    symlinkSync(join(elsewhere, 'renderers', 'contract'), join(modules, '@mooring', 'renderer-contract'));
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name !== '@mooring') symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
  });
  after(() => rmSync(elsewhere, { recursive: true }));

  for (const [folder, name] of engines) {
    test(name, () => {
      execFileSync(process.execPath, [join(elsewhere, 'renderers', folder, 'build.ts')], { stdio: 'pipe' });
      for (const end of ['wasm', 'state', 'modules.json']) {
        const [here, there] = [root, elsewhere].map((from) =>
          readFileSync(join(from, 'renderers', folder, 'dist', `${name}.${end}`)),
        ) as [Buffer, Buffer];
        assert.ok(here.equals(there), `${name}.${end} differs`);
      }
    });
  }
});
