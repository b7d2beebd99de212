import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operatorLimits } from '../../model/limits.ts';
import type { Clock } from '../../world/clock.ts';
import type { KubeClient } from './client.ts';
import { startReflector } from './reflector.ts';

const served = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
  verbs: [],
} as const;

/** A clock that goes when it is told to. */
function handClock(): Clock & { pass(ms: number): void } {
  let now = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  return {
    now: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    pass(ms) {
      const until = now + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        now = due.at;
        due.run();
      }
      now = until;
    },
  };
}

test('a list that falls silent is given up after a minute, the watch that it becomes only when bookmarks stay away', () => {
  const clock = handClock();
  const opened: ((line: string) => void)[] = [];
  const client: KubeClient = {
    server: 'https://api.example.com',
    send: () => Promise.reject(new Error('everything comes by the watch')),
    stream(_, listener) {
      opened.push(listener.line);
      listener.opened();
      return () => {};
    },
    close: async () => {},
  };
  const failures: string[] = [];
  const context = { clock, random: { next: () => 0.5, id: () => 'x' }, limits: operatorLimits };
  const reflector = startReflector(client, served, { namespace: '', metadataOnly: false }, context, {
    seen: () => {},
    gone: () => {},
    listBegan: () => {},
    listEnded: () => {},
    live: () => {},
    failing: (_, fault) => failures.push(fault.message),
  });
  clock.pass(61_000);
  assert.match(failures.shift() ?? '', /silent for 60 s/);
  const line = opened[1];
  assert.ok(line !== undefined, 'it is tried again');
  const bookmark = (version: string, annotations = {}) =>
    line(JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: version, annotations } } }));
  bookmark('5', { 'k8s.io/initial-events-end': 'true' });
  // Bookmarks come about each minute, and not always in time.
  clock.pass(100_000);
  // What is cut may be of a Secret.
  assert.throws(() => opened[1]?.('{"type": "ADDED", "object": {"data": {"key": c4n4ry'), {
    code: 'cluster-unreachable',
    message: 'https://api.example.com: a line of a watch is no JSON',
  });
  bookmark('6');
  clock.pass(149_000);
  assert.deepEqual(failures, []);
  clock.pass(2_000);
  assert.match(failures[0] ?? '', /silent for 150 s/);
  reflector.stop();
});
