import { annotation } from '../../model/annotations.ts';
import { type AppliedMark, isOld, isStillMarked, type LiveRecord } from '../../model/live.ts';
import { keyText, type ResourceKey } from '../../model/resource-key.ts';
import type { Equal, LiveChange } from '../../world/cluster.ts';
import { isOlder } from './resource-version.ts';

export type CacheChange = Omit<LiveChange, 'server'>;

/** Records of every object of a cluster, found by key, by Application and by owner. It is never older than this process's own last write of a key. */
export interface LiveCache {
  readonly size: number;
  record(key: ResourceKey): LiveRecord | undefined;
  tracked(app: string): readonly LiveRecord[];
  ownedBy(uid: string): readonly LiveRecord[];
  /** Everything that the finalizer of hooks holds. */
  held(): readonly LiveRecord[];
  /** A hook that is no more, as it was last. */
  lastOf(key: ResourceKey): LiveRecord | undefined;
  mark(key: ResourceKey): AppliedMark | undefined;
  /** Remembers that the object equals a desired one; nothing where the view holds another version of it than was compared. */
  setMark(key: ResourceKey, equal: Equal): void;
  /** Forgets the mark: the object does not equal what is asked for, so that each change of it is told. */
  dropMark(key: ResourceKey): void;
  /** Which objects an Application asks for, in the place of those of before; it is told of them whoever they belong to. */
  want(app: string, keys: readonly ResourceKey[]): void;
  /** Whether an object that the Application asks for may have changed since it was compared, as far as the view tells. */
  isOutdated(app: string): boolean;
  /** What a watch or a list says of an object; ignored where the view is newer. */
  seen(record: LiveRecord): void;
  /** What a watch says of an object that is no more. */
  gone(record: LiveRecord): void;
  /**
   * Announces an own write of a key; the answer ends it. Whom the object belongs to then is not told of what it does, however early the watch sees it; who
   * else asks for the object is, and whom it is taken from.
   */
  beginWrite(key: ResourceKey): (outcome: WriteOutcome) => void;
  /** Announces that a key is read; the answer ends it: what was found is seen, unless it was told meanwhile that it is no more. */
  beginRead(key: ResourceKey): (outcome: ReadOutcome) => void;
  /** Begins a list of one part of the view; the answer ends it: what was not seen meanwhile is dropped, as of that version. */
  beginList(part: CachePart): (resourceVersion: string) => void;
  /** Drops a part of the view, such as a kind that is not served any more. */
  drop(part: CachePart): void;
}

/** What came of an own write. `removed` is the uid of an object that is no more. */
export type WriteOutcome = { readonly stored: LiveRecord } | { readonly removed: string } | 'failed';

/** What a read answered. */
export type ReadOutcome = { readonly found: LiveRecord } | 'missing' | 'failed';

/** The objects of one kind, in one namespace or (`''`) in all. */
export interface CachePart {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

interface Write {
  writers: number;
  /** The object as it was before the write. */
  readonly before: LiveRecord | undefined;
  known: LiveRecord | undefined;
  /** Uid of an object whose end was told before the answer to the write came. */
  gone: string | undefined;
}

interface Read {
  /** Uid of the object that was known when it began. */
  readonly before: string | undefined;
  /** Uids of objects whose end was told before the answer came. */
  readonly gone: Set<string>;
}

/** Hooks whose end is remembered: those that end between two looks of their syncs. */
const endedHooksKept = 1_000;

/**
 * A cache that tells `onChange` what matters to an Application: not its own writes, and of an object that its mark vouches for no mere noise in a status. Of one
 * that nothing vouches for each change is told to those who ask for it.
 */
export function createCache(onChange: (change: CacheChange) => void): LiveCache {
  const records = new Map<string, LiveRecord>();
  // A kind's keys, so that a list's end looks at that kind alone.
  const byKind = new Map<string, Set<string>>();
  const byApp = new Map<string, Set<string>>();
  const byOwner = new Map<string, Set<string>>();
  const held = new Set<string>();
  const marks = new Map<string, AppliedMark>();
  /** Uids that ended by an own delete, or were read and missing, by key, until the watch confirms it. */
  const ended = new Map<string, string>();
  /** Hooks that are no more, the latest last: one may go by itself when it is done, before its sync has looked at it. */
  const endedHooks = new Map<string, LiveRecord>();
  const lists = new Map<string, Set<string>>();
  /** What each Application asks for, and who asks for an object. */
  const wanted = new Map<string, readonly string[]>();
  const wantedBy = new Map<string, Set<string>>();
  /** Own writes under way, by key, and the record that everybody knows of meanwhile. */
  const writes = new Map<string, Write>();
  const reads = new Map<string, Set<Read>>();

  function put(text: string, record: LiveRecord): void {
    const old = records.get(text);
    records.set(text, record);
    if (old === undefined) add(byKind, kindText(record.key), text);
    if (old?.app !== record.app) {
      if (old?.app !== undefined) take(byApp, old.app, text);
      if (record.app !== undefined) add(byApp, record.app, text);
    }
    if (old === undefined || !sameList(old.owners, record.owners)) {
      for (const owner of old?.owners ?? []) take(byOwner, owner, text);
      for (const owner of record.owners) add(byOwner, owner, text);
    }
    if (record.isHeld) held.add(text);
    else held.delete(text);
    if (old !== undefined && old.uid !== record.uid) {
      marks.delete(text);
      noteEnd(text, old.uid);
    }
  }

  function noteEnd(text: string, uid: string): void {
    const write = writes.get(text);
    if (write !== undefined) write.gone = uid;
    for (const read of reads.get(text) ?? []) read.gone.add(uid);
  }

  function forget(text: string): LiveRecord | undefined {
    const old = records.get(text);
    if (old === undefined) return undefined;
    noteEnd(text, old.uid);
    records.delete(text);
    marks.delete(text);
    held.delete(text);
    take(byKind, kindText(old.key), text);
    if (old.app !== undefined) take(byApp, old.app, text);
    for (const owner of old.owners) take(byOwner, owner, text);
    return old;
  }

  function forgetAndTell(text: string): void {
    const old = forget(text);
    if (old !== undefined && !writes.has(text)) tell(text, old, undefined);
  }

  function tell(text: string, old: LiveRecord | undefined, record: LiveRecord | undefined): void {
    const key = (record ?? old)?.key;
    if (key === undefined) return;
    const told = new Set<string>();
    const say = (app: string | undefined, what: CacheChange['what']): void => {
      if (app === undefined || told.has(app)) return;
      told.add(app);
      onChange({ app, key, what });
    };
    if (old?.app !== record?.app) {
      say(old?.app, 'gone');
      if (record !== undefined) say(record.app, 'new');
    }
    const watching = wantedBy.get(text) ?? nobody;
    const what = whatHappened(old, record);
    if (what !== undefined) for (const app of [record?.app, ...watching]) say(app, what);
    else if (old?.resourceVersion !== record?.resourceVersion && !isVouchedFor(text, record))
      for (const app of watching) say(app, 'drift');
  }

  /** An own write is news to those who ask for the object and did not write it. */
  function tellOthers(text: string, key: ResourceKey, { before, known }: Write): void {
    const knowing = [before?.app, known?.app];
    const what = known === undefined ? 'gone' : before?.uid === known.uid ? 'drift' : 'new';
    for (const app of wantedBy.get(text) ?? nobody) if (!knowing.includes(app)) onChange({ app, key, what });
  }

  function isVouchedFor(text: string, record: LiveRecord | undefined): boolean {
    const mark = marks.get(text);
    return mark !== undefined && record !== undefined && isStillMarked(mark, record);
  }

  function store(text: string, record: LiveRecord, gone: string | undefined): LiveRecord {
    const old = records.get(text);
    const isStale = old !== undefined && isOlder(record.resourceVersion, old.resourceVersion);
    if (!isStale && record.uid !== gone) put(text, record);
    return record;
  }

  function remove(text: string, uid: string): undefined {
    if (records.get(text)?.uid !== uid) return;
    ended.set(text, uid);
    forget(text);
  }

  function rememberHook(text: string, record: LiveRecord): void {
    if (record.hints?.[annotation.hookRun] === undefined) return;
    endedHooks.delete(text);
    endedHooks.set(text, record);
    const [oldest] = endedHooks.keys();
    if (endedHooks.size > endedHooksKept && oldest !== undefined) endedHooks.delete(oldest);
  }

  function listOf(set: Set<string> | undefined): readonly LiveRecord[] {
    if (set === undefined) return [];
    return [...set].map((text) => records.get(text)).filter((record) => record !== undefined);
  }

  function seen(record: LiveRecord): void {
    const text = keyText(record.key);
    lists.get(partText(record.key))?.add(text);
    lists.get(partText({ ...record.key, namespace: '' }))?.add(text);
    if (ended.get(text) === record.uid) return;
    const old = records.get(text);
    if (old !== undefined) {
      if (old.resourceVersion === record.resourceVersion && old.uid === record.uid) return;
      if (isOlder(record.resourceVersion, old.resourceVersion)) return;
    }
    put(text, record);
    if (!writes.has(text)) tell(text, old, record);
  }

  function gone(record: LiveRecord): void {
    const text = keyText(record.key);
    if (ended.get(text) === record.uid) ended.delete(text);
    noteEnd(text, record.uid);
    const old = records.get(text);
    // An object of the same name may have been created since.
    if (old === undefined || (old.uid !== record.uid && isOlder(record.resourceVersion, old.resourceVersion))) return;
    rememberHook(text, record);
    forgetAndTell(text);
  }

  return {
    get size() {
      return records.size;
    },
    record: (key) => records.get(keyText(key)),
    tracked: (app) => listOf(byApp.get(app)),
    ownedBy: (uid) => listOf(byOwner.get(uid)),
    held: () => listOf(held),
    lastOf: (key) => endedHooks.get(keyText(key)),
    mark: (key) => marks.get(keyText(key)),
    setMark: (key, { desiredHash, resourceVersion, isCovered, isAsked }) => {
      const text = keyText(key);
      const record = records.get(text);
      if (record === undefined || record.resourceVersion !== resourceVersion) return;
      const ownedHash = isCovered ? record.ownedHash : undefined;
      const { generation } = record;
      const counted = generation !== undefined && { generation };
      marks.set(text, { desiredHash, resourceVersion, ownedHash, ...counted, isAsked });
    },
    dropMark: (key) => {
      marks.delete(keyText(key));
    },
    want: (app, keys) => {
      const texts = keys.map(keyText);
      const old = wanted.get(app) ?? none;
      if (sameList(old, texts)) return;
      for (const text of old) take(wantedBy, text, app);
      for (const text of texts) add(wantedBy, text, app);
      if (texts.length === 0) wanted.delete(app);
      else wanted.set(app, texts);
    },
    isOutdated: (app) =>
      (wanted.get(app) ?? none).some((text) => {
        const record = records.get(text);
        return record !== undefined && isOld(marks.get(text), record);
      }),
    seen,
    gone,
    beginWrite: (key) => {
      const text = keyText(key);
      const before = records.get(text);
      const write: Write = writes.get(text) ?? { writers: 0, before, known: before, gone: undefined };
      write.writers++;
      writes.set(text, write);
      return (outcome) => {
        if (outcome !== 'failed') {
          write.known = 'stored' in outcome ? store(text, outcome.stored, write.gone) : remove(text, outcome.removed);
        }
        write.writers--;
        if (write.writers > 0) return;
        writes.delete(text);
        const now = records.get(text);
        // Nobody wrote for the Application that the object was taken from. Where no own write did it, what follows tells it.
        const loser = write.before?.app;
        if (loser !== undefined && now?.app !== undefined && now.app !== loser && write.known?.app !== loser)
          onChange({ app: loser, key: now.key, what: 'gone' });
        tell(text, write.known, now);
        if (write.known?.resourceVersion !== write.before?.resourceVersion) tellOthers(text, key, write);
      };
    },
    beginRead: (key) => {
      const text = keyText(key);
      const read: Read = { before: records.get(text)?.uid, gone: new Set() };
      add(reads, text, read);
      return (outcome) => {
        take(reads, text, read);
        if (outcome === 'failed') return;
        const now = records.get(text);
        if (outcome !== 'missing') {
          if (!read.gone.has(outcome.found.uid)) seen(outcome.found);
        } else if (now !== undefined && now.uid === read.before) {
          gone(now);
          ended.set(text, now.uid);
        }
      };
    },
    beginList: (part) => {
      const text = partText(part);
      const marked = new Set<string>();
      lists.set(text, marked);
      return (resourceVersion) => {
        if (lists.get(text) !== marked) return;
        lists.delete(text);
        for (const key of [...(byKind.get(kindText(part)) ?? [])]) {
          const record = records.get(key);
          if (record === undefined || marked.has(key) || !isIn(record.key, part)) continue;
          // Written by this process after the list was made.
          if (isOlder(resourceVersion, record.resourceVersion)) continue;
          forgetAndTell(key);
        }
        // A list this new holds no more of what was deleted before it.
        for (const [key, uid] of ended) {
          const record = records.get(key);
          if (key.startsWith(`${kindText(part)}/`) && !marked.has(key) && record?.uid !== uid) ended.delete(key);
        }
      };
    },
    drop: (part) => {
      lists.delete(partText(part));
      for (const key of [...(byKind.get(kindText(part)) ?? [])]) {
        const record = records.get(key);
        if (record !== undefined && isIn(record.key, part)) forgetAndTell(key);
      }
    },
  };
}

function whatHappened(old: LiveRecord | undefined, record: LiveRecord | undefined): CacheChange['what'] | undefined {
  if (record === undefined) return 'gone';
  if (old === undefined || old.uid !== record.uid) return 'new';
  if (old.ownedHash !== record.ownedHash) return 'drift';
  const isSame =
    old.deleting === record.deleting &&
    sameHealth(old, record) &&
    sameMap(old.hints, record.hints) &&
    sameList(old.links ?? none, record.links ?? none);
  return isSame ? undefined : 'health';
}

function kindText(key: { readonly group: string; readonly kind: string }): string {
  return `${key.group}/${key.kind}`;
}

function partText(part: CachePart): string {
  return `${part.group}/${part.kind}/${part.namespace}`;
}

function isIn(key: ResourceKey, part: CachePart): boolean {
  return part.namespace === '' || part.namespace === key.namespace;
}

function add<Item>(index: Map<string, Set<Item>>, value: string, item: Item): void {
  const set = index.get(value);
  if (set === undefined) index.set(value, new Set([item]));
  else set.add(item);
}

function take<Item>(index: Map<string, Set<Item>>, value: string, item: Item): void {
  const set = index.get(value);
  set?.delete(item);
  if (set?.size === 0) index.delete(value);
}

const none: readonly string[] = [];
const nobody: ReadonlySet<string> = new Set();

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function sameHealth(a: LiveRecord, b: LiveRecord): boolean {
  return a.health?.status === b.health?.status && a.health?.message === b.health?.message;
}

function sameMap(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
