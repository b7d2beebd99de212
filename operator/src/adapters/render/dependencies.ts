import { createHash } from 'node:crypto';
import { followLinks, RenderError, type RenderSpec, type Tree, type TreeRead } from '@mooring/renderer-contract';
import type { GitTree } from '../../world/git.ts';

/** One look at a tree, and what was seen. */
interface Sight extends TreeRead {
  /** Id of the object at the path itself; undefined where it alone does not decide, because links are followed or nothing is there. */
  readonly oid: string | undefined;
  /** What the look showed: for a directory its names and kinds, for a file its id, for a link its target, else why it failed. */
  readonly seen: string;
}

/** What the outcome of a render depends on in the tree. */
export type Sights = readonly Sight[];

/** Notes what each look showed in the tree that was rendered. */
export function rememberReads(tree: GitTree, reads: Iterable<TreeRead>): Promise<Sights> {
  return Promise.all(
    Array.from(reads, async (read) => {
      const { seen, direct } = await look(tree, read);
      return { op: read.op, path: read.path, oid: direct ? tree.oid(read.path) : undefined, seen };
    }),
  );
}

/** Whether every look would show the same in another tree. Equal ids settle most of it; a directory that changed below may still list the same. */
export async function sameReads(sights: Sights, tree: GitTree): Promise<boolean> {
  for (const sight of sights) {
    if (sight.oid !== undefined && tree.oid(sight.path) === sight.oid) continue;
    if ((await look(tree, sight)).seen !== sight.seen) return false;
  }
  return true;
}

async function look(tree: GitTree, { op, path }: TreeRead): Promise<{ seen: string; direct: boolean }> {
  try {
    if (op === 'stat') {
      const entry = await tree.stat(path);
      if (entry === undefined) return { seen: 'absent', direct: false };
      if (entry.type === 'directory') return { seen: 'directory', direct: true };
      return { seen: entry.type === 'symlink' ? `link ${entry.target}` : `file ${tree.oid(path)}`, direct: true };
    }
    const reached = await followLinks(tree, path);
    const direct = reached === path;
    if (op === 'read') return { seen: `file ${tree.oid(reached)}`, direct };
    return { seen: `list ${reached} ${await listed(tree, reached)}`, direct };
  } catch (error) {
    if (error instanceof RenderError) return { seen: `failed ${error.code}`, direct: false };
    throw error;
  }
}

async function listed(tree: Tree, path: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, type, target, size } of await tree.list(path)) {
    hash.update(JSON.stringify([name, type, target, size]));
  }
  return hash.digest('base64url');
}

/** What a render looked at besides the tree. */
export interface Surroundings {
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  /** Variables of the build environment. */
  readonly env: ReadonlyMap<string, string>;
}

type Surrounded = Pick<RenderSpec, 'kubeVersion' | 'apiVersions' | 'env'>;

/** A view of a spec that notes which of its surroundings are looked at. It can be cloned; a clone has looked at all of them. */
export function recordSurroundings(spec: RenderSpec): { readonly spec: RenderSpec; surroundings(): Surroundings } {
  let kubeVersionSeen = false;
  let apiVersionsSeen = false;
  const envSeen = new Map<string, string>();
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(spec.env)) {
    Object.defineProperty(env, name, {
      enumerable: true,
      get() {
        envSeen.set(name, value);
        return value;
      },
    });
  }
  return {
    spec: {
      appName: spec.appName,
      namespace: spec.namespace,
      path: spec.path,
      options: spec.options,
      settings: spec.settings ?? {},
      env,
      get kubeVersion() {
        kubeVersionSeen = true;
        return spec.kubeVersion;
      },
      get apiVersions() {
        apiVersionsSeen = true;
        return spec.apiVersions;
      },
    },
    surroundings: () => ({
      env: new Map(envSeen),
      ...(kubeVersionSeen ? { kubeVersion: spec.kubeVersion } : {}),
      ...(apiVersionsSeen ? { apiVersions: spec.apiVersions } : {}),
    }),
  };
}

/** Whether what a render looked at is the same for another spec. */
export function sameSurroundings({ kubeVersion, apiVersions, env }: Surroundings, spec: Surrounded): boolean {
  if (kubeVersion !== undefined && kubeVersion !== spec.kubeVersion) return false;
  if (apiVersions !== undefined && !sameList(apiVersions, spec.apiVersions)) return false;
  for (const [name, value] of env) if (spec.env[name] !== value) return false;
  return true;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
}
