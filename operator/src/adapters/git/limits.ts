import type { OperatorLimits } from '../../model/limits.ts';

/** Bounds of the Git adapter: those of the operator that concern it, and its own. */
export interface GitLimits extends Pick<OperatorLimits, 'gitTimeoutMs' | 'treeEntries' | 'blobBytes'> {
  /** Milliseconds for one listing of refs. */
  readonly listTimeoutMs: number;
  /** Bytes of one listing of refs, and how many there may be. 100,000 refs take about 7 MB. */
  readonly refsBytes: number;
  readonly refsCount: number;
  /** Names asked for one by one in a listing of refs; beyond it the whole of `refs/heads/` and `refs/tags/` is listed. */
  readonly refsAsked: number;
  /** Bytes of one pack that a server sends. */
  readonly packBytes: number;
  /**
   * Bytes that git may allocate at once, for one object above all: a delta of a few bytes may stand for gigabytes. A process of git takes up to three times as much.
   */
  readonly objectBytes: number;
  /** Trees of different commits kept in memory, in each repository; what they share is kept once. */
  readonly treesKept: number;
  /** Commits kept from being pruned, in each repository. */
  readonly commitsKept: number;
  /** Bytes of file contents kept in memory, over all repositories. */
  readonly blobCacheBytes: number;
  /** Packs in one repository before they are joined into one, in the background. */
  readonly packsKept: number;
  /** Milliseconds that a failed request is the answer for everyone who asks about the same repository. */
  readonly failureHoldMs: number;
  /** Milliseconds without a read after which the process that reads a repository's objects ends. */
  readonly readerIdleMs: number;
  /** Milliseconds without use after which a repository is removed from disk. */
  readonly repositoryIdleMs: number;
}

/** What holds where `createGit` is given nothing else. */
export const gitLimits: Omit<GitLimits, keyof Pick<OperatorLimits, 'gitTimeoutMs' | 'treeEntries' | 'blobBytes'>> = {
  listTimeoutMs: 30_000,
  refsBytes: 16 * 1024 * 1024,
  refsCount: 200_000,
  refsAsked: 64,
  packBytes: 2 * 1024 * 1024 * 1024,
  objectBytes: 128 * 1024 * 1024,
  treesKept: 16,
  commitsKept: 32,
  blobCacheBytes: 32 * 1024 * 1024,
  packsKept: 50,
  failureHoldMs: 2_000,
  readerIdleMs: 60_000,
  repositoryIdleMs: 24 * 60 * 60 * 1000,
};
