import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ImageSpec, imageTar } from './images.ts';

const spec: ImageSpec = {
  name: 'mooring.local/sample:1',
  files: {
    '/bin/program': { content: Buffer.from('#!/bin/sh\n'), mode: 0o755 },
    '/bin/alias': { linkTo: 'program' },
    '/etc/sample/config': { content: Buffer.alloc(513, 'x') },
  },
  entrypoint: ['/bin/program'],
  env: ['A=1'],
};

test('an image archive is read by tar, and its config tells the digest of its layer', () => {
  const dir = mkdtempSync(join(tmpdir(), 'mooring-image-'));
  try {
    writeFileSync(join(dir, 'image.tar'), imageTar(spec));
    execFileSync('tar', ['-xf', 'image.tar'], { cwd: dir });
    const [manifest] = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    assert.deepEqual(manifest.RepoTags, ['mooring.local/sample:1']);
    const config = JSON.parse(readFileSync(join(dir, manifest.Config), 'utf8'));
    assert.deepEqual(config.config, { Entrypoint: ['/bin/program'], Cmd: [], Env: ['A=1'] });
    const layer = readFileSync(join(dir, manifest.Layers[0]));
    assert.deepEqual(config.rootfs.diff_ids, [`sha256:${createHash('sha256').update(layer).digest('hex')}`]);

    const listing = execFileSync('tar', ['-tf', manifest.Layers[0]], { cwd: dir, encoding: 'utf8' });
    assert.deepEqual(listing.trim().split('\n'), [
      'bin/',
      'bin/alias',
      'bin/program',
      'etc/',
      'etc/sample/',
      'etc/sample/config',
    ]);
    execFileSync('tar', ['-xf', manifest.Layers[0]], { cwd: dir });
    assert.equal(readFileSync(join(dir, 'bin/alias'), 'utf8'), '#!/bin/sh\n');
    assert.equal(statSync(join(dir, 'bin/program')).mode & 0o777, 0o755);
    assert.equal(readFileSync(join(dir, 'etc/sample/config')).length, 513);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the same image has the same bytes, and a path that tar has no room for is refused', () => {
  assert.deepEqual(imageTar(spec), imageTar(spec));
  const long = { name: 'x:1', files: { [`/${'a'.repeat(101)}`]: { content: Buffer.alloc(0) } } };
  assert.throws(() => imageTar(long), /longer than 100 bytes/);
});
