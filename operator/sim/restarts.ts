import { createApiServer } from './api-server.ts';
import { createApplicationStore } from './application-store.ts';
import { createClock, createRandom } from './clock.ts';
import { createJournal } from './journal.ts';
import { createPeople } from './people.ts';
import { operatorNamespace, type Process, startProcess, type Universe } from './process.ts';
import { noFaults, quietSettings } from './quiet-world.ts';
import { createRepository } from './repository.ts';

/** One story of steps, by one process or by many. */
export interface StepsOptions {
  readonly seed: number;
  /**
   * When one process gives way to the next: `after` each step, when everything has come to rest; while something is done that nobody sees until the next one
   * starts (`amid`); or `never`.
   */
  readonly restarts: 'after' | 'amid' | 'never';
}

export interface StepsResult {
  readonly violations: readonly string[];
  readonly notes: readonly string[];
  /** What every Application said at the end of each step, times apart. */
  readonly told: readonly ReadonlyMap<string, string>[];
  /** Steps at whose end the world came to rest. */
  readonly rested: number;
}

const startedAt = Date.parse('2026-01-01T00:00:00Z');
const steps = 12;
/** Things done in one step, some of them while another is under way. One by one they come to the same, whoever looks on. */
const most = { after: 3, amid: 1, never: 1 };
/** Without a write for so long, longer than any pause of a retry or a heal, the world is at rest. */
const stillMs = 200_000;
const restWithinMs = 3_000_000;
/** What a start needs: a look at everything. */
const restartedMs = 60_000;

/**
 * Plays one seed of steps in a world without faults: somebody commits, edits, asks or deletes, and everything comes to rest. A process that starts then says of
 * every Application what the one before said, and writes nothing.
 */
export async function playSteps({ seed, restarts }: StepsOptions): Promise<StepsResult> {
  const random = createRandom(seed);
  const clock = createClock(startedAt);
  const addresses = ['https://cluster-0', 'https://cluster-1'];
  const servers = new Map(addresses.map((url) => [url, createApiServer(url, clock, random)]));
  const store = createApplicationStore(clock);
  const journal = createJournal(clock, servers, store, operatorNamespace);
  const repository = createRepository('https://git.example.com/shop.git');
  const universe: Universe = {
    clock,
    random,
    servers,
    repository,
    store,
    leases: undefined,
    journal,
    faults: { ...noFaults, eventDelayMs: () => random.between(1, 200) },
    settings: { ...quietSettings, pollIntervalMs: seed % 2 === 0 ? 30_000 : 0, pollJitterMs: 10_000 },
  };
  const pass = (ms: number): Promise<void> => clock.passUntil(clock.now() + ms);
  let lives = 0;
  const begin = (): Process => startProcess(universe, `operator-${lives++}`, () => {});
  const rest = async (): Promise<boolean> => {
    for (const end = clock.now() + restWithinMs; clock.now() < end; ) {
      const { writes } = journal;
      await pass(stillMs);
      if (journal.writes === writes) return true;
    }
    return false;
  };
  let operator = begin();
  // What people do is the same story, however the operator fares.
  const people = createPeople(universe, createRandom(seed + 1_000_000), () =>
    operator.controllers.refreshRepository(repository.url),
  );
  people.setUp();
  const told: ReadonlyMap<string, string>[] = [];
  let rested = 0;
  for (let step = 0; step < steps; step += 1) {
    if (step > 0) {
      if (restarts === 'amid') operator.kill();
      await people.step(pass, most[restarts]);
      if (restarts === 'amid') operator = begin();
    }
    const isStill = await rest();
    if (isStill) rested += 1;
    const before = people.statuses();
    told.push(before);
    if (!isStill || restarts !== 'after') continue;
    const { writes } = journal;
    journal.note(`the operator is started anew after step ${step}`);
    operator.kill();
    operator = begin();
    await pass(restartedMs);
    for (const [name, status] of people.statuses()) {
      if (before.get(name) !== status)
        journal.broken(`C2: after a restart ${name} is ${status}, and was ${before.get(name)} before`);
    }
    if (journal.writes !== writes)
      journal.broken(`C2: a restart in a settled world writes ${journal.writes - writes} times`);
  }
  operator.kill();
  const { violations, notes } = journal;
  return { violations, notes, told, rested };
}
