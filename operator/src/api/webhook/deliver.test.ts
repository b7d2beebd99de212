import assert from 'node:assert/strict';
import test from 'node:test';
import type { Leader } from '../../world/leadership.ts';
import { type DeliveryWays, deliver, takeHandedOn, type WebhookAnswer } from './deliver.ts';

const there = { name: 'other', address: 'http://10.0.0.2:8080' };
const news = { urls: ['https://git.example.com/shop'] };

interface Who {
  readonly leads?: boolean;
  readonly leader?: Leader;
}

const leadershipOf = (who: Who) => ({
  leads: () => who.leads === true,
  leader: () => who.leader,
  subscribe: () => () => {},
});

/** Delivers news; answers what was answered and what was done. */
async function play(
  who: Who,
  ways: Partial<DeliveryWays> = {},
): Promise<WebhookAnswer & { readonly done: readonly string[] }> {
  const done: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => done.push(message), error() {} };
  const answer = await deliver(news, leadershipOf(who), {
    announce: ({ urls }) => {
      done.push(`announced ${urls}`);
      return { status: 200, body: 'here\n' };
    },
    handOn: async (address, { urls }) => {
      done.push(`handed ${urls} to ${address}`);
      return { status: 200, body: 'there\n' };
    },
    log,
    ...ways,
  });
  return { ...answer, done };
}

test('the leader announces news itself', async () => {
  const done = ['announced https://git.example.com/shop'];
  assert.deepEqual(await play({ leads: true }), { status: 200, body: 'here\n', done });
});

test('who stands by hands them to the leader, and answers as that one does', async () => {
  const done = ['handed https://git.example.com/shop to http://10.0.0.2:8080'];
  assert.deepEqual(await play({ leader: there }), { status: 200, body: 'there\n', done });
});

test('while nobody leads it says that every repository will be asked', async () => {
  const { status, body, done } = await play({});
  assert.deepEqual([status, done], [202, []]);
  assert.match(body, /asks every repository/);
});

test('a leader that cannot be reached, takes nothing, or did not say where it is, is a fault that is told', async () => {
  const refused = await play({ leader: there }, { handOn: () => Promise.reject(new Error('ECONNREFUSED')) });
  const closed = await play({ leader: there }, { handOn: async () => ({ status: 401, body: 'no\n' }) });
  const silent = await play({ leader: { name: 'other', address: undefined } });
  for (const { status, done } of [refused, closed, silent]) {
    assert.equal(status, 502);
    assert.deepEqual(done, ['a webhook could not be handed to the leader']);
  }
});

test('what was handed on is announced by the leader, and not handed on again by another', () => {
  const taken: unknown[] = [];
  const announce = (told: unknown): WebhookAnswer => {
    taken.push(told);
    return { status: 200, body: 'here\n' };
  };
  assert.equal(takeHandedOn(news, leadershipOf({ leader: there }), { announce }).status, 202);
  assert.equal(takeHandedOn(undefined, leadershipOf({ leads: true }), { announce }).status, 401);
  assert.deepEqual(taken, []);
  assert.equal(takeHandedOn(news, leadershipOf({ leads: true }), { announce }).status, 200);
  assert.deepEqual(taken, [news]);
});
