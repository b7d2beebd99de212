import type { Tree } from './tree.ts';

/** One look that a render took at a tree. */
export interface TreeRead {
  readonly op: 'stat' | 'list' | 'read';
  readonly path: string;
}

/** A tree and what has been asked of it. */
export interface RecordedTree {
  readonly tree: Tree;
  /** Every distinct look so far, failed ones too, in the order of the first of its kind: what the outcome depends on. */
  reads(): readonly TreeRead[];
}

/** A view of `tree` that remembers what is asked of it. Links that `list` and `read` follow are not asked for by themselves: the entry depends on their targets too. */
export function recordReads(tree: Tree): RecordedTree {
  const seen = new Map<string, TreeRead>();
  const note = (op: TreeRead['op'], path: string): void => {
    const key = `${op} ${path}`;
    if (!seen.has(key)) seen.set(key, { op, path });
  };
  return {
    tree: {
      stat(path) {
        note('stat', path);
        return tree.stat(path);
      },
      list(path) {
        note('list', path);
        return tree.list(path);
      },
      read(path) {
        note('read', path);
        return tree.read(path);
      },
    },
    reads: () => [...seen.values()],
  };
}
