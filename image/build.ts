import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EngineModules } from '@mooring/go-wasm/build';
import { type Arch, machineArch } from './arch.ts';
import { bundle } from './bundle.ts';
import type { Component } from './component.ts';
import { debianFiles } from './debian.ts';
import { type Layer, layerOf } from './layer.ts';
import { nodeFiles } from './node.ts';
import { goComponents, noticesOf, npmComponent } from './notices.ts';
import { type ContainerConfig, digestOf, imageOf, indexOf, type OciImage, writeArchive, writeLayout } from './oci.ts';
import type { Progress } from './progress.ts';
import { billOf } from './sbom.ts';
import type { FileEntry, Files } from './tar.ts';

const root = join(import.meta.dirname, '..');

/** Folder that images are written to; Git ignores it. */
export const imageFolder: string = join(root, '.mooring', 'image');

/** The chart's default. */
const defaultName = 'ghcr.io/mooring-cd/mooring';
const source = 'https://github.com/mooring-cd/mooring';
const license = 'Apache-2.0';
/** The user that everything runs as, and its group. */
const userId = 65_532;
const port = 8_080;

/** How images are built; everything has a default. */
export interface ImagesOptions {
  /** Default: this machine's alone. */
  readonly arches?: readonly Arch[];
  /** Name without a tag. Default: the chart's. */
  readonly name?: string;
  /** Whether a package of Debian that is served in another version only is an error. Default: no, a line tells of it. */
  readonly locked?: boolean;
  /** Default: `imageFolder`. */
  readonly into?: string;
  /** Folder for what was fetched and compressed; it may be deleted. Default: `cache` in `imageFolder`. */
  readonly cache?: string;
  readonly onProgress?: Progress;
}

/** An image that was built. */
export interface Image {
  readonly arch: Arch;
  /** Name and tag that the archive is imported under. */
  readonly reference: string;
  /** Of its manifest: `sha256:…`. */
  readonly digest: string;
  /** The image as one file, for `ctr images import`. */
  readonly archive: string;
  /** Its bill of materials: CycloneDX in JSON. */
  readonly bill: string;
  readonly layers: readonly Layer[];
}

/** Images for several kinds of machines in one OCI layout. */
export interface Images {
  /** Of the index: `sha256:…`. */
  readonly digest: string;
  /** The version of the operator, which is the tag. */
  readonly version: string;
  /** Folder of the OCI layout. */
  readonly layout: string;
  readonly images: readonly Image[];
}

/** Builds the image for one kind of machine, this one's by default, as `buildImages` does. */
export async function buildImage(
  options: Omit<ImagesOptions, 'arches'> & { readonly arch?: Arch } = {},
): Promise<Image> {
  const { arch = machineArch(), ...rest } = options;
  const { images } = await buildImages({ ...rest, arches: [arch] });
  return images[0] as Image;
}

/**
 * Builds images: an OCI layout `oci` of all, and for each kind of machine an archive `mooring-<arch>.tar` and a bill of materials `mooring-<arch>.cdx.json`. The same
 * commit gives the same digests. What was fetched and compressed before is used again. Throws where a part is missing or is not what it should be.
 */
export async function buildImages(options: ImagesOptions = {}): Promise<Images> {
  const into = options.into ?? imageFolder;
  const cache = options.cache ?? join(imageFolder, 'cache');
  const onProgress = options.onProgress ?? ((): void => {});
  const layout = join(into, 'oci');
  const program = await buildProgram();
  const commit = await readCommit();
  const reference = `${options.name ?? defaultName}:${program.version}`;
  const labels = labelsOf(program.version, commit);
  await mkdir(into, { recursive: true });
  const made: (OciImage & { readonly bill: string })[] = [];
  for (const arch of options.arches ?? [machineArch()]) {
    const setting = { arch, cache, locked: options.locked ?? false, onProgress };
    made.push(await buildFor(setting, program, labels, commit.date));
  }
  const index = indexOf(made, labels);
  await writeLayout(layout, index, made, reference);
  const images = [];
  for (const one of made) {
    const archive = join(into, `mooring-${one.arch}.tar`);
    const bill = join(into, `mooring-${one.arch}.cdx.json`);
    await writeArchive(archive, one, reference);
    await writeFile(bill, one.bill);
    images.push({ arch: one.arch, reference, digest: one.digest, archive, bill, layers: one.layers });
  }
  return { digest: digestOf(index), version: program.version, layout, images };
}

/** What is the same for every kind of machine. */
interface Program {
  readonly version: string;
  /** The operator, without its bill of materials. */
  readonly files: Files;
  readonly engines: Files;
  readonly components: readonly Component[];
}

async function buildProgram(): Promise<Program> {
  const { version } = JSON.parse(await readFile(join(root, 'operator', 'package.json'), 'utf8')) as { version: string };
  const { scripts, assets, packages } = await bundle('operator/src/main.ts');
  const files: Record<string, FileEntry> = {
    '/app/package.json': { content: Buffer.from(`${JSON.stringify({ name: 'mooring', version, type: 'module' })}\n`) },
    '/app/LICENSE': { content: await readFile(join(root, 'LICENSE')) },
    '/usr/bin/mooring-operator': { linkTo: '../../app/main.js' },
  };
  for (const [name, script] of scripts) files[`/app/${name}`] = { content: script };
  files['/app/main.js'] = {
    content: Buffer.concat([
      Buffer.from('#!/usr/bin/node --max-semi-space-size=8\n'),
      scripts.get('main.js') ?? Buffer.alloc(0),
    ]),
    mode: 0o755,
  };
  const engines: Record<string, FileEntry> = {};
  const modules: EngineModules[] = [];
  for (const asset of assets) {
    if (!asset.endsWith('.wasm')) {
      files[`/app/${asset}`] = { content: await readBuilt(asset) };
      continue;
    }
    const state = asset.replace(/\.wasm$/, '.state');
    for (const file of [asset, state]) engines[`/app/${file}`] = { content: await readBuilt(file) };
    modules.push(JSON.parse((await readBuilt(asset.replace(/\.wasm$/, '.modules.json'))).toString('utf8')));
  }
  const npm = await Promise.all(packages.map((folder) => npmComponent(join(root, folder))));
  const components = [...npm, ...goComponents(modules)];
  files['/app/LICENSES'] = { content: Buffer.from(noticesOf(components)) };
  return { version, files, engines, components };
}

async function readBuilt(path: string): Promise<Buffer> {
  const file = join(root, path);
  if (!existsSync(file)) throw new Error(`there is no ${path}: run \`make wasm\``);
  return readFile(file);
}

interface Setting {
  readonly arch: Arch;
  readonly cache: string;
  readonly locked: boolean;
  readonly onProgress: Progress;
}

/** What changes least comes first, so that an upgrade moves little. */
async function buildFor(
  setting: Setting,
  program: Program,
  labels: Readonly<Record<string, string>>,
  created: string,
): Promise<OciImage & { readonly bill: string }> {
  const { arch, cache, onProgress } = setting;
  const node = await nodeFiles(arch, join(cache, 'node'), onProgress);
  const debian = await debianFiles({ ...setting, cache: join(cache, 'debian'), program: node.program });
  const subject = { name: 'mooring', version: program.version, license, arch, system: debian.system, created };
  const bill = billOf(subject, [...program.components, node.component, ...debian.components]);
  const contents: readonly (readonly [name: string, files: Files])[] = [
    [`Debian ${debian.system.version}`, { ...debian.files, ...systemFiles }],
    [`Node ${node.component.version}`, node.files],
    ['Helm and Kustomize', program.engines],
    [`Mooring ${program.version}`, { ...program.files, '/app/sbom.cdx.json': { content: Buffer.from(bill) } }],
  ];
  const layers: Layer[] = [];
  for (const [name, files] of contents) {
    layers.push(await layerOf(`${name} for ${arch}`, files, join(cache, 'layers'), onProgress));
  }
  return { ...imageOf(arch, layers, container(labels), created), bill };
}

/** The users, and the folders that may be written to. ssh does not run as somebody without a name. */
const systemFiles: Files = {
  '/etc/passwd': {
    content: Buffer.from(
      `root:x:0:0:root:/root:/usr/sbin/nologin\nmooring:x:${userId}:${userId}:Mooring:/home/mooring:/usr/sbin/nologin\n`,
    ),
  },
  '/etc/group': { content: Buffer.from(`root:x:0:\nmooring:x:${userId}:\n`) },
  '/etc/nsswitch.conf': { content: Buffer.from('passwd: files\ngroup: files\nhosts: files dns\n') },
  // Known hosts are mounted here.
  '/etc/ssh': { folder: true },
  '/data': { folder: true, owner: userId },
  '/home/mooring': { folder: true, owner: userId },
  '/tmp': { folder: true, mode: 0o1777 },
};

/** The operator with the settings that `operator/bin/mooring-operator` starts it with; tini waits for processes that lost their parent, as a killed git's transports do. */
function container(labels: Readonly<Record<string, string>>): ContainerConfig {
  return {
    User: `${userId}:${userId}`,
    ExposedPorts: { [`${port}/tcp`]: {} },
    Env: ['PATH=/usr/bin', 'MALLOC_ARENA_MAX=2', 'MALLOC_MMAP_THRESHOLD_=131072'],
    Entrypoint: ['/usr/bin/tini', '--', '/usr/bin/node', '--max-semi-space-size=8', '/app/main.js', '--data', '/data'],
    WorkingDir: '/data',
    Labels: labels,
  };
}

function labelsOf(version: string, commit: Commit): Readonly<Record<string, string>> {
  const prefix = 'org.opencontainers.image.';
  const labels = {
    title: 'Mooring',
    description: 'Keeps Kubernetes clusters equal to what Git says',
    source,
    version,
    revision: commit.id,
    created: commit.date,
    licenses: license,
    'base.name': 'scratch',
  };
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`${prefix}${name}`, value]));
}

interface Commit {
  /** With `-dirty` behind it where files differ from it. */
  readonly id: string;
  /** RFC 3339, in whole seconds. */
  readonly date: string;
}

/** The commit that is checked out. The time of `SOURCE_DATE_EPOCH` wins over that of the commit. */
async function readCommit(): Promise<Commit> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', root, ...args])).stdout.trim();
  const [id = '', seconds = ''] = (await git('log', '-1', '--format=%H %ct')).split(' ');
  const isDirty = (await git('status', '--porcelain')) !== '';
  const epoch = Number(process.env['SOURCE_DATE_EPOCH'] ?? seconds);
  return { id: `${id}${isDirty ? '-dirty' : ''}`, date: new Date(epoch * 1_000).toISOString().replace('.000Z', 'Z') };
}
