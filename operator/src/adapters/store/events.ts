import { Fault, messageOf } from '../../model/fault.ts';
import { timestamp } from '../../model/timestamp.ts';
import type { Notice, Notifier } from '../../world/notifier.ts';
import type { ObjectReference } from '../../world/readiness.ts';
import type { Log } from '../../world/telemetry.ts';
import type { KubeClient, KubeContext } from '../kube/client.ts';
import { createObject, patchObject } from '../kube/request.ts';
import { kinds } from './kinds.ts';

/** How many Events came to what. */
export interface EventCounts {
  readonly sent: number;
  readonly dropped: number;
  readonly failed: number;
}

/** A notifier that can be looked at and closed. */
export interface EventSender extends Notifier {
  /**
   * Warns of something about an object of Mooring's own. Kept until the API server takes it: what keeps the operator from it is told
   * afterwards. At most `eventsKept` are; beyond it the oldest is dropped.
   */
  warn(about: ObjectReference, reason: string, message: string): void;
  /** Events sent, and dropped because too many waited or the API server would not take them. */
  counts(): EventCounts;
  /** Sends what waits, for at most `withinMs` (default 1 s), and nothing after: the API server may be what is gone. */
  close(withinMs?: number): Promise<void>;
}

/** Who tells: Argo CD's name where it is about Applications, which people look for. */
const components = { applications: 'argocd-application-controller', own: 'mooring' };
/** The API server's own limit for the message of an Event. */
const messageBytes = 1024;
/** A notice like one that was told in the last hour counts that one up, as client-go's recorder does: so long does the API server keep an Event. */
const repeatMs = 3_600_000;
const remembered = 1_000;
/** Between two tries to send what is kept. */
const keptMs = 5_000;

interface Waiting {
  readonly about: ObjectReference;
  readonly component: string;
  /** `dest-server` and `dest-namespace` for an Application, as Argo CD's Events carry them. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly notice: Omit<Notice, 'reason'> & { readonly reason: string };
  readonly firstAt: number;
  lastAt: number;
  count: number;
}

interface Sent {
  readonly name: string;
  at: number;
  count: number;
}

/** Tells nobody: for who writes nothing. */
export const noEvents: EventSender = {
  notify: () => {},
  warn: () => {},
  counts: () => ({ sent: 0, dropped: 0, failed: 0 }),
  close: async () => {},
};

/**
 * Writes Kubernetes Events, one request at a time so that it never takes a place from other work. At most `eventsWaiting` wait; beyond it the
 * oldest is dropped. Equal ones are sent as one that counts.
 */
export function createEvents(client: KubeClient, context: KubeContext & { readonly log: Log }): EventSender {
  const { clock, random, limits, log } = context;
  const waiting = new Map<string, Waiting>();
  const kept = new Map<string, Waiting>();
  const recent = new Map<string, Sent>();
  const counts = { sent: 0, dropped: 0, failed: 0 };
  let sending: Promise<void> | undefined;
  let sendingKept: Promise<void> | undefined;
  let cancelKept: (() => void) | undefined;
  let isClosed = false;

  function start(): void {
    sending ??= sendAll().finally(() => {
      sending = undefined;
      if (waiting.size > 0) start();
    });
  }

  async function sendAll(): Promise<void> {
    for (let next = waiting.entries().next(); !next.done; next = waiting.entries().next()) {
      const [identity, event] = next.value;
      waiting.delete(identity);
      try {
        await send(identity, event);
        counts.sent++;
      } catch (thrown) {
        counts.failed++;
        log.debug(
          { about: event.about.name, reason: event.notice.reason, error: messageOf(thrown) },
          'an Event could not be sent',
        );
      }
    }
  }

  function startKept(): void {
    cancelKept?.();
    sendingKept ??= sendAllKept().finally(() => {
      sendingKept = undefined;
      if (kept.size > 0 && !isClosed) cancelKept = clock.after(keptMs, startKept);
    });
  }

  async function sendAllKept(): Promise<void> {
    for (let next = kept.entries().next(); !next.done && !isClosed; next = kept.entries().next()) {
      const [identity, event] = next.value;
      const { count } = event;
      try {
        await send(identity, event);
        counts.sent++;
      } catch (thrown) {
        // Of one that it finds wrong the API server would say the same tomorrow.
        if (!(thrown instanceof Fault && thrown.data['httpStatus'] === 422)) return;
        counts.failed++;
        log.warn({ reason: event.notice.reason, error: thrown.message }, 'an Event was refused');
      }
      // It may have been told again meanwhile.
      event.count -= count;
      if (event.count === 0) kept.delete(identity);
    }
  }

  function put(
    queue: Map<string, Waiting>,
    atMost: number,
    event: Omit<Waiting, 'firstAt' | 'lastAt' | 'count'>,
  ): void {
    const { about, notice } = event;
    const message = cut(notice.message);
    const identity = `${about.uid ?? about.name} ${notice.type} ${notice.reason} ${message}`;
    const now = clock.now();
    const same = queue.get(identity);
    if (same !== undefined) {
      same.count++;
      same.lastAt = now;
      return;
    }
    if (queue.size >= atMost) {
      dropFirst(queue);
      counts.dropped++;
    }
    queue.set(identity, { ...event, notice: { ...notice, message }, firstAt: now, lastAt: now, count: 1 });
  }

  async function send(identity: string, event: Waiting): Promise<void> {
    const known = recent.get(identity);
    if (known !== undefined && event.lastAt - known.at < repeatMs) {
      const count = known.count + event.count;
      const key = { group: '', kind: 'Event', namespace: event.about.namespace, name: known.name };
      const patch = { count, lastTimestamp: timestamp(event.lastAt) };
      try {
        await client.send(patchObject(kinds.events, key, patch, event.component));
        known.count = count;
        known.at = event.lastAt;
        return;
      } catch (thrown) {
        // The API server forgets Events after an hour, or sooner.
        if (!(thrown instanceof Fault && thrown.code === 'object-missing')) throw thrown;
      }
    }
    const name = `${event.about.name}.${Math.floor(random.next() * 2 ** 48)
      .toString(16)
      .padStart(12, '0')}`;
    await client.send(createObject(kinds.events, eventOf(name, event), { how: 'create', validate: false }));
    recent.delete(identity);
    recent.set(identity, { name, at: event.lastAt, count: event.count });
    if (recent.size > remembered) dropFirst(recent);
  }

  return {
    notify: (app, notice) => {
      if (isClosed) return;
      const { apiVersion, kind } = app;
      const { name = '', namespace = '', uid = '', resourceVersion = '' } = app.metadata;
      const { server = '', namespace: destination = '' } = app.spec.destination;
      put(waiting, limits.eventsWaiting, {
        about: { apiVersion, kind, namespace, name, uid, resourceVersion },
        component: components.applications,
        annotations: { 'dest-server': server, 'dest-namespace': destination },
        notice,
      });
      start();
    },
    warn: (about, reason, message) => {
      if (isClosed) return;
      const notice = { type: 'Warning' as const, reason, message };
      put(kept, limits.eventsKept, { about, component: components.own, annotations: {}, notice });
      startKept();
    },
    counts: () => ({ ...counts }),
    close: async (withinMs = 1_000) => {
      isClosed = true;
      cancelKept?.();
      let isLate = false;
      const late = new Promise<void>((resolve) => {
        clock.after(withinMs, () => {
          isLate = true;
          resolve();
        });
      });
      for (let last = sending ?? sendingKept; last !== undefined && !isLate; last = sending ?? sendingKept)
        await Promise.race([last, late]);
      counts.dropped += waiting.size + kept.size;
      waiting.clear();
      kept.clear();
    },
  };
}

function eventOf(name: string, event: Waiting): Parameters<typeof createObject>[1] {
  const { about, component, annotations, notice } = event;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: about.namespace, annotations: { ...annotations } },
    involvedObject: about,
    source: { component },
    type: notice.type,
    reason: notice.reason,
    message: notice.message,
    firstTimestamp: timestamp(event.firstAt),
    lastTimestamp: timestamp(event.lastAt),
    count: event.count,
  };
}

function cut(message: string): string {
  if (Buffer.byteLength(message) <= messageBytes) return message;
  // Whole characters only: a cut one would become a replacement character of other length.
  return `${Buffer.from(message)
    .subarray(0, messageBytes - 6)
    .toString('utf8')
    .replace(/\uFFFD$/, '')}…`;
}

function dropFirst(map: Map<string, unknown>): void {
  const first = map.keys().next();
  if (!first.done) map.delete(first.value);
}
