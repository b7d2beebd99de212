import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault, messageOf } from '../../model/fault.ts';

/** A folder that no other process uses. */
export interface ClaimedFolder {
  readonly directory: string;
  /** Takes the folder again, where somebody has removed it. Throws `Fault` `repository-unreachable` where another process was quicker. */
  renew(): void;
  /** May be called twice. */
  release(): void;
}

/** Folders that this process has claimed: the system tells only processes apart. */
const ours = new Set<string>();

const claimsTried = 64;
/** SQLite's code for a file that somebody else has locked. */
const busy = 5;

/**
 * Takes `directory` for this process alone; where another one that is alive has it, `directory-2` and so on. What a process left behind when it ended, however,
 * is taken over. Throws where the folder cannot be written or its file system cannot lock, or 64 are taken.
 */
export function claimFolder(directory: string): ClaimedFolder {
  for (let attempt = 1; attempt <= claimsTried; attempt += 1) {
    const folder = attempt === 1 ? directory : `${directory}-${attempt}`;
    if (ours.has(folder)) continue;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'claim');
    let unlock = lock(file);
    if (unlock === undefined) continue;
    ours.add(folder);
    return {
      directory: folder,
      renew() {
        if (existsSync(file)) return;
        unlock?.();
        unlock = lock(file);
        if (unlock === undefined) {
          const message = `${folder} was removed while it was in use, and another process has made it its own; start this one again`;
          throw new Fault('repository-unreachable', message);
        }
      },
      release() {
        if (unlock === undefined) return;
        ours.delete(folder);
        unlock();
        unlock = undefined;
      },
    };
  }
  throw new Error(
    `${directory} and ${claimsTried - 1} folders beside it are used by other processes; end them, or name another folder`,
  );
}

/**
 * Locks a file until the answer is called or the process ends; undefined where another process has locked it. Node has no locks of its own, and process ids say
 * nothing where containers share a volume: each has a process 1. SQLite, which comes with Node, locks its files by the kernel.
 */
function lock(file: string): (() => void) | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
    const locked = database;
    return () => locked.close();
  } catch (thrown) {
    database?.close();
    if ((thrown as { readonly errcode?: number }).errcode === busy) return undefined;
    throw new Error(`${file} cannot be locked: ${messageOf(thrown)}; name a folder on another file system`, {
      cause: thrown,
    });
  }
}
