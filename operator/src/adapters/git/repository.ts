import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../model/fault.ts';
import type { RepositoryAddress } from '../../model/repository-url.ts';
import type { Clock } from '../../world/clock.ts';
import type { CommitInfo, GitTree, RepositoryAccess } from '../../world/git.ts';
import type { CacheFacts, GitRequestFacts, Log } from '../../world/telemetry.ts';
import { fingerprintOf, fsckFindings, openAccess } from './access.ts';
import type { BlobCache } from './blob-cache.ts';
import { GitFailure, runGit } from './command.ts';
import { isUnknownObject, mayBeDamage, refusesIds, repositoryFault } from './faults.ts';
import {
  AnswerTooLarge,
  discover,
  fetchesShallow,
  fetchPack,
  type HttpCall,
  type HttpConnections,
  type HttpRemote,
  listRefs,
} from './http-remote.ts';
import type { GitLimits } from './limits.ts';
import { createListings, type Listing, type Listings } from './listings.ts';
import type { Network } from './network.ts';
import { createObjectReader, type ObjectReader, ObjectTooLarge } from './objects.ts';
import { neededPrefixes, parseListing, pickRef, revisionKind, revisionRefusal, someNames } from './refs.ts';
import { createGitTree, type Directory, loadDirectory, ObjectMissing } from './tree.ts';

/** What every repository is given. */
export interface RepositorySetting {
  /** Where the repository, keys and settings lie. */
  readonly directory: string;
  /** Writes again what every git process goes by, where somebody has removed it. */
  readonly restore: () => void;
  readonly environment: Readonly<Record<string, string>>;
  readonly connections: HttpConnections;
  readonly network: Network;
  readonly knownHosts: string | undefined;
  readonly blobs: BlobCache;
  readonly clock: Clock;
  readonly limits: GitLimits;
  readonly log: Log;
  readonly onRequest: (facts: GitRequestFacts) => void;
}

/** One repository: the bare copy on disk, what is in memory of it, and the requests under way. Methods throw `Fault`. */
export interface Repository {
  resolve(access: RepositoryAccess, revision: string, notBefore: number): Promise<string>;
  open(access: RepositoryAccess, commit: string): Promise<GitTree>;
  describe(access: RepositoryAccess, commit: string): Promise<CommitInfo>;
  /** The folders of Git that are kept in memory. */
  trees(): Omit<CacheFacts, 'cache'>;
  /** Milliseconds since 1970. */
  lastUsed(): number;
  /** Ends processes and forgets what is in memory. */
  stop(): void;
}

interface Commit {
  readonly root: string;
  readonly info: CommitInfo;
  readonly committedAt: number | undefined;
}

interface Opened extends Pick<Commit, 'info' | 'committedAt'> {
  readonly root: Directory;
}

/** What is remembered of one set of credentials. */
interface Access {
  readonly listings: Listings;
  /** Whether the server let these credentials in. Without it nothing that others fetched is shown to them. */
  proven: boolean;
  /** When the server last turned them away; milliseconds since 1970. */
  refusedAt: number;
  /** Why the last listing of refs, and the last fetch, failed; undefined once one has worked. */
  readonly failures: Partial<Record<GitRequestFacts['kind'], RequestFailure>>;
  remote?: HttpRemote;
}

/** A failed request: until then it is the answer for everyone. After that one asks again, and the others do not wait for what may hang like the last one. */
interface RequestFailure {
  readonly fault: Fault;
  readonly until: number;
  isTriedAgain: boolean;
}

/** Milliseconds between two clones of a repository that was found damaged. */
const repairEveryMs = 60_000;

/** Commits named to the server as known, so that it sends only what differs. */
const havesSent = 8;

export function createRepository(address: RepositoryAddress, name: string, setting: RepositorySetting): Repository {
  const { clock, limits, log } = setting;
  const folder = join(setting.directory, 'repositories', name);
  const overHttp = address.transport === 'http' || address.transport === 'https';
  const accesses = new Map<string, Access>();
  const opened = new Map<string, Opened>();
  const opening = new Map<string, Promise<Opened>>();
  const known = new Map<string, Directory>();
  const stopped = new AbortController();
  let prepared = false;
  let fetches = 0;
  let knownAfterSweep = 0;
  let repairedAt = Number.NEGATIVE_INFINITY;
  let usedAt = clock.now();
  let tail: Promise<unknown> = Promise.resolve();
  let maintaining = false;

  const listTimeoutMs = Math.min(limits.listTimeoutMs, limits.gitTimeoutMs);
  const reader: ObjectReader = createObjectReader(folder, setting.environment, clock, {
    idleMs: limits.readerIdleMs,
    objectBytes: Math.max(limits.blobBytes, 64 * 1024 * 1024),
  });

  /** Runs one change of the copy on disk after the other. */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = tail.then(run, run);
    tail = result.catch(() => undefined);
    return result;
  };

  const git = async (
    access: RepositoryAccess | undefined,
    args: readonly string[],
    more: Partial<Parameters<typeof runGit>[1]> = {},
  ): Promise<Buffer> => {
    const reach =
      access === undefined
        ? { environment: setting.environment, dispose: async () => {} }
        : await openAccess(setting, access, address);
    try {
      return await runGit(clock, {
        args: [`--git-dir=${folder}`, ...args],
        environment: reach.environment,
        timeoutMs: limits.gitTimeoutMs,
        outputBytes: limits.refsBytes,
        signal: stopped.signal,
        ...more,
      });
    } finally {
      await reach.dispose();
    }
  };

  const httpCall = async <T>(
    access: RepositoryAccess,
    bytes: number,
    timeoutMs: number,
    run: (call: HttpCall) => Promise<T>,
  ): Promise<T> => {
    const timeout = new AbortController();
    const cancel = clock.after(timeoutMs, () =>
      timeout.abort(new DOMException(`it took longer than ${timeoutMs / 1000} s`, 'TimeoutError')),
    );
    try {
      return await run({
        connections: setting.connections,
        dispatcher: setting.connections.dispatcher(access, address),
        access,
        address,
        signal: AbortSignal.any([timeout.signal, stopped.signal]),
        answerBytes: bytes,
        refsCount: limits.refsCount,
      });
    } finally {
      cancel();
      // Nobody reads what is left of an answer.
      timeout.abort();
    }
  };

  const measured = async <T>(
    access: RepositoryAccess,
    kind: GitRequestFacts['kind'],
    run: () => Promise<T>,
  ): Promise<T> => {
    const startedAt = clock.now();
    let failed = true;
    try {
      const result = await run();
      failed = false;
      return result;
    } finally {
      setting.onRequest({ repository: access.url, kind, durationMs: clock.now() - startedAt, failed });
    }
  };

  /** Throws the last failure where nobody should ask, or wait for who does. */
  const refuseFailing = (state: Access, kind: GitRequestFacts['kind']): void => {
    const failure = state.failures[kind];
    if (failure !== undefined && (failure.isTriedAgain || clock.now() < failure.until)) throw failure.fault;
  };

  /** Makes every failure of a request a fault, and the answer for everyone else for a short time. */
  const held = async <T>(
    state: Access,
    access: RepositoryAccess,
    kind: GitRequestFacts['kind'],
    run: () => Promise<T>,
  ): Promise<T> => {
    refuseFailing(state, kind);
    const before = state.failures[kind];
    if (before !== undefined) before.isTriedAgain = true;
    try {
      const result = await run();
      delete state.failures[kind];
      return result;
    } catch (error) {
      const fault = repositoryFault(error, address, access);
      delete state.failures[kind];
      if (fault instanceof Fault) {
        delete state.remote;
        if (fault.code === 'repository-refused') {
          state.proven = false;
          state.refusedAt = clock.now();
        }
        const until = clock.now() + limits.failureHoldMs;
        if (fault.code !== 'revision-unknown') state.failures[kind] = { fault, until, isTriedAgain: false };
      }
      throw fault;
    }
  };

  const remoteOf = async (state: Access, call: HttpCall): Promise<HttpRemote> => {
    state.remote ??= await discover(call);
    return state.remote;
  };

  const list = async (state: Access, access: RepositoryAccess, prefixes: readonly string[]): Promise<Listing> =>
    held(state, access, 'ls-remote', () =>
      measured(access, 'ls-remote', async () => {
        if (overHttp) {
          const listing = await httpCall(access, limits.refsBytes, listTimeoutMs, async (call): Promise<Listing> => {
            const remote = await remoteOf(state, call);
            if (remote.advertised === undefined) {
              return { refs: await listRefs(remote, call, prefixes), complete: false };
            }
            // Protocol 0 tells all refs at the first question: it is asked anew for each listing.
            delete state.remote;
            return { refs: remote.advertised, complete: true };
          });
          state.proven = true;
          return listing;
        }
        await inTurn(prepare);
        const output = await git(access, ['ls-remote', '--quiet', '--symref', '--', address.url], {
          timeoutMs: listTimeoutMs,
        });
        state.proven = true;
        return { refs: await parseListing(output.toString('utf8'), limits.refsCount), complete: true };
      }),
    );

  const accessState = (access: RepositoryAccess): Access => {
    const fingerprint = fingerprintOf(access);
    let state = accesses.get(fingerprint);
    if (state === undefined) {
      // Credentials that are no longer in use go with the oldest.
      if (accesses.size >= 64) accesses.delete(accesses.keys().next().value as string);
      const listings = createListings(clock, limits.refsAsked, (prefixes) => list(state as Access, access, prefixes));
      state = { listings, proven: false, refusedAt: 0, failures: {} };
      accesses.set(fingerprint, state);
    }
    return state;
  };

  const prepare = async (): Promise<void> => {
    setting.restore();
    if (prepared && existsSync(join(folder, 'HEAD'))) return;
    if (existsSync(join(folder, 'mooring'))) await removeLeftovers(folder);
    else {
      await rm(folder, { recursive: true, force: true });
      const making = `${folder}.new`;
      await rm(making, { recursive: true, force: true });
      await runGit(clock, {
        args: ['init', '--quiet', '--bare', '--template=', '--', making],
        environment: setting.environment,
        timeoutMs: limits.gitTimeoutMs,
        outputBytes: 65_536,
      });
      await mkdir(join(making, 'refs', 'mooring'), { recursive: true });
      await writeFile(join(making, 'mooring'), `${address.url}\n`);
      await rename(making, folder);
    }
    prepared = true;
  };

  const discard = async (): Promise<void> => {
    reader.stop();
    known.clear();
    opened.clear();
    prepared = false;
    await rm(folder, { recursive: true, force: true });
  };

  const readCommit = async (commit: string): Promise<Commit | undefined> => {
    let object = await reader.read(commit);
    for (let tags = 0; object?.type === 'tag' && tags < 8; tags += 1) {
      object = await reader.read(/^object ([0-9a-f]+)$/m.exec(object.data.toString('latin1'))?.[1] ?? commit);
    }
    if (object === undefined) return undefined;
    if (object.type !== 'commit') throw unknownRevision(commit, `it is a ${object.type}, not a commit`);
    return parseCommit(object.data);
  };

  const unknownRevision = (revision: string, reason: string): Fault => {
    const shown = JSON.stringify(revision).slice(1, -1);
    const message = `unable to resolve '${shown}' to a commit SHA: ${address.url}: ${reason}`;
    return new Fault('revision-unknown', message, { repository: address.url, revision });
  };

  const keptCommits = async (): Promise<string[]> => {
    const directory = join(folder, 'refs', 'mooring');
    const found = await Promise.all(
      (await readdir(directory)).map(async (commit) => ({ commit, at: (await stat(join(directory, commit))).mtimeMs })),
    );
    return found.sort((a, b) => b.at - a.at).map(({ commit }) => commit);
  };

  const keep = async (commit: string): Promise<void> => {
    await writeFile(join(folder, 'refs', 'mooring', commit), `${commit}\n`);
  };

  const fetchOverHttp = async (remote: HttpRemote, call: HttpCall, commit: string): Promise<void> => {
    const haves = (await keptCommits()).slice(0, havesSent);
    const { shallow, pack } = await fetchPack(remote, call, commit, haves);
    const path = join(folder, 'shallow');
    const before = existsSync(path) ? await readFile(path, 'utf8') : '';
    const ids = new Set([...before.split('\n'), ...shallow].filter((id) => /^[0-9a-f]{40,64}$/.test(id)));
    await writeFile(path, [...ids, ''].join('\n'));
    try {
      await git(undefined, ['index-pack', '--stdin', '--fix-thin', `--strict=${fsckFindings}`], { input: pack });
    } catch (error) {
      await writeFile(path, before);
      throw error;
    }
    await keep(commit);
  };

  /** Runs `git fetch` into a folder, which receives `packBytes` at most. */
  const fetchInto = async (into: string, access: RepositoryAccess, args: readonly string[]): Promise<void> => {
    const watch = watchPack(into, clock, limits.packBytes);
    const all = [`--git-dir=${into}`, 'fetch', '--quiet', '--no-write-fetch-head', '--no-auto-maintenance', ...args];
    try {
      await git(access, all, { signal: AbortSignal.any([stopped.signal, watch.signal]) });
    } catch (error) {
      await removeLeftovers(into);
      throw watch.signal.aborted ? new AnswerTooLarge(limits.packBytes) : error;
    } finally {
      watch.stop();
    }
  };

  const fetchWithGit = async (access: RepositoryAccess, commit: string, url: string): Promise<void> => {
    const fetch = (args: readonly string[]): Promise<void> => fetchInto(folder, access, ['--no-tags', ...args]);
    try {
      await fetch(['--depth=1', '--', url, `+${commit}:refs/mooring/${commit}`]);
    } catch (error) {
      if (!refusesIds(error)) throw error;
      await fetch(['--', url, '+refs/heads/*:refs/theirs/heads/*', '+refs/tags/*:refs/theirs/tags/*']);
      if ((await reader.read(commit)) === undefined)
        throw unknownRevision(commit, 'no branch or tag holds this commit');
      await keep(commit);
    }
  };

  const fetch = async (state: Access, access: RepositoryAccess, commit: string): Promise<void> => {
    try {
      await held(state, access, 'fetch', () =>
        measured(access, 'fetch', async () => {
          try {
            if (!overHttp) return await fetchWithGit(access, commit, address.url);
            await httpCall(access, limits.packBytes, limits.gitTimeoutMs, async (call) => {
              const remote = await remoteOf(state, call);
              if (fetchesShallow(remote)) return fetchOverHttp(remote, call, commit);
              delete state.remote;
              return fetchWithGit(access, commit, remote.url);
            });
          } catch (error) {
            const cause = error instanceof GitFailure && error.reason === 'input' ? error.cause : error;
            if (isUnknownObject(cause)) throw unknownRevision(commit, 'the repository has no such commit');
            throw cause;
          }
        }),
      );
    } finally {
      fetches += 1;
    }
    state.proven = true;
  };

  const load = async (state: Access, access: RepositoryAccess, commit: string): Promise<Opened> => {
    await prepare();
    let found = await readCommit(commit);
    if (found === undefined) {
      await fetch(state, access, commit);
      found = await readCommit(commit);
      if (found === undefined) throw new ObjectMissing(commit);
    } else await keep(commit);
    const root = await loadDirectory(found.root, reader.read, known, limits.treeEntries);
    return { ...found, root };
  };

  const repair = async (error: unknown): Promise<void> => {
    if (!mayBeDamage(error) || clock.now() - repairedAt < repairEveryMs) throw error;
    repairedAt = clock.now();
    log.warn(
      { repository: address.url, error: (error as Error).message },
      'the copy of a repository is damaged; cloning it anew',
    );
    for (const state of accesses.values()) delete state.failures.fetch;
    await discard();
  };

  const remember = (commit: string, value: Opened): void => {
    opened.delete(commit);
    opened.set(commit, value);
    let dropped = false;
    while (opened.size > limits.treesKept) {
      opened.delete(opened.keys().next().value as string);
      dropped = true;
    }
    if (!dropped || known.size < knownAfterSweep * 1.5) return;
    known.clear();
    for (const { root } of opened.values()) collect(root, known);
    knownAfterSweep = known.size;
  };

  const openNew = (state: Access, access: RepositoryAccess, commit: string): Promise<Opened> =>
    inTurn(async () => {
      try {
        const before = opened.get(commit);
        if (before !== undefined && state.proven) return before;
        const value = await load(state, access, commit).catch(async (error: unknown) => {
          await repair(error);
          return load(state, access, commit);
        });
        remember(commit, value);
        return value;
      } catch (error) {
        throw repositoryFault(error, address, access);
      }
    });

  const openCommit = async (access: RepositoryAccess, commit: string): Promise<Opened> => {
    usedAt = clock.now();
    if (commit.length !== 40) {
      throw new Fault(
        'repository-refused',
        `${address.url} names commits by SHA-256, which Mooring does not read; use a repository with SHA-1 ids`,
        { repository: address.url },
      );
    }
    const state = accessState(access);
    const present = opened.get(commit);
    if (present !== undefined && state.proven) {
      remember(commit, present);
      return present;
    }
    refuseFailing(state, 'fetch');
    const key = `${fingerprintOf(access)}:${commit}`;
    let pending = opening.get(key);
    if (pending === undefined) {
      pending = openNew(state, access, commit)
        .then(async (value) => {
          // What others fetched is only for those whom the server lets in.
          if (!state.proven) await state.listings.get(['HEAD'], state.refusedAt);
          return value;
        })
        .finally(() => opening.delete(key));
      opening.set(key, pending);
    }
    const value = await pending;
    maintain();
    return value;
  };

  const readBlob = async (access: RepositoryAccess, commit: string, oid: string, path: string): Promise<Uint8Array> => {
    const key = `${name}:${oid}`;
    const cached = setting.blobs.get(key);
    if (cached !== undefined) return cached;
    const read = async (): Promise<Buffer> => {
      const object = await reader.read(oid);
      if (object === undefined) throw new ObjectMissing(oid);
      if (object.data.length > limits.blobBytes) throw new ObjectTooLarge(object.data.length);
      return object.data;
    };
    try {
      const bytes = await read().catch((error: unknown) =>
        inTurn(async () => {
          if (error instanceof ObjectTooLarge) throw error;
          // The reader may only have been started anew since.
          const again = await reader.read(oid).catch(() => undefined);
          if (again !== undefined) return again.data;
          await repair(error);
          await load(accessState(access), access, commit);
          return read();
        }),
      );
      setting.blobs.set(key, bytes);
      return bytes;
    } catch (error) {
      if (error instanceof ObjectTooLarge) {
        throw new Fault(
          'limit-reached',
          `${path} in ${address.url} at ${commit.slice(0, 12)} has ${error.size} bytes; at most ${limits.blobBytes} are read: make it smaller`,
          { repository: address.url, file: path },
        );
      }
      throw repositoryFault(error, address, access);
    }
  };

  /** Finds a commit by the beginning of its id in a copy of the history without files. */
  const expand = async (state: Access, access: RepositoryAccess, beginning: string): Promise<string> =>
    inTurn(async () => {
      await prepare();
      const history = `${folder}.history`;
      const environment = { ...setting.environment };
      const run = (args: readonly string[]): Promise<Buffer> =>
        runGit(clock, {
          args,
          environment,
          timeoutMs: limits.gitTimeoutMs,
          outputBytes: 65_536,
          signal: stopped.signal,
        });
      const look = async (): Promise<string | undefined> => {
        const output = await run([
          `--git-dir=${history}`,
          'rev-parse',
          '--quiet',
          '--verify',
          '--end-of-options',
          `${beginning}^{commit}`,
        ]).catch((error: unknown) => {
          if (error instanceof GitFailure && error.reason === 'exit') {
            if (/ambiguous/.test(error.said))
              throw unknownRevision(beginning, 'more than one commit begins so; write more digits');
            return undefined;
          }
          throw error;
        });
        return output?.toString('latin1').trim();
      };
      const before = existsSync(history) && state.proven ? await look() : undefined;
      if (before !== undefined) return before;
      if (!existsSync(history)) await run(['init', '--quiet', '--bare', '--template=', '--', history]);
      await held(state, access, 'fetch', () =>
        measured(access, 'fetch', async () => {
          const url = overHttp
            ? (await httpCall(access, limits.refsBytes, listTimeoutMs, (call) => remoteOf(state, call))).url
            : address.url;
          await fetchInto(history, access, [
            '--filter=tree:0',
            '--prune',
            '--',
            url,
            '+refs/heads/*:refs/heads/*',
            '+refs/tags/*:refs/tags/*',
          ]);
        }),
      );
      // What came between two looks at a fetch under way.
      if ((await bytesOfPacks(history)) > limits.packBytes) {
        await rm(history, { recursive: true, force: true });
        throw repositoryFault(new AnswerTooLarge(limits.packBytes), address, access);
      }
      state.proven = true;
      const after = await look();
      if (after === undefined) throw unknownRevision(beginning, 'no branch, tag or commit is called or begins so');
      return after;
    });

  const explainUnknown = async (state: Access, revision: string): Promise<Fault> => {
    const { refs } = await state.listings.get(['HEAD', 'refs/heads/', 'refs/tags/'], 0);
    const names = someNames(refs, 10);
    if (names.length === 0)
      return unknownRevision(revision === '' ? 'HEAD' : revision, 'the repository is empty: push a first commit');
    const there = `there are ${names.join(', ')}${refs.commits.size > names.length + 1 ? ', …' : ''}`;
    if (revision === '' || revision === 'HEAD') {
      const to =
        refs.head === undefined ? 'has no HEAD' : `has a HEAD that points to ${refs.head}, which does not exist`;
      return unknownRevision('HEAD', `the repository ${to}; set targetRevision to a branch: ${there}`);
    }
    const what =
      revisionKind(revision) === 'range'
        ? 'no tag is a version in this range'
        : 'there is no such branch, tag or commit';
    return unknownRevision(revision, `${what}; ${there}`);
  };

  /**
   * Rule of upkeep: each fetch adds one pack. After every eighth fetch packs are counted; beyond `packsKept` the refs of all but the
   * `commitsKept` commits used last are dropped, what is still referred to is joined into one pack, and the rest goes, at low priority.
   */
  const maintain = (): void => {
    if (maintaining || fetches < 8) return;
    fetches = 0;
    maintaining = true;
    tidy()
      .catch((error: unknown) => {
        log.warn({ repository: address.url, error: (error as Error).message }, 'a repository could not be tidied up');
      })
      .finally(() => {
        maintaining = false;
      });
  };

  const tidy = async (): Promise<void> => {
    const packs = (await readdir(join(folder, 'objects', 'pack'))).filter((file) => file.endsWith('.pack'));
    if (packs.length <= limits.packsKept) return;
    await inTurn(async () => {
      for (const commit of (await keptCommits()).slice(limits.commitsKept)) {
        if (!opened.has(commit)) await rm(join(folder, 'refs', 'mooring', commit), { force: true });
      }
    });
    await git(undefined, ['repack', '--quiet', '-A', '-d', '--unpack-unreachable=5.minutes.ago', '--threads=1'], {
      background: true,
    });
    await inTurn(() => git(undefined, ['prune', '--expire=5.minutes.ago'], { background: true }));
  };

  return {
    async resolve(access, revision, notBefore) {
      usedAt = clock.now();
      const wanted = revision.trim();
      if (revisionKind(wanted) === 'commit') return wanted.toLowerCase();
      const refusal = revisionRefusal(wanted);
      if (refusal !== undefined) throw unknownRevision(wanted.slice(0, 300), refusal);
      const state = accessState(access);
      try {
        refuseFailing(state, 'ls-remote');
        const { refs } = await state.listings.get(neededPrefixes(wanted), notBefore);
        const commit = pickRef(refs, wanted);
        if (commit !== undefined) return commit;
        if (revisionKind(wanted) === 'abbreviation') return await expand(state, access, wanted.toLowerCase());
        throw await explainUnknown(state, wanted);
      } catch (error) {
        throw repositoryFault(error, address, access);
      }
    },
    async open(access, commit) {
      const { root, committedAt } = await openCommit(access, commit);
      return createGitTree({ commit, committedAt }, root, (oid, path) => readBlob(access, commit, oid, path));
    },
    async describe(access, commit) {
      return (await openCommit(access, commit)).info;
    },
    trees() {
      let bytes = 0;
      for (const { raw } of known.values()) bytes += raw.length;
      return { bytes, entries: known.size };
    },
    lastUsed: () => usedAt,
    stop() {
      stopped.abort();
      reader.stop();
      opened.clear();
      known.clear();
    },
  };
}

function collect(directory: Directory, into: Map<string, Directory>): void {
  const pending = [directory];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (into.has(next.oid)) continue;
    into.set(next.oid, next);
    pending.push(...next.directories.values());
  }
}

/** Reads a commit object: headers, an empty line, the message. */
function parseCommit(data: Buffer): Commit {
  const text = data.toString('utf8');
  const end = text.indexOf('\n\n');
  const headers = end < 0 ? text : text.slice(0, end);
  const root = /^tree ([0-9a-f]{40,64})$/m.exec(headers)?.[1];
  if (root === undefined) throw new ObjectMissing('of the commit’s tree');
  const author = signatureOf(headers, 'author');
  const committer = signatureOf(headers, 'committer');
  const seconds = author?.seconds ?? 0;
  const date = new Date(Math.min(Math.max(seconds, -8.64e12), 8.64e12) * 1000).toISOString();
  const message = end < 0 ? '' : text.slice(end + 2).trimEnd();
  const committedAt = committer === undefined ? undefined : committer.seconds * 1000;
  return { root, info: { author: author?.name ?? '', date, message }, committedAt };
}

/** Who wrote or committed, and when, in seconds since 1970. Whoever commits writes the header: it is read from its end, in time linear in its length. */
function signatureOf(headers: string, header: 'author' | 'committer'): { name: string; seconds: number } | undefined {
  const start = headers.startsWith(`${header} `) ? 0 : headers.indexOf(`\n${header} `) + 1;
  if (start === 0 && !headers.startsWith(`${header} `)) return undefined;
  const end = headers.indexOf('\n', start);
  const line = headers.slice(start + header.length + 1, end < 0 ? headers.length : end);
  const time = /(?:^| |(?<=>))(-?\d{1,20}) [+-]\d{4}$/.exec(line.slice(-30));
  if (time === null) return undefined;
  return { name: line.slice(0, line.length - time[0].length), seconds: Number(time[1]) };
}

/** Removes locks and half-written packs of processes that were ended. Nobody else may be writing. */
async function removeLeftovers(folder: string): Promise<void> {
  const packs = join(folder, 'objects', 'pack');
  const inPacks = (await readdir(packs).catch(() => [])).filter(
    (file) => file.startsWith('tmp_') || file.startsWith('.tmp-'),
  );
  const locks = (await readdir(folder)).filter((file) => file.endsWith('.lock') || file.startsWith('shallow_'));
  const refs = join(folder, 'refs', 'mooring');
  const inRefs = (await readdir(refs).catch(() => [])).filter((file) => file.endsWith('.lock'));
  await Promise.all([
    ...inPacks.map((file) => rm(join(packs, file), { force: true })),
    ...locks.map((file) => rm(join(folder, file), { force: true })),
    ...inRefs.map((file) => rm(join(refs, file), { force: true })),
  ]);
  const now = new Date();
  await utimes(folder, now, now);
}

async function bytesOfPacks(folder: string): Promise<number> {
  const packs = join(folder, 'objects', 'pack');
  const files = await readdir(packs);
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(packs, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Aborts its signal once a pack that is being received has more than `bytes`. Git has no limit of its own for a fetch. */
function watchPack(folder: string, clock: Clock, bytes: number): { readonly signal: AbortSignal; stop(): void } {
  const tooLarge = new AbortController();
  const packs = join(folder, 'objects', 'pack');
  let cancel = (): void => {};
  let stopped = false;
  const look = async (): Promise<void> => {
    const files = (await readdir(packs).catch(() => [])).filter((file) => file.startsWith('tmp_pack_'));
    const sizes = await Promise.all(
      files.map((file) =>
        stat(join(packs, file)).then(
          (found) => found.size,
          () => 0,
        ),
      ),
    );
    if (sizes.some((size) => size > bytes)) tooLarge.abort();
    else if (!stopped) cancel = clock.after(500, () => void look());
  };
  cancel = clock.after(500, () => void look());
  return {
    signal: tooLarge.signal,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
