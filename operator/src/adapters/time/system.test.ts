import assert from 'node:assert/strict';
import { test } from 'node:test';
import { steadyNow } from './system.ts';

const hour = 3_600_000;

/** A machine whose clock is set, and the time that `steadyNow` makes of it. */
function machine() {
  let passed = 0;
  let offset = 1_000 * hour;
  const now = steadyNow(
    () => offset + passed,
    () => passed,
  );
  return {
    now,
    pass: (ms: number) => {
      passed += ms;
    },
    set: (ms: number) => {
      offset += ms;
    },
    wall: () => offset + passed,
  };
}

test('the machine is followed, forward at once', () => {
  const { now, pass, set, wall } = machine();
  pass(1_500);
  assert.equal(now(), wall());
  set(hour);
  assert.equal(now(), wall());
});

test('a clock that is set back is met later, and never stands still', () => {
  const { now, pass, set, wall } = machine();
  let before = now();
  set(-hour);
  for (let passed = 0; passed < hour; passed += 60_000) {
    pass(60_000);
    assert.equal(now() - before, 30_000);
    before = now();
  }
  for (let passed = 0; passed <= hour; passed += 60_000) {
    pass(60_000);
    assert.ok(now() > before);
    before = now();
  }
  assert.equal(now(), wall());
});
