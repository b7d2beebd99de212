import { hookHold } from '../src/model/finalizers.ts';
import { keyOf, keyText } from '../src/model/resource-key.ts';
import { type ApiServer, createApiServer } from './api-server.ts';
import { createApplicationStore } from './application-store.ts';
import { createClock, createRandom, type SimRandom } from './clock.ts';
import { createJournal } from './journal.ts';
import { createLeaseServer } from './lease-server.ts';
import { createPeople, settleMs } from './people.ts';
import { type Faults, operatorNamespace, type Process, startProcess, type Universe } from './process.ts';
import { quietSettings } from './quiet-world.ts';
import { createRepository } from './repository.ts';

/** What one simulation is made of besides its seed. */
export interface SimulationOptions {
  readonly seed: number;
  /** The operator dies at this write of its (the first is 1), and at no other time; 0 is never. undefined leaves it to the seed. */
  readonly dieAtWrite?: number;
  /** Which side of that write. */
  readonly dieAfter?: boolean;
  /** Operators that share the work by a Lease; default 1, without one. */
  readonly replicas?: number;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly notes: readonly string[];
  /** Writes that took effect, and writes tried. */
  readonly writes: number;
  readonly attempts: number;
  readonly passes: number;
  readonly lives: number;
  /** How often the lead went from one replica to another. */
  readonly changes: number;
}

const startedAt = Date.parse('2026-01-01T00:00:00Z');
const troubleMs = 300_000;
const quietMs = 600_000;
/** What healing needs, with its pauses, and what a start needs: the Lease, and a look at everything. */
const tamperedMs = 400_000;
const restartedMs = 60_000;

/** Plays one seed: people, Git, clusters and faults for five minutes, then time to settle, then what must be true. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { replicas = 1 } = options;
  const random = createRandom(options.seed);
  const clock = createClock(startedAt);
  const servers = new Map<string, ApiServer>();
  for (let index = 0; index < random.between(1, 2); index += 1) {
    const server = `https://cluster-${index}`;
    servers.set(server, createApiServer(server, clock, random));
  }
  const store = createApplicationStore(clock);
  const journal = createJournal(clock, servers, store, operatorNamespace);
  const repository = createRepository('https://git.example.com/shop.git');
  const calm = random.chance(0.15);
  // Without polls nobody finds out what an announced push did not bring about.
  let pollIntervalMs = random.pick([30_000, 0]);
  const trouble = createFaults(clock.now, random, [...servers.keys()], calm, options);
  const universe: Universe = {
    clock,
    random,
    servers,
    repository,
    store,
    leases: replicas > 1 ? createLeaseServer(clock, random) : undefined,
    journal,
    faults: trouble.faults,
    settings: {
      ...quietSettings,
      get pollIntervalMs() {
        return pollIntervalMs;
      },
      pollJitterMs: 10_000,
      syncTimeoutMs: random.chance(0.3) ? 60_000 : 0,
      waveDelayMs: random.pick([0, 2_000]),
    },
  };
  let lives = 0;
  const living = new Map<string, Process>();
  /** As a Git host tells of a push, until a leader takes it. */
  const announce = (): void => {
    const leader = [...living.values()].find((life) => life.leads && !life.isFrozen);
    if (leader === undefined) clock.after(1_000, announce);
    else leader.controllers.refreshRepository(repository.url);
  };
  const people = createPeople(universe, random, () => clock.after(random.between(10, 2_000), announce));
  const begin = (): void => {
    lives += 1;
    const name = `operator-${lives}`;
    journal.note(`${name} starts`);
    const life = startProcess(universe, name, () => {
      journal.note(`${name} dies`);
      living.delete(name);
      clock.after(random.between(500, 8_000), begin);
    });
    living.set(name, life);
  };
  /** Something happens to one that lives; one that has just died starts by itself. */
  const befall = (what: (life: Process, name: string) => void): void => {
    clock.after(random.between(0, troubleMs), () => {
      if (living.size > 0) what(...swap(random.pick([...living])));
    });
  };
  people.setUp();
  for (let count = replicas; count > 0; count -= 1) begin();
  if (!calm && options.dieAtWrite === undefined) {
    for (let count = random.between(0, 3); count > 0; count -= 1) {
      befall((life, name) => {
        journal.note(`${name} is killed`);
        living.delete(name);
        life.kill();
        begin();
      });
    }
    for (let count = replicas > 1 ? random.between(2, 8) : 0; count > 0; count -= 1) {
      befall((life, name) => {
        if (random.chance(0.5)) {
          const forMs = random.between(1_000, 60_000);
          journal.note(`${name} is stopped for ${forMs} ms`);
          return life.freeze(forMs);
        }
        journal.note(`${name} is asked to end`);
        living.delete(name);
        void life.stop();
        begin();
      });
    }
  }
  for (let count = random.between(5, 25); count > 0; count -= 1) clock.after(random.between(0, troubleMs), people.act);
  clock.after(troubleMs, () => {
    journal.note('trouble is over');
    trouble.end();
    people.finish();
  });
  await clock.passUntil(startedAt + troubleMs + settleMs);
  const settledWrites = journal.writes;
  journal.note('everything should be settled');
  await clock.passUntil(startedAt + troubleMs + settleMs + quietMs);
  if (journal.writes !== settledWrites)
    journal.broken(`a settled world was written ${journal.writes - settledWrites} times more`);
  for (const id of journal.openOperations()) journal.broken(`I5: the operation ${id} never came to an end`);
  people.check();
  for (const [server, api] of servers) {
    for (const object of api.list())
      if (object.metadata.finalizers?.includes(hookHold))
        journal.broken(`${server} ${keyText(keyOf(object))} is still held`);
  }
  if (options.dieAtWrite === undefined) {
    // What is not seen when it happens is not seen at all then.
    if (random.chance(0.5)) pollIntervalMs = 0;
    await people.tamper((ms) => clock.passUntil(clock.now() + ms));
    await clock.passUntil(clock.now() + tamperedMs);
    people.judge();
    const told = people.statuses();
    journal.note('every operator is started anew');
    for (const [name, life] of [...living]) {
      living.delete(name);
      life.kill();
      begin();
    }
    await clock.passUntil(clock.now() + restartedMs);
    for (const [name, status] of people.statuses()) {
      if (told.get(name) !== status)
        journal.broken(`C2: after a restart ${name} is ${status}, and was ${told.get(name)} before`);
    }
  }
  for (const life of living.values()) {
    for (const problem of life.tracer.problems()) journal.broken(`a settled world has a trace of which ${problem}`);
    life.kill();
  }
  const { violations, notes, writes, passes } = journal;
  const changes = universe.leases?.lease()?.transitions ?? 0;
  return { seed: options.seed, violations, notes, writes, attempts: trouble.attempts(), passes, lives, changes };
}

function swap<A, B>([a, b]: readonly [A, B]): readonly [B, A] {
  return [b, a];
}

interface Window {
  readonly from: number;
  readonly to: number;
}

function createFaults(
  now: () => number,
  random: SimRandom,
  servers: readonly string[],
  calm: boolean,
  options: SimulationOptions,
): { readonly faults: Faults; end(): void; attempts(): number } {
  let over = false;
  const windows = (most: number, longestMs: number): Window[] =>
    Array.from({ length: calm ? 0 : random.between(0, most) }, () => {
      const from = startedAt + random.between(0, troubleMs);
      return { from, to: from + random.between(500, longestMs) };
    });
  const holds = (list: readonly Window[]): boolean => !over && list.some(({ from, to }) => now() >= from && now() < to);
  const down = new Map(servers.map((server) => [server, windows(2, 120_000)]));
  const gitDown = windows(2, 60_000);
  const refused = windows(2, 40_000);
  const tighteningRate = calm ? 0 : random.pick([0, 0.05]);
  const forbiddenKind = random.pick(['ConfigMap', 'Deployment', 'Widget']);
  const refusedName = `object-${random.between(0, 5)}`;
  const deathRate = calm || options.dieAtWrite !== undefined ? 0 : random.pick([0, 0.01, 0.05]);
  const conflictRate = calm ? 0 : random.pick([0, 0.1]);
  const slowRate = calm ? 0 : random.pick([0, 0.2]);
  const isShared = (options.replicas ?? 1) > 1;
  const leaseDown = isShared ? windows(2, 30_000) : [];
  const leaseLossRate = isShared && !calm ? random.pick([0, 0.1]) : 0;
  const stopRate = isShared && !calm ? random.pick([0, 0, 0.01]) : 0;
  let writes = 0;
  let tightenedUntil = 0;
  const faults: Faults = {
    clusterDown: (server) => holds(down.get(server) ?? []),
    gitDown: () => holds(gitDown),
    refuses: (key) => key.name === refusedName && holds(refused),
    forbidden: () => (!over && now() < tightenedUntil ? [forbiddenKind] : []),
    conflicts: () => !over && random.chance(conflictRate),
    atWrite() {
      writes += 1;
      // While a sync is at it, so that it has decided on what it may not write any more.
      if (!over && random.chance(tighteningRate)) tightenedUntil = now() + random.between(1_000, 20_000);
      if (writes === options.dieAtWrite) return options.dieAfter === true ? 'die-after' : 'die-before';
      if (over || !random.chance(deathRate)) return 'live';
      return random.pick(['die-before', 'die-after'] as const);
    },
    lease: (what) => {
      if (what === 'write' && holds(leaseDown)) return 'refuse';
      return !over && random.chance(leaseLossRate) ? 'lose' : 'pass';
    },
    stopMs: () => (!over && random.chance(stopRate) ? random.between(5_000, 60_000) : 0),
    eventDelayMs: () => (!over && random.chance(slowRate) ? random.between(1_000, 10_000) : random.between(1, 200)),
  };
  return {
    faults,
    end() {
      over = true;
    },
    attempts: () => writes,
  };
}
