import assert from 'node:assert/strict';
import test from 'node:test';
import { createQueue, priority, urgencyOf } from './queue.ts';

test('each key waits once, with the earliest time and the highest priority asked for', () => {
  const queue = createQueue(10);
  queue.put({ key: 'a', at: 50, priority: priority.person });
  queue.put({ key: 'a', at: 20, priority: priority.poll });
  queue.put({ key: 'a', at: 90, priority: priority.webhook });
  assert.equal(queue.size, 1);
  assert.deepEqual(queue.takeDue(20), [{ key: 'a', at: 20, priority: priority.person }]);
  assert.equal(queue.size, 0);
});

test('what is due goes out, the most urgent first and then the oldest', () => {
  const queue = createQueue(10);
  queue.put({ key: 'poll', at: 1, priority: priority.poll });
  queue.put({ key: 'late', at: 3, priority: priority.person });
  queue.put({ key: 'early', at: 2, priority: priority.person });
  queue.put({ key: 'future', at: 11, priority: priority.person });
  assert.deepEqual(
    queue.takeDue(10).map(({ key }) => key),
    ['early', 'late', 'poll'],
  );
  assert.equal(queue.nextAt(), 11);
});

test('a full queue refuses new keys and still takes known ones', () => {
  const queue = createQueue(1);
  assert.equal(queue.put({ key: 'a', at: 5, priority: priority.poll }), true);
  assert.equal(queue.put({ key: 'b', at: 5, priority: priority.person }), false);
  assert.equal(queue.put({ key: 'a', at: 1, priority: priority.poll }), true);
  assert.equal(queue.nextAt(), 1);
});

test('a dropped key is gone', () => {
  const queue = createQueue(1);
  queue.put({ key: 'a', at: 5, priority: priority.poll });
  queue.drop('a');
  assert.deepEqual([queue.size, queue.nextAt(), queue.takeDue(9)], [0, undefined, []]);
});

test('what waits becomes more urgent: nothing of lower or equal priority overtakes, and of higher only what comes soon', () => {
  const poll = { at: 100_000, priority: priority.poll };
  const goesFirst = (at: number, of: keyof typeof priority): boolean =>
    urgencyOf({ at, priority: priority[of] }) > urgencyOf(poll);
  for (const after of [1, 1_000, 60_000]) assert.equal(goesFirst(100_000 + after, 'poll'), false);
  assert.deepEqual([goesFirst(109_999, 'drift'), goesFirst(110_000, 'drift')], [true, false]);
  assert.deepEqual([goesFirst(119_999, 'webhook'), goesFirst(120_000, 'webhook')], [true, false]);
  assert.deepEqual([goesFirst(129_999, 'person'), goesFirst(130_000, 'person')], [true, false]);
  assert.equal(goesFirst(99_999, 'poll'), true);
});
