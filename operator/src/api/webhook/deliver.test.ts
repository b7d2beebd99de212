import assert from 'node:assert/strict';
import test from 'node:test';
import type { Leader } from '../../world/leadership.ts';
import { type DeliveryWays, deliver, type WebhookAnswer } from './deliver.ts';

const there = { name: 'other', address: 'http://10.0.0.2:8080' };

/** Hands in a delivery; answers what was answered and what was done. */
async function play(
  who: { readonly leads?: boolean; readonly leader?: Leader },
  ways: Partial<DeliveryWays> = {},
): Promise<WebhookAnswer & { readonly done: readonly string[] }> {
  const done: string[] = [];
  const leadership = { leads: () => who.leads === true, leader: () => who.leader, subscribe: () => () => {} };
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => done.push(message), error() {} };
  const answer = await deliver({ headers: {}, body: new Uint8Array() }, leadership, {
    receive: async () => {
      done.push('received');
      return { status: 200, body: 'here\n' };
    },
    handOn: async (address) => {
      done.push(`handed to ${address}`);
      return { status: 200, body: 'there\n' };
    },
    isHandedOn: false,
    log,
    ...ways,
  });
  return { ...answer, done };
}

test('the leader takes a delivery itself', async () => {
  assert.deepEqual(await play({ leads: true }), { status: 200, body: 'here\n', done: ['received'] });
});

test('who stands by hands it to the leader, and answers as that one does', async () => {
  const done = ['handed to http://10.0.0.2:8080'];
  assert.deepEqual(await play({ leader: there }), { status: 200, body: 'there\n', done });
});

test('what was handed on is not handed on again', async () => {
  const { status, done } = await play({ leader: there }, { isHandedOn: true });
  assert.deepEqual([status, done], [202, []]);
});

test('while nobody leads it says that every repository will be asked', async () => {
  const { status, body, done } = await play({});
  assert.deepEqual([status, done], [202, []]);
  assert.match(body, /asks every repository/);
});

test('a leader that cannot be reached, or did not say where it is, is a fault that is told', async () => {
  const refused = await play({ leader: there }, { handOn: () => Promise.reject(new Error('ECONNREFUSED')) });
  const silent = await play({ leader: { name: 'other', address: undefined } });
  for (const { status, done } of [refused, silent]) {
    assert.equal(status, 502);
    assert.deepEqual(done, ['a webhook could not be handed to the leader']);
  }
});
