import type { Application, OperationState } from '@mooring/crds';
import type { KubeObject, Manifest } from '@mooring/renderer-contract';
import { appOf } from '../src/adapters/kube/record.ts';
import { healthOf } from '../src/engine/health/health.ts';
import { phaseIndex } from '../src/engine/plan/plan.ts';
import { annotation } from '../src/model/annotations.ts';
import type { SyncPhase } from '../src/model/desired.ts';
import { hookRole, waveOf } from '../src/model/hooks.ts';
import type { LiveRecord } from '../src/model/live.ts';
import { definedKind, groupOf, isNamespace, keyOf, keyText, type ResourceKey } from '../src/model/resource-key.ts';
import type { ApiServer, ServerEvent } from './api-server.ts';
import { type ApplicationStore, nameOf, type StoreEvent } from './application-store.ts';
import type { SimClock } from './clock.ts';

/** What one pass rendered last for an Application. */
export interface Rendered {
  readonly commit: string;
  readonly manifests: readonly Manifest[];
}

/** Who makes a write. */
export interface Writer {
  /** Name of the replica. */
  readonly name: string;
  /** Which lead it wrote under; grows from one leader to the next. */
  readonly term: number;
  /** Whether it was stopped between the decision to write and the write, where only the API server can refuse it. */
  readonly isLate: boolean;
  /** Whether it takes the object for new: the API server has no precondition for that. */
  readonly isCreate: boolean;
}

/** Watches everything that happens, and notes what must never happen. */
export interface Journal {
  /** Everything that was wrong, in order. */
  readonly violations: readonly string[];
  /** The latest notes, to find out why. */
  readonly notes: readonly string[];
  /** Writes that took effect, of the operator. */
  readonly writes: number;
  readonly passes: number;
  /** What people were told of Applications, in order: type, reason and message. */
  readonly notices: string[];
  /** Operations that were asked for and have not come to an end. */
  openOperations(): readonly string[];
  note(text: string): void;
  broken(text: string): void;
  reconciled(): void;
  /** A replica begins to lead; answers the number of its lead. */
  termBegins(replica: string): number;
  /** Makes a write, and holds against it who made it (I7). */
  writing<T>(writer: Writer, run: () => T): T;
  rendering(replica: string, app: string, rendered: Rendered | undefined): void;
  applying(replica: string, server: string, object: KubeObject): void;
  removing(replica: string, server: string, record: LiveRecord): void;
  patching(app: Application, patch: Readonly<Record<string, unknown>>): void;
}

/** Milliseconds that the operator's view may be behind. */
export const viewLagMs = 15_000;
const notesKept = 400;

export function createJournal(
  clock: SimClock,
  servers: ReadonlyMap<string, ApiServer>,
  store: ApplicationStore,
  operatorNamespace: string,
): Journal {
  const violations: string[] = [];
  const notes: string[] = [];
  const rendered = new Map<string, Rendered | undefined>();
  const healthyUntil = new Map<string, number>();
  const hookRuns = new Map<string, number>();
  const asked = new Set<string>();
  const ended = new Set<string>();
  let writes = 0;
  let passes = 0;
  let terms = 0;
  let writer: Writer | undefined;
  /** The latest lead under which each Application, or something that it tracks, and each single object was written. */
  const lastTerms = new Map<string, number>();

  const note = (text: string): void => {
    notes.push(`${new Date(clock.now()).toISOString()} ${text}`);
    if (notes.length > notesKept) notes.shift();
  };
  const broken = (text: string): void => {
    violations.push(`${new Date(clock.now()).toISOString()} ${text}`);
    note(`VIOLATION ${text}`);
  };
  const applicationOf = (tracking: string): Application | undefined =>
    store.get({ namespace: operatorNamespace, name: tracking });
  const place = (server: string, key: ResourceKey): string => `${server} ${keyText(key)}`;

  /** I7: of two leaders the later one's writes stand. */
  const checkWriter = (app: string | undefined, id: string): void => {
    if (writer === undefined) return;
    const { name, term, isLate, isCreate } = writer;
    const last = (of: string): number => lastTerms.get(of) ?? term;
    if (last(id) > term && !(isLate && isCreate))
      broken(`I7: ${name}, leader ${term}, wrote ${id} after leader ${last(id)}`);
    const of = `Application ${app ?? ''}`;
    if (!isLate && app !== undefined && last(of) > term)
      broken(`I7: ${name}, leader ${term}, wrote ${id} of ${app} after leader ${last(of)} had begun with it`);
    for (const each of app === undefined ? [id] : [id, of]) lastTerms.set(each, Math.max(term, last(each)));
  };

  const seeServer = (server: string, { before, after, by }: ServerEvent): void => {
    const object = after ?? before;
    if (object === undefined) return;
    const id = place(server, keyOf(object));
    const verb = after === undefined ? 'deleted' : before === undefined ? 'created' : 'changed';
    note(`${by} ${verb} ${id} at ${object.metadata.resourceVersion}`);
    if (by === 'operator') {
      writes += 1;
      const tracking = appOf(object.metadata.annotations?.[annotation.trackingId], keyOf(object));
      checkWriter(tracking, id);
      // What it deletes was as it was until then; what it changes is not any more.
      if (after === undefined && isHealthy(object)) healthyUntil.set(id, clock.now());
      else healthyUntil.delete(id);
      const run = object.metadata.annotations?.[annotation.hookRun];
      const isLate = writer?.isLate === true && writer.isCreate;
      if (before === undefined && run !== undefined && !isLate) {
        const runs = (hookRuns.get(`${id} ${run}`) ?? 0) + 1;
        hookRuns.set(`${id} ${run}`, runs);
        if (runs > 1) broken(`I3: the hook ${id} ${run} was run twice`);
      }
    } else if (before !== undefined && isHealthy(before)) {
      healthyUntil.set(id, clock.now());
    }
  };

  const seeStore = ({ name, before, after, by }: StoreEvent): void => {
    const state = after?.status?.operationState;
    const last = before?.status?.operationState;
    const what = after === undefined ? 'deleted' : `${state?.phase ?? 'no operation'} ${state?.message ?? ''}`;
    note(
      `${by} changed Application ${name.name}: ${after?.status?.sync?.status} ${after?.status?.health?.status} ${what}`,
    );
    if (by === 'operator') {
      writes += 1;
      checkWriter(name.name, `Application ${name.name}`);
    }
    if (before?.operation === undefined && after?.operation !== undefined) asked.add(idOf(after.operation) ?? '');
    if (after === undefined) {
      for (const operation of [before?.operation, last?.operation]) ended.add(idOf(operation) ?? '');
      return;
    }
    if (by === 'operator' && before?.operation !== undefined && after.operation === undefined) {
      if (idOf(state?.operation) !== idOf(before.operation))
        broken(`I5: ${name.name} lost an operation that was asked for`);
    }
    // A newer revision takes the place of an automated try that waits for its next turn.
    const superseded =
      last?.phase === 'Running' && last.finishedAt !== undefined && last.operation.initiatedBy?.automated === true;
    if (last !== undefined && state?.startedAt !== last.startedAt && !isOver(last) && !superseded)
      broken(`I5: ${name.name} began an operation before the last one came to an end`);
    const isLost = /Job\/\S+ (?:was deleted before it was done|is missing)/.test(state?.message ?? '');
    if (isLost && state?.message !== last?.message)
      broken(`I3: ${name.name} takes a hook for lost that nobody touched`);
    if (state !== undefined && isOver(state)) ended.add(idOf(state.operation) ?? '');
    seeHistory(name.name, before, after);
  };

  const seeHistory = (name: string, before: Application | undefined, after: Application): void => {
    const entries = after.status?.history ?? [];
    const entry = entries.at(-1);
    if (entry === undefined || entry.id === before?.status?.history?.at(-1)?.id) return;
    const state = after.status?.operationState;
    if (state?.phase !== 'Succeeded' || state.startedAt !== entry.deployStartedAt)
      broken(`I5: ${name} has a history entry without an operation`);
    const starts = entries.map(({ deployStartedAt }) => deployStartedAt);
    if (new Set(starts).size !== starts.length) broken(`I5: ${name} has an operation twice in its history`);
    if (entries.some(({ id }, index) => index > 0 && id <= (entries[index - 1]?.id ?? -1)))
      broken(`I5: ${name} has history ids that do not grow`);
  };

  for (const [server, api] of servers) api.watch((event) => seeServer(server, event));
  store.watch(seeStore);

  /** I3: whatever comes before an object is applied and was healthy since. */
  const checkOrder = (server: string, app: Application, object: KubeObject, commit: Rendered): void => {
    const state = app.status?.operationState;
    // What takes one step is not stored before it is done.
    if (state === undefined || state.finishedAt !== undefined) return;
    // Everything else needs it.
    if (isNamespace(keyOf(object))) return;
    const resources = state.operation.sync?.resources;
    // A hook says itself which phase it is applied for.
    const run = object.metadata.annotations?.[annotation.hookRun];
    const phases = phasesOf(object);
    const phase = phases.find((each) => run?.endsWith(`-${each.toLowerCase()}`)) ?? 'Sync';
    if (phase === 'SyncFail') return;
    const since = Date.parse(state.startedAt) - viewLagMs;
    for (const { object: other } of commit.manifests) {
      const otherPhases = phasesOf(other);
      if (
        otherPhases.length === 0 &&
        resources !== undefined &&
        !resources.some(({ name }) => name === other.metadata.name)
      )
        continue;
      if (
        otherPhases.length > 0 &&
        (resources !== undefined || state.operation.sync?.syncStrategy?.apply !== undefined)
      )
        continue;
      for (const otherPhase of otherPhases.length === 0 ? (['Sync'] as const) : otherPhases) {
        if (otherPhase === 'SyncFail') continue;
        const before =
          phaseIndex(otherPhase) - phaseIndex(phase) ||
          waveAmong(other, commit.manifests) - waveOf(object.metadata.annotations);
        if (before >= 0) continue;
        const name = other.metadata.name ?? `${other.metadata.generateName}${run}`;
        if (other.metadata.name === undefined) continue;
        const key = { ...keyOf(other), name, namespace: namespaceOf(other, app) };
        const live = servers.get(server)?.get(key);
        // A hook of two phases is made anew for the later one.
        const madeFor = live?.metadata.annotations?.[annotation.hookRun];
        if (otherPhases.length > 1 && madeFor?.endsWith(`-${otherPhase.toLowerCase()}`) === false) continue;
        const until = healthyUntil.get(place(server, key)) ?? Number.NEGATIVE_INFINITY;
        if ((live !== undefined && isHealthy(live)) || until >= since) continue;
        const why = live === undefined ? 'missing' : JSON.stringify(healthOf(live));
        broken(
          `I3: ${keyText(keyOf(object))} of ${app.metadata.name} was applied in ${phase} while ${keyText(key)} (${otherPhase}) is ${why}`,
        );
      }
    }
  };

  /** What cannot be applied whole is not begun. */
  const checkServed = (server: string, app: string, { commit, manifests }: Rendered): void => {
    const defined = manifests.map(({ object }) => definedKind(object));
    for (const { object } of manifests) {
      const { group, kind } = keyOf(object);
      const isDefined = defined.some((each) => each?.group === group && each.kind === kind);
      if (!isDefined && servers.get(server)?.scopeOf(group, kind) === undefined)
        broken(`${app} writes although ${commit.slice(0, 7)} has a ${kind}, which is not served`);
    }
  };

  return {
    violations,
    notes,
    notices: [],
    get writes() {
      return writes;
    },
    get passes() {
      return passes;
    },
    openOperations: () => [...asked].filter((id) => !ended.has(id)),
    note,
    broken,
    reconciled() {
      passes += 1;
    },
    termBegins(replica) {
      terms += 1;
      note(`${replica} is leader ${terms}`);
      return terms;
    },
    writing(by, run) {
      writer = by;
      try {
        return run();
      } finally {
        writer = undefined;
      }
    },
    rendering(replica, app, what) {
      rendered.set(`${replica} ${app}`, what);
    },
    applying(replica, server, object) {
      const tracking = appOf(object.metadata.annotations?.[annotation.trackingId], keyOf(object));
      const app = tracking === undefined ? undefined : applicationOf(tracking);
      if (tracking === undefined || app === undefined) return;
      const commit = rendered.get(`${replica} ${tracking}`);
      if (commit === undefined) return broken(`I2: ${tracking} applied ${keyText(keyOf(object))} without a render`);
      checkServed(server, tracking, commit);
      checkOrder(server, app, object, commit);
    },
    removing(replica, server, record) {
      const text = keyText(record.key);
      const live = servers.get(server)?.get(record.key);
      if (live === undefined || live.metadata.uid !== record.uid) return;
      const tracking = appOf(live.metadata.annotations?.[annotation.trackingId], record.key);
      if (tracking === undefined) return broken(`I1: ${text} is deleted and belongs to no Application`);
      const app = applicationOf(tracking);
      if (app === undefined) return broken(`I1: ${text} is deleted, whose Application ${tracking} is gone`);
      if (app.metadata.deletionTimestamp !== undefined) return;
      const state = app.status?.operationState;
      if (state?.finishedAt === undefined && state?.operation.sync?.dryRun === true)
        return broken(`a rehearsal of ${tracking} deletes ${text}`);
      if (live.metadata.annotations?.[annotation.hookRun] !== undefined) return;
      const commit = rendered.get(`${replica} ${tracking}`);
      if (commit === undefined) return broken(`I2: ${tracking} pruned ${text} without a render`);
      const kept = commit.manifests.some(
        ({ object }) => keyText({ ...keyOf(object), namespace: namespaceOf(object, app) }) === text,
      );
      if (kept) broken(`I1: ${tracking} pruned ${text}, which ${commit.commit.slice(0, 7)} contains`);
      const wishes = [
        app.spec.syncPolicy?.automated?.prune,
        app.operation?.sync?.prune,
        app.status?.operationState?.operation.sync?.prune,
      ];
      if (isNamespace(record.key) && record.key.name === app.spec.destination.namespace)
        broken(`I1: ${tracking} pruned the namespace that it is to make`);
      if (!wishes.includes(true)) broken(`I1: ${tracking} pruned ${text}, and nobody asked it to prune`);
    },
    patching(app, patch) {
      const metadata = (patch['metadata'] ?? {}) as Record<string, unknown>;
      const annotations = Object.keys((metadata['annotations'] ?? {}) as object);
      const strange = [
        ...Object.keys(patch).filter((field) => !['status', 'operation', 'metadata'].includes(field)),
        ...Object.keys(metadata).filter((field) => !['resourceVersion', 'annotations', 'finalizers'].includes(field)),
        ...annotations.filter((name) => name !== 'argocd.argoproj.io/refresh'),
      ];
      if (strange.length > 0) broken(`I8: ${nameOf(app).name}: the operator writes ${strange.join(', ')}`);
    },
  };
}

/** Whether an object is as well as its kind can tell. */
export function isHealthy(object: KubeObject): boolean {
  const status = healthOf(object)?.status;
  return status === undefined || status === 'Healthy';
}

function phasesOf(object: KubeObject): readonly SyncPhase[] {
  const role = hookRole(object.metadata.annotations);
  return role.role === 'hook' ? role.hook.phases : [];
}

/** The wave of an object; that of a definition is the first one of its objects where its own is later. */
function waveAmong(object: KubeObject, manifests: readonly Manifest[]): number {
  const defined = definedKind(object);
  const isNeeding = ({ apiVersion, kind }: KubeObject): boolean =>
    kind === defined?.kind && groupOf(apiVersion) === defined.group;
  const needing = manifests.map((manifest) => manifest.object).filter(isNeeding);
  return Math.min(...[object, ...needing].map((each) => waveOf(each.metadata.annotations)));
}

export function namespaceOf(object: KubeObject, app: Application): string {
  const isClusterScoped = object.kind === 'Namespace' || object.kind === 'CustomResourceDefinition';
  return isClusterScoped ? '' : (object.metadata.namespace ?? app.spec.destination.namespace ?? '');
}

function isOver(state: OperationState): boolean {
  return state.phase !== 'Running' && state.phase !== 'Terminating';
}

/** The id that the simulation gives every operation it asks for. */
function idOf(operation: OperationState['operation'] | undefined): string | undefined {
  return operation?.info?.find(({ name }) => name === 'id')?.value;
}
