import { RenderError } from './error.ts';

/** What stands at one path of a tree. */
export interface TreeEntry {
  /** The last segment of the path. */
  readonly name: string;
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Bytes; files only, where known without reading. */
  readonly size?: number;
  /** Where a symbolic link points, as written; symbolic links only. */
  readonly target?: string;
}

/**
 * A read-only view of one Git tree. Paths are `/`-separated and relative to the root, with no leading `/` and no `.` or `..` segment; `''` is the root.
 * Whoever hands out a tree records every call: what a render looked at is what it depends on.
 */
export interface Tree {
  /** What is at `path`, a symbolic link not followed; undefined where there is nothing. */
  stat(path: string): Promise<TreeEntry | undefined>;
  /** The direct children of a directory, sorted by name. Throws `not-found` where there is no directory. */
  list(path: string): Promise<readonly TreeEntry[]>;
  /** The bytes of a file. A symbolic link is followed inside the tree; one that leaves it throws `outside-tree`. */
  read(path: string): Promise<Uint8Array>;
}

/** The most symbolic links followed for one path, as Linux has it. */
const linkDepthMax = 40;

/**
 * Joins a path to a folder and folds `.` and `..`, as a file system would.
 * Throws `outside-tree` where the result leaves the root, is absolute with a drive or scheme, or holds a NUL byte.
 */
export function joinPath(folder: string, path: string): string {
  if (path.includes('\0')) throw new RenderError('outside-tree', `the path ${JSON.stringify(path)} holds a NUL byte`);
  const segments: string[] = [];
  for (const segment of `${path.startsWith('/') ? '' : `${folder}/`}${path}`.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') {
      segments.push(segment);
      continue;
    }
    if (segments.pop() === undefined) {
      throw new RenderError('outside-tree', `the path ${JSON.stringify(path)} leaves the repository`, { file: folder });
    }
  }
  return segments.join('/');
}

/** The folder that holds `path`; `''` for a child of the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/**
 * The path that `path` stands for once every symbolic link in it is followed inside the tree.
 * Throws `outside-tree` for a link that is absolute or leaves the root, `not-found` for a broken one, `invalid` for a loop.
 */
export async function followLinks(tree: Pick<Tree, 'stat'>, path: string): Promise<string> {
  const pending = path.split('/').filter((segment) => segment !== '');
  let reached = '';
  for (let links = 0; pending.length > 0; ) {
    const segment = pending.shift() as string;
    const next = joinPath(reached, segment);
    const entry = await tree.stat(next);
    if (entry === undefined) throw new RenderError('not-found', `there is no ${JSON.stringify(path)}`, { file: path });
    if (entry.type !== 'symlink') {
      reached = next;
      continue;
    }
    links += 1;
    if (links > linkDepthMax) {
      throw new RenderError('invalid', `too many symbolic links in ${JSON.stringify(path)}`, { file: path });
    }
    const target = entry.target ?? '';
    if (target.startsWith('/')) {
      throw new RenderError(
        'outside-tree',
        `the symbolic link ${JSON.stringify(next)} points to an absolute path; use a relative one`,
        {
          file: next,
        },
      );
    }
    const resolved = joinPath(parentPath(next), target);
    pending.unshift(...resolved.split('/').filter((part) => part !== ''));
    reached = '';
  }
  return reached;
}

/** A tree held in memory: file paths to contents. A value `{ link: target }` is a symbolic link. Sizes are bytes. */
export function treeOf(files: Readonly<Record<string, string | Uint8Array | { readonly link: string }>>): Tree {
  const entries = new Map<string, TreeEntry>([['', { name: '', path: '', type: 'directory' }]]);
  const contents = new Map<string, Uint8Array>();
  const children = new Map<string, TreeEntry[]>([['', []]]);
  const add = (entry: TreeEntry): void => {
    if (entries.has(entry.path)) return;
    const parent = parentPath(entry.path);
    if (entry.path !== '' && !entries.has(parent)) add({ name: nameOf(parent), path: parent, type: 'directory' });
    entries.set(entry.path, entry);
    if (entry.type === 'directory') children.set(entry.path, []);
    children.get(parent)?.push(entry);
  };
  for (const [raw, value] of Object.entries(files)) {
    const path = joinPath('', raw);
    if (typeof value === 'object' && 'link' in value) {
      add({ name: nameOf(path), path, type: 'symlink', target: value.link });
      continue;
    }
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    contents.set(path, bytes);
    add({ name: nameOf(path), path, type: 'file', size: bytes.length });
  }
  for (const list of children.values()) list.sort((a, b) => (a.name < b.name ? -1 : 1));
  const stat = async (path: string): Promise<TreeEntry | undefined> => entries.get(path);
  return {
    stat,
    async list(path) {
      const found = children.get(await followLinks({ stat }, path));
      if (found === undefined)
        throw new RenderError('not-found', `there is no directory ${JSON.stringify(path)}`, { file: path });
      return found;
    },
    async read(path) {
      const found = contents.get(await followLinks({ stat }, path));
      if (found === undefined) throw new RenderError('not-found', `${JSON.stringify(path)} is no file`, { file: path });
      return found;
    },
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
