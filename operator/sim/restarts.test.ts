import assert from 'node:assert/strict';
import test from 'node:test';
import { playSteps } from './restarts.ts';

const seeds = 40;
const steps = 12;

test(`after each step of ${seeds} stories a process that has just started says what the one before said, and writes nothing`, async () => {
  const broken: string[] = [];
  let rested = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const result = await playSteps({ seed, restarts: 'after' });
    rested += result.rested;
    if (result.violations.length > 0) broken.push(`seed ${seed}: ${result.violations[0]}`);
  }
  assert.deepEqual(broken, []);
  assert.ok(rested > 0.95 * seeds * steps, `${rested} steps came to rest`);
});

test(`${seeds} stories end each step the same whether one process saw it all or a new one starts after each deed`, async () => {
  const different: string[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const one = await playSteps({ seed, restarts: 'never' });
    const many = await playSteps({ seed, restarts: 'amid' });
    const step = one.told.findIndex((told, index) =>
      [...told].some(([name, status]) => many.told[index]?.get(name) !== status),
    );
    if (step < 0) continue;
    for (const [name, status] of one.told[step] ?? []) {
      const other = many.told[step]?.get(name);
      if (other !== status) different.push(`seed ${seed}, step ${step}: ${name} is ${other}, and ${status} without`);
    }
  }
  assert.deepEqual(different, []);
});
