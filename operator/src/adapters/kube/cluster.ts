import type { KubeObject } from '@mooring/renderer-contract';
import { isBuiltIn } from '../../engine/diff/defaults.ts';
import { mergedOver, repeatsKeys, withNote } from '../../engine/diff/merge.ts';
import { unservedText } from '../../engine/plan/needs.ts';
import { hasLinks } from '../../engine/summarize/links.ts';
import { Fault, messageOf } from '../../model/fault.ts';
import { hookHold } from '../../model/finalizers.ts';
import type { Guard } from '../../model/guard.ts';
import type { LiveRecord } from '../../model/live.ts';
import { definesKinds, groupOf, keyForPeople, keyOf, type ResourceKey } from '../../model/resource-key.ts';
import type { ApplyOptions, Cluster, RemoveOptions, UnseenKind } from '../../world/cluster.ts';
import type { RespectRbac } from '../../world/store.ts';
import type { ClusterFacts, Log } from '../../world/telemetry.ts';
import { type CacheChange, createCache, type ReadOutcome, type WriteOutcome } from './cache.ts';
import { createClient, type KubeClient, type KubeContext } from './client.ts';
import type { Connection } from './connection.ts';
import { discover, type ServedKinds } from './discovery.ts';
import { ownersAsPut, ownersPatch, ownersWithoutStale, takeOwnership } from './ownership.ts';
import { type HealthOf, recordOf } from './record.ts';
import { type Reflector, type ReflectorListener, startReflector } from './reflector.ts';
import { repeatedKeysIn } from './refusal.ts';
import {
  apiVersionOf,
  applyObject,
  createObject,
  deleteObject,
  getObject,
  noneSeen,
  patchObject,
  replaceObject,
  type Seen,
} from './request.ts';
import { isOlder } from './resource-version.ts';
import { mayDo } from './review.ts';
import type { ServedKind } from './served-kind.ts';
import { type KindChoice, watchedKinds } from './watched-kinds.ts';

/** What a view of a cluster is made with. */
export interface ViewOptions extends KubeContext {
  readonly log: Log;
  readonly healthOf: HealthOf;
  /** Whether the health of a kind is told from more than its metadata, so that whole objects are watched. */
  readonly hasHealthRule: (group: string, kind: string) => boolean;
  /** Asked whenever a kind turns out to be forbidden. */
  readonly respectRbac: () => RespectRbac;
  /** Followed while the view is open. */
  readonly kinds: KindChoice;
}

/** What of a cluster is seen. */
export interface ViewScope {
  /** Address that destinations name it by. */
  readonly server: string;
  /** Namespaces that are seen; empty for all. */
  readonly namespaces: readonly string[];
  /** Whether cluster-scoped objects are seen. */
  readonly clusterResources: boolean;
}

/** A cluster with a complete view. */
export interface ClusterView {
  readonly cluster: Cluster;
  /** Why the view does not follow the cluster just now; undefined while it does. */
  fault(): Fault | undefined;
  /** Whether an object that the Application asks for may have changed since it was compared. */
  isOutdated(app: string): boolean;
  /** What there is in it. */
  facts(): Pick<ClusterFacts, 'kinds' | 'objects' | 'readAt' | 'events'>;
  close(): Promise<void>;
}

export interface ViewListener {
  changed(change: CacheChange): void;
  /** The view stopped following the cluster, or follows it again; or, where one is named, only that kind of it. */
  followed(fault: Fault | undefined, kind?: string): void;
  /** The cluster went back in time (a restored backup): this view is worth nothing any more. */
  outdated(fault: Fault): void;
}

/** Failures in a row, none accepted between, after which a watch counts as lost; with the waits between them, under a second. */
const lostAfterRefusals = 3;
/** Waits before each look for what a changed CustomResourceDefinition serves: the API server takes about a second to say. */
const discoveryWaitsMs = [100, 300, 700, 1_500, 3_000, 5_000];
const discoveryRunsAtLeast = 3;
const nudgeMs = 1_000;
const conflictAttempts = 5;
const deletionPollMs = { first: 20, last: 500 };
const patchManager = 'mooring';

/** Connects to a cluster and waits until every kind is listed. Throws `Fault` `cluster-unreachable` or `cluster-refused`; nothing is left open then. */
export async function openView(
  connection: Connection,
  scope: ViewScope,
  options: ViewOptions,
  listener: ViewListener,
): Promise<ClusterView> {
  const client = createClient(connection, options, scope.server);
  try {
    const served = await discover(client);
    return await watchAll(client, served, scope, options, listener);
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
}

interface Watch {
  readonly reflector: Reflector;
  readonly served: ServedKind;
  readonly namespace: string;
  isLive: boolean;
}

async function watchAll(
  client: KubeClient,
  servedAtFirst: ServedKinds,
  scope: ViewScope,
  options: ViewOptions,
  listener: ViewListener,
): Promise<ClusterView> {
  const { clock, log, healthOf, hasHealthRule, respectRbac, kinds, limits } = options;
  const { server } = scope;
  let served = servedAtFirst;
  let isReady = false;
  let isClosed = false;
  let nudgedAt = 0;
  let progressAt = clock.now();
  let cancelProgress: (() => void) | undefined;
  const watches = new Map<string, Watch>();
  /** Watches of kinds that the API server itself makes up: without one of them nothing of the cluster is believed. */
  const lost = new Map<string, Fault>();
  /** Those of other kinds, which may fail alone: a conversion webhook or the server of an aggregated API is down. */
  const unseen = new Map<string, UnseenKind>();
  /** Watch events that came since the lists ended, by kind. */
  const events = new Map<string, { readonly group: string; readonly kind: string; count: number }>();
  const cache = createCache((change) => {
    if (isReady) listener.changed(change);
  });

  const pending = new Set<string>();
  const ready = Promise.withResolvers<void>();
  // Rejected while nobody waits yet, it would end the process.
  ready.promise.catch(() => {});

  // A large cluster may take its time as long as objects keep coming.
  function watchForProgress(): void {
    cancelProgress = clock.after(limits.requestTimeoutMs, () => {
      const silentMs = clock.now() - progressAt;
      if (silentMs < limits.requestTimeoutMs) return watchForProgress();
      const kinds = [...pending].slice(0, 3).join(', ');
      const message = `${server}: nothing was read for ${Math.round(silentMs / 1000)} s; still missing: ${kinds}`;
      ready.reject(new Fault('cluster-unreachable', message, { server }));
    });
  }

  function settled(name: string): void {
    progressAt = clock.now();
    pending.delete(name);
    if (pending.size === 0) ready.resolve();
  }

  function listenerOf(name: string, kind: ServedKind, namespace: string): ReflectorListener {
    let endList: ((resourceVersion: string) => void) | undefined;
    // An aggregated API counts its versions as it likes; those of the core come from etcd.
    const isCounted = kind.group === '';
    let newest = '0';
    const isDefinition = definesKinds(kind);
    let isListing = true;
    return {
      seen: (object) => {
        progressAt = clock.now();
        if (!isListing) countEvent(kind);
        newest = newer(newest, object);
        if (isDefinition && cache.record(keyOf(object))?.resourceVersion !== object.metadata.resourceVersion)
          expectDefinition(object, true);
        cache.seen(recordOf(object, healthOf));
      },
      gone: (object) => {
        countEvent(kind);
        newest = newer(newest, object);
        if (isDefinition) expectDefinition(object, false);
        cache.gone(recordOf(object, healthOf));
      },
      listBegan: () => {
        isListing = true;
        endList = cache.beginList({ group: kind.group, kind: kind.kind, namespace });
      },
      listEnded: (resourceVersion) => {
        isListing = false;
        if (isCounted && isOlder(resourceVersion, newest)) {
          const message = `${server} went back in time: ${kind.plural} were at version ${newest} and are now at ${resourceVersion}, as after a restored backup; the cluster is read anew`;
          return listener.outdated(new Fault('cluster-unreachable', message, { server }));
        }
        endList?.(resourceVersion);
      },
      live: () => {
        const watch = watches.get(name);
        if (watch !== undefined) watch.isLive = true;
        settled(name);
        follow(name, { group: kind.group, kind: kind.kind, namespace }, undefined);
      },
      failing: (why, fault, refusals) => {
        const watch = watches.get(name);
        if (watch !== undefined) watch.isLive = false;
        log.debug(
          { server, kind: kind.kind, group: kind.group, why, refusals, error: fault.message },
          'a watch failed',
        );
        if (why === 'unserved' && fault.data['httpStatus'] !== 503) {
          // Its definition may have gone while nothing could tell of it.
          expect(`${kind.plural}.${kind.group}`, false);
          return settled(name);
        }
        if (why === 'broken' && refusals < lostAfterRefusals) return;
        if (why === 'forbidden') return void refuse(name, kind, namespace, fault);
        if (!isBuiltIn(apiVersionOf(kind))) return leaveOut(name, kind, namespace, unseeable(kind, fault));
        lose(name, fault);
      },
    };
  }

  function countEvent({ group, kind }: ServedKind): void {
    const name = `${group}/${kind}`;
    const known = events.get(name);
    if (known === undefined) events.set(name, { group, kind, count: 1 });
    else known.count += 1;
  }

  /** Without this watch nothing of the cluster is believed. */
  function lose(name: string, fault: Fault): void {
    if (!isReady) ready.reject(fault);
    follow(name, undefined, fault);
  }

  /** Without this watch only those are stopped that have objects there. */
  function leaveOut(name: string, kind: ServedKind, namespace: string, fault: Fault): void {
    follow(name, { group: kind.group, kind: kind.kind, namespace }, fault);
    settled(name);
  }

  /** `resource.respectRBAC` says what becomes of a kind that may not be listed. */
  async function refuse(name: string, kind: ServedKind, namespace: string, refusal: Fault): Promise<void> {
    const mode = respectRbac();
    const isLeftOut = mode === 'normal' || (mode === 'strict' && !(await mayList(kind, namespace)));
    const watch = watches.get(name);
    if (isClosed || watch === undefined || watch.isLive) return;
    const fault = forbidden(kind, namespace, refusal);
    if (isLeftOut) return leaveOut(name, kind, namespace, fault);
    lose(name, fault);
    // By itself a forbidden watch takes its time, which no more than one kind should.
    clock.after(limits.clusterRetryMs, () => watch.reflector.nudge());
  }

  async function mayList({ group, plural: resource }: ServedKind, namespace: string): Promise<boolean> {
    try {
      return await mayDo(client, { verb: 'list', group, resource, namespace });
    } catch (thrown) {
      // Without an answer nothing says that it is the account's rights, which is the question here.
      const fields = { server, resource, error: messageOf(thrown) };
      if (thrown instanceof Fault) log.debug(fields, 'a permission could not be asked for');
      else log.error(fields, 'a bug kept a permission from being asked for');
      return true;
    }
  }

  function unseeable(kind: ServedKind, fault: Fault): Fault {
    const message = `${server}: what there is of ${kind.plural}.${kind.group} cannot be seen: ${fault.message}`;
    return new Fault('cluster-unreachable', message, { server, group: kind.group, kind: kind.kind }, fault);
  }

  function forbidden(kind: ServedKind, namespace: string, fault: Fault): Fault {
    const resource = `${kind.plural}${kind.group === '' ? '' : `.${kind.group}`}`;
    const place = namespace === '' ? '' : ` in the namespace ${namespace}`;
    const advice =
      respectRbac() === 'off'
        ? ", or set resource.respectRBAC in argocd-cm, or namespaces in the cluster's Secret"
        : ' if it is to be looked after';
    const message = `${server}: the operator's account may not list and watch ${resource}${place}: ${fault.message}: grant it${advice}`;
    return new Fault('cluster-refused', message, { server, kind: kind.kind }, fault);
  }

  /** `alone`: the kind whose failure leaves all others as they are. */
  function follow(name: string, alone: Omit<UnseenKind, 'fault'> | undefined, fault: Fault | undefined): void {
    const before = lost.size;
    const wasUnseen = unseen.has(name);
    if (fault === undefined) {
      if (lost.delete(name)) nudgeOthers();
      unseen.delete(name);
    } else if (alone === undefined) lost.set(name, fault);
    else unseen.set(name, { ...alone, fault });
    if (!isReady) return;
    if ((before === 0) !== (lost.size === 0)) listener.followed(firstOf(lost));
    if (alone !== undefined && wasUnseen !== unseen.has(name)) listener.followed(fault, `${alone.kind}.${alone.group}`);
  }

  // One watch that works again is a sign that the cluster is back: the others need not wait their time out.
  function nudgeOthers(): void {
    if (clock.now() - nudgedAt < nudgeMs) return;
    nudgedAt = clock.now();
    const faults = [...lost, ...[...unseen].map(([name, { fault }]) => [name, fault] as const)];
    for (const [name, fault] of faults) if (fault.code === 'cluster-unreachable') watches.get(name)?.reflector.nudge();
  }

  function watchServed(): void {
    const namespaces = scope.namespaces.length === 0 ? [''] : scope.namespaces;
    const wanted = new Map<string, { readonly served: ServedKind; readonly namespace: string }>();
    for (const kind of watchedKinds(served, kinds, server)) {
      if (kind.scope === 'Cluster') {
        if (scope.clusterResources) wanted.set(watchName(kind, ''), { served: kind, namespace: '' });
      } else {
        for (const namespace of namespaces) wanted.set(watchName(kind, namespace), { served: kind, namespace });
      }
    }
    const parts = new Set([...wanted.values()].map(partName));
    for (const [name, watch] of watches) {
      if (wanted.has(name)) continue;
      watch.reflector.stop();
      watches.delete(name);
      follow(name, { group: watch.served.group, kind: watch.served.kind, namespace: watch.namespace }, undefined);
      settled(name);
      if (!parts.has(partName(watch)))
        cache.drop({ group: watch.served.group, kind: watch.served.kind, namespace: watch.namespace });
    }
    const added = [...wanted].filter(([name]) => !watches.has(name));
    if (!isReady) for (const [name] of added) pending.add(name);
    for (const [name, { served: kind, namespace }] of added) {
      const selection = { namespace, metadataOnly: !isWatchedWhole(kind) };
      const reflector = startReflector(client, kind, selection, options, listenerOf(name, kind, namespace));
      watches.set(name, { reflector, served: kind, namespace, isLive: false });
    }
  }

  function isWatched({ group, kind, namespace }: ResourceKey): boolean {
    const known = served.kind(group, kind);
    return known !== undefined && (watches.has(watchName(known, '')) || watches.has(watchName(known, namespace)));
  }

  /** CustomResourceDefinitions that changed, by name, and whether they are there: until discovery says the same. */
  const expected = new Map<string, boolean>();
  let cancelRefresh: (() => void) | undefined;
  let refreshing: Promise<void> | undefined;
  let series: Promise<void> | undefined;

  function expectDefinition(object: KubeObject, present: boolean): void {
    expect(object.metadata.name ?? '', present);
  }

  /** `name` is that of a CustomResourceDefinition: plural and group. */
  function expect(name: string, present: boolean): void {
    if (!isReady || isClosed) return;
    expected.set(name, present);
    series ??= refreshUntilServed().finally(() => {
      series = undefined;
    });
  }

  async function refreshUntilServed(): Promise<void> {
    for (const [run, waitMs] of discoveryWaitsMs.entries()) {
      await new Promise<void>((resolve) => {
        cancelRefresh = clock.after(waitMs, resolve);
      });
      if (isClosed) return;
      try {
        await refresh();
      } catch (thrown) {
        // Nobody waits for this: thrown on, it would end the process.
        const fields = { server, error: messageOf(thrown) };
        if (thrown instanceof Fault) log.warn(fields, 'the kinds that the cluster serves could not be read again');
        else log.error(fields, 'a bug kept the kinds that the cluster serves from being read again');
      }
      for (const [name, present] of expected) {
        const dot = name.indexOf('.');
        if (served.hasPlural(name.slice(dot + 1), name.slice(0, dot)) === present) expected.delete(name);
      }
      // A new version of a known kind shows nowhere in the definition's name: look for it a little longer.
      if (expected.size === 0 && run + 1 >= discoveryRunsAtLeast) return;
    }
    expected.clear();
  }

  function refresh(): Promise<void> {
    refreshing ??= discover(client)
      .then((found) => {
        served = found;
        if (!isClosed) watchServed();
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  }

  /** A kind in exactly this version, as the cluster serves it now: where it is not known, the cluster is asked, and what is being defined is waited for. */
  async function findServed(apiVersion: string, kind: string): Promise<ServedKind | undefined> {
    const find = (): ServedKind | undefined => served.inVersion(apiVersion, kind);
    const known = find();
    if (known !== undefined) return known;
    await refresh();
    const group = groupOf(apiVersion);
    while (
      find() === undefined &&
      series !== undefined &&
      [...expected].some(([name, present]) => present && name.endsWith(`.${group}`))
    ) {
      await Promise.race([series, new Promise<void>((resolve) => clock.after(100, resolve))]);
    }
    return find();
  }

  async function servedFor(object: KubeObject): Promise<ServedKind> {
    const found = await findServed(object.apiVersion, object.kind);
    if (found === undefined) throw notServed(object);
    return found;
  }

  function notServed(object: KubeObject): Fault {
    const { group, kind, namespace, name } = keyOf(object);
    const message = unservedText({ group, kind, namespace, name }, object.apiVersion);
    return new Fault('object-refused', message, { server, group, kind, namespace, name });
  }

  /** Runs an own write, so that the view holds what it did when it returns, and nobody is told of it. */
  async function write(key: ResourceKey, run: () => Promise<KubeObject>, isStored: boolean): Promise<KubeObject> {
    if (key.name === '') return writeNameless(run, isStored);
    const end = cache.beginWrite(key);
    let outcome: WriteOutcome = 'failed';
    try {
      const object = await run();
      if (isStored) outcome = { stored: remember(object) };
      return object;
    } finally {
      end(outcome);
    }
  }

  // Under `generateName` only the answer says which object it was.
  async function writeNameless(run: () => Promise<KubeObject>, isStored: boolean): Promise<KubeObject> {
    const object = await run();
    if (isStored) cache.beginWrite(keyOf(object))({ stored: remember(object) });
    return object;
  }

  function remember(object: KubeObject): ReturnType<typeof recordOf> {
    return recordOf(object, healthOf, isWatchedWhole(keyOf(object)));
  }
  function isWatchedWhole({ group, kind }: Pick<ResourceKey, 'group' | 'kind'>): boolean {
    return hasHealthRule(group, kind) || hasLinks(group, kind);
  }

  async function read(kind: ServedKind, key: ResourceKey): Promise<KubeObject | undefined> {
    try {
      return (await client.send(getObject(kind, key))) as KubeObject;
    } catch (thrown) {
      if (isFault(thrown, 'object-missing')) return undefined;
      throw thrown;
    }
  }

  /** Reads an object into the view. */
  async function look(kind: ServedKind, key: ResourceKey): Promise<KubeObject | undefined> {
    const end = cache.beginRead(key);
    let outcome: ReadOutcome = 'failed';
    try {
      const live = await read(kind, key);
      outcome = live === undefined ? 'missing' : { found: remember(live) };
      return live;
    } finally {
      end(outcome);
    }
  }

  async function apply(object: KubeObject, applyOptions: ApplyOptions): Promise<KubeObject> {
    const kind = await servedFor(object);
    const key = keyOf(object);
    const stored = await write(key, () => applyServed(kind, key, object, applyOptions), applyOptions.dryRun !== true);
    if (definesKinds(key) && applyOptions.dryRun !== true) expectDefinition(stored, true);
    return stored;
  }

  async function applyServed(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
  ): Promise<KubeObject> {
    try {
      return await applyAs(kind, key, object, applyOptions);
    } catch (thrown) {
      // No object of that name is nothing that these requests mind: the path itself is not served (yet, or any more).
      if (!isFault(thrown, 'object-missing')) throw thrown;
      await refresh();
      const again = served.inVersion(object.apiVersion, object.kind);
      if (again === undefined) throw notServed(object);
      return applyAs(again, key, object, applyOptions);
    }
  }

  async function applyAs(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
  ): Promise<KubeObject> {
    holdAgainst(applyOptions.guard, key, kind);
    switch (applyOptions.how) {
      case 'server-side':
        return applyServerSide(kind, key, object, applyOptions);
      case 'create':
        return client.send(createObject(kind, object, applyOptions)) as Promise<KubeObject>;
      case 'replace':
        return replace(kind, key, object, applyOptions);
      case 'recreate':
        return recreate(kind, key, object, applyOptions);
    }
  }

  async function applyServerSide(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
  ): Promise<KubeObject> {
    if (applyOptions.uid !== undefined && applyOptions.uid !== cache.record(key)?.uid) throw otherObject(key);
    try {
      return await applyTyped(kind, key, object, applyOptions);
    } catch (thrown) {
      if (!isFault(thrown, 'object-refused')) throw thrown;
      const repeated = repeatedKeysIn(thrown);
      const clashes = thrown.data['clashes'];
      if (repeated !== undefined) {
        const stored = await mergeClientSide(kind, key, object, applyOptions);
        applyOptions.warn?.(
          `server-side apply does not take lists with a key more than once (${repeated}), so it was written as by a client-side apply: have each key once`,
        );
        return stored;
      }
      if (typeof clashes !== 'string') throw thrown;
      return applyWithoutStale(kind, key, object, applyOptions, { refusal: thrown, clashes });
    }
  }

  async function applyTyped(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
  ): Promise<KubeObject> {
    const record = cache.record(key);
    if (applyOptions.dryRun === true) return (await client.send(applyObject(kind, object, applyOptions))) as KubeObject;
    const isClientSide = record?.isClientSide === true;
    // What may not be taken at all is asked about before it changes hands.
    if (isClientSide && repeatsKeys(object))
      await client.send(applyObject(kind, object, { ...applyOptions, dryRun: true }));
    const migrated = isClientSide ? await migrate(kind, key) : undefined;
    const over = migrated === undefined ? record : seenAs(migrated);
    return (await overSeen(kind, key, over, (now) =>
      client.send(applyObject(kind, object, applyOptions, now ?? noneSeen)),
    )) as KubeObject;
  }

  /** Writes what server-side apply does not take: created, or put over the object as it is now with what others set in it. */
  async function mergeClientSide(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
  ): Promise<KubeObject> {
    return (await overSeen(kind, key, cache.record(key), async (now) => {
      if (now === undefined) return client.send(createObject(kind, withNote(object), applyOptions));
      const live = sameObject(key, await look(kind, key), now.uid);
      const over = { ...seenAs(live), managedFields: ownersAsPut(live) };
      return client.send(replaceObject(kind, mergedOver(object, live), over, applyOptions));
    })) as KubeObject;
  }

  /** Applies once more where others own list items that keep the object from being applied, without them. Throws the refusal where there are none. */
  async function applyWithoutStale(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
    { refusal, clashes }: { readonly refusal: Fault; readonly clashes: string },
  ): Promise<KubeObject> {
    const seen = cache.record(key);
    if (seen === undefined) throw refusal;
    const taken = (await overSeen(kind, key, seen, async (now) => {
      const live = sameObject(key, await look(kind, key), now?.uid);
      const managedFields = ownersWithoutStale(object, live, clashes);
      if (managedFields === undefined) throw refusal;
      if (applyOptions.dryRun !== true)
        return client.send(patchObject(kind, key, ownersPatch(live, managedFields), patchManager));
      // Nothing may be stored, so that the same is asked by a PUT.
      const owned = { ...live, metadata: { ...live.metadata, managedFields } };
      return client.send(replaceObject(kind, mergedOver(object, owned), seenAs(live), applyOptions));
    })) as KubeObject;
    if (applyOptions.dryRun === true) return taken;
    return (await overSeen(kind, key, seenAs(taken), (now) =>
      client.send(applyObject(kind, object, applyOptions, now ?? seenAs(taken))),
    )) as KubeObject;
  }

  /**
   * Writes over an object as it was seen, or where none was, so that a write that is late, such as one of a leader that was stopped on the way, does not undo what
   * somebody else wrote since. Where the object has changed it is looked at again, and written over as it is now; one that never stands still at last whatever its
   * version. Throws `object-conflict` where it is another one.
   */
  async function overSeen(
    kind: ServedKind,
    key: ResourceKey,
    first: Seen | undefined,
    run: (over: Seen | undefined) => Promise<unknown>,
  ): Promise<unknown> {
    let over: Seen | undefined = first && { uid: first.uid, resourceVersion: first.resourceVersion ?? '' };
    for (let attempt = 1; ; attempt++) {
      try {
        return await run(over);
      } catch (thrown) {
        if (!isFault(thrown, 'object-conflict') || attempt === conflictAttempts) throw thrown;
        const live = await look(kind, key);
        if (over === undefined && live === undefined) continue;
        const now = seenAs(sameObject(key, live, over?.uid));
        over = attempt + 1 < conflictAttempts ? now : { uid: now.uid };
      }
    }
  }

  /** Throws `object-conflict` where what was read is not the object with this uid, or where there should be none. */
  function sameObject(key: ResourceKey, live: KubeObject | undefined, uid: string | undefined): KubeObject {
    if (live === undefined || live.metadata.uid !== uid) throw otherObject(key);
    return live;
  }

  /** Answers the object as it is then; undefined where there was nothing to do. */
  async function migrate(kind: ServedKind, key: ResourceKey): Promise<KubeObject | undefined> {
    for (let attempt = 1; ; attempt++) {
      const live = await read(kind, key);
      const patch = live === undefined ? undefined : takeOwnership(live);
      if (patch === undefined) return live;
      try {
        return (await client.send(patchObject(kind, key, patch, patchManager))) as KubeObject;
      } catch (thrown) {
        if (!isFault(thrown, 'object-conflict') || attempt === conflictAttempts) throw thrown;
      }
    }
  }

  async function replace(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
  ): Promise<KubeObject> {
    for (let attempt = 1; ; attempt++) {
      const live = await read(kind, key);
      if (live === undefined && applyOptions.uid === undefined)
        return (await client.send(createObject(kind, object, applyOptions))) as KubeObject;
      if (live === undefined || (applyOptions.uid !== undefined && applyOptions.uid !== live.metadata.uid))
        throw otherObject(key);
      try {
        return (await client.send(replaceObject(kind, object, seenAs(live), applyOptions))) as KubeObject;
      } catch (thrown) {
        if (!isFault(thrown, 'object-conflict') || attempt === conflictAttempts) throw thrown;
      }
    }
  }

  async function recreate(
    kind: ServedKind,
    key: ResourceKey,
    object: KubeObject,
    applyOptions: ApplyOptions,
  ): Promise<KubeObject> {
    const owner = cache.record(key)?.app;
    const live = await look(kind, key);
    if (applyOptions.uid !== undefined) {
      sameObject(key, live, applyOptions.uid);
      if (cache.record(key)?.app !== owner) throw otherObject(key);
    }
    if (live !== undefined) {
      // A dry run cannot create beside what is still there: it asks whether both halves would be allowed.
      const left = (await overSeen(kind, key, seenAs(live), (now) =>
        client.send(deleteObject(kind, key, now ?? seenAs(live), 'foreground', applyOptions.dryRun)),
      )) as KubeObject;
      if (applyOptions.dryRun === true) return replace(kind, key, object, applyOptions);
      await withoutHold(kind, key, left);
      await untilGone(kind, key, live.metadata.uid ?? '');
      holdAgainst(applyOptions.guard, key, kind);
    }
    return (await client.send(createObject(kind, object, applyOptions))) as KubeObject;
  }

  async function untilGone(kind: ServedKind, key: ResourceKey, uid: string): Promise<void> {
    const until = clock.now() + limits.requestTimeoutMs;
    for (let waitMs = deletionPollMs.first; ; waitMs = Math.min(2 * waitMs, deletionPollMs.last)) {
      const live = await read(kind, key);
      if (live === undefined || live.metadata.uid !== uid) return;
      if (clock.now() > until) {
        const finalizers = live.metadata.finalizers?.join(', ') ?? 'none';
        throw new Fault(
          'object-conflict',
          `${keyForPeople(key)} is still being deleted after ${limits.requestTimeoutMs / 1000} s (finalizers: ${finalizers}), so it cannot be created anew yet`,
          { server },
        );
      }
      await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    }
  }

  async function remove(record: LiveRecord, { propagation, guard, traceparent }: RemoveOptions): Promise<void> {
    const { key, uid } = record;
    const kind = served.kind(key.group, key.kind);
    if (kind === undefined) return;
    holdAgainst(guard, key, kind);
    const end = cache.beginWrite(key);
    let outcome: WriteOutcome = 'failed';
    let { resourceVersion } = record;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const request = deleteObject(kind, key, { uid, resourceVersion }, propagation);
          const left = await withoutHold(kind, key, (await client.send({ ...request, traceparent })) as KubeObject);
          outcome = left === undefined ? { removed: uid } : { stored: remember(left) };
          return;
        } catch (thrown) {
          if (!isFault(thrown, 'object-conflict') || attempt === conflictAttempts) throw thrown;
          // It changed since it was seen, and whose it is may be what changed.
          const live = await look(kind, key);
          if (live === undefined) {
            outcome = { removed: uid };
            return;
          }
          const now = remember(live);
          if (now.uid !== uid || now.app !== record.app) throw otherObject(key);
          resourceVersion = now.resourceVersion;
        }
      }
    } catch (thrown) {
      if (!isFault(thrown, 'object-missing')) throw thrown;
      outcome = { removed: uid };
    } finally {
      end(outcome);
    }
  }

  async function letGo({ key, uid }: LiveRecord): Promise<void> {
    const kind = served.kind(key.group, key.kind);
    if (kind === undefined) return;
    const end = cache.beginWrite(key);
    let outcome: WriteOutcome = 'failed';
    try {
      const live = await read(kind, key);
      const left = live?.metadata.uid === uid ? await withoutHold(kind, key, live) : undefined;
      outcome = left === undefined ? { removed: uid } : { stored: remember(left) };
    } finally {
      end(outcome);
    }
  }

  /**
   * Takes the finalizer of hooks off an object as it was answered, to a delete too: what has finalizers, or time to end, is answered to that as it is then, and all
   * else as a Status. Answers the object as it is afterwards; undefined where it is no more.
   */
  async function withoutHold(kind: ServedKind, key: ResourceKey, first: KubeObject): Promise<KubeObject | undefined> {
    if (first.kind === 'Status') return undefined;
    const { uid } = first.metadata;
    let live: KubeObject | undefined = first;
    for (let attempt = 1; ; attempt++) {
      if (live === undefined || live.metadata.uid !== uid) return undefined;
      const { finalizers = [], resourceVersion } = live.metadata;
      if (!finalizers.includes(hookHold)) return live;
      const others = finalizers.filter((name) => name !== hookHold);
      const patch = { metadata: { uid, resourceVersion, finalizers: others.length > 0 ? others : null } };
      try {
        const left = (await client.send(patchObject(kind, key, patch, patchManager))) as KubeObject;
        return isLast(left) ? undefined : left;
      } catch (thrown) {
        if (isFault(thrown, 'object-missing')) return undefined;
        if (!isFault(thrown, 'object-conflict') || attempt === conflictAttempts) throw thrown;
        live = await read(kind, key);
      }
    }
  }

  async function close(): Promise<void> {
    isClosed = true;
    unfollowKinds();
    cancelRefresh?.();
    for (const { reflector } of watches.values()) reflector.stop();
    await client.close();
  }

  watchServed();
  const unfollowKinds = kinds.subscribe(watchServed);
  if (pending.size === 0) ready.resolve();
  watchForProgress();
  try {
    await ready.promise;
  } catch (thrown) {
    await close();
    throw thrown;
  } finally {
    cancelProgress?.();
  }
  isReady = true;
  const readAt = clock.now();
  if (unseen.size > 0) {
    const kinds = [
      ...new Set([...unseen.values()].map(({ kind, group }) => (group === '' ? kind : `${kind}.${group}`))),
    ];
    const [{ fault }] = unseen.values() as unknown as readonly [UnseenKind];
    log.warn({ server, kinds: kinds.join(', '), error: fault.message }, 'some kinds of the cluster cannot be seen');
  }
  log.info(
    { server, version: served.version, kinds: watches.size, objects: cache.size },
    'the view of the cluster is complete',
  );

  const cluster: Cluster = {
    server,
    get version() {
      return served.version;
    },
    get apiVersions() {
      return served.apiVersions;
    },
    scopeOf: (group, kind) => served.kind(group, kind)?.scope,
    serves: async (apiVersion, kind) => (await findServed(apiVersion, kind)) !== undefined,
    record: cache.record,
    tracked: cache.tracked,
    lastOf: cache.lastOf,
    covers: ({ namespace }) =>
      scope.namespaces.length === 0 ||
      (namespace === '' ? scope.clusterResources : scope.namespaces.includes(namespace)),
    unseen: () => [...unseen.values()],
    ownedBy: cache.ownedBy,
    held: cache.held,
    mark: cache.mark,
    setMark: cache.setMark,
    dropMark: cache.dropMark,
    want: cache.want,
    get: async (key, apiVersion) => {
      const exact = apiVersion === undefined ? undefined : served.inVersion(apiVersion, key.kind);
      const kind = exact ?? served.kind(key.group, key.kind);
      if (kind === undefined) return undefined;
      return isWatched(key) ? look(kind, key) : read(kind, key);
    },
    apply,
    patch: async (key, patch) => {
      const kind = served.kind(key.group, key.kind);
      if (kind === undefined)
        throw notServed({
          apiVersion: key.group,
          kind: key.kind,
          metadata: { namespace: key.namespace, name: key.name },
        });
      return write(key, () => client.send(patchObject(kind, key, patch, patchManager)) as Promise<KubeObject>, true);
    },
    remove,
    letGo,
  };
  const facts: ClusterView['facts'] = () => ({
    kinds: new Set([...watches.values()].map(({ served: { group, kind } }) => `${group}/${kind}`)).size,
    objects: cache.size,
    readAt,
    events: [...events.values()],
  });
  return { cluster, fault: () => firstOf(lost), isOutdated: cache.isOutdated, facts, close };

  /**
   * Throws `object-refused` for an object that the project forbids, or whose kind is served with another scope than it was made ready for: both may have changed
   * since that was looked at.
   */
  function holdAgainst(guard: Guard, key: ResourceKey, { scope }: ServedKind): void {
    const isOther = (scope === 'Cluster') !== (key.namespace === '');
    const where = scope === 'Cluster' ? 'for the whole cluster' : 'in namespaces';
    const why = isOther
      ? `the cluster has come to serve ${key.kind} ${where} since it was looked at; sync again`
      : guard({ key, scope });
    if (why === undefined) return;
    const { group, kind, namespace, name } = key;
    throw new Fault('object-refused', `${keyForPeople(key)}: ${why}`, { server, group, kind, namespace, name });
  }

  function otherObject(key: ResourceKey): Fault {
    return new Fault(
      'object-conflict',
      `${keyForPeople(key)} is not the object that was looked at any more: it was deleted, created anew or taken over by another Application meanwhile`,
      { server },
    );
  }
}

/** Whether the API server has answered an object for the last time: it goes with the finalizer that was its last, unless it has time to end. */
function isLast({ metadata }: KubeObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    metadata.deletionGracePeriodSeconds === 0
  );
}

function watchName(kind: ServedKind, namespace: string): string {
  return `${kind.group}/${kind.version}/${kind.plural}/${namespace}`;
}

function partName({ served, namespace }: { readonly served: ServedKind; readonly namespace: string }): string {
  return `${served.group}/${served.kind}/${namespace}`;
}

function seenAs({ metadata }: KubeObject): Required<Seen> {
  return { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' };
}

function newer(version: string, object: KubeObject): string {
  const own = object.metadata.resourceVersion ?? '0';
  return isOlder(version, own) ? own : version;
}

function isFault(thrown: unknown, code: Fault['code']): thrown is Fault {
  return thrown instanceof Fault && thrown.code === code;
}

function firstOf(faults: ReadonlyMap<string, Fault>): Fault | undefined {
  return faults.values().next().value;
}
