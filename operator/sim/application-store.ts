import type { Application } from '@mooring/crds';
import { Fault } from '../src/model/fault.ts';
import { copyJson, isJsonObject } from '../src/model/json.ts';
import { equalJson } from '../src/model/merge-patch.ts';
import { timestamp } from '../src/model/timestamp.ts';
import type { NamespacedName } from '../src/world/store.ts';
import type { SimClock } from './clock.ts';

export interface StoreEvent {
  readonly name: NamespacedName;
  readonly before: Application | undefined;
  readonly after: Application | undefined;
  readonly by: 'operator' | 'user';
}

/** The Applications as the operator's own API server holds them; it outlives every crash of the operator. */
export interface ApplicationStore {
  list(): readonly Application[];
  get(name: NamespacedName): Application | undefined;
  create(app: Application): void;
  /** A merge patch. Throws `Fault` `object-missing` or `object-conflict`, and `object-refused` where it comes to more bytes than are taken. */
  patch(app: Application, patch: Readonly<Record<string, unknown>>, by: StoreEvent['by']): Application;
  remove(name: NamespacedName): void;
  watch(listener: (event: StoreEvent) => void): () => void;
}

/** `bytesTaken`: bytes that an Application may have as JSON; beyond them a patch is refused in etcd's words. */
export function createApplicationStore(
  clock: SimClock,
  bytesTaken: () => number = () => Number.POSITIVE_INFINITY,
): ApplicationStore {
  const applications = new Map<string, Application>();
  const listeners = new Set<(event: StoreEvent) => void>();
  let version = 1;

  const put = (name: NamespacedName, after: Application | undefined, by: StoreEvent['by']): void => {
    const before = applications.get(textOf(name));
    if (after === undefined) applications.delete(textOf(name));
    else applications.set(textOf(name), after);
    for (const listener of listeners) listener({ name, before, after, by });
  };
  const versioned = (app: Application): Application => ({
    ...app,
    metadata: { ...app.metadata, resourceVersion: String(++version) },
  });

  return {
    list: () => [...applications.values()],
    get: (name) => applications.get(textOf(name)),
    create(app) {
      put(nameOf(app), versioned({ ...app, metadata: { ...app.metadata, uid: `app-${version}` } }), 'user');
    },
    patch(app, patch, by) {
      const name = nameOf(app);
      const before = applications.get(textOf(name));
      if (before === undefined || before.metadata.uid !== app.metadata.uid)
        throw new Fault('object-missing', `the Application ${name.name} is gone`);
      const { resourceVersion, ...metadata } = (patch['metadata'] ?? {}) as Record<string, unknown>;
      if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
        throw new Fault('object-conflict', `the Application ${name.name} was changed meanwhile`);
      const after = merge(before, { ...patch, metadata }) as Application;
      if (equalJson(after, before)) return before;
      if (JSON.stringify(after).length > bytesTaken())
        throw new Fault('object-refused', `Application ${name.name}: etcdserver: request is too large`);
      const isGone = after.metadata.deletionTimestamp !== undefined && !after.metadata.finalizers?.length;
      const stored = versioned(after);
      put(name, isGone ? undefined : stored, by);
      return stored;
    },
    remove(name) {
      const before = applications.get(textOf(name));
      if (before === undefined) return;
      if (!before.metadata.finalizers?.length) return put(name, undefined, 'user');
      const metadata = { ...before.metadata, deletionTimestamp: timestamp(clock.now()) };
      put(name, versioned({ ...before, metadata }), 'user');
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A JSON merge patch (RFC 7396), as an API server applies it. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return copyJson(patch);
  const merged: Record<string, unknown> = isJsonObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else if (value !== undefined) merged[field] = merge(merged[field], value);
  }
  return merged;
}

export function nameOf({ metadata }: Application): NamespacedName {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

function textOf({ namespace, name }: NamespacedName): string {
  return `${namespace}/${name}`;
}
