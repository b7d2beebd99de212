import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { followLinks, parentPath, RenderError, type Tree, type TreeEntry } from '@mooring/renderer-contract';
import { fileFailure, systemCode } from './failure.ts';

/** Bytes of one file; the operator's bound on a file of a Git tree. */
export const fileBytesMax: number = 32 * 1024 * 1024;

/**
 * A folder on disk as it is now, seen as a Git tree would show it: no `.git` at its root, no sockets, pipes and devices, and nothing that symbolic links
 * reach outside of it. Ignored and uncommitted files are there too. What was looked at once is not looked at again.
 * Throws `RenderError` as the contract says, and `Failure` where the disk refuses.
 */
export function openDiskTree(root: string): Tree {
  const entries = new Map<string, Promise<TreeEntry | undefined>>();

  const look = async (path: string): Promise<TreeEntry | undefined> => {
    if (path === '') return { name: '', path: '', type: 'directory' };
    if (path === '.git') return undefined;
    // The system would follow a link in the middle of a path, wherever it leads.
    if ((await stat(parentPath(path)))?.type !== 'directory') return undefined;
    const onDisk = join(root, path);
    const found = await lstat(onDisk).catch((thrown: unknown) => absent(onDisk, thrown));
    return found === undefined ? undefined : entryOf(found, path, onDisk);
  };

  const stat = (path: string): Promise<TreeEntry | undefined> => {
    const known = entries.get(path);
    if (known !== undefined) return known;
    const entry = look(path);
    entries.set(path, entry);
    return entry;
  };

  return {
    stat,
    async list(path) {
      const folder = await followLinks({ stat }, path);
      if ((await stat(folder))?.type !== 'directory') throw noDirectory(path);
      const onDisk = join(root, folder);
      const names = await readdir(onDisk).catch((thrown: unknown) => {
        throw fileFailure(onDisk, thrown);
      });
      const children = await Promise.all(
        names.sort(byCodeUnit).map((name) => stat(folder === '' ? name : `${folder}/${name}`)),
      );
      return children.filter((child) => child !== undefined);
    },
    async read(path) {
      const file = await followLinks({ stat }, path);
      const entry = await stat(file);
      if (entry?.type !== 'file') {
        throw new RenderError('not-found', `${JSON.stringify(path)} is no file`, { file: path });
      }
      if ((entry.size ?? 0) > fileBytesMax) {
        throw new RenderError('limit', `${path} has ${entry.size} bytes, more than the ${fileBytesMax} allowed`, {
          file: path,
        });
      }
      const onDisk = join(root, file);
      return readFile(onDisk).catch((thrown: unknown) => {
        throw fileFailure(onDisk, thrown);
      });
    },
  };
}

function absent(onDisk: string, thrown: unknown): undefined {
  if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(thrown))) return undefined;
  throw fileFailure(onDisk, thrown);
}

async function entryOf(found: Stats, path: string, onDisk: string): Promise<TreeEntry | undefined> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (found.isFile()) return { name, path, type: 'file', size: found.size };
  if (found.isDirectory()) return { name, path, type: 'directory' };
  if (found.isSymbolicLink()) return { name, path, type: 'symlink', target: await readlink(onDisk) };
  return undefined;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function noDirectory(path: string): RenderError {
  return new RenderError('not-found', `there is no directory ${JSON.stringify(path)}`, { file: path });
}
