import type { KubeObject } from '@mooring/renderer-contract';
import { Fault } from '../src/model/fault.ts';
import { hookHold } from '../src/model/finalizers.ts';
import { copyJson, isJsonObject, listAt, numberAt, objectAt, textAt } from '../src/model/json.ts';
import { equalJson } from '../src/model/merge-patch.ts';
import { keyForPeople, keyOf, keyText, type ResourceKey } from '../src/model/resource-key.ts';
import { timestamp } from '../src/model/timestamp.ts';
import type { ApplyOptions, Propagation } from '../src/world/cluster.ts';
import type { SimClock, SimRandom } from './clock.ts';

/** Something that happened to an object; `after` is undefined when it went. */
export interface ServerEvent {
  readonly version: number;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
  readonly by: 'operator' | 'user' | 'controller';
}

/** What a writer says that it has seen. */
export interface SeenObject {
  readonly uid: string;
  readonly resourceVersion: string;
}

const manager = 'argocd-controller';

/** What holds an object that is deleted in the foreground. */
const dependents = 'foregroundDeletion';

/** Scopes of the kinds that every simulated cluster serves. */
const builtIn: Readonly<Record<string, 'Namespaced' | 'Cluster'>> = {
  '/ConfigMap': 'Namespaced',
  '/Namespace': 'Cluster',
  'apps/Deployment': 'Namespaced',
  'batch/Job': 'Namespaced',
  'apiextensions.k8s.io/CustomResourceDefinition': 'Cluster',
};

/**
 * A model of one cluster: objects with uid, resourceVersion, generation and the fields that each server-side apply owns, and the controllers that give
 * Deployments, Jobs and definitions their status. It outlives every crash of the operator.
 */
export interface ApiServer {
  readonly server: string;
  scopeOf(group: string, kind: string): 'Namespaced' | 'Cluster' | undefined;
  get(key: ResourceKey): KubeObject | undefined;
  list(): readonly KubeObject[];
  /** A server-side apply goes over the object that was seen, or over none. Throws `Fault` `object-refused`, `object-conflict` or `object-missing`. */
  apply(object: KubeObject, options: ApplyOptions, over: SeenObject | undefined): KubeObject;
  remove(key: ResourceKey, over: SeenObject, propagation: Propagation): void;
  /** The operator takes a finalizer off the object with this uid; it goes with the last one where it is being deleted. */
  letGo(key: ResourceKey, uid: string, finalizer: string): void;
  /** What somebody else than the operator does to an object; undefined deletes it, as soon as no finalizer holds it. */
  edit(key: ResourceKey, change: (object: KubeObject) => KubeObject | undefined): void;
  create(object: KubeObject): void;
  watch(listener: (event: ServerEvent) => void): () => void;
}

interface Stored {
  readonly object: KubeObject;
  /** Paths of the leaves that our apply owns. */
  readonly owned: ReadonlySet<string>;
  readonly time: string;
}

export function createApiServer(server: string, clock: SimClock, random: SimRandom): ApiServer {
  const objects = new Map<string, Stored>();
  const served = new Map<string, 'Namespaced' | 'Cluster'>(Object.entries(builtIn));
  const listeners = new Set<(event: ServerEvent) => void>();
  let version = 1;
  let uids = 0;

  const store = (next: Stored, by: ServerEvent['by']): KubeObject => {
    const key = keyOf(next.object);
    const before = objects.get(keyText(key));
    const metadata = { ...next.object.metadata };
    metadata.resourceVersion = String(++version);
    metadata.uid = before?.object.metadata.uid ?? next.object.metadata.uid ?? `${server}-${++uids}`;
    metadata.creationTimestamp = before?.object.metadata.creationTimestamp ?? timestamp(clock.now());
    const specChanged = !equalJson(before?.object['spec'], next.object['spec']);
    metadata.generation = (before?.object.metadata.generation ?? 0) + (before === undefined || specChanged ? 1 : 0);
    const fields = fieldsV1(next.owned);
    metadata.managedFields = next.owned.size === 0 ? [] : [entry(next, fields)];
    const object: KubeObject = { ...next.object, metadata };
    objects.set(keyText(key), { ...next, object });
    emit({ version, before: before?.object, after: object, by });
    if (before === undefined || specChanged) control(object);
    return copyJson(object);
  };

  const drop = (key: ResourceKey, uid: string, by: ServerEvent['by']): void => {
    const before = objects.get(keyText(key));
    if (before === undefined || before.object.metadata.uid !== uid) return;
    objects.delete(keyText(key));
    emit({ version: ++version, before: before.object, after: undefined, by });
  };

  /** Deletes an object; it stays while a finalizer holds it, and with `foreground` until its dependents are gone. */
  const end = (key: ResourceKey, uid: string, by: ServerEvent['by'], foreground: boolean): void => {
    const before = objects.get(keyText(key));
    if (before === undefined || before.object.metadata.uid !== uid) return;
    const { finalizers = [], deletionTimestamp } = before.object.metadata;
    if (finalizers.length === 0 && !foreground) drop(key, uid, by);
    if ((finalizers.length === 0 && !foreground) || deletionTimestamp !== undefined) return;
    const held = foreground ? [...finalizers, dependents] : finalizers;
    const metadata = { ...before.object.metadata, deletionTimestamp: timestamp(clock.now()), finalizers: held };
    store({ ...before, object: { ...before.object, metadata } }, by);
    if (!foreground) return;
    clock.after(random.between(50, 3_000), () => {
      const now = objects.get(keyText(key));
      if (now?.object.metadata.uid !== uid) return;
      const others = now.object.metadata.finalizers?.filter((name) => name !== dependents) ?? [];
      storeHeldBy(key, now, others, 'controller');
    });
  };

  /** Stores other finalizers; an object that is being deleted goes with the last one. */
  const storeHeldBy = (key: ResourceKey, before: Stored, finalizers: string[], by: ServerEvent['by']): void => {
    const { metadata } = before.object;
    if (finalizers.length === 0 && metadata.deletionTimestamp !== undefined) drop(key, metadata.uid ?? '', by);
    else store({ ...before, object: { ...before.object, metadata: { ...metadata, finalizers } } }, by);
  };

  const emit = (event: ServerEvent): void => {
    for (const listener of listeners) listener(event);
  };

  /** Stands for kube-controller-manager: notices a new generation a while later. */
  const control = (object: KubeObject): void => {
    const key = keyOf(object);
    const { uid, generation } = object.metadata;
    clock.after(random.between(200, 4_000), () => {
      const now = objects.get(keyText(key));
      if (now === undefined || now.object.metadata.uid !== uid || now.object.metadata.generation !== generation) return;
      const status = statusOf(now.object);
      if (status === undefined) return;
      if (key.kind === 'CustomResourceDefinition') serve(now.object);
      store({ ...now, object: { ...now.object, status } }, 'controller');
      const ttl = numberAt(now.object, 'spec', 'ttlSecondsAfterFinished');
      if (ttl !== undefined && uid !== undefined) clock.after(ttl * 1_000, () => end(key, uid, 'controller', false));
    });
  };

  const serve = (definition: KubeObject): void => {
    const scope = textAt(definition, 'spec', 'scope') === 'Cluster' ? 'Cluster' : 'Namespaced';
    served.set(`${textAt(definition, 'spec', 'group')}/${textAt(definition, 'spec', 'names', 'kind')}`, scope);
  };

  const check = (key: ResourceKey): void => {
    const people = keyForPeople(key);
    if (!served.has(`${key.group}/${key.kind}`))
      throw new Fault('object-refused', `${people}: the server does not know this kind`);
    if (
      key.namespace !== '' &&
      !objects.has(keyText({ group: '', kind: 'Namespace', namespace: '', name: key.namespace }))
    )
      throw new Fault('object-refused', `${people}: namespaces "${key.namespace}" not found`);
  };

  const checkSeen = (key: ResourceKey, now: Stored | undefined, seen: SeenObject | undefined): void => {
    const { metadata } = now?.object ?? {};
    if (metadata?.uid !== seen?.uid) throw new Fault('object-conflict', `${keyForPeople(key)} is another object now`);
    if (metadata?.resourceVersion !== seen?.resourceVersion)
      throw new Fault('object-conflict', `${keyForPeople(key)} has been modified`);
  };

  const self: ApiServer = {
    server,
    scopeOf: (group, kind) => served.get(`${group}/${kind}`),
    get(key) {
      return copyJson(objects.get(keyText(key))?.object);
    },
    list: () => [...objects.values()].map(({ object }) => object),
    apply(wanted, options, over) {
      const key = keyOf(wanted);
      check(key);
      let before = objects.get(keyText(key));
      if (options.how === 'server-side' && options.dryRun !== true) checkSeen(key, before, over);
      if (options.how === 'create' && before !== undefined)
        throw new Fault('object-refused', `${keyForPeople(key)} exists already`);
      if (options.uid !== undefined && before?.object.metadata.uid !== options.uid)
        throw new Fault('object-conflict', `${keyForPeople(key)} is another object now`);
      if (before?.object.metadata.deletionTimestamp !== undefined && options.how !== 'recreate')
        return copyJson(before.object);
      if (options.how === 'recreate' && before !== undefined) {
        if (options.dryRun) return copyJson(before.object);
        const holders = (before.object.metadata.finalizers ?? []).filter((name) => name !== hookHold);
        if (holders.length > 0)
          throw new Fault('object-conflict', `${keyForPeople(key)} is still being deleted (finalizers: ${holders})`);
        drop(key, before.object.metadata.uid ?? '', 'operator');
        before = undefined;
      }
      const leaves = leavesOf(wanted);
      const object =
        before === undefined || options.how === 'replace' ? baseOf(wanted, before) : copyJson(before.object);
      for (const path of before?.owned ?? []) if (!leaves.has(path)) setLeaf(object, path, undefined);
      for (const [path, value] of leaves) setLeaf(object, path, value);
      const finalizers = new Set([
        ...(before?.object.metadata.finalizers ?? []),
        ...(wanted.metadata.finalizers ?? []),
      ]);
      if (finalizers.size > 0) object.metadata.finalizers = [...finalizers];
      rewrite(object);
      if (options.dryRun) return object;
      const owned = new Set(leaves.keys());
      const same = before !== undefined && equalJson(object, before.object) && equalSets(owned, before.owned);
      if (same) return copyJson(before?.object ?? object);
      return store({ object, owned, time: timestamp(clock.now()) }, 'operator');
    },
    remove(key, over, propagation) {
      const before = objects.get(keyText(key));
      if (before === undefined) return;
      checkSeen(key, before, over);
      end(key, over.uid, 'operator', propagation === 'foreground');
    },
    letGo(key, uid, finalizer) {
      const before = objects.get(keyText(key));
      if (before?.object.metadata.uid !== uid) return;
      const finalizers = before.object.metadata.finalizers?.filter((name) => name !== finalizer) ?? [];
      if (finalizers.length === before.object.metadata.finalizers?.length) return;
      storeHeldBy(key, before, finalizers, 'operator');
    },
    edit(key, change) {
      const before = objects.get(keyText(key));
      if (before === undefined) return;
      const object = change(copyJson(before.object));
      const { uid = '' } = before.object.metadata;
      if (object === undefined) return end(key, uid, 'user', false);
      if (object.metadata.deletionTimestamp !== undefined && !object.metadata.finalizers?.length)
        return drop(key, uid, 'user');
      rewrite(object);
      const old = leavesOf(before.object);
      const leaves = leavesOf(object);
      const owned = new Set([...before.owned].filter((path) => equalJson(old.get(path), leaves.get(path))));
      store({ object, owned, time: before.time }, 'user');
    },
    create(object) {
      store({ object: copyJson(object), owned: new Set(), time: timestamp(clock.now()) }, 'user');
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return self;
}

/** Images of a container of which an admission webhook makes another one, whoever writes the object and whatever the manifest says. */
export const rewritten: { readonly asked: readonly string[]; readonly stored: string } = {
  asked: ['shop:latest', 'shop:stable'],
  stored: 'mirror/shop:1',
};

/** An object as the server stores it. */
export function storedAs(object: KubeObject): KubeObject {
  const stored = copyJson(object);
  rewrite(stored);
  return stored;
}

/** Stands for an admission webhook, and for what the server itself makes of an object. Nobody's fields change hands by it. */
function rewrite(object: KubeObject): void {
  const template = objectAt(object, 'spec', 'template', 'spec');
  for (const container of listAt(template, 'containers')) {
    if (isJsonObject(container) && rewritten.asked.includes(String(container['image'])))
      container['image'] = rewritten.stored;
  }
  // An empty value of a type that the server knows is not stored.
  const spec = object.kind === 'Deployment' ? objectAt(object, 'spec') : undefined;
  if (spec?.['paused'] === false) delete spec['paused'];
}

function baseOf(wanted: KubeObject, before: Stored | undefined): KubeObject {
  const { name, namespace } = wanted.metadata;
  const metadata = { ...before?.object.metadata, ...(name && { name }), ...(namespace && { namespace }) };
  return { apiVersion: wanted.apiVersion, kind: wanted.kind, metadata };
}

/** The status that a controller gives; `simulation/outcome: failed` makes a Job fail, `stuck` keeps anything from getting ready. */
function statusOf(object: KubeObject): Record<string, unknown> | undefined {
  const generation = object.metadata.generation ?? 1;
  if (object.metadata.annotations?.['simulation/outcome'] === 'stuck') return undefined;
  if (object.kind === 'Deployment') {
    const replicas = numberAt(object, 'spec', 'replicas') ?? 1;
    const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
    return { observedGeneration: generation, ...counts };
  }
  if (object.kind === 'Job') {
    const failed = object.metadata.annotations?.['simulation/outcome'] === 'failed';
    const condition = { type: failed ? 'Failed' : 'Complete', status: 'True', message: failed ? 'it failed' : 'done' };
    return { conditions: [condition], [failed ? 'failed' : 'succeeded']: 1 };
  }
  if (object.kind === 'CustomResourceDefinition' && listAt(object, 'status', 'conditions').length === 0) {
    const conditions = ['NamesAccepted', 'Established'].map((type) => ({ type, status: 'True' }));
    return { conditions };
  }
  return undefined;
}

const separator = '\u0000';

/** Leaves of what an apply may own, by path; lists are leaves. */
function leavesOf(object: KubeObject): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (isJsonObject(value) && Object.keys(value).length > 0) {
      for (const [field, inner] of Object.entries(value)) walk(inner, [...path, field]);
    } else {
      leaves.set(path.join(separator), value);
    }
  };
  const { labels, annotations } = object.metadata;
  walk({ ...(labels && { labels }), ...(annotations && { annotations }) }, ['metadata']);
  for (const [field, value] of Object.entries(object)) {
    if (!['apiVersion', 'kind', 'metadata', 'status'].includes(field)) walk(value, [field]);
  }
  leaves.delete('metadata');
  return leaves;
}

function setLeaf(object: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split(separator);
  const last = steps.pop() ?? '';
  let target = object;
  for (const step of steps) {
    const inner = target[step];
    if (isJsonObject(inner)) {
      target = inner;
    } else {
      if (value === undefined) return;
      const made: Record<string, unknown> = {};
      target[step] = made;
      target = made;
    }
  }
  if (value === undefined) delete target[last];
  else target[last] = copyJson(value);
}

function fieldsV1(owned: ReadonlySet<string>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const path of [...owned].sort()) {
    let target = fields;
    for (const step of path.split(separator)) {
      const inner = (target[`f:${step}`] ?? {}) as Record<string, unknown>;
      target[`f:${step}`] = inner;
      target = inner;
    }
  }
  return fields;
}

function entry({ object, time }: Stored, fields: Record<string, unknown>) {
  return { manager, operation: 'Apply', apiVersion: object.apiVersion, time, fieldsType: 'FieldsV1', fieldsV1: fields };
}

function equalSets(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}
