import type { Application, Operation } from '@mooring/crds';
import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../src/model/annotations.ts';
import { isJsonObject, objectAt } from '../src/model/json.ts';
import { equalJson } from '../src/model/merge-patch.ts';
import { keyOf, keyText } from '../src/model/resource-key.ts';
import { rewritten, storedAs } from './api-server.ts';
import type { SimRandom } from './clock.ts';
import { isHealthy, namespaceOf } from './journal.ts';
import { operatorNamespace, type Universe } from './process.ts';

/** What operations need to come to an end: five tries of automated syncs take 155 s, and each may wait for health. */
export const settleMs = 1_500_000;

/** An object of a simulated source. */
interface Part {
  readonly kind: 'ConfigMap' | 'Deployment' | 'Job' | 'Widget';
  readonly name: string;
  value: number;
  /** Which of the names its image is asked for by, of those that come to the same. */
  tag?: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** Seconds after which a Job that is done goes by itself; undefined where it stays. */
  readonly ttl?: number;
}

interface Source {
  readonly name: string;
  readonly app: Application;
  parts: Part[];
  commit: string;
  /** The source as of its last commit cannot be rendered. */
  broken: boolean;
  /** It has an object of a kind that nobody serves or defines. */
  stray: boolean;
  /** It has the Namespace that it is deployed to. */
  hasNamespace: boolean;
}

/** Whoever commits, edits, asks and deletes, and knows what should come of it. */
export interface People {
  setUp(): void;
  act(): void;
  /** Something that is done to a settled world, at times while another thing is under way. */
  step(pass: (ms: number) => Promise<void>, most: number): Promise<void>;
  /** Makes every source good again, and lets it ask for something new. */
  finish(): void;
  check(): void;
  /** Edits of a settled world, and of the same fields again and again: others, undone, deleted, made by hand. */
  tamper(pass: (ms: number) => Promise<void>): Promise<void>;
  /** Whether each Application says what there is. */
  judge(): void;
  /** Every status as text, times apart. */
  statuses(): ReadonlyMap<string, string>;
}

export function createPeople(universe: Universe, random: SimRandom, announce: () => void): People {
  const { repository, store, servers, journal, clock } = universe;
  const addresses = [...servers.keys()];
  const sources: Source[] = [];
  const bystanders: { readonly server: string; readonly object: KubeObject }[] = [];
  let operations = 0;
  let parts = 0;

  const push = (source: Source): void => {
    const stray = { apiVersion: 'nowhere.example.com/v1', kind: 'Stray', metadata: { name: 'stray' } };
    const made = [...manifestsOf(source), ...(source.stray ? [stray] : [])];
    const objects = source.broken ? undefined : made;
    source.commit = repository.commit(
      `${source.name}/all.json`,
      objects === undefined ? '[{' : JSON.stringify(objects),
    );
    journal.note(
      `a commit to ${source.name}: ${source.commit.slice(0, 7)}${source.broken ? ' (broken)' : source.stray ? ' (with a stray)' : ''}`,
    );
    announce();
  };
  const addPart = (source: Source): void => {
    const kind = random.pick(['ConfigMap', 'ConfigMap', 'Deployment', 'Deployment', 'Job', 'Widget'] as const);
    source.parts.push({
      kind,
      name: `object-${parts++}`,
      value: random.between(1, 99),
      annotations: marks(kind, random),
      ...(kind === 'Job' && random.chance(0.5) && { ttl: random.pick([0, 1, 30]) }),
    });
  };
  const change = (source: Source): void => {
    source.broken = false;
    source.stray = false;
    const what = random.between(0, 9);
    const at = random.between(0, source.parts.length - 1);
    if (what <= 3 && source.parts[at] !== undefined) source.parts[at]!.value = random.between(100, 9_999);
    else if (what <= 6 && source.parts.length > 1) source.parts.splice(at, 1);
    else if (what === 7 && random.chance(0.5)) source.broken = true;
    else if (what === 8 && random.chance(0.5)) source.stray = true;
    else if (what === 9 && random.chance(0.5)) source.hasNamespace = !source.hasNamespace;
    else addPart(source);
    push(source);
  };
  /** A commit whose whole effect a webhook takes away, or a part of it. */
  const retag = (source: Source): void => {
    const tag = random.between(0, 2);
    source.parts = source.parts.map((part) => ({ ...part, tag }));
    push(source);
  };
  const current = (source: Source): Application | undefined =>
    store.get({ namespace: operatorNamespace, name: source.name });
  const ask = (source: Source, operation: Omit<Operation, 'info'>): void => {
    const app = current(source);
    if (app === undefined || app.operation !== undefined || app.metadata.deletionTimestamp !== undefined) return;
    const id = `${source.name}-${operations++}`;
    journal.note(`somebody asks for ${id}: ${JSON.stringify(operation)}`);
    store.patch(app, { operation: { ...operation, info: [{ name: 'id', value: id }] } }, 'user');
  };
  const owned = (source: Source): KubeObject[] => {
    const api = servers.get(source.app.spec.destination.server ?? '');
    const namespace = source.app.spec.destination.namespace;
    return (api?.list() ?? []).filter((object) => object.metadata.namespace === namespace).sort(byKey);
  };
  const drift = (source: Source): void => {
    const live = owned(source).filter((object) => object.metadata.annotations?.[annotation.hookRun] === undefined);
    if (live.length === 0) return;
    const object = random.pick(live);
    const api = servers.get(source.app.spec.destination.server ?? '');
    const how = random.between(0, 2);
    journal.note(`somebody touches ${keyText(keyOf(object))}`);
    api?.edit(keyOf(object), (now) => {
      if (how === 0) return undefined;
      const field = now.kind === 'ConfigMap' ? 'data' : 'spec';
      const inner = now[field] as Record<string, unknown>;
      return {
        ...now,
        [field]: {
          ...inner,
          [how === 1 ? 'value' : 'extra']: 'touched',
          ...(how === 1 && now.kind === 'Deployment' && { replicas: 9 }),
        },
      };
    });
  };
  /** The namespace of an Application is no part of any source. */
  const namespaceOfSource = ({ app }: Source) => {
    const { server = '', namespace: name = '' } = app.spec.destination;
    return { api: servers.get(server), key: { group: '', kind: 'Namespace', namespace: '', name } };
  };
  const relabel = (source: Source): void => {
    const { api, key } = namespaceOfSource(source);
    journal.note(`somebody touches ${keyText(key)}`);
    api?.edit(key, (now) => ({ ...now, metadata: { ...now.metadata, labels: { team: 'touched' } } }));
  };
  const operation = (): Omit<Operation, 'info'> => ({
    sync: {
      ...(random.chance(0.5) && { prune: true }),
      ...(random.chance(0.15) && { dryRun: true }),
      ...(random.chance(0.1) && { syncStrategy: { apply: {} } }),
    },
    initiatedBy: { username: 'somebody' },
    ...(random.chance(0.4) && {
      retry: { limit: random.between(1, 3), backoff: { duration: '3s', factor: 2, maxDuration: '20s' } },
    }),
  });

  return {
    setUp() {
      for (let index = 0; index < random.between(1, 3); index += 1) {
        const name = `app-${index}`;
        const app = applicationOf(name, random.pick(addresses), repository.url, random);
        const source: Source = {
          name,
          app,
          parts: [],
          commit: '',
          broken: false,
          stray: false,
          hasNamespace: random.chance(0.2),
        };
        for (let count = random.between(1, 5); count > 0; count -= 1) addPart(source);
        push(source);
        sources.push(source);
        store.create(app);
      }
      for (const { app } of sources) {
        const server = app.spec.destination.server ?? '';
        const namespace = `others-${app.metadata.name}`;
        const original = `${app.metadata.name}:/ConfigMap:shop/original`;
        const created: KubeObject[] = [
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'stranger', namespace }, data: {} },
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: 'copy', namespace, annotations: { [annotation.trackingId]: original } },
            data: {},
          },
        ];
        for (const object of created) {
          servers.get(server)?.create(object);
          bystanders.push({ server, object });
        }
      }
    },
    act() {
      const source = random.pick(sources);
      const what = random.between(0, 9);
      if (what <= 3) change(source);
      else if (what <= 5 && random.chance(0.1)) relabel(source);
      else if (what <= 5) drift(source);
      else if (what <= 7) ask(source, operation());
      else if (what === 8) {
        const app = current(source);
        if (app?.status?.operationState?.phase === 'Running' && random.chance(0.5)) {
          journal.note(`somebody terminates the operation of ${source.name}`);
          store.patch(app, { status: { operationState: { phase: 'Terminating' } } }, 'user');
        } else if (app !== undefined) {
          const refresh = random.pick(['normal', 'hard']);
          store.patch(app, { metadata: { annotations: { 'argocd.argoproj.io/refresh': refresh } } }, 'user');
        }
      } else if (random.chance(0.3)) {
        journal.note(`somebody deletes ${source.name}`);
        store.remove({ namespace: operatorNamespace, name: source.name });
      }
    },
    async step(pass, most) {
      for (let count = random.between(1, most); count > 0; count -= 1) {
        const source = random.pick(sources);
        if (random.chance(0.3)) retag(source);
        else if (random.chance(0.4)) tamperWith(source, tamperable(source));
        else this.act();
        if (count > 1) await pass(random.pick([0, 100, 2_000, 10_000]));
      }
    },
    finish() {
      for (const source of sources) {
        source.broken = false;
        source.stray = false;
        source.parts = source.parts.map((part) => {
          const { 'simulation/outcome': _, ...annotations } = part.annotations;
          return { ...part, annotations, value: part.value + 10_000 };
        });
        const value = random.between(1, 99);
        if (!source.parts.some(({ annotations }) => annotations[annotation.hook] === undefined))
          source.parts.push({ kind: 'ConfigMap', name: `object-${parts++}`, value, annotations: {} });
        push(source);
        if (current(source) === undefined) {
          journal.note(`somebody creates ${source.name} again`);
          store.create(source.app);
        }
        // More commits come while the last one is still being synced.
        for (let count = random.between(0, 4); count > 0; count -= 1) {
          clock.after(random.between(100, 40_000), () => {
            // A hook alone is no reason to sync.
            random.pick(source.parts.filter(({ annotations }) => annotations[annotation.hook] === undefined)).value +=
              10_000;
            push(source);
          });
        }
      }
      // Whoever syncs by hand does so once more, when what was under way is over.
      clock.after(settleMs / 2, () => {
        for (const source of sources) {
          if (current(source) === undefined) store.create(source.app);
        }
      });
      clock.after((settleMs * 2) / 3, () => {
        for (const source of sources) {
          if (source.app.spec.syncPolicy?.automated === undefined)
            ask(source, { sync: { prune: true }, retry: { limit: 3, backoff: { duration: '3s' } } });
        }
      });
      clock.after((settleMs * 5) / 6, () => {
        for (const source of sources) if (source.app.spec.syncPolicy?.automated?.selfHeal === true) relabel(source);
      });
    },
    check() {
      for (const { server, object } of bystanders) {
        if (servers.get(server)?.get(keyOf(object)) === undefined)
          journal.broken(`I1: ${keyText(keyOf(object))} is gone`);
      }
      for (const source of sources) checkSource(source);
    },
    async tamper(pass) {
      for (const source of sources) {
        const object = tamperable(source);
        for (let count = object === undefined ? 0 : random.between(2, 8); count > 0; count -= 1) {
          tamperWith(source, random.chance(0.8) ? object : tamperable(source));
          await pass(random.pick([0, 100, 2_000, 10_000]));
        }
      }
    },
    judge() {
      for (const source of sources) judgeSource(source);
    },
    statuses() {
      const text = (source: Source): string =>
        String(JSON.stringify(current(source)?.status)).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time');
      return new Map(sources.map((source) => [source.name, text(source)]));
    },
  };

  function tamperable(source: Source): KubeObject | undefined {
    const objects = manifestsOf(source).filter(
      ({ kind, metadata }) =>
        kind !== 'CustomResourceDefinition' && kind !== 'Namespace' && !metadata.annotations?.[annotation.hook],
    );
    return objects.length === 0 ? undefined : random.pick(objects);
  }

  /** Somebody changes one field of an object, or takes back what was changed, or makes by hand what is missing. */
  function tamperWith(source: Source, wanted: KubeObject | undefined): void {
    if (wanted === undefined) return;
    const api = servers.get(source.app.spec.destination.server ?? '');
    const object = { ...wanted, metadata: { ...wanted.metadata, namespace: namespaceOf(wanted, source.app) } };
    const key = keyOf(object);
    const what = random.pick(['another', 'another', 'undone', 'undone', 'gone'] as const);
    journal.note(`somebody makes ${keyText(key)} ${what}`);
    if (api?.get(key) === undefined) {
      api?.create(object);
      return;
    }
    api.edit(key, (now) => {
      if (what === 'gone') return undefined;
      const field = now.kind === 'ConfigMap' ? 'data' : 'spec';
      const name = now.kind === 'ConfigMap' ? 'value' : now.kind === 'Widget' ? 'size' : 'replicas';
      const wish = objectAt(object, field)?.[name];
      const other = typeof wish === 'number' ? random.between(20_000, 20_003) : `${random.between(1, 3)} by hand`;
      return { ...now, [field]: { ...(now[field] as object), [name]: what === 'undone' ? wish : other } };
    });
  }

  function judgeSource(source: Source): void {
    const app = current(source);
    if (app === undefined) return;
    const api = servers.get(source.app.spec.destination.server ?? '');
    const keys = new Set<string>();
    const wrong: string[] = [];
    for (const object of manifestsOf(source)) {
      if (object.metadata.annotations?.[annotation.hook] !== undefined) continue;
      const key = { ...keyOf(object), namespace: namespaceOf(object, app) };
      keys.add(keyText(key));
      const live = api?.get(key);
      const isTracked =
        live?.metadata.annotations?.[annotation.trackingId] !== undefined || key.kind === 'CustomResourceDefinition';
      if (live === undefined || !isTracked || !contains(contentOf(live), contentOf(storedAs(object))))
        wrong.push(keyText(key));
    }
    for (const object of owned(source)) {
      const { annotations = {} } = object.metadata;
      const isLeft = annotations[annotation.trackingId] !== undefined && annotations[annotation.hookRun] === undefined;
      if (isLeft && !keys.has(keyText(keyOf(object)))) wrong.push(keyText(keyOf(object)));
    }
    const { sync } = app.status ?? {};
    if ((sync?.status === 'Synced') !== (wrong.length === 0))
      journal.broken(`C7: ${source.name} is ${sync?.status}, and what differs is ${wrong.join(', ') || 'nothing'}`);
    if (app.spec.syncPolicy?.automated?.selfHeal === true && wrong.length > 0 && isDone(app))
      journal.broken(`C7: ${source.name} does not heal ${wrong.join(', ')}`);
  }

  function isDone({ status }: Application): boolean {
    return status?.operationState?.phase === 'Succeeded' && status.operationState.operation.sync?.prune === true;
  }

  function checkSource(source: Source): void {
    const app = current(source);
    const { name } = source;
    if (app === undefined) {
      journal.broken(`I4: the Application ${name} is gone`);
      return;
    }
    const automated = app.spec.syncPolicy?.automated;
    const last = app.status?.operationState;
    // A sync that ran out of time is not tried again for the same revision, as in Argo CD.
    if (last?.phase === 'Failed' && last.message?.includes('controller sync timeout')) return;
    // A hook that failed once and is not made anew each time fails every sync until somebody takes it away, as in Argo CD.
    const isStuck = owned(source).some(
      (object) =>
        object.metadata.annotations?.[annotation.hookRun] !== undefined &&
        object.metadata.annotations[annotation.hookDeletePolicy] !== 'BeforeHookCreation' &&
        last?.message?.includes(`${object.metadata.name}: it failed`),
    );
    if (last?.phase === 'Failed' && isStuck) return;
    // Nor does an automated sync add to one by hand of the same revision, unless it heals.
    const isByHand = last?.operation.initiatedBy?.automated !== true && last?.operation.sync?.prune !== true;
    const prunes = automated === undefined || (automated.prune === true && !(isByHand && automated.selfHeal !== true));
    const { api, key: namespace } = namespaceOfSource(source);
    const labels = app.spec.syncPolicy?.managedNamespaceMetadata?.labels;
    const given = api?.get(namespace)?.metadata.labels;
    // What the source says of it counts, where it says anything.
    if (labels !== undefined && !source.hasNamespace && !contains(given, labels))
      journal.broken(`I4: the namespace of ${name} has the labels ${JSON.stringify(given)}`);
    const wanted = new Set<string>();
    for (const object of manifestsOf(source)) {
      const key = { ...keyOf(object), namespace: namespaceOf(object, app) };
      if (object.metadata.annotations?.[annotation.hook] !== undefined) {
        // Hooks for failures that outlived the operator's sight of them wait for the next failure.
        if (object.metadata.annotations[annotation.hook] === 'SyncFail') continue;
        const policy = object.metadata.annotations[annotation.hookDeletePolicy];
        const live = api?.get(key);
        if (
          last?.phase === 'Succeeded' &&
          last.operation.sync?.syncStrategy?.apply === undefined &&
          policy === 'HookSucceeded' &&
          live !== undefined &&
          live.kind === 'Job' &&
          isHealthy(live)
        )
          journal.broken(`I3: the hook ${keyText(key)} of ${name} is still there`);
        continue;
      }
      wanted.add(keyText(key));
      const live = api?.get(key);
      if (live === undefined) journal.broken(`I4: ${keyText(key)} of ${name} is missing`);
      else if (!contains(contentOf(live), contentOf(storedAs(object))))
        journal.broken(
          `I4: ${keyText(key)} of ${name} is ${JSON.stringify(contentOf(live))}, not ${JSON.stringify(contentOf(object))}`,
        );
    }
    for (const object of owned(source)) {
      const isTracked = object.metadata.annotations?.[annotation.trackingId]?.startsWith(`${name}:`) === true;
      const isHook = object.metadata.annotations?.[annotation.hookRun] !== undefined;
      if (prunes && isTracked && !isHook && !wanted.has(keyText(keyOf(object))))
        journal.broken(`I4: ${keyText(keyOf(object))} of ${name} was not pruned`);
    }
    const { sync, health, conditions, operationState } = app.status ?? {};
    const leftovers = !prunes && sync?.status === 'OutOfSync';
    const head = repository.resolve('HEAD');
    if (sync?.revision !== head || (sync.status !== 'Synced' && !leftovers) || health?.status !== 'Healthy')
      journal.broken(
        `I4: ${name} is ${sync?.status} at ${sync?.revision?.slice(0, 7)} and ${health?.status}; HEAD is ${head.slice(0, 7)}; ${operationState?.phase} ${operationState?.message}`,
      );
    const deployed = app.status?.history?.at(-1)?.revision ?? '';
    if (repository.position(deployed) < repository.position(source.commit))
      journal.broken(`I5: ${name} is synced, and its history ends with ${deployed.slice(0, 7) || 'nothing'}`);
    if (conditions !== undefined) journal.broken(`I4: ${name} has conditions: ${JSON.stringify(conditions)}`);
  }
}

function byKey(one: KubeObject, other: KubeObject): number {
  return keyText(keyOf(one)) < keyText(keyOf(other)) ? -1 : 1;
}

function contentOf(object: KubeObject): unknown {
  switch (object.kind) {
    case 'ConfigMap':
      return object['data'];
    case 'Namespace':
      return object.metadata.labels;
    case 'CustomResourceDefinition':
      return undefined;
    default:
      return object['spec'];
  }
}

/** Whether everything that was asked for is there; fields that others added are theirs to keep. */
function contains(live: unknown, wanted: unknown): boolean {
  if (!isJsonObject(wanted)) return equalJson(live, wanted);
  return isJsonObject(live) && Object.entries(wanted).every(([field, value]) => contains(live[field], value));
}

function marks(kind: Part['kind'], random: SimRandom): Record<string, string> {
  const marked: Record<string, string> = {};
  if (kind === 'Job' || (kind === 'ConfigMap' && random.chance(0.1))) {
    marked[annotation.hook] = random.pick(['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreSync,PostSync']);
    marked[annotation.hookDeletePolicy] = random.pick(['BeforeHookCreation', 'HookSucceeded', 'HookFailed']);
    if (kind === 'Job' && random.chance(0.15)) marked['simulation/outcome'] = 'failed';
  }
  if (random.chance(0.4)) marked[annotation.syncWave] = String(random.between(-1, 2));
  if (random.chance(0.1)) marked[annotation.syncOptions] = 'PruneLast=true';
  return marked;
}

function manifestsOf({ name: source, parts: own, hasNamespace, app }: Source): KubeObject[] {
  const namespace = { name: app.spec.destination.namespace ?? '', labels: { mesh: 'enabled' } };
  const made = definitionsAndParts(source, own);
  return hasNamespace ? [{ apiVersion: 'v1', kind: 'Namespace', metadata: namespace }, ...made] : made;
}

function definitionsAndParts(source: string, parts: readonly Part[]): KubeObject[] {
  const group = `${source}.example.com`;
  const definition = { group, scope: 'Namespaced', names: { kind: 'Widget', plural: 'widgets' } };
  // Of whatever wave it is, it comes before its objects.
  const wave = parts.length % 4;
  const metadata = { name: `widgets.${group}`, annotations: { [annotation.syncWave]: String(wave) } };
  const objects = parts.map((part) => manifestOf(source, part));
  if (!parts.some(({ kind }) => kind === 'Widget')) return objects;
  return [
    { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec: definition },
    ...objects,
  ];
}

function manifestOf(source: string, { kind, name, value, tag = 0, annotations, ttl }: Part): KubeObject {
  const metadata = { name, ...(Object.keys(annotations).length > 0 && { annotations }) };
  const same = [...rewritten.asked, rewritten.stored];
  const image = value % 3 === 0 ? same[tag % same.length] : `shop:${value}`;
  const template = { spec: { containers: [{ name: 'main', image }] } };
  switch (kind) {
    case 'ConfigMap':
      return { apiVersion: 'v1', kind, metadata, data: { value: String(value) } };
    case 'Deployment':
      return {
        apiVersion: 'apps/v1',
        kind,
        metadata,
        spec: { replicas: 2, minReadySeconds: value, paused: false, template },
      };
    case 'Job':
      return {
        apiVersion: 'batch/v1',
        kind,
        metadata,
        spec: { template, ...(ttl !== undefined && { ttlSecondsAfterFinished: ttl }) },
      };
    case 'Widget':
      return { apiVersion: `${source}.example.com/v1`, kind, metadata, spec: { size: value } };
  }
}

function applicationOf(name: string, server: string, repoURL: string, random: SimRandom): Application {
  const isAutomated = random.chance(0.75);
  const retry = random.chance(0.5)
    ? { limit: 5, backoff: { duration: '2s', factor: 2, maxDuration: '30s' } }
    : undefined;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: operatorNamespace, finalizers: ['resources-finalizer.argocd.argoproj.io'] },
    spec: {
      project: 'default',
      source: { repoURL, path: name, targetRevision: 'main' },
      destination: { server, namespace: `shop-${name}` },
      syncPolicy: {
        ...(isAutomated && { automated: { prune: random.chance(0.7), selfHeal: random.chance(0.7) } }),
        ...(retry && { retry }),
        ...(random.chance(0.3) && { managedNamespaceMetadata: { labels: { team: name } } }),
        syncOptions: ['CreateNamespace=true'],
      },
    },
  };
}
