import { answered, type DiffRules } from '../../engine/diff/diff.ts';
import { keepIgnored } from '../../engine/diff/keep-ignored.ts';
import { type Change, type ChangeSet, isUnproven } from '../../model/change.ts';
import { Fault } from '../../model/fault.ts';
import type { Guard } from '../../model/guard.ts';
import { isStillMarked, type LiveSet } from '../../model/live.ts';
import { keyText } from '../../model/resource-key.ts';
import type { Cluster } from '../../world/cluster.ts';

/**
 * What the API server is asked about: of objects of which every difference is doubtful (`rest`); of them, but not of those that Git has just changed and that are
 * applied right after (`old`); of every object with a doubtful difference, so that each single one that is left is one (`each`).
 */
export type Asks = 'rest' | 'old' | 'each';

/** What is needed to ask. */
export interface AskContext {
  readonly live: LiveSet;
  readonly cluster: Cluster;
  readonly rules: DiffRules;
  readonly guard: Guard;
  readonly asks: Asks;
}

type Update = Extract<Change, { readonly action: 'update' }>;

/**
 * Asks the API server, by a dry run of the apply, about differences in fields that are ours: it, or an admission webhook, may make of the manifest just what is
 * there. What the apply leaves as it is, is no difference. Nothing that this process remembers can tell that, since the next one remembers nothing. An object
 * that is refused differs, as it does where it cannot be asked about. Throws `Fault` where the cluster is out of reach.
 */
export async function askAbout({ changes }: ChangeSet, context: AskContext): Promise<ChangeSet> {
  const asked = changes.map((change) =>
    change.action === 'update' && isDoubtful(change, context) ? ask(change, context) : change,
  );
  return { changes: await Promise.all(asked) };
}

/** Whether an apply would change any object at all: asks about one after the other, until one would be changed. Throws `Fault` where the cluster is out of reach. */
export async function isAnyProven({ changes }: ChangeSet, context: Omit<AskContext, 'asks'>): Promise<boolean> {
  for (const change of changes) {
    if (change.action !== 'update') continue;
    if (!isUnproven(change) || (await ask(change, context)).action !== 'none') return true;
  }
  return false;
}

function isDoubtful(change: Update, { live, asks }: AskContext): boolean {
  const { key, desired, certain, differences, live: record } = change;
  if (asks === 'each') return desired.forbidden === undefined && certain < differences.length;
  if (!isUnproven(change)) return false;
  const mark = live.marks.get(keyText(key));
  // It was as asked for, to the letter, and nobody has touched it: what differs is what Git has changed.
  const isNews =
    mark !== undefined && !mark.isAsked && mark.desiredHash !== desired.hash && isStillMarked(mark, record);
  return asks === 'rest' || !isNews;
}

async function ask(change: Update, { live, cluster, rules, guard }: Omit<AskContext, 'asks'>): Promise<Change> {
  const { key, desired } = change;
  const { object, options } = desired;
  const current = live.objects.get(keyText(key));
  if (current === undefined) return change;
  const manifest = options.respectIgnoreDifferences ? keepIgnored(object, current, rules.ignoreDifferences) : object;
  const how = options.replace ? 'replace' : 'server-side';
  try {
    const answer = await cluster.apply(manifest, { how, dryRun: true, validate: options.validate, guard });
    return answered(change, current, answer, rules);
  } catch (thrown) {
    const isRefused =
      thrown instanceof Fault && (thrown.code.startsWith('object-') || thrown.code === 'cluster-refused');
    if (!isRefused) throw thrown;
    return { ...change, certain: change.differences.length };
  }
}
