import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type Files, tarOf } from './tar.ts';

const files: Files = {
  '/usr/bin/program': { content: Buffer.from('#!'), mode: 0o755 },
  '/data': { folder: true, owner: 65_532 },
  '/usr/lib/b': { content: Buffer.alloc(513, 'x') },
  '/lib': { linkTo: 'usr/lib' },
  '/tmp': { folder: true, mode: 0o1777 },
};

test('an archive says who owns what, with sorted paths and no times', () => {
  const args = ['--list', '--verbose', '--numeric-owner', '--utc', '--file=-'];
  const listing = execFileSync('tar', args, { input: Buffer.concat(tarOf(files)), encoding: 'utf8' });
  assert.deepEqual(
    listing
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +/g, ' ')),
    [
      'drwxr-xr-x 65532/65532 0 1970-01-01 00:00 data/',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00 lib -> usr/lib',
      'drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/bin/',
      '-rwxr-xr-x 0/0 2 1970-01-01 00:00 usr/bin/program',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/lib/',
      '-rw-r--r-- 0/0 513 1970-01-01 00:00 usr/lib/b',
    ],
  );
});

test('the order in which files are named makes no difference', () => {
  const reversed = Object.fromEntries(Object.entries(files).reverse());
  assert.ok(Buffer.concat(tarOf(files)).equals(Buffer.concat(tarOf(reversed))));
});

test('paths that tar has no room for are refused', () => {
  const long = `/${'a'.repeat(101)}`;
  assert.throws(() => tarOf({ [long]: { content: Buffer.alloc(0) } }), /longer than 100 bytes/);
  assert.throws(() => tarOf({ '/link': { linkTo: long } }), /longer than 100 bytes/);
});
