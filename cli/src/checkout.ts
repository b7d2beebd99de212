import { execFile } from 'node:child_process';
import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { Failure, fileFailure } from './failure.ts';

/** A folder to render, and the tree that it is in. */
export interface Checkout {
  /** Absolute path of the tree's root: that of the Git work tree, else the folder itself. */
  readonly root: string;
  /** The folder in the tree, with `/`; `''` is the root. */
  readonly path: string;
  /** Whether the root is a Git work tree. */
  readonly git: boolean;
}

/** Finds the Git work tree around a folder, so that what lies beside it (bases, value files) can be reached. Throws `Failure`. */
export async function locate(folder: string): Promise<Checkout> {
  const found = await realpath(folder).catch((thrown: unknown) => {
    throw fileFailure(folder, thrown);
  });
  if (!(await stat(found)).isDirectory()) {
    throw new Failure(`${folder}: it is a file; name the folder that holds the source`);
  }
  const root = await workTreeAround(found);
  return { root: root ?? found, path: pathInside(root ?? found, found) ?? '', git: root !== undefined };
}

/** The path of a file inside `root`, with `/`; undefined where it is outside. */
export function pathInside(root: string, absolute: string): string | undefined {
  const path = relative(root, absolute);
  return path === '..' || path.startsWith(`..${sep}`) ? undefined : path.split(sep).join('/');
}

async function workTreeAround(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const marker = await lstat(join(at, '.git')).catch(() => undefined);
    if (marker !== undefined) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** The commit that is checked out; `''` where there is none yet, or no Git. */
export async function headCommit(checkout: Checkout): Promise<string> {
  if (!checkout.git) return '';
  try {
    const answer = await promisify(execFile)('git', ['-C', checkout.root, 'rev-parse', '--verify', '--quiet', 'HEAD'], {
      timeout: 10_000,
    });
    return answer.stdout.trim();
  } catch {
    // A repository without a commit, one of another user, or no git at all: a render can do without.
    return '';
  }
}
