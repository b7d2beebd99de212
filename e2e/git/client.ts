import assert from 'node:assert/strict';
import { createGit, everyTransport, type GitOptions } from '@mooring/operator/adapters/git/git.ts';
import { everyHost } from '@mooring/operator/adapters/git/network.ts';
import { systemClock } from '@mooring/operator/adapters/time/system.ts';
import { Fault, type FaultCode } from '@mooring/operator/model/fault.ts';
import { operatorLimits } from '@mooring/operator/model/limits.ts';
import type { Git, RepositoryAccess } from '@mooring/operator/world/git.ts';

/** The operator's Git, as it is composed, with what it logs kept. */
export interface GitClient extends Git {
  /** What was logged, a JSON object for each line. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

/** Opens a Git of its own on a folder. A failure is held for no time, so that each request is made. */
export function openGit(options: Pick<GitOptions, 'directory' | 'knownHosts' | 'environment' | 'network'>): GitClient {
  const lines: string[] = [];
  const say = (fields: object, message: string): number => lines.push(JSON.stringify({ ...fields, message }));
  const git = createGit({
    clock: systemClock,
    limits: { ...operatorLimits, failureHoldMs: 0 },
    log: { debug: say, info: say, warn: say, error: say },
    transports: everyTransport,
    network: everyHost,
    ...options,
  });
  return { ...git, lines };
}

/** Resolves a revision, opens its tree and reads one file of it as text. */
export async function readFile(
  git: Git,
  access: RepositoryAccess,
  revision: string,
  path: string,
): Promise<{ commit: string; text: string }> {
  const { commit } = await git.resolve(access, revision, Date.now());
  const tree = await git.open(access, { commit });
  return { commit, text: Buffer.from(await tree.read(path)).toString('utf8') };
}

/** The fault that a request ends with. Throws where it ends well, or with something else. */
export async function faultOf(code: FaultCode, request: Promise<unknown>): Promise<Fault> {
  const [result] = await Promise.allSettled([request]);
  if (result.status === 'fulfilled') throw new assert.AssertionError({ message: `no fault ${code}` });
  if (!(result.reason instanceof Fault)) throw result.reason;
  assert.equal(result.reason.code, code, result.reason.message);
  return result.reason;
}
