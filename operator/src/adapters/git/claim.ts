import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';

/** A folder that no other process uses. */
export interface ClaimedFolder {
  readonly directory: string;
  /** Says again whose the folder is, where somebody has removed the sign. */
  renew(): void;
  release(): void;
}

/** Folders that this process has claimed. */
const ours = new Set<string>();

const claimsTried = 64;

/**
 * Takes `directory` for this process alone; where another one that is alive has it, `directory-2` and so on. What a process left behind when it ended is taken over.
 * Throws where the folder cannot be written, or 64 are taken.
 */
export function claimFolder(directory: string): ClaimedFolder {
  for (let attempt = 1; attempt <= claimsTried; attempt += 1) {
    const folder = attempt === 1 ? directory : `${directory}-${attempt}`;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'pid');
    if (isTaken(folder, file)) continue;
    rmSync(file, { force: true });
    try {
      writeFileSync(file, ourSign(), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    ours.add(folder);
    return {
      directory: folder,
      renew() {
        if (!existsSync(file)) writeFileSync(file, ourSign(), { mode: 0o600 });
      },
      release() {
        ours.delete(folder);
        rmSync(file, { force: true });
      },
    };
  }
  throw new Error(
    `${directory} and ${claimsTried - 1} folders beside it are used by other processes; end them, or name another folder`,
  );
}

/** Our id and when we started: in containers, ids come again soon, and are those of threads, too. */
function ourSign(): string {
  return `${pid} ${startOf(pid)}\n`;
}

/** When a process or thread started, as proc(5) counts it; empty where that cannot be seen. */
function startOf(process: number): string {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, 'utf8');
    // The second field is a name in brackets, which may hold anything; the twenty-second is the start.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

function isTaken(folder: string, file: string): boolean {
  if (ours.has(folder)) return true;
  let sign: string;
  try {
    sign = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const [id, started = ''] = sign.trim().split(' ');
  const owner = Number(id);
  // In a container every process before this one may have had the same id.
  if (!Number.isInteger(owner) || owner <= 0 || owner === pid) return false;
  try {
    process.kill(owner, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const startedNow = startOf(owner);
  return started === '' || startedNow === '' || startedNow === started;
}
