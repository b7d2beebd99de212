import { setImmediate as nextTurn } from 'node:timers/promises';
import { bestVersion, isVersionRange } from './version-range.ts';

/** Refs of a repository as a server told them. */
export interface Refs {
  /** Full name to the commit it stands for: annotated tags are peeled. `HEAD` is among them. */
  readonly commits: ReadonlyMap<string, string>;
  /** The branch that `HEAD` points to, as a full name; also where that branch does not exist yet, if the server tells. */
  readonly head: string | undefined;
}

/** What a revision, as the user wrote it, asks for. */
export type RevisionKind = 'commit' | 'abbreviation' | 'range' | 'name';

/** Tells what `revision` is. `''` is `HEAD`. */
export function revisionKind(revision: string): RevisionKind {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(revision)) return 'commit';
  if (isVersionRange(revision)) return 'range';
  // Git's own names win: an abbreviation is only tried where no branch or tag is called so.
  if (/^[0-9a-f]{7,63}$/i.test(revision)) return 'abbreviation';
  return 'name';
}

/** Why `revision` can be none, in words for people; undefined where it may be one. */
export function revisionRefusal(revision: string): string | undefined {
  if (revision.length > 256) return 'it is longer than 256 characters';
  if (revision.startsWith('-')) return 'it begins with a dash';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(revision)) return 'it holds a control character';
  if (revisionKind(revision) === 'range') return undefined;
  if (/\.\.|[\\:?[~^*]|@\{|\/\/|\.lock$|\/$| /.test(revision)) return 'Git allows no branch or tag of such a name';
  return undefined;
}

/** Full names that `revision` may stand for, in the order in which they are tried: Git's own, without remotes. */
export function candidateNames(revision: string): readonly string[] {
  if (revision === '' || revision === 'HEAD') return ['HEAD'];
  if (revision.startsWith('refs/')) return [revision];
  return [`refs/heads/${revision}`, `refs/tags/${revision}`, `refs/${revision}`];
}

/** Beginnings of the names that must be listed to know what `revision` stands for. */
export function neededPrefixes(revision: string): readonly string[] {
  const kind = revisionKind(revision);
  if (kind === 'range') return ['refs/tags/', ...candidateNames(revision)];
  if (kind === 'abbreviation') return ['refs/heads/', 'refs/tags/', ...candidateNames(revision)];
  return candidateNames(revision);
}

/** The commit that `revision` stands for; undefined where these refs do not say. A range takes the highest version among the tags. */
export function pickRef(refs: Refs, revision: string): string | undefined {
  if (revisionKind(revision) === 'range') {
    const prefix = 'refs/tags/';
    const tags = [...refs.commits.keys()].filter((name) => name.startsWith(prefix));
    const best = bestVersion(
      tags.map((name) => name.slice(prefix.length)),
      revision,
    );
    if (best !== undefined) return refs.commits.get(`${prefix}${best}`);
  }
  for (const name of candidateNames(revision)) {
    const commit = refs.commits.get(name);
    if (commit !== undefined) return commit;
  }
  if (revisionKind(revision) !== 'abbreviation') return undefined;
  const found = new Set([...refs.commits.values()].filter((commit) => commit.startsWith(revision.toLowerCase())));
  return found.size === 1 ? [...found][0] : undefined;
}

/** A listing with more refs than are kept. */
export class TooManyRefs extends Error {
  override readonly name = 'TooManyRefs';

  constructor(count: number) {
    super(`it has more than ${count} branches and tags`);
  }
}

/** Lines that are read before other work has its turn. */
const linesAtOnce = 10_000;

/**
 * Reads what `git ls-remote --symref` answers: `ref: <target>\tHEAD` and `<id>\t<name>` lines, `<name>^{}` for what a tag stands for. Throws `TooManyRefs` beyond
 * `atMost` of them.
 */
export async function parseListing(output: string, atMost: number): Promise<Refs> {
  const commits = new Map<string, string>();
  let head: string | undefined;
  let start = 0;
  for (let count = 1; start < output.length; count += 1) {
    if (count % linesAtOnce === 0) await nextTurn();
    const end = output.indexOf('\n', start);
    const line = output.slice(start, end < 0 ? output.length : end);
    start = end < 0 ? output.length : end + 1;
    const tab = line.indexOf('\t');
    if (tab < 0) continue;
    const value = line.slice(0, tab);
    const name = line.slice(tab + 1);
    if (value.startsWith('ref: ')) {
      if (name === 'HEAD') head = value.slice('ref: '.length);
    } else if (name.endsWith('^{}')) commits.set(name.slice(0, -'^{}'.length), value);
    else commits.set(name, value);
    if (commits.size > atMost) throw new TooManyRefs(atMost);
  }
  return { commits, head };
}

/** A few names of what there is, for a message: branches first. At most `count`. */
export function someNames(refs: Refs, count: number): readonly string[] {
  const short = (prefix: string): string[] =>
    [...refs.commits.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return [...short('refs/heads/'), ...short('refs/tags/')].slice(0, count);
}
