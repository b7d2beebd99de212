import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readElf } from '@mooring/image/elf.ts';
import { type Files, tarOf } from '@mooring/image/tar.ts';
import { buildWeb, type Progress } from './build.ts';

/** The images that every real node has. Use them with `imagePullPolicy: IfNotPresent`, there is no registry. */
export const sampleImages = {
  webV1: 'mooring.local/web:v1',
  webV2: 'mooring.local/web:v2',
  busybox: 'mooring.local/busybox:1',
  pause: 'mooring.local/pause:1',
} as const;

/** What a container image of one layer is made of. */
export type ImageSpec = {
  /** Full name with tag. */
  readonly name: string;
  readonly files: Files;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
};

/** Where Debian's busybox-static puts its program. */
export const busyboxPath = '/bin/busybox';

/**
 * Builds the sample web server if need be and writes the sample images into a folder, for a cluster of another making such as
 * kind. Returns the paths of the archives. Throws where `busybox` is no static program.
 */
export async function sampleImageTars(dir: string, onProgress: Progress, busybox: string): Promise<string[]> {
  if (!(await isStaticProgram(busybox))) {
    throw new Error(`the sample images need a static ${busybox}: install Debian's busybox-static or its equivalent`);
  }
  return await writeSampleImages(dir, { web: await buildWeb(onProgress), busybox });
}

/** Writes the sample images as tar files into a folder and returns their paths. */
export async function writeSampleImages(dir: string, programs: { web: string; busybox: string }): Promise<string[]> {
  const web = await readFile(programs.web);
  const busybox = await readFile(programs.busybox);
  const webImage = (version: string, name: string): ImageSpec => ({
    name,
    files: { '/web': { content: web, mode: 0o755 } },
    entrypoint: ['/web'],
    env: [`VERSION=${version}`],
  });
  const specs: ImageSpec[] = [
    webImage('v1', sampleImages.webV1),
    webImage('v2', sampleImages.webV2),
    { name: sampleImages.busybox, files: busyboxFiles(busybox), cmd: ['sh'], env: ['PATH=/bin'] },
    {
      name: sampleImages.pause,
      files: { '/bin/busybox': { content: busybox, mode: 0o755 } },
      entrypoint: ['/bin/busybox', 'sleep', '2147483647'],
    },
  ];
  return await Promise.all(
    specs.map(async (spec) => {
      const path = join(dir, `${spec.name.replaceAll(/[^a-z0-9.]+/g, '-')}.tar`);
      await writeFile(path, imageTar(spec));
      return path;
    }),
  );
}

/** Whether a 64-bit ELF program names no dynamic loader: it then runs in an image of its own. */
export async function isStaticProgram(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  return readElf(await readFile(path))?.interpreter === undefined;
}

/** The image as `docker load` and `ctr images import` take it. The same spec gives the same bytes. */
export function imageTar(spec: ImageSpec): Buffer {
  const layer = Buffer.concat(tarOf(spec.files));
  const layerDigest = createHash('sha256').update(layer).digest('hex');
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Entrypoint: spec.entrypoint ?? [], Cmd: spec.cmd ?? [], Env: spec.env ?? [] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    }),
  );
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  const manifest = [{ Config: configName, RepoTags: [spec.name], Layers: [`${layerDigest}.tar`] }];
  return Buffer.concat(
    tarOf({
      [`/${configName}`]: { content: config },
      [`/${layerDigest}.tar`]: { content: layer },
      '/manifest.json': { content: Buffer.from(JSON.stringify(manifest)) },
    }),
  );
}

const busyboxCommands = [
  ...[
    'cat',
    'cp',
    'date',
    'echo',
    'env',
    'false',
    'grep',
    'head',
    'hostname',
    'httpd',
    'id',
    'kill',
    'ls',
    'mkdir',
    'mv',
    'nc',
  ],
  ...[
    'nslookup',
    'ping',
    'ps',
    'pwd',
    'rm',
    'sed',
    'seq',
    'sh',
    'sleep',
    'sort',
    'tail',
    'tee',
    'test',
    'touch',
    'tr',
    'true',
    'wget',
  ],
];

function busyboxFiles(busybox: Buffer): ImageSpec['files'] {
  const links = busyboxCommands.map((command) => [`/bin/${command}`, { linkTo: 'busybox' }] as const);
  return {
    '/bin/busybox': { content: busybox, mode: 0o755 },
    '/tmp': { folder: true, mode: 0o1777 },
    ...Object.fromEntries(links),
  };
}
