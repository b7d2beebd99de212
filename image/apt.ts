import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Arch } from './arch.ts';
import type { LockedPackage, Served } from './debian-lock.ts';

const run = promisify(execFile);

/** Debian's packages for one kind of machine, by the system's apt. */
export interface Apt {
  /** Asks what there is. Signatures are checked against the system's keys. */
  update(): Promise<void>;
  /** What is served of these packages; those that apt does not know are left out. */
  served(names: readonly string[]): Promise<ReadonlyMap<string, Served>>;
  /** Fetches the files of packages into a folder, named by their sums. Throws where one is not what it should be. */
  fetch(packages: readonly LockedPackage[], into: string): Promise<void>;
}

/**
 * Uses the sources and keys of this system, and a folder for everything else: what is installed here, and how apt is used here, is not touched and makes no difference.
 * Throws where this system is not the release of Debian asked for.
 */
export async function openApt(arch: Arch, release: string, folder: string): Promise<Apt> {
  await checkSystem(release);
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'archives', 'partial'), { recursive: true });
  await writeFile(join(folder, 'status'), '');
  const settings = [
    `APT::Architecture=${arch}`,
    `APT::Architectures::=${arch}`,
    `Dir::State=${folder}`,
    `Dir::State::status=${join(folder, 'status')}`,
    `Dir::Cache=${folder}`,
    'Dir::Etc::preferences=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::Retries=3',
    // The files are the caller's own, where the user that apt would become may not write.
    'APT::Sandbox::User=root',
  ].flatMap((setting) => ['-o', setting]);
  const apt = async (program: string, args: readonly string[], cwd: string = folder): Promise<string> => {
    try {
      const { stdout } = await run(program, [...settings, ...args], { cwd, maxBuffer: 64 * 2 ** 20 });
      return stdout;
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string };
      throw new Error(`${program} ${args[0]} for ${arch} failed: ${stderr.trim() || message}`, { cause: error });
    }
  };
  return {
    async update() {
      await apt('apt-get', ['update', '-qq', '--error-on=any']);
    },
    async served(names) {
      const all = packagesIn(await apt('apt-cache', ['show', ...names]));
      const candidates = packagesIn(await apt('apt-cache', ['show', '--no-all-versions', ...names]));
      const candidateOf = new Map(candidates.map((one) => [one.name, one]));
      return new Map(
        names
          .filter((name) => candidateOf.has(name))
          .map((name) => [name, { all: all.filter((one) => one.name === name), candidate: candidateOf.get(name) }]),
      );
    },
    async fetch(packages, into) {
      await mkdir(into, { recursive: true });
      const scratch = await mkdtemp(join(into, 'fetching-'));
      try {
        await apt(
          'apt-get',
          ['download', '-qq', ...packages.map(({ name, version }) => `${name}=${version}`)],
          scratch,
        );
        for (const file of await readdir(scratch)) {
          const sum = createHash('sha256')
            .update(await readFile(join(scratch, file)))
            .digest('hex');
          await rename(join(scratch, file), debPath(into, sum));
        }
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
      const wrong = packages.find(({ sha256 }) => !existsSync(debPath(into, sha256)));
      if (wrong !== undefined)
        throw new Error(`${wrong.name} ${wrong.version} came with another sum than ${wrong.sha256}`);
    },
  };
}

/** Where `Apt.fetch` puts a package. */
export function debPath(folder: string, sha256: string): string {
  return join(folder, `${sha256}.deb`);
}

/** Reads what `apt-cache show` prints: paragraphs of fields (deb-control(5)). */
export function packagesIn(text: string): LockedPackage[] {
  return text
    .split(/\n\n+/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => ({
      name: fieldOf(paragraph, 'Package'),
      version: fieldOf(paragraph, 'Version'),
      sha256: fieldOf(paragraph, 'SHA256'),
    }));
}

/** A field of one line in a paragraph of deb-control(5); empty where it is missing. */
export function fieldOf(paragraph: string, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, 'm').exec(paragraph)?.[1] ?? '';
}

async function checkSystem(release: string): Promise<void> {
  const described = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (name: string): string => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(described)?.[1] ?? '';
  if (value('ID') === 'debian' && value('VERSION_CODENAME') === release) return;
  throw new Error(
    `the image takes packages of Debian ${release} by the apt of this system, which is ${value('PRETTY_NAME') || 'another one'}: build it on Debian ${release}, or in a container of it`,
  );
}
