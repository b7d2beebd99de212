import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, kill, type ProcessId, processId } from '../cluster/processes.ts';

/** What a run of the demo has made and not removed yet, kept in a file, so that `make down` or the next run can do it. */
export interface Left {
  /** The process that removes it at its end; absent for what `make up` leaves running. */
  readonly owner?: ProcessId;
  readonly cluster?: LeftCluster;
  readonly operator?: ProcessId;
  readonly gitServer?: ProcessId;
  /** Temporary folder of repositories. */
  readonly folder?: string;
}

/** The Kubernetes that was used, and what of it is ours. */
export type LeftCluster =
  | { readonly kind: 'local' }
  /** `folder` holds its kubeconfig. */
  | { readonly kind: 'kind'; readonly folder: string }
  /** Somebody else's: only the shop in it is ours. */
  | { readonly kind: 'context'; readonly context: string };

/** The file, or undefined where nothing is left. */
export async function readLeft(path: string): Promise<Left | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Left;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** Writes what is left from now on. */
export async function writeLeft(path: string, left: Left): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(left));
  // A reader gets the old state or the new one.
  await rename(`${path}.new`, path);
}

export async function forgetLeft(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Whether somebody stands for it: the run that made it, or, after `make up`, the operator. */
export function isInUse({ owner, operator }: Left): boolean {
  const one = owner ?? operator;
  return one !== undefined && isAlive(one);
}

/** The identity of a child that was started just now; undefined where it has ended already. */
export function identityOf(pid: number): ProcessId | undefined {
  try {
    return processId(pid);
  } catch {
    return undefined;
  }
}

/** Ends that very process, if it still runs: SIGTERM, and SIGKILL after 15 s. */
export async function endProcess(id: ProcessId | undefined): Promise<void> {
  if (id === undefined || !isAlive(id)) return;
  process.kill(id.pid, 'SIGTERM');
  const deadline = performance.now() + 15_000;
  while (isAlive(id)) {
    if (performance.now() > deadline) kill(id);
    await sleep(20);
  }
}
