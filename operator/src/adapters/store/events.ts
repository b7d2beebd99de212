import { Fault, messageOf } from '../../model/fault.ts';
import { timestamp } from '../../model/timestamp.ts';
import type { Notice, Notifier } from '../../world/notifier.ts';
import type { Log } from '../../world/telemetry.ts';
import type { KubeClient, KubeContext } from '../kube/client.ts';
import { createObject, patchObject } from '../kube/request.ts';
import type { ServedKind } from '../kube/served-kind.ts';

/** A notifier that can be looked at and closed. */
export interface EventSender extends Notifier {
  /** Events sent, and dropped because too many waited or the API server would not take them. */
  counts(): { readonly sent: number; readonly dropped: number; readonly failed: number };
  /** Sends what waits, for at most a second, and nothing after. */
  close(): Promise<void>;
}

const events: ServedKind = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  scope: 'Namespaced',
  verbs: [],
};
const component = 'argocd-application-controller';
/** The API server's own limit for the message of an Event. */
const messageBytes = 1024;
/** A notice like one of the last ten minutes counts that one up, as client-go's recorder does. */
const repeatMs = 600_000;
const remembered = 1_000;
/** Nobody waits longer for Events when the operator stops: the API server may be what is gone. */
const closeMs = 1_000;

interface Waiting {
  readonly namespace: string;
  readonly app: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  /** `dest-server` and `dest-namespace`, as Argo CD's Events carry them. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly notice: Notice;
  readonly firstAt: number;
  lastAt: number;
  count: number;
}

interface Sent {
  readonly name: string;
  readonly at: number;
  count: number;
}

/**
 * Writes Kubernetes Events about Applications, one request at a time so that it never takes a place from other work. At most
 * `eventsWaiting` wait; beyond it the oldest is dropped. Equal ones are sent as one that counts.
 */
export function createEvents(client: KubeClient, context: KubeContext & { readonly log: Log }): EventSender {
  const { clock, random, limits, log } = context;
  const waiting = new Map<string, Waiting>();
  const recent = new Map<string, Sent>();
  const counts = { sent: 0, dropped: 0, failed: 0 };
  let sending: Promise<void> | undefined;
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
          { application: event.app.name, reason: event.notice.reason, error: messageOf(thrown) },
          'an Event could not be sent',
        );
      }
    }
  }

  async function send(identity: string, event: Waiting): Promise<void> {
    const known = recent.get(identity);
    if (known !== undefined && event.lastAt - known.at < repeatMs) {
      const count = known.count + event.count;
      const key = { group: '', kind: 'Event', namespace: event.namespace, name: known.name };
      try {
        await client.send(patchObject(events, key, { count, lastTimestamp: timestamp(event.lastAt) }, component));
        known.count = count;
        return;
      } catch (thrown) {
        // The API server forgets Events after an hour, or sooner.
        if (!(thrown instanceof Fault && thrown.code === 'object-missing')) throw thrown;
      }
    }
    const name = `${event.app.name}.${Math.floor(random.next() * 2 ** 48)
      .toString(16)
      .padStart(12, '0')}`;
    await client.send(createObject(events, eventOf(name, event), { how: 'create', validate: false }));
    recent.delete(identity);
    recent.set(identity, { name, at: event.firstAt, count: event.count });
    if (recent.size > remembered) dropFirst(recent);
  }

  return {
    notify: (app, notice) => {
      if (isClosed) return;
      const { name = '', namespace = '', uid = '', resourceVersion = '' } = app.metadata;
      const message = cut(notice.message);
      const identity = `${uid} ${notice.type} ${notice.reason} ${message}`;
      const now = clock.now();
      const same = waiting.get(identity);
      if (same !== undefined) {
        same.count++;
        same.lastAt = now;
        return;
      }
      if (waiting.size >= limits.eventsWaiting) {
        dropFirst(waiting);
        counts.dropped++;
      }
      const about = { apiVersion: app.apiVersion, kind: app.kind, name, uid, resourceVersion };
      const { destination } = app.spec;
      waiting.set(identity, {
        namespace,
        app: about,
        annotations: {
          'dest-server': destination.server ?? '',
          'dest-namespace': destination.namespace ?? '',
        },
        notice: { ...notice, message },
        firstAt: now,
        lastAt: now,
        count: 1,
      });
      start();
    },
    counts: () => ({ ...counts }),
    close: async () => {
      isClosed = true;
      let isLate = false;
      const late = new Promise<void>((resolve) => {
        clock.after(closeMs, () => {
          isLate = true;
          resolve();
        });
      });
      while (sending !== undefined && !isLate) await Promise.race([sending, late]);
      counts.dropped += waiting.size;
      waiting.clear();
    },
  };
}

function eventOf(name: string, event: Waiting): Parameters<typeof createObject>[1] {
  const { namespace, app, annotations, notice } = event;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace, annotations: { ...annotations } },
    involvedObject: { ...app, namespace },
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
