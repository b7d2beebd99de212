import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of Prometheus and of the tool that checks its rules. */
export interface Binaries {
  readonly prometheus: string;
  readonly promtool: string;
}

const home = join(import.meta.dirname, '..', '..', '.tools', 'prometheus');

/**
 * The programs of this machine where they are in PATH, else those of Debian's package `prometheus`, unpacked below `.tools` and not installed: that would
 * start a service. Throws with what to do where neither can be had.
 */
export async function findPrometheus(onProgress: (line: string) => void): Promise<Binaries> {
  for (const directory of [join(home, 'usr', 'bin'), ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const found = { prometheus: join(directory, 'prometheus'), promtool: join(directory, 'promtool') };
    if (existsSync(found.prometheus) && existsSync(found.promtool)) return found;
  }
  onProgress('downloading Prometheus (Debian package prometheus, 20 MB)');
  await mkdir(join(home, '..'), { recursive: true });
  // Another test may be doing the same: each unpacks into a folder of its own, and the first one's is kept.
  const folder = await mkdtemp(`${home}-`);
  try {
    await download(folder);
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get download prometheus wrote no package');
    await run('dpkg-deb', ['--extract', join(folder, archive), folder]);
    await rm(join(folder, archive));
    await rename(folder, home).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'ENOTEMPTY') throw thrown;
    });
  } catch (thrown) {
    throw new Error('Prometheus is missing: install it, so that prometheus and promtool (2.42 or newer) are in PATH', {
      cause: thrown,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return findPrometheus(onProgress);
}

async function download(cwd: string): Promise<void> {
  const quiet = ['-qq', '-o', 'APT::Sandbox::User=root'];
  const fetched = (): Promise<unknown> => run('apt-get', ['download', ...quiet, 'prometheus'], { cwd });
  try {
    await fetched();
  } catch {
    // A new machine knows no packages, and one that is not updated names versions that are gone.
    await run('apt-get', ['update', ...quiet, '-o', 'DPkg::Lock::Timeout=300']);
    await fetched();
  }
}
