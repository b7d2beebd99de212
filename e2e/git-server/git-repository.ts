import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit } from './git-command.ts';

/** The object id that stands for "no commit" in pushes: the before of a new branch, the after of a deleted one. */
export const NO_COMMIT: string = '0'.repeat(40);

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const DEFAULT_AUTHOR: Author = { name: 'Mooring', email: 'mooring@example.com' };
const MAX_FILES = 100_000;
const MAX_BYTES = 512 * 1024 * 1024;

export type Author = { name: string; email: string; date?: Date };

export type CommitRequest = {
  /** Path to content; null removes the file or folder, which must be there. */
  files?: Record<string, string | Uint8Array | null>;
  /** A folder whose files are laid over the branch's, before `files`. `.git` is left out, symbolic links stay links. */
  from?: string;
  message: string;
  /** Made from the default branch when it is not there yet. Default: the repository's default branch. */
  branch?: string;
  author?: Author;
};

/** Paths, each in one of the lists, sorted. A rename is a removal and an addition. */
export type Changes = { added: string[]; modified: string[]; removed: string[] };

export type GitRepository = {
  name: string;
  /** What a client clones, without credentials. */
  url: string;
  /** The bare repository on disk. */
  path: string;
  defaultBranch: string;
  /**
   * Makes one commit and answers with its id; nothing is checked out. Commits of one repository run one after the
   * other. At most 100,000 files and 512 MiB. Throws, and changes nothing, when a path is not a plain relative one or
   * when what is to be removed is not there.
   */
  commit(request: CommitRequest): Promise<string>;
  /** The commit that a branch, tag or id names. Throws when there is none. */
  resolve(revision: string): Promise<string>;
  /** A file's text at a revision; default: the tip of the default branch. */
  read(path: string, revision?: string): Promise<string>;
  /** What differs between two commits; `NO_COMMIT` stands for an empty tree. */
  changes(before: string, after: string): Promise<Changes>;
  /** Branch to commit. */
  branches(): Promise<Record<string, string>>;
  /** Makes a branch, or moves it as a forced push does. `at` defaults to the default branch. */
  setBranch(name: string, at?: string): Promise<void>;
  deleteBranch(name: string): Promise<void>;
  /** Makes a tag, annotated when it has a message, or moves it. `at` defaults to the default branch. */
  tag(name: string, options?: { at?: string; message?: string }): Promise<void>;
};

export type RepositoryOptions = { name: string; url: string; path: string; defaultBranch?: string };

/** Opens the bare repository at `path`, or makes it. */
export async function openRepository(options: RepositoryOptions): Promise<GitRepository> {
  const { name, url, path, defaultBranch = 'main' } = options;
  if (!existsSync(join(path, 'HEAD'))) await initialize(path, defaultBranch);
  const head = (await git('symbolic-ref', 'HEAD')).trim().replace('refs/heads/', '');
  let last: Promise<unknown> = Promise.resolve();

  return {
    name,
    url,
    path,
    defaultBranch: head,
    commit(request) {
      const done = last.then(() => commit(path, head, request));
      last = done.catch(() => undefined);
      return done;
    },
    resolve,
    read: (file, revision = head) => git('cat-file', 'blob', `${revision}:${file}`),
    async changes(before, after) {
      return parseChanges(
        await git('diff-tree', '-r', '-z', '--no-renames', '--name-status', treeOf(before), treeOf(after)),
      );
    },
    async branches() {
      const lines = (await git('for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads')).split('\n');
      return Object.fromEntries(lines.filter(Boolean).map((line) => [line.slice(41), line.slice(0, 40)]));
    },
    async setBranch(branch, at = head) {
      await git('update-ref', `refs/heads/${await checkRef(branch)}`, await resolve(at));
    },
    async deleteBranch(branch) {
      if (branch === head) throw new Error(`${name}: the default branch ${branch} cannot be deleted`);
      await git('update-ref', '-d', `refs/heads/${await checkRef(branch)}`, await resolve(`refs/heads/${branch}`));
    },
    async tag(tag, { at = head, message } = {}) {
      const commitId = await resolve(at);
      await checkRef(tag);
      if (message === undefined) await git('update-ref', `refs/tags/${tag}`, commitId);
      else {
        const { name: user, email } = DEFAULT_AUTHOR;
        const identity = ['-c', `user.name=${user}`, '-c', `user.email=${email}`];
        await git(...identity, 'tag', '--annotate', '--force', '--message', message, '--', tag, commitId);
      }
    },
  };

  async function git(...args: string[]): Promise<string> {
    return (await runGit(args, { cwd: path })).toString('utf8');
  }

  async function resolve(revision: string): Promise<string> {
    return (await git('rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`)).trim();
  }

  async function checkRef(ref: string): Promise<string> {
    await git('check-ref-format', `refs/heads/${ref}`);
    return ref;
  }
}

async function initialize(path: string, defaultBranch: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await runGit(['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, '.'], { cwd: path });
  const settings = {
    'http.receivepack': 'true',
    'uploadpack.allowFilter': 'true',
    'uploadpack.allowAnySHA1InWant': 'true',
    'receive.autogc': 'false',
    'gc.auto': '0',
    // Samples and tests: lost with the machine at no loss.
    'core.fsync': 'none',
  };
  for (const [key, value] of Object.entries(settings)) await runGit(['config', key, value], { cwd: path });
}

async function commit(repository: string, defaultBranch: string, request: CommitRequest): Promise<string> {
  const branch = request.branch ?? defaultBranch;
  const files = Object.entries(request.files ?? {});
  for (const [path] of files) checkPath(path);
  const removed = files.filter(([, content]) => content === null).map(([path]) => path);
  const parent = await findParent(repository, branch, defaultBranch, removed);

  const changes: FileChange[] = request.from === undefined ? [] : await readFolder(request.from);
  for (const [path, content] of files) {
    if (content === null) changes.push({ path, content });
    else changes.push({ path, mode: '100644', content: Buffer.from(content) });
  }
  if (changes.length > MAX_FILES) throw new Error(`a commit of ${changes.length} files: at most ${MAX_FILES}`);
  const bytes = changes.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
  if (bytes > MAX_BYTES) throw new Error(`a commit of ${bytes} bytes: at most ${MAX_BYTES}`);

  const output = await runGit(['fast-import', '--quiet', '--done'], {
    cwd: repository,
    input: fastImport({ ...request, branch, parent, changes }),
  });
  return output.toString('utf8').trim();
}

/** The commit to build on, or undefined in an empty repository. */
async function findParent(
  repository: string,
  branch: string,
  defaultBranch: string,
  removed: string[],
): Promise<string | undefined> {
  await runGit(['check-ref-format', `refs/heads/${branch}`], { cwd: repository });
  const heads = await objects(repository, [`refs/heads/${branch}`, `refs/heads/${defaultBranch}`]);
  const parent = heads.find((id) => id !== undefined);
  if (removed.length === 0) return parent;
  const found =
    parent === undefined
      ? []
      : await objects(
          repository,
          removed.map((path) => `${parent}:${path}`),
        );
  const absent = removed.filter((_, index) => found[index] === undefined);
  if (absent.length > 0) throw new Error(`cannot remove what ${branch} does not have: ${absent.join(', ')}`);
  return parent;
}

/** The object id of each name, undefined where there is none. */
async function objects(repository: string, names: string[]): Promise<(string | undefined)[]> {
  const input = [`${names.join('\n')}\n`];
  const output = await runGit(['cat-file', '--batch-check=%(objectname)'], { cwd: repository, input });
  const lines = output.toString('utf8').split('\n');
  return names.map((_, index) => (/^[0-9a-f]{40}$/.test(lines[index] ?? '') ? lines[index] : undefined));
}

type FileChange =
  | { path: string; content: null }
  | { path: string; mode: '100644' | '100755' | '120000'; content: Buffer };

async function readFolder(root: string): Promise<FileChange[]> {
  const changes: FileChange[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder))) {
      if (entry === '.git') continue;
      const path = folder === '' ? entry : `${folder}/${entry}`;
      const stats = await lstat(join(root, path));
      if (stats.isDirectory()) await walk(path);
      else if (stats.isSymbolicLink()) {
        changes.push({ path, mode: '120000', content: await readlink(join(root, path), 'buffer') });
      } else if (stats.isFile()) {
        const mode = stats.mode & 0o100 ? '100755' : '100644';
        changes.push({ path, mode, content: await readFile(join(root, path)) });
      } else throw new Error(`${join(root, path)} is neither a file, a folder nor a symbolic link`);
    }
  };
  await walk('');
  for (const { path } of changes) checkPath(path);
  return changes;
}

function checkPath(path: string): void {
  const parts = path.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
  if (bad || /[\0\n]/.test(path)) throw new Error(`${JSON.stringify(path)} is not a plain relative path`);
}

type Import = Omit<CommitRequest, 'files' | 'from'> & {
  branch: string;
  parent: string | undefined;
  changes: FileChange[];
};

/** The commit as a stream for git fast-import; see "Input Format" in its manual page. */
function* fastImport({
  branch,
  parent,
  changes,
  message,
  author = DEFAULT_AUTHOR,
}: Import): Generator<string | Uint8Array> {
  const seconds = Math.floor((author.date ?? new Date()).getTime() / 1000);
  const who = `${identity(author.name)} <${identity(author.email)}> ${seconds} +0000`;
  const text = Buffer.from(message.endsWith('\n') ? message : `${message}\n`);
  yield `commit refs/heads/${branch}\nmark :1\nauthor ${who}\ncommitter ${who}\ndata ${text.length}\n`;
  yield text;
  if (parent !== undefined) yield `from ${parent}\n`;
  for (const change of changes) {
    if (change.content === null) yield `D ${quote(change.path)}\n`;
    else {
      yield `M ${change.mode} inline ${quote(change.path)}\ndata ${change.content.length}\n`;
      yield change.content;
      yield '\n';
    }
  }
  yield 'get-mark :1\ndone\n';
}

function identity(text: string): string {
  if (/[<>\n\0]/.test(text)) throw new Error(`an author's name or e-mail cannot hold ${JSON.stringify(text)}`);
  return text;
}

function quote(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function treeOf(commitId: string): string {
  return commitId === NO_COMMIT ? EMPTY_TREE : commitId;
}

function parseChanges(output: string): Changes {
  const changes: Changes = { added: [], modified: [], removed: [] };
  const fields = output.split('\0');
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const status = fields[index];
    const path = fields[index + 1] ?? '';
    if (status === 'A') changes.added.push(path);
    else if (status === 'D') changes.removed.push(path);
    else changes.modified.push(path);
  }
  return changes;
}
