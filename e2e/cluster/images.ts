import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  /** Paths in the image, absolute, to their contents. Folders come by themselves. */
  readonly files: Readonly<
    Record<string, { readonly content: Buffer; readonly mode?: number } | { readonly linkTo: string }>
  >;
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
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    const start = Number(buffer.readBigUInt64LE(32));
    const size = buffer.readUInt16LE(54);
    const count = buffer.readUInt16LE(56);
    const interpreter = 3;
    return !Array.from({ length: count }, (_, n) => buffer.readUInt32LE(start + n * size)).includes(interpreter);
  } finally {
    await file.close();
  }
}

/** The image as `docker load` and `ctr images import` take it. The same spec gives the same bytes. */
export function imageTar(spec: ImageSpec): Buffer {
  const entries: TarEntry[] = [];
  const folders = new Set<string>();
  for (const [path, file] of Object.entries(spec.files)) {
    const parts = path.slice(1).split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = `${parts.slice(0, depth).join('/')}/`;
      if (folders.has(folder)) continue;
      folders.add(folder);
      entries.push({ path: folder, type: 'directory', mode: 0o755 });
    }
    const name = parts.join('/');
    if ('linkTo' in file) entries.push({ path: name, type: 'symlink', linkTo: file.linkTo, mode: 0o777 });
    else entries.push({ path: name, type: 'file', content: file.content, mode: file.mode ?? 0o644 });
  }
  const layer = tar(entries);
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
  return tar([
    { path: configName, type: 'file', content: config, mode: 0o644 },
    { path: `${layerDigest}.tar`, type: 'file', content: layer, mode: 0o644 },
    { path: 'manifest.json', type: 'file', content: Buffer.from(JSON.stringify(manifest)), mode: 0o644 },
  ]);
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
    '/tmp/.keep': { content: Buffer.alloc(0) },
    ...Object.fromEntries(links),
  };
}

type TarEntry = { readonly path: string; readonly mode: number } & (
  | { readonly type: 'file'; readonly content: Buffer }
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly linkTo: string }
);

const block = 512;
const typeFlags = { file: '0', symlink: '2', directory: '5' } as const;

/** A ustar archive (POSIX.1-1988, the format that every container tool reads) of files that root owns. */
function tar(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const content = entry.type === 'file' ? entry.content : Buffer.alloc(0);
    if (Buffer.byteLength(entry.path) > 100)
      throw new Error(`path in an image is longer than 100 bytes: ${entry.path}`);
    const header = Buffer.alloc(block);
    const octal = (value: number, offset: number, length: number): void => {
      header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
    };
    header.write(entry.path, 0, 'utf8');
    octal(entry.mode, 100, 8);
    octal(0, 108, 8);
    octal(0, 116, 8);
    octal(content.length, 124, 12);
    octal(0, 136, 12);
    // The checksum is taken with blanks in its own place.
    header.write('        ', 148, 'latin1');
    header.write(typeFlags[entry.type], 156, 'latin1');
    if (entry.type === 'symlink') header.write(entry.linkTo, 157, 'utf8');
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    parts.push(header, content, Buffer.alloc((block - (content.length % block)) % block));
  }
  parts.push(Buffer.alloc(2 * block));
  return Buffer.concat(parts);
}
