import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { KubeObject } from '@mooring/renderer-contract';
import { operatorLimits } from '../../model/limits.ts';
import type { KubeClient } from '../kube/client.ts';
import { systemClock, systemRandom } from '../time/system.ts';
import { type ObjectView, watchObjects } from './view.ts';

const served = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  scope: 'Namespaced',
  verbs: [],
} as const;

let view: ObjectView;
let told: string[];
let isLive: boolean;
let feed: (type: string, object: unknown) => void;
let list: (more: string | undefined) => Promise<unknown>;

function object(name: string, version: number): KubeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, uid: `uid-${name}`, resourceVersion: String(version) },
  };
}

beforeEach(() => {
  told = [];
  isLive = false;
  list = () => Promise.reject(new Error('everything comes by the watch'));
  const client: KubeClient = {
    server: 'https://api.example.com',
    send: (request) => list(request.query['continue']),
    stream(_, listener) {
      feed = (type, object) => listener.line(Buffer.from(JSON.stringify({ type, object })).toString());
      return () => {};
    },
    close: async () => {},
  };
  const context = { clock: systemClock, random: systemRandom, limits: operatorLimits };
  view = watchObjects(client, served, { namespace: 'argocd' }, context, {
    changed: (name) => told.push(name),
    live: () => {
      isLive = true;
    },
    failing: (_, fault) => assert.fail(fault.message),
  });
  feed('ADDED', object('a', 1));
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  feed('BOOKMARK', { metadata: { resourceVersion: '1', annotations } });
  assert.ok(isLive);
});
afterEach(() => view.stop());

test('nobody is told of an own write, whether its answer or the watch comes first', () => {
  const endFirst = view.beginWrite('a');
  endFirst(object('a', 2));
  feed('MODIFIED', object('a', 2));
  const endLast = view.beginWrite('a');
  feed('MODIFIED', object('a', 3));
  endLast(object('a', 3));
  assert.deepEqual(told, []);
});

test('what somebody wrote just before an own write is told, though the answer to that holds it already', () => {
  const end = view.beginWrite('a');
  end(object('a', 3));
  feed('MODIFIED', object('a', 2));
  assert.deepEqual(told, ['a']);
  assert.equal(view.get('a')?.metadata.resourceVersion, '3');
  feed('MODIFIED', object('a', 3));
  assert.deepEqual(told, ['a']);
});

test('what somebody writes during an own write is told when that is over', () => {
  const end = view.beginWrite('a');
  feed('MODIFIED', object('a', 2));
  assert.deepEqual(told, []);
  end(object('a', 3));
  assert.deepEqual(told, ['a']);
});

test('a write that failed or changed nothing leaves the view as it is', () => {
  view.beginWrite('a')(undefined);
  view.beginWrite('a')(object('a', 1));
  assert.deepEqual(told, []);
  feed('MODIFIED', object('a', 2));
  assert.deepEqual(told, ['a']);
});

test('after a refresh the view holds what others wrote, and what they deleted is gone, before the watch tells of it', async () => {
  feed('ADDED', object('b', 2));
  feed('ADDED', object('c', 3));
  view.beginWrite('d')(object('d', 9));
  told.length = 0;
  const pages: Record<string, unknown> = {
    first: { items: [object('a', 5)], metadata: { resourceVersion: '8', continue: 'second' } },
    second: { items: [object('c', 3)], metadata: { resourceVersion: '8' } },
  };
  list = async (more = 'first') => pages[more];
  await view.refresh();
  const held = view.all().map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`);
  assert.deepEqual(held.sort(), ['Application a 5', 'Application c 3', 'Application d 9']);
  assert.deepEqual(told.sort(), ['a', 'b']);
  feed('MODIFIED', object('a', 5));
  assert.deepEqual(told.length, 2, 'the watch tells nothing new');
});
