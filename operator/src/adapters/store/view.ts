import type { KubeObject } from '@mooring/renderer-contract';
import type { Fault } from '../../model/fault.ts';
import type { KubeClient, KubeContext } from '../kube/client.ts';
import { type ListPage, startReflector } from '../kube/reflector.ts';
import { apiVersionOf, listPage, type Selection } from '../kube/request.ts';
import { isOlder } from '../kube/resource-version.ts';
import type { ServedKind } from '../kube/served-kind.ts';
import type { WatchFailure } from '../kube/watch-state.ts';

/** Whole objects of one kind, by name, kept equal to the API server's. */
export interface ObjectView {
  get(name: string): KubeObject | undefined;
  all(): readonly KubeObject[];
  /** Announces an own write; the answer ends it, with what the server stored or undefined where it failed. Nobody is told of it. */
  beginWrite(name: string): (stored: KubeObject | undefined) => void;
  /** Tries again now where the watch failed and waits to: there is a sign that it would work. */
  nudge(): void;
  /** Lists everything once more: after it the view holds what was written before the call, however late the watch tells of it. Throws `Fault`. */
  refresh(): Promise<void>;
  stop(): void;
}

interface Write {
  writers: number;
  known: KubeObject | undefined;
  /** Version that was known before the write, or that the last of several stored. */
  before: string | undefined;
  /** Uid of an object whose end the watch told before the answer to the write came. */
  gone: string | undefined;
  /** Versions that the watch brought meanwhile: the own one may be among them, every other is somebody else's. */
  readonly seen: Set<string>;
}

export interface ObjectViewListener {
  /** An object came, changed or went. Silent until the view is complete. */
  changed(name: string): void;
  /** The view is complete and follows the API server (again). */
  live(): void;
  failing(why: WatchFailure, fault: Fault, refusals: number): void;
}

export function watchObjects(
  client: KubeClient,
  served: ServedKind,
  selection: Omit<Selection, 'metadataOnly'>,
  context: KubeContext,
  listener: ObjectViewListener,
): ObjectView {
  const objects = new Map<string, KubeObject>();
  const writes = new Map<string, Write>();
  /** Versions that own writes stored and that the watch has still to bring. */
  const own = new Map<string, Set<string>>();
  let listed: Map<string, KubeObject> | undefined;
  /** The newest version that the server told of; what this process wrote itself may be newer. */
  let newest = '0';
  let isReady = false;

  function tell(name: string): void {
    if (isReady && !writes.has(name)) listener.changed(name);
  }

  function put(object: KubeObject): boolean {
    const name = object.metadata.name ?? '';
    const old = objects.get(name);
    if (old !== undefined && !isNewer(object, old)) return false;
    objects.set(name, object);
    return true;
  }

  function heard(resourceVersion: string | undefined): void {
    if (isOlder(newest, resourceVersion ?? '')) newest = resourceVersion ?? '';
  }

  /** A cluster that was restored from a backup is as it was then: what is newer in the view is no more. */
  function goBack(to: ReadonlyMap<string, KubeObject>): void {
    const names = new Set([...objects.keys(), ...to.keys()]);
    for (const name of names) {
      const object = to.get(name);
      if (object === undefined) objects.delete(name);
      else objects.set(name, object);
      tell(name);
    }
  }

  const reflector = startReflector(client, served, { ...selection, metadataOnly: false }, context, {
    seen: (object) => {
      const name = object.metadata.name ?? '';
      // Half of an object, and nobody here asks who owns which field.
      delete object.metadata.managedFields;
      if (listed === undefined) heard(object.metadata.resourceVersion);
      else listed.set(name, object);
      const version = object.metadata.resourceVersion ?? '';
      writes.get(name)?.seen.add(version);
      const isOwn = own.get(name)?.delete(version) === true;
      // A version that an own write has overtaken is in what that write stored, but nobody has been told of it.
      const isOvertaken = !isOwn && objects.get(name)?.metadata.resourceVersion !== version;
      if (put(object) || isOvertaken) tell(name);
    },
    gone: (object) => {
      heard(object.metadata.resourceVersion);
      const name = object.metadata.name ?? '';
      const write = writes.get(name);
      if (write !== undefined) write.gone = object.metadata.uid;
      const old = objects.get(name);
      if (old === undefined || (old.metadata.uid !== object.metadata.uid && isNewer(old, object))) return;
      objects.delete(name);
      own.delete(name);
      tell(name);
    },
    listBegan: () => {
      listed = new Map();
      // A list brings what is there now, and none of the events before it.
      own.clear();
    },
    listEnded: (resourceVersion) => {
      if (listed !== undefined && isOlder(resourceVersion, newest)) {
        newest = resourceVersion;
        goBack(listed);
        listed = undefined;
        return;
      }
      heard(resourceVersion);
      for (const [name, object] of objects) {
        if (listed?.has(name) || isOlder(resourceVersion, object.metadata.resourceVersion ?? '')) continue;
        objects.delete(name);
        tell(name);
      }
      listed = undefined;
    },
    live: () => {
      isReady = true;
      listener.live();
    },
    failing: listener.failing,
  });

  async function refresh(): Promise<void> {
    const found = new Map<string, KubeObject>();
    let resourceVersion = '';
    for (let more: string | undefined = ''; more !== undefined; ) {
      const request = listPage(
        served,
        { ...selection, metadataOnly: false },
        context.limits.listPageSize,
        more || undefined,
      );
      const { items = [], metadata } = (await client.send(request)) as ListPage;
      for (const object of items) {
        delete object.metadata.managedFields;
        found.set(object.metadata.name ?? '', { ...object, apiVersion: apiVersionOf(served), kind: served.kind });
      }
      resourceVersion = metadata?.resourceVersion ?? '';
      more = metadata?.continue || undefined;
    }
    for (const [name, object] of found) if (put(object)) tell(name);
    for (const [name, object] of objects) {
      if (found.has(name) || isOlder(resourceVersion, object.metadata.resourceVersion ?? '')) continue;
      objects.delete(name);
      tell(name);
    }
  }

  return {
    get: (name) => objects.get(name),
    all: () => [...objects.values()],
    beginWrite: (name) => {
      const write: Write = writes.get(name) ?? {
        writers: 0,
        known: objects.get(name),
        before: objects.get(name)?.metadata.resourceVersion,
        gone: undefined,
        seen: new Set(),
      };
      write.writers++;
      writes.set(name, write);
      return (stored) => {
        if (stored !== undefined) {
          delete stored.metadata.managedFields;
          if (stored.metadata.uid !== write.gone) put(stored);
          write.known = stored;
          const version = stored.metadata.resourceVersion ?? '';
          // One that is known already changed nothing, and makes no event.
          if (!write.seen.delete(version) && write.before !== version) {
            const versions = own.get(name) ?? new Set();
            own.set(name, versions.add(version));
          }
          write.before = version;
        }
        write.writers--;
        if (write.writers > 0) return;
        writes.delete(name);
        const isSame = objects.get(name)?.metadata.resourceVersion === write.known?.metadata.resourceVersion;
        if (!isSame || write.seen.size > 0) tell(name);
      };
    },
    nudge: () => reflector.nudge(),
    refresh,
    stop: () => reflector.stop(),
  };
}

function isNewer(object: KubeObject, than: KubeObject): boolean {
  const { uid, resourceVersion = '' } = object.metadata;
  const old = than.metadata.resourceVersion ?? '';
  if (uid === than.metadata.uid && resourceVersion === old) return false;
  return !isOlder(resourceVersion, old);
}
