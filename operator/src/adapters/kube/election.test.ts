import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClock, createProcessClock, createRandom, type ProcessClock, type SimClock } from '../../../sim/clock.ts';
import { createLeaseServer, type LeaseFate, type LeaseServer } from '../../../sim/lease-server.ts';
import { createElection, createSoleElection, type Election, electionTiming } from './election.ts';

/** Where a simulated second takes none, a bound is exact: the way of a message is what is added. */
const wayMs = 10;
const { leaseMs, leadMs, retryMs } = electionTiming;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Replica {
  readonly election: Election;
  readonly clock: ProcessClock;
  /** When it began to lead and ended, as milliseconds since the start: `leads@12`, `ends@34`. */
  readonly story: string[];
  readonly ways: Ways;
}

/** What becomes of the requests of a replica. */
interface Ways {
  faces: (what: 'read' | 'write') => LeaseFate;
  isWatched: boolean;
}

function room(seed = 1): { clock: SimClock; server: LeaseServer; enter(identity: string): Replica } {
  const clock = createClock(0);
  const random = createRandom(seed);
  const server = createLeaseServer(clock, random);
  return {
    clock,
    server,
    enter(identity) {
      const own = createProcessClock(clock);
      const ways: Ways = { faces: () => 'pass', isWatched: true };
      const access = server.connect({
        clock: own,
        fate: (what) => ways.faces(what),
        delayMs: () => wayMs / 2,
        isWatched: () => ways.isWatched,
      });
      const story: string[] = [];
      const address = 'http://10.0.0.1:80';
      const election = createElection(access, {
        clock: own,
        monotonic: clock.now,
        random,
        log: silent,
        identity,
        address,
      });
      election.subscribe((leads) => story.push(`${leads ? 'leads' : 'ends'}@${clock.now()}`));
      return { election, clock: own, story, ways };
    },
  };
}

const at = (entry: string | undefined): number => Number(entry?.split('@')[1]);

describe('an election', () => {
  test('makes the first that stands the leader, and the other one stands by', async () => {
    const { clock, server, enter } = room();
    const one = enter('one');
    await clock.passUntil(1_000);
    assert.equal(one.election.leads(), false, 'it does not stand yet');
    one.election.stand();
    const two = enter('two');
    two.election.stand();
    await clock.passUntil(60_000);
    assert.deepEqual([one.election.leads(), two.election.leads()], [true, false]);
    assert.equal(server.lease()?.holder, 'one');
    assert.deepEqual(two.election.leader(), { name: 'one', address: 'http://10.0.0.1:80' });
    assert.equal(one.election.leader(), undefined);
    assert.equal(one.story.length, 1, 'it leads on without a gap');
  });

  test('goes to the other one at once when the leader resigns', async () => {
    const { clock, server, enter } = room();
    const [one, two] = [enter('one'), enter('two')];
    one.election.stand();
    await clock.passUntil(100);
    two.election.stand();
    await clock.passUntil(30_000);
    const resigned = one.election.resign();
    assert.equal(one.election.leads(), false, 'nothing is written after the call');
    assert.throws(() => one.election.fence.begin(), { code: 'not-leading' });
    await clock.passUntil(31_000);
    await resigned;
    assert.ok(at(two.story[0]) < 30_000 + 500, two.story.join());
    assert.equal(server.lease()?.transitions, 1);
    assert.equal(one.election.leader()?.name, 'two', 'the one that goes knows where to send deliveries');
  });

  test('waits for a leader that died as long as its lease says, and no longer', async () => {
    const { clock, enter } = room();
    const [one, two] = [enter('one'), enter('two')];
    one.election.stand();
    await clock.passUntil(100);
    two.election.stand();
    await clock.passUntil(20_000);
    one.clock.kill();
    await clock.passUntil(60_000);
    const tookMs = at(two.story[0]) - 20_000;
    assert.ok(tookMs > leaseMs - retryMs - 300 && tookMs < leaseMs + 500, `${tookMs}`);
  });

  test('a container that is started again in its pod leads on at once', async () => {
    const { clock, enter } = room();
    const first = enter('one');
    first.election.stand();
    await clock.passUntil(20_000);
    first.clock.kill();
    const second = enter('one');
    second.election.stand();
    await clock.passUntil(20_200);
    assert.equal(second.election.leads(), true);
  });

  test('a name that two processes go by does not make two leaders of them for longer than one learns of the other', async () => {
    const { clock, enter } = room();
    const first = enter('one');
    first.election.stand();
    await clock.passUntil(20_000);
    const second = enter('one');
    second.election.stand();
    await clock.passUntil(120_000);
    assert.deepEqual([first.election.leads(), second.election.leads()], [false, true]);
    assert.equal(second.story.length, 1, 'they do not take it from each other in turns');
  });

  test('a leader that was stopped does not lead when it goes on, not even for a moment', async () => {
    const { clock, enter } = room();
    const [one, two] = [enter('one'), enter('two')];
    one.election.stand();
    await clock.passUntil(100);
    two.election.stand();
    await clock.passUntil(20_000);
    one.clock.freeze(40_000);
    await clock.passUntil(20_000 + leadMs);
    assert.equal(one.election.leads(), false);
    assert.throws(() => one.election.fence.begin(), { code: 'not-leading' });
    await clock.passUntil(90_000);
    assert.deepEqual([one.election.leads(), two.election.leads()], [false, true]);
    assert.equal(one.story.length, 2);
  });

  test('a leader that cannot renew stops before anybody else can begin, and leads again when it can', async () => {
    const { clock, enter } = room();
    const one = enter('one');
    one.election.stand();
    await clock.passUntil(20_000);
    one.ways.faces = (what) => (what === 'write' ? 'refuse' : 'pass');
    await clock.passUntil(29_000);
    assert.equal(one.election.leads(), true, 'a short disturbance costs nothing');
    await clock.passUntil(20_000 + leadMs + 10);
    assert.equal(one.election.leads(), false);
    assert.equal(one.election.fault()?.code, 'cluster-refused');
    await clock.passUntil(60_000);
    one.ways.faces = () => 'pass';
    await clock.passUntil(60_000 + retryMs + 100);
    assert.equal(one.election.leads(), true);
    assert.equal(one.election.fault(), undefined);
    assert.deepEqual(
      one.story.map((entry) => entry.split('@')[0]),
      ['leads', 'ends', 'leads'],
    );
  });

  test('answers that are lost, and a Lease that somebody deletes or labels, cost the leader nothing', async () => {
    const { clock, server, enter } = room();
    const one = enter('one');
    one.election.stand();
    await clock.passUntil(20_000);
    one.ways.faces = () => 'lose';
    await clock.passUntil(20_100 + retryMs);
    one.ways.faces = () => 'pass';
    await clock.passUntil(60_000);
    server.remove();
    await clock.passUntil(100_000);
    assert.equal(one.election.leads(), true);
    assert.equal(one.story.length, 1);
  });

  test('goes on where no watch can be had', async () => {
    const { clock, enter } = room();
    const [one, two] = [enter('one'), enter('two')];
    two.ways.isWatched = false;
    one.election.stand();
    await clock.passUntil(100);
    two.election.stand();
    await clock.passUntil(30_000);
    void one.election.resign();
    await clock.passUntil(30_000 + retryMs + 500);
    assert.equal(two.election.leads(), true);
  });

  test('ends with a leader that cannot reach the Lease in two seconds', async () => {
    const { clock, enter } = room();
    const one = enter('one');
    one.election.stand();
    await clock.passUntil(20_000);
    one.ways.faces = () => 'lose';
    const end = one.election.fence.begin();
    let tookMs = Number.NaN;
    void one.election.resign().then(() => {
      tookMs = clock.now() - 20_000;
    });
    await clock.passUntil(30_000);
    assert.ok(tookMs <= 2_000, `${tookMs}`);
    end();
  });

  test('gives up a lead that it takes in the moment that it resigns', async () => {
    const { clock, server, enter } = room();
    const one = enter('one');
    await clock.passUntil(100);
    one.election.stand();
    void one.election.resign();
    await clock.passUntil(5_000);
    assert.equal(server.lease()?.holder ?? '', '');
    assert.deepEqual(one.story, []);
  });
});

test('the only replica leads until it resigns', async () => {
  const { clock } = room();
  const election = createSoleElection(clock);
  const story: boolean[] = [];
  election.subscribe((leads) => story.push(leads));
  assert.equal(election.leads(), true);
  await election.resign();
  assert.equal(election.leads(), false);
  assert.deepEqual(story, [false]);
});

const seeds = 150;

test(`never do two lead at one time, in ${seeds} seeds of stops, deaths, lost answers and outages`, async () => {
  let changes = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { clock, server, enter } = room(seed);
    const random = createRandom(seed * 7);
    const living: Replica[] = [];
    let names = 0;
    let removedAt = Number.NEGATIVE_INFINITY;
    const begin = (): void => {
      const replica = enter(`replica-${names++}`);
      const lossRate = random.pick([0, 0, 0.1, 0.3]);
      const refusalRate = random.pick([0, 0, 0.1, 0.5]);
      replica.ways.faces = () => (random.chance(lossRate) ? 'lose' : random.chance(refusalRate) ? 'refuse' : 'pass');
      replica.election.stand();
      living.push(replica);
    };
    for (let count = random.between(2, 3); count > 0; count -= 1) begin();
    const look = (): void => {
      const leaders = living.filter(({ election }) => election.leads());
      assert.ok(leaders.length <= 1, `seed ${seed}: ${leaders.length} lead at ${clock.now()}`);
    };
    for (let ms = 0; ms < 240_000; ms += 100) {
      await clock.passUntil(ms);
      look();
      if (!random.chance(0.004)) continue;
      const replica = random.pick(living);
      const what = random.between(0, 4);
      if (what <= 1) replica.clock.freeze(random.between(1_000, 40_000));
      else if (what === 2) {
        server.remove();
        removedAt = ms;
      } else if (ms - removedAt > leaseMs) {
        // Who comes when the Lease has just been deleted by hand cannot know that somebody held it.
        living.splice(living.indexOf(replica), 1);
        if (what === 3) replica.clock.kill();
        else void replica.election.resign();
        begin();
      }
      look();
    }
    for (const replica of living) replica.ways.faces = () => 'pass';
    await clock.passUntil(240_000 + 40_000 + 20_000);
    assert.equal(living.filter(({ election }) => election.leads()).length, 1, `seed ${seed}: nobody leads in the end`);
    changes += living.reduce((sum, { story }) => sum + story.length, 0);
  }
  // Where nothing happens nothing is shown.
  assert.ok(changes > seeds * 2, `${changes} changes`);
});
