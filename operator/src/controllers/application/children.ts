import type { Application } from '@mooring/crds';
import { specTarget } from '../../engine/policy/target.ts';
import { annotation } from '../../model/annotations.ts';
import { Fault } from '../../model/fault.ts';
import type { LiveRecord } from '../../model/live.ts';
import { keyText } from '../../model/resource-key.ts';
import type { World } from '../../world/world.ts';
import { admit } from './admit.ts';
import { applicationKey } from './wake.ts';

/**
 * The records of child Applications with a wave that say something of an older commit than the one that their revision stands for, as far as is known here: by
 * `keyText`, as being on their way. A commit that changes parent and child is so brought in wave by wave. No Git server is waited for but where it was never asked.
 */
export async function childrenBehind(
  records: Iterable<LiveRecord>,
  world: World,
  children: Children,
): Promise<ReadonlyMap<string, LiveRecord>> {
  const behind = new Map<string, LiveRecord>();
  for (const record of records) {
    const { key, uid, hints } = record;
    if (key.group !== 'argoproj.io' || key.kind !== 'Application' || hints?.[annotation.syncWave] === undefined)
      continue;
    const child = world.store.application(key);
    if (child === undefined || child.metadata.uid !== uid) continue;
    const commit = await knownCommit(child, world);
    if (commit === undefined || commit === child.status?.sync?.revision) continue;
    const message = `Waiting for the Application to be compared with ${commit}`;
    ask(child, commit, children);
    behind.set(keyText(key), { ...record, health: { status: 'Progressing', message } });
  }
  return behind;
}

/** Children that an operation has waited for, and which of them are to be looked at. */
export interface Children {
  /** The commit that each was asked to be compared with, by `applicationKey`. */
  readonly asked: Map<string, string>;
  /** Those that nobody has woken yet. */
  readonly toWake: string[];
}

/** A child whose repository is polled minutes later is looked at now, once for each commit: one that cannot be compared goes by its own pauses. */
function ask(child: Application, commit: string, { asked, toWake }: Children): void {
  const id = applicationKey(child);
  if (asked.get(id) === commit) return;
  asked.set(id, commit);
  toWake.push(id);
}

async function knownCommit(child: Application, world: World): Promise<string | undefined> {
  try {
    const { source, revision } = specTarget(child);
    const { project } = admit(child, source, world);
    const repository = world.store.repository(source.repoURL, project.metadata.name ?? '');
    return (await world.git.resolve(repository, revision, 0)).commit;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    // The child's own look reports it.
    return undefined;
  }
}
