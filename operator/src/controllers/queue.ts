/** Who waits longest: a person, then a webhook, then a cluster that drifted, then a poll. Higher goes first. */
export const priority = { person: 30, webhook: 20, drift: 10, poll: 0 } as const;

export type Priority = (typeof priority)[keyof typeof priority];

/** Milliseconds of waiting that make up for one point of priority: a poll that has waited for 30 s is as urgent as a person who comes then. */
const agingMs = 1_000;

/**
 * How urgent it is, of all that waits: the highest number goes first. It grows with the time that something waits, alike for all, so that the order of two never
 * changes while both wait: nothing that is of lower or equal priority and came later goes first, and of what is of higher priority only what came in the 30 s
 * after it.
 */
export function urgencyOf({ at, priority }: Omit<QueueEntry, 'key'>): number {
  return priority * agingMs - at;
}

/** Something to do, no earlier than `at` (milliseconds since 1970). */
export interface QueueEntry {
  readonly key: string;
  readonly at: number;
  readonly priority: Priority;
}

/**
 * What waits, one entry a key: the earliest time and the highest priority asked for win. No timer and no clock is in it.
 * A key beyond `length` is refused, and `put` says so.
 */
export interface Queue {
  put(entry: QueueEntry): boolean;
  /** Takes out every entry that is due, most urgent first: see `urgencyOf`. */
  takeDue(now: number): QueueEntry[];
  drop(key: string): void;
  /** When the next entry is due; undefined where nothing waits. */
  nextAt(): number | undefined;
  readonly size: number;
}

export function createQueue(length: number): Queue {
  const entries = new Map<string, QueueEntry>();
  return {
    put(entry) {
      const waiting = entries.get(entry.key);
      if (waiting === undefined && entries.size >= length) return false;
      entries.set(entry.key, {
        key: entry.key,
        at: Math.min(entry.at, waiting?.at ?? entry.at),
        priority: waiting !== undefined && waiting.priority > entry.priority ? waiting.priority : entry.priority,
      });
      return true;
    },
    takeDue(now) {
      const due = [...entries.values()].filter((entry) => entry.at <= now);
      for (const entry of due) entries.delete(entry.key);
      return due.sort((a, b) => urgencyOf(b) - urgencyOf(a) || a.at - b.at);
    },
    drop(key) {
      entries.delete(key);
    },
    nextAt() {
      let first: number | undefined;
      for (const { at } of entries.values()) if (first === undefined || at < first) first = at;
      return first;
    },
    get size() {
      return entries.size;
    },
  };
}
