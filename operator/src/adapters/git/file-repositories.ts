import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../../model/fault.ts';
import type { RepositoryAddress } from '../../model/repository-url.ts';

/**
 * Throws `Fault` `repository-refused` where a repository of this machine lies in `directory` or below it, by whatever name or link. All names are looked at
 * that git itself tries for a path.
 */
export async function refuseBelow(directory: string, { path, url }: RepositoryAddress): Promise<void> {
  const own = await identityOf(directory);
  // There is nothing below it before the first clone, or after somebody has tidied up.
  if (own === undefined) return;
  for (const ending of ['', '/.git', '.git', '.git/.git']) {
    for (let at = await realpath(path + ending).catch(() => undefined); at !== undefined; at = above(at)) {
      if ((await identityOf(at)) !== own) continue;
      const message = `the repository URL ${JSON.stringify(url)} is not valid: it leads into the operator's own folder of data`;
      throw new Fault('repository-refused', message, { repository: url });
    }
  }
}

function above(path: string): string | undefined {
  const parent = dirname(path);
  return parent === path ? undefined : parent;
}

/** Tells folders apart by what they are, since one may be mounted twice. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}
