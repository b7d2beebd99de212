import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from '../../sim/clock.ts';
import { Fault } from '../model/fault.ts';
import type { World } from '../world/world.ts';
import { followLead, type Lead } from './lead.ts';

/** A lead whose world a test holds in its hands. */
function bench(leadsAtFirst = false) {
  const clock = createClock(0);
  const told: string[] = [];
  let leads = leadsAtFirst;
  let listener = (_: boolean): void => {};
  const answers = { refresh: (): Promise<void> => Promise.resolve() };
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => told.push(message), error() {} };
  const world = {
    clock,
    telemetry: { log },
    store: { refresh: () => answers.refresh() },
    leadership: {
      leads: () => leads,
      leader: () => undefined,
      subscribe(each: (leads: boolean) => void) {
        listener = each;
        return () => {};
      },
    },
  } as unknown as World;
  const lead: Lead = followLead(world, () => told.push('begun'));
  const turn = (now: boolean): void => {
    leads = now;
    listener(now);
  };
  return { clock, lead, told, answers, turn, expire: () => (leads = false) };
}

test('who leads from the start acts at once', () => {
  const { lead, told } = bench(true);
  assert.equal(lead.leadership.leads(), true);
  assert.deepEqual(told, []);
});

test('a lead is taken over once the Applications were read again', async () => {
  const { clock, lead, told, answers, turn } = bench();
  const read = Promise.withResolvers<void>();
  answers.refresh = () => read.promise;
  turn(true);
  await clock.passUntil(100);
  assert.equal(lead.leadership.leads(), false);
  read.resolve();
  await clock.passUntil(200);
  assert.equal(lead.leadership.leads(), true);
  assert.deepEqual(told, ['begun']);
});

test('a takeover that fails is tried again, as long as the lead lasts', async () => {
  const { clock, lead, told, answers, turn } = bench();
  answers.refresh = () => Promise.reject(new Fault('cluster-unreachable', 'gone'));
  turn(true);
  await clock.passUntil(500);
  answers.refresh = () => Promise.resolve();
  await clock.passUntil(5_000);
  assert.deepEqual(told, ['the lead cannot be taken over yet', 'begun']);
  turn(false);
  answers.refresh = () => Promise.reject(new Fault('cluster-unreachable', 'gone'));
  turn(true);
  turn(false);
  answers.refresh = () => Promise.resolve();
  await clock.passUntil(20_000);
  assert.equal(lead.leadership.leads(), false);
  assert.equal(told.length, 2);
});

test('a pass acts only while the lead lasts that it began under', async () => {
  const { clock, lead, turn, expire } = bench(true);
  const first = lead.ofPass();
  assert.equal(first.leads(), true);
  expire();
  assert.equal(first.leads(), false, 'before anybody has told of it');
  turn(false);
  const between = lead.ofPass();
  turn(true);
  await clock.passUntil(100);
  assert.deepEqual([first.leads(), between.leads(), lead.ofPass().leads()], [false, false, true]);
});
