import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type Apt, debPath, fieldOf, openApt } from './apt.ts';
import { type Arch, everyArch } from './arch.ts';
import type { Component } from './component.ts';
import { checkNames, choose, type DebianLock, type LockedPackage, newest } from './debian-lock.ts';
import { readElf } from './elf.ts';
import { licensesOfDebian } from './license.ts';
import { type Progress, step } from './progress.ts';
import type { FileEntry, Files } from './tar.ts';

const run = promisify(execFile);

const lockFile = join(import.meta.dirname, 'debian.lock.json');

/** The packages that files of the image come from. A library that is missing here is named by an error of the build, and so is a package that gives nothing. */
const wanted: readonly string[] = [
  ...['base-files', 'ca-certificates', 'git', 'openssh-client', 'tini'],
  ...['libatomic1', 'libc6', 'libgcc-s1', 'libstdc++6', 'gcc-12-base'],
  // Of git and ssh.
  ...['libcom-err2', 'libgssapi-krb5-2', 'libk5crypto3', 'libkeyutils1', 'libkrb5-3', 'libkrb5support0'],
  ...['libpcre2-8-0', 'libselinux1', 'libssl3', 'zlib1g'],
  // Of git where it speaks HTTP itself: servers without protocol 2, and short ids of commits.
  ...[
    'libbrotli1',
    'libcurl3-gnutls',
    'libffi8',
    'libgmp10',
    'libgnutls30',
    'libhogweed6',
    'libidn2-0',
    'libldap-2.5-0',
  ],
  ...['libnettle8', 'libnghttp2-14', 'libp11-kit0', 'libpsl5', 'librtmp1', 'libsasl2-2', 'libssh2-1', 'libtasn1-6'],
  ...['libunistring2', 'libzstd1'],
];

const programs = ['/usr/bin/git', '/usr/bin/ssh', '/usr/bin/tini', '/usr/lib/git-core/git-remote-http'];
const links = ['/usr/lib/git-core/git-remote-https'];
const tuples: Readonly<Record<Arch, string>> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** How `debianFiles` is called. */
export interface DebianOptions {
  readonly arch: Arch;
  /** Folder for what is fetched; it may be deleted at any time. */
  readonly cache: string;
  /** Whether a package that is served in another version only is an error. */
  readonly locked: boolean;
  /** A program beside Debian's own that libraries are for. */
  readonly program: Buffer;
  readonly onProgress: Progress;
}

/** What `debianFiles` gives. */
export interface DebianPart {
  readonly files: Files;
  readonly components: readonly Component[];
  /** `debian`, and the number of its release. */
  readonly system: { readonly name: string; readonly version: string };
}

/**
 * The part of the image that is Debian's: git, ssh, the libraries and certificates that they and Node need, licences, and for scanners what these are. Packages come from
 * the system's apt the first time. Throws where that cannot be, where they lack a library, and where `locked` does not hold.
 */
export async function debianFiles(options: DebianOptions): Promise<DebianPart> {
  const { arch, cache, onProgress } = options;
  const lock = await readLock();
  const debs = join(cache, 'debs');
  const packages = await fetchPackages(options, lock, debs);
  const unpacked = await step(onProgress, `unpacking ${packages.length} packages for ${arch}`, async () => {
    const folders: Unpacked[] = [];
    for (const one of packages) folders.push(await unpack(one, debs, join(cache, 'extracted')));
    return folders;
  });
  const files = await selectFiles(unpacked, tuples[arch], options.program);
  const release = files['/usr/lib/os-release'];
  const described = release !== undefined && 'content' in release ? release.content.toString('utf8') : '';
  const version = /^VERSION_ID="?([^"\n]*)/m.exec(described)?.[1] ?? lock.release;
  return {
    files,
    components: unpacked.map((one) => componentOf(one, arch, version, files)),
    system: { name: 'debian', version },
  };
}

/** Writes what is served now into the lock, for every kind of machine. */
export async function updateLock(cache: string, onProgress: Progress): Promise<void> {
  const { release } = await readLock();
  const packages: Partial<Record<Arch, LockedPackage[]>> = {};
  for (const arch of everyArch) {
    const apt = await updatedApt(arch, release, cache, onProgress);
    packages[arch] = newest(wanted, await apt.served(wanted));
  }
  await writeFile(lockFile, `${JSON.stringify({ release, packages }, null, 2)}\n`);
}

async function readLock(): Promise<DebianLock> {
  return JSON.parse(await readFile(lockFile, 'utf8')) as DebianLock;
}

async function updatedApt(arch: Arch, release: string, cache: string, onProgress: Progress): Promise<Apt> {
  const apt = await openApt(arch, release, join(cache, `apt-${arch}`));
  await step(onProgress, `asking apt for the packages for ${arch}`, () => apt.update());
  return apt;
}

async function fetchPackages(
  options: DebianOptions,
  lock: DebianLock,
  debs: string,
): Promise<readonly LockedPackage[]> {
  const { arch, cache, locked, onProgress } = options;
  const inLock = lock.packages[arch];
  checkNames(wanted, inLock);
  const isMissing = ({ sha256 }: LockedPackage): boolean => !existsSync(debPath(debs, sha256));
  if (!inLock.some(isMissing)) return inLock;
  const apt = await updatedApt(arch, lock.release, cache, onProgress);
  const { packages, differences } = choose(wanted, inLock, await apt.served(wanted));
  if (locked && differences.length > 0) {
    throw new Error(`for ${arch}, ${differences.join('; ')}: run \`node image/main.ts --update-lock\``);
  }
  for (const difference of differences) {
    onProgress(
      `WARNING: for ${arch}, ${difference}: it is taken, and the digest will not be the usual one of this commit`,
    );
  }
  const missing = packages.filter(isMissing);
  if (missing.length === 0) return packages;
  await step(onProgress, `fetching ${missing.length} packages for ${arch}`, () => apt.fetch(missing, debs));
  return packages;
}

/** What a package holds. */
interface Unpacked extends LockedPackage {
  /** Paths in an image where `/lib` and `/bin` are in `/usr`, to those on disk. */
  readonly paths: ReadonlyMap<string, string>;
  /** Its paragraph of deb-control(5). */
  readonly control: string;
}

async function unpack(one: LockedPackage, debs: string, into: string): Promise<Unpacked> {
  const folder = join(into, one.sha256);
  if (!existsSync(folder)) {
    await mkdir(into, { recursive: true });
    const scratch = await mkdtemp(join(into, 'unpacking-'));
    await run('dpkg-deb', ['--raw-extract', debPath(debs, one.sha256), scratch]);
    await rename(scratch, folder).catch(async (error: NodeJS.ErrnoException) => {
      await rm(scratch, { recursive: true, force: true });
      // Another build was faster.
      if (error.code !== 'ENOTEMPTY') throw error;
    });
  }
  const paths = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory()) paths.set(merged(`/${relative(folder, path)}`), path);
  }
  return { ...one, paths, control: await readFile(join(folder, 'DEBIAN', 'control'), 'utf8') };
}

/** The path where `/lib`, `/lib64`, `/bin` and `/sbin` are links into `/usr`. */
function merged(path: string): string {
  return path.replace(/^\/(?=(?:lib|lib64|bin|sbin)\/)/, '/usr/');
}

/** What is taken of the packages: programs with all libraries that they load, certificates, and what has to be told of each package. */
async function selectFiles(packages: readonly Unpacked[], tuple: string, program: Buffer): Promise<Files> {
  const files: Record<string, FileEntry> = {
    '/bin': { linkTo: 'usr/bin' },
    '/lib': { linkTo: 'usr/lib' },
    '/lib64': { linkTo: 'usr/lib64' },
    '/etc/os-release': { linkTo: '../usr/lib/os-release' },
  };
  const used = new Set<string>();
  const ownerOf = (path: string): Unpacked | undefined => packages.find(({ paths }) => paths.has(path));

  /** Takes the file at a path, and where it is a link also what it leads to. Answers the content of the file in the end. */
  const take = async (path: string): Promise<Buffer> => {
    const owner = ownerOf(path);
    const onDisk = owner?.paths.get(path);
    if (owner === undefined || onDisk === undefined) throw new Error(`no package of image/debian.ts has ${path}`);
    used.add(owner.name);
    const status = await lstat(onDisk);
    if (status.isSymbolicLink()) {
      const linkTo = await readlink(onDisk);
      files[path] = { linkTo };
      return take(merged(linkTo.startsWith('/') ? linkTo : join(dirname(path), linkTo)));
    }
    const content = await readFile(onDisk);
    files[path] = { content, mode: (status.mode & 0o111) === 0 ? 0o644 : 0o755 };
    return content;
  };

  const takeLibraries = async (of: string, content: Buffer): Promise<void> => {
    const elf = readElf(content);
    if (elf === undefined) throw new Error(`${of} is no program for 64-bit Linux`);
    if (elf.interpreter !== undefined) await take(merged(elf.interpreter));
    for (const name of elf.needed) {
      const path = [`/usr/lib/${tuple}/${name}`, `/usr/lib/${name}`].find((one) => ownerOf(one) !== undefined);
      if (path === undefined) throw new Error(`no package of image/debian.ts has ${name}, which ${of} needs`);
      if (!(path in files)) await takeLibraries(path, await take(path));
    }
  };

  await takeLibraries('node', program);
  for (const path of programs) await takeLibraries(path, await take(path));
  for (const path of [...links, '/usr/lib/os-release']) await take(path);
  files['/etc/ssl/certs/ca-certificates.crt'] = { content: await certificates(packages) };
  used.add('ca-certificates');

  for (const path of packages.flatMap(({ paths }) => [...paths.keys()])) {
    if (path.startsWith('/usr/share/common-licenses/')) await take(path);
  }
  const needed = new Set(used);
  for (const { name, control } of packages) {
    files[`/var/lib/dpkg/status.d/${name}`] = { content: Buffer.from(`${control.trim()}\n`) };
    const documents = `/usr/share/doc/${name}`;
    const onDisk = ownerOf(documents)?.paths.get(documents);
    if (onDisk === undefined) await take(`${documents}/copyright`);
    else {
      // Packages of one source share what is to be told of them.
      const linkTo = await readlink(onDisk);
      files[documents] = { linkTo };
      needed.add(linkTo);
    }
  }
  const unused = packages.find(({ name }) => !needed.has(name));
  if (unused !== undefined) throw new Error(`nothing of ${unused.name} is used: take it out of image/debian.ts`);
  return files;
}

/** All certificates that Debian trusts, in one file: as its `update-ca-certificates` writes it. */
async function certificates(packages: readonly Unpacked[]): Promise<Buffer> {
  const found = packages
    .flatMap(({ paths }) => [...paths])
    .filter(([path]) => path.startsWith('/usr/share/ca-certificates/') && path.endsWith('.crt'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (found.length === 0) throw new Error('ca-certificates has no certificates');
  const texts = await Promise.all(found.map(([, onDisk]) => readFile(onDisk, 'utf8')));
  return Buffer.from(texts.map((text) => `${text.trimEnd()}\n`).join(''));
}

function componentOf({ name, version, control }: Unpacked, arch: Arch, system: string, files: Files): Component {
  const copyright = files[`/usr/share/doc/${name}/copyright`];
  const text = copyright !== undefined && 'content' in copyright ? copyright.content.toString('utf8') : '';
  const source = fieldOf(control, 'Source').replace(/ .*/, '') || name;
  const qualifiers = [
    `arch=${fieldOf(control, 'Architecture') || arch}`,
    `distro=debian-${system}`,
    `upstream=${source}`,
  ];
  const escaped = encodeURIComponent(version).replaceAll('%3A', ':');
  return {
    type: 'library',
    name,
    version,
    purl: `pkg:deb/debian/${encodeURIComponent(name)}@${escaped}?${qualifiers.join('&')}`,
    licenses: licensesOfDebian(text),
  };
}
