import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RepositoryAccess } from '@mooring/operator/world/git.ts';
import { openGit, readFile } from '../git/client.ts';

/** What `git-check.ts` is given as its only argument, in JSON. */
export interface GitCheck {
  /** Revisions to resolve, and a file to read of each. */
  readonly reads: readonly { readonly access: RepositoryAccess; readonly revision: string; readonly path: string }[];
  /** A repository that never answers. */
  readonly silent: RepositoryAccess;
}

/** What it prints, in JSON. */
export interface GitChecked {
  readonly hasShell: boolean;
  readonly reads: readonly { readonly commit: string; readonly text: string }[];
  /** Processes that have ended and that nobody waits for, 10 s after one that was ended. */
  readonly zombies: readonly string[];
}

/** Runs inside a container of the image: the operator's Git, with what the image has of git and ssh. */
const check = JSON.parse(argv[2] ?? '') as GitCheck;
const options = { directory: '/data/git', knownHosts: '/check/known_hosts' };
const git = openGit(options);
const reads = [];
for (const { access, revision, path } of check.reads) reads.push(await readFile(git, access, revision, path));
await git.close();

const other = openGit({ ...options, directory: '/data/other' });
const asked = other.resolve(check.silent, 'main', Date.now()).catch(() => undefined);
while (!processes().some(({ name }) => name === 'ssh')) await sleep(10);
await other.close();
await asked;
const until = performance.now() + 10_000;
while (zombies().length > 0 && performance.now() < until) await sleep(50);

const checked: GitChecked = { hasShell: existsSync('/bin/sh'), reads, zombies: zombies() };
console.log(JSON.stringify(checked));

function zombies(): string[] {
  return processes()
    .filter(({ state }) => state === 'Z')
    .map(({ name }) => name);
}

function processes(): { name: string; state: string }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && existsSync(`/proc/${entry}/stat`))
    .map((entry) => {
      const [, name = '', state = ''] = /\((.*)\) (.)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
      return { name, state };
    });
}
