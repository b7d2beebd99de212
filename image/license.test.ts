import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EngineModules } from '@mooring/go-wasm/build';
import { licensesIn, licensesOfDebian } from './license.ts';

const root = join(import.meta.dirname, '..');

test('the licence of this repository is told by its text', () => {
  assert.deepEqual(licensesIn(readFileSync(join(root, 'LICENSE'), 'utf8')), ['Apache-2.0']);
});

test('licences are told by the texts that packages bring along', () => {
  const npm = { undici: 'MIT', once: 'ISC', '@kubernetes/client-node': 'Apache-2.0', 'prom-client': 'Apache-2.0' };
  for (const [name, license] of Object.entries(npm)) {
    assert.deepEqual(licensesIn(readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8')), [license], name);
  }
  const go = {
    'golang.org/x/text': 'BSD-3-Clause',
    'github.com/Masterminds/sprig/v3': 'MIT',
    'helm.sh/helm/v4': 'Apache-2.0',
  };
  const engine = readFileSync(join(root, 'renderers/helm-ts-wrapper/dist/helm.modules.json'), 'utf8');
  const { modules } = JSON.parse(engine) as EngineModules;
  for (const [path, license] of Object.entries(go)) {
    assert.deepEqual(licensesIn(modules.find((one) => one.path === path)?.license ?? ''), [license], path);
  }
  for (const { path, license } of modules) assert.notDeepEqual(licensesIn(license), [], path);
});

test('the licences in the fields of a copyright file of Debian', () => {
  const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';
  const fields = 'License: GPL-2+ or Expat\nLicense: LGPL-2.1\nLicense: Zlib\nLicense: public-domain\n';
  const expected = ['GPL-2.0-or-later', 'LGPL-2.1-only', 'MIT', 'Zlib', 'public-domain'];
  assert.deepEqual(licensesOfDebian(format + fields), expected);
  assert.deepEqual(licensesOfDebian(fields), []);
});
