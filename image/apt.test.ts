import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, packagesIn } from './apt.ts';

const shown = `Package: git
Version: 1:2.39.5-0+deb12u3
Description: fast, scalable revision control
 Version: of a longer text
SHA256: aa

Package: git
Version: 1:2.39.5-0+deb12u2
SHA256: bb

`;

test('what apt-cache shows is read, every version', () => {
  assert.deepEqual(packagesIn(shown), [
    { name: 'git', version: '1:2.39.5-0+deb12u3', sha256: 'aa' },
    { name: 'git', version: '1:2.39.5-0+deb12u2', sha256: 'bb' },
  ]);
});

test('a field that is missing is empty', () => {
  assert.equal(fieldOf('Package: git\n', 'Source'), '');
  assert.equal(fieldOf('Package: libk5crypto3\nSource: krb5\n', 'Source'), 'krb5');
});
