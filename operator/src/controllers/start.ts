import { operatorLimits } from '../model/limits.ts';
import { normalizeRepositoryUrl } from '../model/repository-url.ts';
import type { Log, LogFields, QueueFacts, Telemetry } from '../world/telemetry.ts';
import type { World } from '../world/world.ts';
import { awaitChange } from './action.ts';
import { factsOf } from './application/measure.ts';
import { type Memory, newMemory, sight } from './application/memory.ts';
import { reconcile } from './application/reconcile.ts';
import { applicationKey, serverOf, wakeApplications } from './application/wake.ts';
import { priority } from './queue.ts';
import { reconcileRepository } from './repository/reconcile.ts';
import { repositoryKey, wakeRepositories } from './repository/wake.ts';
import { createRunner } from './runner.ts';

/** The controllers at work. */
export interface Controllers {
  /** Looks at a repository now, because somebody says that it changed. Answers how many Applications use it. */
  refreshRepository(url: string): number;
  /** How much is due and under way, by kind. */
  queues(): readonly QueueFacts[];
  /** Runs that have ended; counts up. */
  readonly runs: number;
  /** Stops within the given milliseconds; what is under way may finish. */
  stop(withinMs: number): Promise<void>;
}

/** A log whose every line carries these fields. */
function withFields(log: Log, own: LogFields): Log {
  return {
    debug: (fields, message) => log.debug({ ...own, ...fields }, message),
    info: (fields, message) => log.info({ ...own, ...fields }, message),
    warn: (fields, message) => log.warn({ ...own, ...fields }, message),
    error: (fields, message) => log.error({ ...own, ...fields }, message),
  };
}

/** Starts the controllers on a world whose store and clusters are being watched. */
export function startControllers(world: World): Controllers {
  const { store, telemetry } = world;
  const memories = new Map<string, Memory>();
  /** When a webhook last called for a repository; milliseconds since 1970. */
  const calls = new Map<string, number>();
  const memoryOf = (key: string): Memory => {
    const known = memories.get(key);
    if (known !== undefined) return known;
    const made = newMemory();
    memories.set(key, made);
    return made;
  };
  const bounds = {
    queueLength: operatorLimits.queueLength,
    atOnce: operatorLimits.reconcilesAtOnce,
    perGroup: operatorLimits.reconcilesPerCluster,
    backoffFirstMs: operatorLimits.backoffFirstMs,
    backoffLastMs: operatorLimits.backoffLastMs,
  };
  const runnerWorld = {
    clock: world.clock,
    log: telemetry.log,
    metrics: telemetry.metrics,
    onCrash(thrown: unknown): void {
      telemetry.metrics.crashed();
      const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      telemetry.log.error({ error: text }, 'a bug ended a reconcile; it will be tried again');
    },
  };
  const appOf = (key: string) => {
    const slash = key.indexOf('/');
    return store.application({ namespace: key.slice(0, slash), name: key.slice(slash + 1) });
  };

  const applications = createRunner(
    {
      kind: 'Application',
      groupOf(key) {
        const app = appOf(key);
        return (app && serverOf(app, world)) ?? '';
      },
      async run(key) {
        const app = appOf(key);
        if (app === undefined) return awaitChange;
        const startedAt = world.clock.now();
        const fields = {
          application: app.metadata.name,
          namespace: app.metadata.namespace,
          correlation: world.random.id(),
        };
        const log = withFields(telemetry.log, fields);
        const own: Telemetry = { ...telemetry, log };
        const facts = { ...factsOf(app, world), traceId: own.traceId };
        const dryRun = app.operation?.sync?.dryRun === true;
        const action = await own.metrics.during({ ...facts, dryRun }, () =>
          reconcile(app, { ...world, telemetry: own }, memoryOf(key)),
        );
        const durationMs = world.clock.now() - startedAt;
        log.debug({ durationMs, next: action.do }, 'looked at the Application');
        own.metrics.reconciled({ ...facts, durationMs });
        return action;
      },
    },
    bounds,
    runnerWorld,
  );

  const repositories = createRunner(
    {
      kind: 'Repository',
      groupOf: (key) => key,
      run(key) {
        const calledAt = calls.get(key);
        calls.delete(key);
        const seenAt = calledAt ?? world.clock.now();
        return reconcileRepository(key, world, {
          outdate(app, notBefore) {
            memoryOf(applicationKey(app)).revisionNotBefore = notBefore;
          },
          sight: (app, commit) => sight(memoryOf(applicationKey(app)), commit, seenAt),
          wake(app, touched) {
            const urgency = touched && calledAt !== undefined ? priority.webhook : priority.poll;
            applications.wake(applicationKey(app), urgency);
          },
        });
      },
    },
    bounds,
    runnerWorld,
  );

  const stopApplications = wakeApplications(world, applications.wake, (key) => {
    applications.forget(key);
    memories.delete(key);
  });
  const stopRepositories = wakeRepositories(world, (key, delayMs) => repositories.wake(key, priority.poll, delayMs));

  return {
    refreshRepository(url) {
      const key = normalizeRepositoryUrl(url);
      const users = store.applications().filter((app) => repositoryKey(app) === key).length;
      if (users === 0) return 0;
      if (!calls.has(key)) calls.set(key, world.clock.now());
      repositories.wake(key, priority.webhook);
      return users;
    },
    queues: () => [
      { queue: 'Application', due: applications.due, running: applications.running },
      { queue: 'Repository', due: repositories.due, running: repositories.running },
    ],
    get runs() {
      return applications.runs + repositories.runs;
    },
    async stop(withinMs) {
      stopApplications();
      stopRepositories();
      await Promise.all([applications.stop(withinMs), repositories.stop(withinMs)]);
    },
  };
}
