import assert from 'node:assert/strict';
import test from 'node:test';
import { simulate } from './scenario.ts';

const seeds = 100;

test(`${seeds} seeds of faults, deaths and people break no invariant, and all settle`, async () => {
  const broken: string[] = [];
  let lives = 0;
  let writes = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const result = await simulate({ seed });
    lives += result.lives;
    writes += result.writes;
    if (result.violations.length > 0)
      broken.push(`${result.violations[0]}\nreplay: node operator/sim/run.ts --seed ${seed}`);
  }
  assert.deepEqual(broken, []);
  // A simulation in which nothing happens proves nothing.
  assert.ok(lives > seeds * 1.5 && writes > seeds * 20, `${lives} lives, ${writes} writes`);
});

const sharedSeeds = 60;

test(`${sharedSeeds} seeds of two and three replicas that die, stop, are asked to end and lose their Lease break none either`, async () => {
  const broken: string[] = [];
  let changes = 0;
  for (let seed = 1; seed <= sharedSeeds; seed += 1) {
    const replicas = 2 + (seed % 2);
    const result = await simulate({ seed, replicas });
    changes += result.changes;
    if (result.violations.length > 0)
      broken.push(`${result.violations[0]}\nreplay: node operator/sim/run.ts --seed ${seed} --replicas ${replicas}`);
  }
  assert.deepEqual(broken, []);
  assert.ok(changes > sharedSeeds * 2, `the lead changed ${changes} times`);
});

// In the one most syncs take several passes, in the other one.
for (const seed of [7, 6]) {
  test(`the operator may die before or after any of its writes, as in seed ${seed}`, async () => {
    const { attempts } = await simulate({ seed, dieAtWrite: 0 });
    const broken: string[] = [];
    for (let write = 1; write <= attempts; write += 1) {
      for (const dieAfter of [false, true]) {
        const { violations } = await simulate({ seed, dieAtWrite: write, dieAfter });
        if (violations.length === 0) continue;
        broken.push(
          `${violations[0]}\nreplay: node operator/sim/run.ts --seed ${seed} --die-at ${write}${dieAfter ? ' --after' : ''}`,
        );
      }
    }
    assert.deepEqual(broken, []);
  });
}

test('a seed plays the same story each time', async () => {
  const [first, second] = [await simulate({ seed: 3 }), await simulate({ seed: 3 })];
  assert.deepEqual(first, second);
});
