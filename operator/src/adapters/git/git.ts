import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { env } from 'node:process';
import { Fault, messageOf } from '../../model/fault.ts';
import type { OperatorLimits } from '../../model/limits.ts';
import { type RepositoryAddress, readRepositoryAddress, type Transport } from '../../model/repository-url.ts';
import type { Clock } from '../../world/clock.ts';
import type { Git, RepositoryAccess } from '../../world/git.ts';
import type { CacheFacts, GitRequestFacts, Log } from '../../world/telemetry.ts';
import { baseEnvironment, gitConfig, withUserInformation } from './access.ts';
import { createBlobCache } from './blob-cache.ts';
import { claimFolder } from './claim.ts';
import { createDiskUsage } from './disk-usage.ts';
import { refuseBelow } from './file-repositories.ts';
import { createHttpConnections } from './http-remote.ts';
import { type GitLimits, gitLimits } from './limits.ts';
import { type Network, otherHosts } from './network.ts';
import { createRepository, type Repository, type RepositorySetting } from './repository.ts';

/** What `createGit` is given. */
export interface GitOptions {
  /** A folder for bare repositories; made where it is missing. Where another process uses it, one beside it is taken. It may be deleted at any time. */
  readonly directory: string;
  readonly clock: Clock;
  readonly limits: Pick<OperatorLimits, 'gitTimeoutMs' | 'treeEntries' | 'blobBytes'> & Partial<GitLimits>;
  readonly log: Log;
  /** Told of every request to a repository. */
  readonly onRequest?: (facts: GitRequestFacts) => void;
  /** Those of the network where absent. */
  readonly transports?: readonly Transport[];
  /** Every host but those that mean this machine where absent. */
  readonly network?: Network;
  /** No repository of this machine is read below it: everybody's are in there. `directory` where absent. */
  readonly ownDirectory?: string;
  /** A file of host keys in the format of OpenSSH; the user's own where absent. */
  readonly knownHosts?: string;
  /** Where the paths of programs, proxies and certificates are read from; the process's own environment where absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Git that can be looked at and closed. */
export interface OpenGit extends Git {
  caches(): readonly CacheFacts[];
  close(): Promise<void>;
}

const networkTransports: readonly Transport[] = ['https', 'http', 'ssh'];
export const everyTransport: readonly Transport[] = [...networkTransports, 'file'];
const sweepEveryMs = 60 * 60 * 1000;

/**
 * Git by the system's git on bare repositories, never checked out. Over HTTP the questions are asked by this process itself, and git only takes in what was sent.
 * Throws where the directory cannot be written.
 */
export function createGit(options: GitOptions): OpenGit {
  const { clock, log } = options;
  const claim = claimFolder(resolve(options.directory));
  const { directory } = claim;
  const limits: GitLimits = { ...gitLimits, ...options.limits };
  const transports = options.transports ?? networkTransports;
  const network = options.network ?? otherHosts();
  const ownDirectory = resolve(options.ownDirectory ?? options.directory);
  const environment = baseEnvironment(directory, options.environment ?? env, limits.objectBytes);
  /** Folders for temporary files are tidied up by others, too: without its settings git would do as it pleases. */
  const restore = (): void => {
    if (existsSync(join(directory, 'gitconfig'))) return;
    mkdirSync(join(directory, 'repositories'), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, 'gitconfig'), gitConfig());
    claim.renew();
  };
  mkdirSync(join(directory, 'repositories'), { recursive: true, mode: 0o700 });
  // Keys of a process that was killed.
  rmSync(join(directory, 'keys'), { recursive: true, force: true });
  writeFileSync(join(directory, 'gitconfig'), gitConfig());
  const repositories = new Map<string, Repository>();
  const setting: RepositorySetting = {
    directory,
    restore,
    environment,
    connections: createHttpConnections(environment, network),
    network,
    knownHosts: options.knownHosts,
    blobs: createBlobCache(limits.blobCacheBytes),
    clock,
    limits,
    log,
    onRequest: options.onRequest ?? (() => {}),
  };

  const usage = createDiskUsage(join(directory, 'repositories'), clock);
  const reach = async (asked: RepositoryAccess): Promise<{ repository: Repository; access: RepositoryAccess }> => {
    const address = readRepositoryAddress(asked.url);
    refuseTransport(address, transports);
    if (asked.refusal !== undefined)
      throw new Fault('repository-refused', `the repository ${address.url} is not asked: ${asked.refusal}`, {
        repository: address.url,
      });
    if (address.transport === 'file') await refuseBelow(ownDirectory, address);
    const access = withUserInformation(asked, address);
    const name = createHash('sha256').update(address.url).digest('hex').slice(0, 32);
    let repository = repositories.get(name);
    if (repository === undefined) {
      repository = createRepository(address, name, setting);
      repositories.set(name, repository);
    }
    return { repository, access };
  };

  /** Removes repositories that nobody has asked about for `repositoryIdleMs`. */
  const removeIdle = (): void => {
    for (const [name, repository] of repositories) {
      if (clock.now() - repository.lastUsed() <= limits.repositoryIdleMs) continue;
      repository.stop();
      repositories.delete(name);
    }
    const folder = join(directory, 'repositories');
    for (const entry of readdirSync(folder)) {
      const path = join(folder, entry);
      if (repositories.has(entry.slice(0, 32)) || !existsSync(path)) continue;
      if (clock.now() - statSync(path).mtimeMs > limits.repositoryIdleMs)
        rmSync(path, { recursive: true, force: true });
    }
  };
  const sweep = (): void => {
    try {
      removeIdle();
    } catch (thrown) {
      // Thrown by a timer, it would end the process; the folder may be gone, or not ours any more.
      log.warn({ directory, error: messageOf(thrown) }, 'repositories that are not used could not be removed');
    }
    cancelSweep = clock.after(sweepEveryMs, sweep);
  };
  let cancelSweep = clock.after(sweepEveryMs, sweep);

  return {
    async resolve(asked, revision, notBefore) {
      const { repository, access } = await reach(asked);
      return { commit: await repository.resolve(access, revision, notBefore) };
    },
    async open(asked, revision) {
      const { repository, access } = await reach(asked);
      return repository.open(access, revision.commit);
    },
    async describe(asked, revision) {
      const { repository, access } = await reach(asked);
      return repository.describe(access, revision.commit);
    },
    caches() {
      const trees = [...repositories.values()].map((repository) => repository.trees());
      return [
        { cache: 'blobs', ...setting.blobs.size() },
        {
          cache: 'trees',
          bytes: trees.reduce((sum, { bytes }) => sum + bytes, 0),
          entries: trees.reduce((sum, { entries }) => sum + entries, 0),
        },
        { cache: 'git', ...usage() },
      ];
    },
    async close() {
      cancelSweep();
      for (const repository of repositories.values()) repository.stop();
      repositories.clear();
      setting.blobs.clear();
      await setting.connections.close();
      // Those of requests that are still ending.
      rmSync(join(directory, 'keys'), { recursive: true, force: true });
      claim.release();
    },
  };
}

/** Throws `Fault` `repository-refused` where an address is reached in a way that is switched off. */
function refuseTransport({ transport, url }: RepositoryAddress, allowed: readonly Transport[]): void {
  if (allowed.includes(transport)) return;
  const how = transport === 'file' ? '; who runs the operator can start it with --allow-file-repositories' : '';
  throw new Fault(
    'repository-refused',
    `the repository URL ${JSON.stringify(url)} is not valid: the transport ${transport} is switched off, allowed are ${allowed.join(', ')}${how}`,
    { repository: url },
  );
}
