import type { KubeObject } from '@mooring/renderer-contract';
import type { Lease, LeaseAccess, LeaseContent, LeaseListener } from '../src/adapters/kube/lease.ts';
import { Fault } from '../src/model/fault.ts';
import type { Clock } from '../src/world/clock.ts';
import type { SimClock, SimRandom } from './clock.ts';

/** What becomes of one request of a replica; `lose` stores it and loses the answer. */
export type LeaseFate = 'pass' | 'refuse' | 'lose';

/** How one replica reaches the Lease. */
export interface LeaseClient {
  /** The replica's own clock: what comes for it waits while it is frozen. */
  readonly clock: Clock;
  fate(what: 'read' | 'write'): LeaseFate;
  /** Milliseconds that a message takes one way. */
  delayMs(): number;
  /** Whether changes are told just now. */
  isWatched(): boolean;
}

/** The Lease as the API server holds it; it outlives every replica. */
export interface LeaseServer {
  lease(): Lease | undefined;
  remove(): void;
  connect(client: LeaseClient): LeaseAccess;
}

export function createLeaseServer(clock: SimClock, random: SimRandom): LeaseServer {
  let stored: Lease | undefined;
  let version = 0;
  const watchers = new Set<(lease: Lease | undefined) => void>();

  const put = (content: LeaseContent | undefined): Lease | undefined => {
    version += 1;
    const resourceVersion = String(version);
    const object: KubeObject = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { resourceVersion } };
    stored = content && { ...content, resourceVersion, object };
    for (const tell of watchers) tell(stored);
    return stored;
  };

  return {
    lease: () => stored,
    remove: () => put(undefined),
    connect({ clock: own, fate, delayMs, isWatched }) {
      let stopWatch = (): void => {};
      /** What is sent arrives also where its sender is stopped or dead by then. */
      const ask = <T>(what: 'read' | 'write', run: () => T): Promise<T> =>
        new Promise<T>((resolve, reject) => {
          const end = fate(what);
          clock.after(delayMs(), () => {
            const answer = (settle: () => void): void => {
              clock.after(delayMs(), () => own.after(0, settle));
            };
            if (end === 'refuse') {
              answer(() => reject(new Fault('cluster-refused', 'the Lease may not be touched')));
              return;
            }
            try {
              const value = run();
              if (end === 'pass') answer(() => resolve(value));
            } catch (thrown) {
              if (end === 'pass') answer(() => reject(thrown));
            }
          });
        });
      const conflict = (): Fault => new Fault('object-conflict', 'the Lease is not as it was seen');
      return {
        name: 'mooring',
        read: () => ask('read', () => stored),
        create: (content) =>
          ask('write', () => {
            if (stored !== undefined) throw conflict();
            return put(content) as Lease;
          }),
        update: (over, content) =>
          ask('write', () => {
            if (stored === undefined) throw new Fault('object-missing', 'there is no Lease');
            if (stored.resourceVersion !== over.resourceVersion) throw conflict();
            return put(content) as Lease;
          }),
        watch(listener: LeaseListener) {
          let last = 0;
          const tell = (lease: Lease | undefined): void => {
            if (!isWatched()) {
              listener.following(false);
              return;
            }
            // In the order of the changes.
            last = Math.max(last, clock.now() + random.between(1, 300));
            clock.after(last - clock.now(), () => own.after(0, () => listener.changed(lease)));
          };
          own.after(0, () => listener.following(isWatched()));
          watchers.add(tell);
          stopWatch = () => watchers.delete(tell);
          return stopWatch;
        },
        close: async () => stopWatch(),
      };
    },
  };
}
