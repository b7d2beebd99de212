import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { everyArch } from './arch.ts';
import { choose, type DebianLock, type LockedPackage, newest, type Served } from './debian-lock.ts';

const one = (name: string, version: string, sha256 = `${name}-${version}`): LockedPackage => ({
  name,
  version,
  sha256,
});
const served = (...versions: readonly LockedPackage[]): Served => ({ all: versions, candidate: versions[0] });

const locked = [one('git', '1'), one('tini', '1')];
const wanted = ['tini', 'git'];

describe('what is taken of Debian', () => {
  test('is what is locked, although there is something newer', () => {
    const there = new Map([
      ['git', served(one('git', '2'), one('git', '1'))],
      ['tini', served(one('tini', '1'))],
    ]);
    assert.deepEqual(choose(wanted, locked, there), { packages: locked, differences: [] });
  });

  test('is what is there where a locked version is gone, and a line says so', () => {
    const there = new Map([
      ['git', served(one('git', '2'))],
      ['tini', served(one('tini', '1'))],
    ]);
    assert.deepEqual(choose(wanted, locked, there), {
      packages: [one('git', '2'), one('tini', '1')],
      differences: ['git 1 is served no more, but 2 is'],
    });
  });

  test('is told where another file has the version that is locked', () => {
    const there = new Map([
      ['git', served(one('git', '1', 'other'))],
      ['tini', served(one('tini', '1'))],
    ]);
    assert.deepEqual(choose(wanted, locked, there), {
      packages: [one('git', '1', 'other'), one('tini', '1')],
      differences: ['git 1 is served as another file than the one in the lock'],
    });
  });

  test('is an error where a package is not there at all', () => {
    const there = new Map([['git', served(one('git', '1'))]]);
    assert.throws(() => choose(wanted, locked, there), /apt's sources have no package tini/);
    assert.throws(() => newest(wanted, there), /apt's sources have no package tini/);
  });

  test('is an error where the lock has other packages than the image', () => {
    assert.throws(
      () => choose(['git', 'zlib1g'], locked, new Map()),
      /debian\.lock\.json: it lacks zlib1g, it has tini, which is not wanted: run .*--update-lock/,
    );
  });

  test('a new lock has the newest, in the order of names', () => {
    const there = new Map([
      ['git', served(one('git', '2'), one('git', '1'))],
      ['tini', served(one('tini', '1'))],
    ]);
    assert.deepEqual(newest(wanted, there), [one('git', '2'), one('tini', '1')]);
  });
});

test('the lock of the repository has the same packages for every kind of machine, with sums', () => {
  const { packages } = JSON.parse(readFileSync(new URL('debian.lock.json', import.meta.url), 'utf8')) as DebianLock;
  const [first = [], ...others] = everyArch.map((arch) => packages[arch].map(({ name }) => name));
  assert.ok(first.includes('git'));
  for (const other of others) assert.deepEqual(other, first);
  for (const { name, sha256 } of everyArch.flatMap((arch) => packages[arch]))
    assert.match(sha256, /^[0-9a-f]{64}$/, name);
});
