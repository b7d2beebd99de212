import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readElf } from './elf.ts';

test('the running Node needs the libraries that the system has mapped into it', {
  skip: process.platform !== 'linux',
}, () => {
  const elf = readElf(readFileSync(process.execPath));
  const maps = readFileSync('/proc/self/maps', 'utf8');
  assert.match(elf?.interpreter ?? '', /^\/lib.*\/ld-linux/);
  assert.ok(elf?.needed.includes('libc.so.6'), String(elf?.needed));
  for (const name of elf?.needed ?? []) assert.ok(maps.includes(`/${name}`), name);
});

test('anything else is no program', () => {
  for (const content of ['', '#!/bin/sh\n', '\x7fELF']) assert.equal(readElf(Buffer.from(content)), undefined);
  assert.equal(readElf(readFileSync(new URL(import.meta.url))), undefined);
});
