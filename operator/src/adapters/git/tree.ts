import { followLinks, parentPath, RenderError, type TreeEntry } from '@mooring/renderer-contract';
import type { GitTree } from '../../world/git.ts';
import type { GitObject } from './objects.ts';

/** One directory of a repository. Directories with the same id are the same value, in every commit. */
export interface Directory {
  readonly oid: string;
  /** The tree object as Git stores it; its entries are read when somebody asks. */
  readonly raw: Buffer;
  readonly directories: ReadonlyMap<string, Directory>;
  /** Entries here and below. */
  readonly size: number;
  entries?: ReadonlyMap<string, DirectoryEntry>;
}

export interface DirectoryEntry {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly oid: string;
}

/** A repository whose content cannot be taken: what it is and where, for people. */
export class TreeRefused extends Error {
  override readonly name = 'TreeRefused';
  readonly reason: 'entries' | 'name';

  constructor(reason: 'entries' | 'name', message: string) {
    super(message);
    this.reason = reason;
  }
}

/** An object that a tree names is not there: the repository on this machine is damaged. */
export class ObjectMissing extends Error {
  override readonly name = 'ObjectMissing';

  constructor(oid: string) {
    super(`the object ${oid} is missing`);
  }
}

const directoryMode = '40000';
const symlinkMode = '120000';
const submoduleMode = '160000';

function* entriesOf(raw: Buffer, oidBytes: number): Generator<{ mode: string; name: string; oid: string }> {
  for (let at = 0; at < raw.length; ) {
    const space = raw.indexOf(0x20, at);
    const end = raw.indexOf(0, space);
    if (space < 0 || end < 0 || end + oidBytes > raw.length)
      throw new TreeRefused('name', 'a tree object is malformed');
    const name = raw.toString('utf8', space + 1, end);
    if (name === '' || name === '.' || name === '..' || name.includes('/')) {
      throw new TreeRefused('name', `a tree holds an entry called ${JSON.stringify(name)}`);
    }
    // Very old programs wrote modes with a leading zero.
    const mode = raw.toString('latin1', at, space).replace(/^0+/, '');
    at = end + 1 + oidBytes;
    yield { mode, name, oid: raw.toString('hex', end + 1, at) };
  }
}

/**
 * Reads a directory and everything below it, save what is in `known` already (id to directory; what is read is added).
 * Throws `TreeRefused` beyond `entriesMax` entries, and for names that are no names; `ObjectMissing` where an object is not there.
 */
export async function loadDirectory(
  oid: string,
  read: (oid: string) => Promise<GitObject | undefined>,
  known: Map<string, Directory>,
  entriesMax: number,
): Promise<Directory> {
  const loading = new Map<string, Promise<Directory>>();
  let entriesSeen = 0;
  const load = (id: string): Directory | Promise<Directory> => {
    const existing = known.get(id) ?? loading.get(id);
    if (existing !== undefined) return existing;
    const promise = loadNew(id);
    loading.set(id, promise);
    return promise;
  };
  const loadNew = async (id: string): Promise<Directory> => {
    const object = await read(id);
    if (object === undefined || object.type !== 'tree') throw new ObjectMissing(id);
    const names: string[] = [];
    const below: (Directory | Promise<Directory>)[] = [];
    let count = 0;
    for (const entry of entriesOf(object.data, id.length / 2)) {
      count += 1;
      if (entry.mode !== directoryMode) continue;
      names.push(entry.name);
      below.push(load(entry.oid));
    }
    entriesSeen += count;
    if (entriesSeen > entriesMax) throw tooMany(entriesMax);
    const loaded = await Promise.all(below);
    const directories = new Map(loaded.map((directory, index) => [names[index] as string, directory]));
    const size = loaded.reduce((sum, directory) => sum + directory.size, count);
    if (size > entriesMax) throw tooMany(entriesMax);
    const directory: Directory = { oid: id, raw: object.data, directories, size };
    known.set(id, directory);
    return directory;
  };
  return load(oid);
}

function tooMany(entriesMax: number): TreeRefused {
  return new TreeRefused('entries', `the repository has more than ${entriesMax} files and folders`);
}

function entriesIn(directory: Directory): ReadonlyMap<string, DirectoryEntry> {
  if (directory.entries !== undefined) return directory.entries;
  const entries = new Map<string, DirectoryEntry>();
  for (const { mode, name, oid } of entriesOf(directory.raw, directory.oid.length / 2)) {
    if (mode === submoduleMode) continue;
    const type = mode === directoryMode ? 'directory' : mode === symlinkMode ? 'symlink' : 'file';
    entries.set(name, { type, oid });
  }
  directory.entries = entries;
  return entries;
}

/**
 * The tree of one commit. Submodules are absent. `readBlob` answers the bytes of a file or of a symbolic link's target.
 * The id of a symbolic link is marked, so that it never equals that of a file with the same bytes.
 */
export function createGitTree(
  { commit, committedAt }: Pick<GitTree, 'commit' | 'committedAt'>,
  root: Directory,
  readBlob: (oid: string, path: string) => Promise<Uint8Array>,
): GitTree {
  const directoryAt = (path: string): Directory | undefined => {
    let directory: Directory | undefined = root;
    if (path === '') return directory;
    for (const segment of path.split('/')) {
      directory = directory.directories.get(segment);
      if (directory === undefined) return undefined;
    }
    return directory;
  };
  const entryAt = (path: string): DirectoryEntry | undefined => {
    if (path === '') return { type: 'directory', oid: root.oid };
    const directory = directoryAt(parentPath(path));
    return directory === undefined ? undefined : entriesIn(directory).get(nameOf(path));
  };
  const describe = async (path: string, name: string, entry: DirectoryEntry): Promise<TreeEntry> => {
    if (entry.type !== 'symlink') return { name, path, type: entry.type };
    const target = Buffer.from(await readBlob(entry.oid, path)).toString('utf8');
    return { name, path, type: 'symlink', target };
  };
  const stat = async (path: string): Promise<TreeEntry | undefined> => {
    const entry = entryAt(path);
    return entry === undefined ? undefined : describe(path, nameOf(path), entry);
  };
  return {
    commit,
    committedAt,
    oid(path) {
      const entry = entryAt(path);
      return entry?.type === 'symlink' ? `${entry.oid}:symlink` : entry?.oid;
    },
    stat,
    async list(path) {
      const reached = await followLinks({ stat }, path);
      const directory = directoryAt(reached);
      if (directory === undefined) {
        throw new RenderError('not-found', `there is no directory ${JSON.stringify(path)}`, { file: path });
      }
      const prefix = reached === '' ? '' : `${reached}/`;
      const children = [...entriesIn(directory)].sort(([a], [b]) => (a < b ? -1 : 1));
      return Promise.all(children.map(([name, entry]) => describe(`${prefix}${name}`, name, entry)));
    },
    async read(path) {
      const reached = await followLinks({ stat }, path);
      const entry = entryAt(reached);
      if (entry === undefined || entry.type !== 'file') {
        throw new RenderError('not-found', `${JSON.stringify(path)} is no file`, { file: path });
      }
      return readBlob(entry.oid, path);
    },
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
