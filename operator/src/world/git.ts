import type { Tree } from '@mooring/renderer-contract';

/** How a repository is reached: its address as the user wrote it, and the credentials found for it. */
export interface RepositoryAccess {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly bearerToken?: string;
  readonly sshPrivateKey?: string;
  /** Skips the check of the server's certificate or host key. */
  readonly insecure?: boolean;
  readonly tlsClientCertData?: string;
  readonly tlsClientCertKey?: string;
  readonly proxy?: string;
  /** Why it is not asked at all: its Secret says how to, in a way that is not supported yet. */
  readonly refusal?: string;
  /** Host keys in the format of OpenSSH's known_hosts; none else is trusted. */
  readonly knownHosts?: string;
  /** Certificate authorities (PEM) of the server; none else is trusted. */
  readonly ca?: string;
}

/** A revision as the user wrote it, resolved. */
export interface Revision {
  /** Full commit id, 40 or 64 hex digits. */
  readonly commit: string;
}

/** A tree of which every path has an object id: equal id, equal content. */
export interface GitTree extends Tree {
  readonly commit: string;
  /** Committer date of the commit, in milliseconds since 1970; undefined where the commit does not say. */
  readonly committedAt: number | undefined;
  /** Object id at `path`, a symbolic link not followed; undefined where there is nothing. */
  oid(path: string): string | undefined;
}

export interface CommitInfo {
  readonly author: string;
  readonly date: string;
  readonly message: string;
}

/** Git repositories, read only. Every method throws `Fault` (`repository-unreachable`, `repository-refused`, `revision-unknown`, `limit-reached`). */
export interface Git {
  /**
   * The commit that a branch, tag, commit id or `HEAD` stands for. The answer is no older than `notBefore` (milliseconds since 1970);
   * callers that ask about one repository at one time share one request. A full commit id needs none.
   */
  resolve(repository: RepositoryAccess, revision: string, notBefore: number): Promise<Revision>;
  /** The tree of a commit, fetched first where it is not there yet. */
  open(repository: RepositoryAccess, revision: Revision): Promise<GitTree>;
  describe(repository: RepositoryAccess, revision: Revision): Promise<CommitInfo>;
}
