import { messageOf } from '../model/fault.ts';
import { operatorLimits } from '../model/limits.ts';
import { maskAddress } from '../model/mask.ts';
import { addressKey } from '../model/repository-url.ts';
import { trackingName } from '../model/tracking.ts';
import type { Log, LogFields, PassFacts, QueueFacts, Telemetry } from '../world/telemetry.ts';
import type { TraceParent } from '../world/tracer.ts';
import type { World } from '../world/world.ts';
import { awaitChange, requeueAfter } from './action.ts';
import { lookAnew } from './application/anew.ts';
import { factsOf } from './application/measure.ts';
import { type Memory, newMemory, sight } from './application/memory.ts';
import { letGoOrphans } from './application/orphans.ts';
import { reconcile } from './application/reconcile.ts';
import { createAppTrace } from './application/trace.ts';
import { applicationKey, isUnderWay, nameOf, serverOf, wakeApplications } from './application/wake.ts';
import { followLead } from './lead.ts';
import { outsideOf } from './place.ts';
import { type Priority, priority } from './queue.ts';
import { reconcileRepository } from './repository/reconcile.ts';
import { indexUsers } from './repository/users.ts';
import { repositoryKey, wakeRepositories } from './repository/wake.ts';
import { createRunner, type RunnerWorld } from './runner.ts';
import { createTraces } from './traces.ts';

/** The controllers at work. */
export interface Controllers {
  /** Looks at a repository now, because somebody says that it changed, maybe as a part of a trace. Answers how many Applications use it. */
  refreshRepository(url: string, parent?: TraceParent): number;
  /** How much is due and under way, by kind. */
  queues(): readonly QueueFacts[];
  /** Runs that have ended; counts up. */
  readonly runs: number;
  /** Resolves when every Application that was there at the start has been looked at once: what is needed to act on it has been fetched, rendered and seen. */
  readonly warm: Promise<void>;
  /** Stops within the given milliseconds; what is under way may finish. */
  stop(withinMs: number): Promise<void>;
}

/** A log whose every line carries the fields that `own` tells when it is written. */
function withFields(log: Log, own: () => LogFields): Log {
  return {
    debug: (fields, message) => log.debug({ ...own(), ...fields }, message),
    info: (fields, message) => log.info({ ...own(), ...fields }, message),
    warn: (fields, message) => log.warn({ ...own(), ...fields }, message),
    error: (fields, message) => log.error({ ...own(), ...fields }, message),
  };
}

/** A webhook that has told of a push: when, in milliseconds since 1970, and the trace that it was a part of. */
interface Told {
  readonly at: number;
  readonly parent: TraceParent | undefined;
}

/**
 * Milliseconds that a replica that stands by waits before it looks at what changed: until then the leader has done what it does about it, and one look sees
 * both.
 */
const standbyDelayMs = 2_000;

/**
 * Starts the controllers on a world whose store and clusters are being watched. Where another replica leads they look at everything and write nothing, until
 * this one leads.
 */
export function startControllers(surroundings: World): Controllers {
  const lead = followLead(surroundings, takeOver);
  const { leadership } = lead;
  const world: World = { ...surroundings, leadership };
  const { store, telemetry } = world;
  const users = indexUsers(store);
  const unlooked = new Set(store.applications().map(applicationKey));
  const warm = Promise.withResolvers<void>();
  const lookedAt = (key: string): void => {
    unlooked.delete(key);
    if (unlooked.size === 0) warm.resolve();
  };
  if (unlooked.size === 0) warm.resolve();
  const memories = new Map<string, Memory>();
  /** Repositories that a webhook told of since they were looked at last. */
  const told = new Map<string, Told>();
  const traces = createTraces(telemetry.tracer, world.clock, operatorLimits);
  const appOf = (key: string) => store.application(nameOf(key));
  const memoryOf = (key: string): Memory => {
    const known = memories.get(key);
    if (known !== undefined) return known;
    // Of one that is new, what Git said before it came may be from before the push that it was made for.
    const isNew = appOf(key)?.status?.sync === undefined;
    const made = newMemory(createAppTrace(nameOf(key), traces), isNew ? world.clock.now() : 0);
    // Late news of one that is gone leave nothing behind.
    if (appOf(key) !== undefined) memories.set(key, made);
    return made;
  };
  const bounds = {
    queueLength: operatorLimits.queueLength,
    atOnce: operatorLimits.reconcilesAtOnce,
    perGroup: operatorLimits.reconcilesPerCluster,
    waitingAtOnce: operatorLimits.reconcilesWaiting,
    placeKeptMs: operatorLimits.placeKeptMs,
    backoffFirstMs: operatorLimits.backoffFirstMs,
    backoffLastMs: operatorLimits.backoffLastMs,
  };
  const runnerWorld = (fieldsOf: (key: string) => LogFields): RunnerWorld => ({
    clock: world.clock,
    log: telemetry.log,
    metrics: telemetry.metrics,
    onCrash(thrown, key) {
      telemetry.metrics.crashed();
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      telemetry.log.error({ ...fieldsOf(key), error }, 'a bug ended a reconcile; it will be tried again');
    },
  });
  const appFields = (key: string): LogFields => {
    const { namespace, name: application } = nameOf(key);
    const { traceId: trace_id, span } = memoryOf(key).trace;
    return { application, namespace, trace_id, ...(span && { span_id: span.spanId }) };
  };

  const applications = createRunner(
    {
      kind: 'Application',
      groupOf(key) {
        const app = appOf(key);
        return (app && serverOf(app, world)) ?? '';
      },
      async run(key, place) {
        const app = appOf(key);
        if (app === undefined) return awaitChange;
        const startedAt = world.clock.now();
        const memory = memoryOf(key);
        const { trace } = memory;
        const pass = trace.pass();
        const log = withFields(telemetry.log, () => appFields(key));
        const own: Telemetry = {
          ...telemetry,
          log,
          beginStep: pass.begin,
          // A pass may find out on its way which trace it is a part of.
          get traceId() {
            return trace.span?.traceId;
          },
        };
        const facts = factsOf(app, world);
        const during: PassFacts = {
          ...facts,
          dryRun: app.operation?.sync?.dryRun === true,
          get traceId() {
            return own.traceId;
          },
        };
        let action = awaitChange;
        let failure: string | undefined;
        try {
          const passWorld = {
            ...outsideOf(world, place, operatorLimits.placeKeptForRenderMs),
            leadership: lead.ofPass(),
            telemetry: own,
          };
          action = await own.metrics.during(during, () => reconcile(app, passWorld, memory));
          const durationMs = world.clock.now() - startedAt;
          log.debug({ durationMs, next: action.do }, 'looked at the Application');
          if (passWorld.leadership.leads()) own.metrics.reconciled({ ...facts, durationMs, traceId: own.traceId });
        } catch (thrown) {
          failure = messageOf(thrown);
          action = requeueAfter(0);
          throw thrown;
        } finally {
          for (const child of memory.children.toWake.splice(0)) look(child, priority.drift);
          if (!isUnderWay(appOf(key) ?? app)) memory.children.asked.clear();
          lookedAt(key);
          pass.end(appOf(key), action, failure);
        }
        return action;
      },
    },
    bounds,
    runnerWorld(appFields),
  );

  const repositories = createRunner(
    {
      kind: 'Repository',
      groupOf: (key) => key,
      run(key, place) {
        const by = told.get(key);
        told.delete(key);
        const seenAt = by?.at ?? world.clock.now();
        return reconcileRepository(users.of(key), outsideOf(world, place, operatorLimits.placeKeptForRenderMs), {
          outdate(app, notBefore) {
            const id = applicationKey(app);
            memoryOf(id).revisionNotBefore = notBefore;
            // What it goes by may be older.
            applications.repeat(id, priority.poll);
          },
          seen(app, commit) {
            const memory = memoryOf(applicationKey(app));
            sight(memory, commit.commit, seenAt);
            // Who stands by tells of nothing.
            if (!leadership.leads() || !memory.trace.isNews(commit.commit)) return undefined;
            const startMs = by?.at ?? commit.startMs;
            const trigger = by === undefined ? 'poll' : 'webhook';
            return traces.ofCommit(key, { ...commit, startMs, trigger, parent: by?.parent });
          },
          wake(app, touched, seen) {
            const id = applicationKey(app);
            if (touched && seen !== undefined) memoryOf(id).trace.join(seen.trace, seen.commit, app.spec.project);
            look(id, touched && by !== undefined ? priority.webhook : priority.poll);
          },
        });
      },
    },
    bounds,
    runnerWorld((key) => ({ repository: maskAddress(key) })),
  );

  function look(key: string, urgency: Priority): void {
    const isLate = !leadership.leads() && !unlooked.has(key);
    applications.wake(key, urgency, isLate ? standbyDelayMs : 0);
  }

  /** Everything is looked at anew: what came in while nobody led, and what the last leader was in the middle of. */
  function takeOver(): void {
    const now = world.clock.now();
    const repositoryKeys = new Set<string>();
    for (const app of store.applications()) {
      const key = applicationKey(app);
      const memory = memoryOf(key);
      memory.revisionNotBefore = now;
      // The last leader may have applied a wave just now.
      memory.waveAppliedAt = now;
      applications.wake(key, isUnderWay(app) ? priority.webhook : priority.poll);
      const repository = repositoryKey(app);
      if (repository !== undefined) repositoryKeys.add(repository);
    }
    for (const key of repositoryKeys) repositories.wake(key, priority.webhook);
  }

  const stopApplications = wakeApplications(world, look, (key) => {
    applications.forget(key);
    memories.get(key)?.trace.gone();
    memories.delete(key);
    lookedAt(key);
    world.clusters.forget(trackingName({ metadata: nameOf(key) }, store.namespace));
  });
  const stopLooks = lookAnew(world, (key) => {
    memoryOf(key).anew = true;
    look(key, priority.poll);
  });
  const stopOrphans = letGoOrphans(world);
  // What the leader has synced is fetched and rendered here, too, as soon as it says so.
  const stopFollowing = store.subscribe((change) => {
    if (change.kind !== 'Application' || leadership.leads()) return;
    const app = store.application(change.name);
    const revision = app?.status?.sync?.revision;
    if (app === undefined || revision === undefined) return;
    const memory = memoryOf(applicationKey(app));
    if (memory.commit === revision) return;
    memory.revisionNotBefore = world.clock.now();
    look(applicationKey(app), priority.poll);
  });
  const stopTraces = leadership.subscribe((leads) => {
    if (!leads) traces.close('another replica leads');
  });
  const stopRepositories = wakeRepositories(world, (key, delayMs) => repositories.wake(key, priority.poll, delayMs));
  // An operation that goes on needs no news, and was perhaps told of some before this process began.
  for (const app of store.applications()) {
    const repository = isUnderWay(app) ? repositoryKey(app) : undefined;
    if (repository !== undefined) repositories.wake(repository, priority.poll);
  }

  return {
    refreshRepository(url, parent) {
      const key = addressKey(url);
      if (key === undefined) return 0;
      const count = users.of(key).length;
      if (count === 0) return 0;
      // A host may send one push twice: the first is the one that waits.
      if (!told.has(key)) told.set(key, { at: world.clock.now(), parent });
      repositories.wake(key, priority.webhook);
      return count;
    },
    queues: () => [
      { queue: 'Application', due: applications.due, running: applications.running },
      { queue: 'Repository', due: repositories.due, running: repositories.running },
    ],
    get runs() {
      return applications.runs + repositories.runs;
    },
    warm: warm.promise,
    async stop(withinMs) {
      lead.stop();
      stopTraces();
      stopApplications();
      stopLooks();
      stopOrphans();
      stopFollowing();
      stopRepositories();
      users.stop();
      await Promise.all([applications.stop(withinMs), repositories.stop(withinMs)]);
      traces.close('the operator stopped');
    },
  };
}
