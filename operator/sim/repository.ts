import { createHash } from 'node:crypto';
import { type Manifest, treeOf } from '@mooring/renderer-contract';
import { Fault, messageOf } from '../src/model/fault.ts';
import type { GitTree } from '../src/world/git.ts';

/** One Git repository with one branch; it outlives every crash of the operator. */
export interface Repository {
  readonly url: string;
  /** Commits a file, and answers the commit. */
  commit(path: string, text: string): string;
  /** Sets the branch to another commit, as a forced push does. */
  reset(commit: string): void;
  /** The commit that `HEAD`, `main` or a full id stands for. Throws `Fault` `revision-unknown`. */
  resolve(revision: string): string;
  /** How many commits came before this one; -1 where it is none of the repository's. */
  position(commit: string): number;
  tree(commit: string): GitTree;
  /** Text of a file as of a commit; undefined where there is none. */
  read(commit: string, path: string): string | undefined;
}

export function createRepository(url: string): Repository {
  const commits = new Map<string, Readonly<Record<string, string>>>();
  let head = '';
  return {
    url,
    commit(path, text) {
      const files = { ...commits.get(head), [path]: text };
      head = sha1(`${head} ${JSON.stringify(files)} ${commits.size}`);
      commits.set(head, files);
      return head;
    },
    reset(commit) {
      head = commit;
    },
    resolve(revision) {
      const commit = revision === 'HEAD' || revision === 'main' ? head : revision;
      if (commits.has(commit)) return commit;
      throw new Fault('revision-unknown', `${url} has no revision ${revision}`);
    },
    position: (commit) => [...commits.keys()].indexOf(commit),
    tree(commit) {
      const files = commits.get(commit) ?? {};
      return {
        ...treeOf(files),
        commit,
        committedAt: undefined,
        oid: (path) => (files[path] === undefined ? undefined : sha1(files[path])),
      };
    },
    read: (commit, path) => commits.get(commit)?.[path],
  };
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** The manifests of a file that is a JSON list of objects. Throws `Fault` `render-failed`. */
export function parseManifests(path: string, text: string): readonly Manifest[] {
  try {
    const objects = JSON.parse(text) as Manifest['object'][];
    return objects.map((object, document) => ({ object, origin: { path, document } }));
  } catch (thrown) {
    throw new Fault('render-failed', `${path}: ${messageOf(thrown)}`, {}, thrown);
  }
}
