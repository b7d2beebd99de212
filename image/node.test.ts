import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { nodeVersion } from './node.ts';

test('the image has the Node that `make tools` installs', () => {
  const makefile = readFileSync(new URL('../Makefile', import.meta.url), 'utf8');
  assert.equal(/^NODE_VERSION := (.+)$/m.exec(makefile)?.[1], nodeVersion);
});
