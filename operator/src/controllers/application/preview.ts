import type { Application } from '@mooring/crds';
import { driftOf } from '../../engine/policy/decide.ts';
import { isOutOfSync } from '../../model/change.ts';
import { keyForPeople } from '../../model/resource-key.ts';
import type { World } from '../../world/world.ts';
import { factsOf } from './measure.ts';
import type { Memory } from './memory.ts';
import type { Seen } from './see.ts';

/** Objects that one line of the log names. */
const namedAtMost = 20;

/** Where nothing is written: tells what a sync would change, in metrics, and in the log whenever that is something else than before. */
export function preview(app: Application, { comparison }: Seen, world: World, memory: Memory): void {
  const { log, metrics } = world.telemetry;
  const facts = factsOf(app, world);
  const counts = { create: 0, update: 0, prune: 0 };
  const objects: string[] = [];
  for (const change of comparison.changes.changes) {
    if (change.action === 'none' || !isOutOfSync(change)) continue;
    counts[change.action] += 1;
    if (objects.length < namedAtMost) objects.push(`${change.action} ${keyForPeople(change.key)}`);
  }
  metrics.previewed(facts, counts);
  metrics.drifted(facts, driftOf({ app, ...comparison }));
  const told = JSON.stringify([counts, objects]);
  if (memory.previewed === told) return;
  memory.previewed = told;
  const isEqual = objects.length === 0;
  const message = isEqual ? 'a sync would change nothing' : 'a sync would change these objects; nothing is written';
  log.info({ revision: comparison.commit, ...(!isEqual && { ...counts, objects: objects.join(', ') }) }, message);
}
