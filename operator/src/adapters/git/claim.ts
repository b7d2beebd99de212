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
      writeFileSync(file, `${pid}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    ours.add(folder);
    return {
      directory: folder,
      renew() {
        if (!existsSync(file)) writeFileSync(file, `${pid}\n`, { mode: 0o600 });
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

function isTaken(folder: string, file: string): boolean {
  if (ours.has(folder)) return true;
  let owner: number;
  try {
    owner = Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  // In a container every process before this one had the same id.
  if (!Number.isInteger(owner) || owner <= 0 || owner === pid) return false;
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
