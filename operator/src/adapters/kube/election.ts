import { Fault } from '../../model/fault.ts';
import type { Clock } from '../../world/clock.ts';
import type { Leadership } from '../../world/leadership.ts';
import type { Random } from '../../world/random.ts';
import type { Log } from '../../world/telemetry.ts';
import { createFence, type WatchedFence } from './fence.ts';
import type { Lease, LeaseAccess, LeaseContent } from './lease.ts';
import { isOlder } from './resource-version.ts';

/** Who leads, and what goes with it. */
export interface Election extends Leadership {
  /** Lets writes through while this replica leads. */
  readonly fence: WatchedFence;
  /** From now on this replica takes the lead where it is free; before it only watches. */
  stand(): void;
  /** Why the Lease cannot be read or written just now; undefined while it can. */
  fault(): Fault | undefined;
  /**
   * Leads no more, for good: no write begins after the call. Waits for those under way, and then gives the lead to whoever stands for it. Takes two seconds
   * at most, also where nothing can be reached.
   */
  resign(): Promise<void>;
  close(): Promise<void>;
}

export interface ElectionOptions {
  readonly clock: Clock;
  /** Milliseconds of a clock that nobody sets and that goes on while the process is stopped. */
  readonly monotonic: () => number;
  readonly random: Random;
  readonly log: Log;
  /** Name of this replica, such as its pod's. No other process may go by it at the same time. */
  readonly identity: string;
  /** Where this replica takes deliveries, `http://IP:PORT`. */
  readonly address: string | undefined;
}

/** Milliseconds; client-go's defaults, and its bound for one request. */
export const electionTiming = {
  /** How long the lead is left to a holder that is not heard of any more. */
  leaseMs: 15_000,
  /**
   * How long after its last renewal a holder takes itself for the leader. The rest of the lease is for what is on its way: a connection that is just being
   * made, a request in the network.
   */
  leadMs: 10_000,
  retryMs: 2_000,
  requestMs: 5_000,
  /** Of the stop: writes under way, then the Lease itself. */
  idleMs: 500,
  releaseMs: 1_000,
} as const;

const { leaseMs, leadMs, retryMs, requestMs, idleMs, releaseMs } = electionTiming;

/**
 * Leader election by a Lease. Time is only ever measured by this process's own monotonic clock: a holder leads until `leadMs` after it sent its last renewal,
 * and others wait until they have seen no renewal for as long as the Lease says. So no two lead at one time, as long as their clocks go at about one speed;
 * a process that was stopped finds its time over as soon as it goes on.
 */
export function createElection(access: LeaseAccess, options: ElectionOptions): Election {
  const { clock, monotonic, random, log, identity, address } = options;
  const process = random.id();
  const listeners = new Set<(leads: boolean) => void>();
  /** undefined before the first look. */
  let known: Lease | 'missing' | undefined;
  /** Until when the lead is left to the holder that was seen last. */
  let heldUntil = Number.NEGATIVE_INFINITY;
  /** When the last renewal that was stored was sent. */
  let renewedAt = Number.NEGATIVE_INFINITY;
  /** An earlier life of this replica holds the Lease: nobody else goes by its name. */
  let isInherited = false;
  let isFollowing = false;
  let isStanding = false;
  let isResigned = false;
  let isTold = false;
  let fault: Fault | undefined;
  let underWay: Promise<void> | undefined;
  let cancelTurn: (() => void) | undefined;
  let cancelLapse: (() => void) | undefined;

  const isHolder = (): boolean =>
    !isResigned && typeof known === 'object' && known.holder === identity && known.process === process;
  const mayTake = (): boolean => !isResigned && isStanding && freeIn() <= 0;
  const leads = (): boolean => isHolder() && monotonic() - renewedAt < leadMs;
  const fence = createFence(leads, clock);

  /** Milliseconds until the lead is free; not above 0 where it is. */
  const freeIn = (): number => {
    if (known === undefined) return Number.POSITIVE_INFINITY;
    return isInherited ? 0 : heldUntil - monotonic();
  };

  function tell(): void {
    const now = leads();
    if (now === isTold) return;
    isTold = now;
    const holder = typeof known === 'object' ? known.holder : '';
    if (now) log.info({ lease: access.name, replica: identity }, 'this replica leads');
    else if (!isResigned) log.warn({ lease: access.name, replica: identity, holder }, 'this replica leads no more');
    for (const listener of listeners) listener(now);
  }

  function adopt(lease: Lease | undefined): void {
    const before = known;
    known = lease ?? 'missing';
    const isFirst = before === undefined;
    if (isFirst) isInherited = lease?.holder === identity && lease.process !== process;
    if (isFirst || !isSameHold(before, known)) {
      // Where somebody has deleted the Lease, its holder may not know of it yet.
      if (lease !== undefined)
        heldUntil = lease.holder === '' ? Number.NEGATIVE_INFINITY : monotonic() + lease.durationMs;
      if (!isFirst) isInherited = false;
      const holder = lease?.holder ?? '';
      const isNews = isFirst || holder !== (typeof before === 'object' ? before.holder : '');
      if (isNews && holder !== '' && holder !== identity)
        log.info({ lease: access.name, replica: identity, holder }, 'another replica leads; this one stands by');
    }
    tell();
  }

  function renewed(lease: Lease, sentAt: number): void {
    // A lead that lapsed meanwhile is lost before it is won again: what it was in the middle of has been given up.
    tell();
    renewedAt = sentAt;
    adopt(lease);
    watchForLapse();
  }

  function watchForLapse(): void {
    cancelLapse?.();
    if (!leads()) {
      tell();
      return;
    }
    // A timer may be early by less than a millisecond.
    cancelLapse = clock.after(Math.max(1, renewedAt + leadMs - monotonic()), watchForLapse);
  }

  const content = (over: Lease | undefined): LeaseContent => {
    const now = clock.now();
    const mine = over?.holder === identity && over.process === process;
    return {
      holder: identity,
      process,
      address,
      durationMs: leaseMs,
      transitions: (over?.transitions ?? -1) + (mine ? 0 : 1),
      acquiredAt: mine ? over.acquiredAt : now,
      renewedAt: now,
    };
  };

  /** Writes the Lease as this replica's, over what was there. Throws `object-conflict` or `object-missing` where it is no more as it was. */
  async function hold(over: Lease | undefined): Promise<void> {
    const sentAt = monotonic();
    const wanted = content(typeof known === 'object' ? known : undefined);
    renewed(await (over === undefined ? access.create(wanted) : access.update(over, wanted)), sentAt);
  }

  async function turn(): Promise<void> {
    if (known === undefined || (!isFollowing && !isHolder())) adopt(await access.read());
    if (!isHolder() && !mayTake()) return;
    try {
      await hold(typeof known === 'object' ? known : undefined);
    } catch (thrown) {
      if (!(thrown instanceof Fault && (thrown.code === 'object-conflict' || thrown.code === 'object-missing')))
        throw thrown;
      const found = await access.read();
      // One that somebody has deleted under its holder is made anew; everybody else waits for the holder's time to end.
      if (found === undefined && isHolder()) return hold(found);
      adopt(found);
      // Somebody may have touched it without taking it.
      if (isHolder() || mayTake()) await hold(found);
    }
  }

  /** One turn, for at most `requestMs`: what is answered later is found by the next one. */
  async function boundedTurn(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(requestMs, () =>
      late.reject(new Fault('cluster-unreachable', `the Lease ${access.name} was not answered for ${requestMs} ms`)),
    );
    try {
      await Promise.race([turn(), late.promise]);
      if (fault !== undefined) log.info({ lease: access.name }, 'the Lease can be read and written again');
      fault = undefined;
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      if (fault?.message !== thrown.message)
        log.warn(
          { lease: access.name, code: thrown.code, error: thrown.message },
          'the Lease cannot be read or written',
        );
      fault = thrown;
    } finally {
      cancel();
    }
  }

  function takeTurn(): void {
    cancelTurn?.();
    cancelTurn = undefined;
    if (isResigned || underWay !== undefined) return;
    const startedAt = monotonic();
    underWay = boundedTurn()
      .catch((thrown: unknown) => {
        // Nobody waits for a turn: thrown on, it would end the process.
        log.error({ lease: access.name, error: String(thrown) }, 'a bug ended a turn of the election; it goes on');
      })
      .finally(() => {
        underWay = undefined;
        const spentMs = monotonic() - startedAt;
        scheduleTurn(nextIn() - (isHolder() || fault !== undefined ? spentMs : 0));
      });
  }

  /** Milliseconds from one turn to the next. */
  function nextIn(): number {
    if (isHolder() || fault !== undefined || known === undefined || !isFollowing) return retryMs;
    if (mayTake()) return 0;
    // Several stand for the same lead.
    return Math.max(0, Math.min(freeIn(), leaseMs)) + random.next() * 100;
  }

  function scheduleTurn(inMs: number): void {
    if (isResigned) return;
    cancelTurn?.();
    cancelTurn = clock.after(Math.max(0, inMs), takeTurn);
  }

  async function release(): Promise<void> {
    // It may be about to take the lead.
    await underWay;
    if (typeof known !== 'object' || known.holder !== identity || known.process !== process) return;
    await access.update(known, { ...known, holder: '', process: '', address: undefined, renewedAt: clock.now() });
    log.info({ lease: access.name, replica: identity }, 'the lead is given up');
  }

  const stopWatch = access.watch({
    changed(lease) {
      // Before the first look it is not known what the Lease was like when this process began.
      if (known === undefined) return;
      // One that was deleted is made anew by the next renewal.
      if (lease === undefined ? isHolder() : typeof known === 'object' && !isNewer(lease, known)) return;
      adopt(lease);
      if (!isHolder() && mayTake()) takeTurn();
    },
    following(now) {
      isFollowing = now;
    },
  });
  takeTurn();

  return {
    fence,
    leads,
    leader() {
      if (typeof known !== 'object' || known.holder === '' || known.process === process) return undefined;
      return freeIn() > 0 ? { name: known.holder, address: known.address } : undefined;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stand() {
      isStanding = true;
      takeTurn();
    },
    fault: () => fault,
    async resign() {
      isResigned = true;
      cancelTurn?.();
      cancelLapse?.();
      tell();
      await fence.idle(idleMs);
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(releaseMs, late.resolve);
      await Promise.race([release(), late.promise]).catch((thrown: unknown) => {
        if (!(thrown instanceof Fault)) throw thrown;
        log.warn({ lease: access.name, error: thrown.message }, 'the lead could not be given up; it ends by itself');
      });
      cancel();
    },
    async close() {
      isResigned = true;
      cancelTurn?.();
      cancelLapse?.();
      stopWatch();
      await access.close();
    },
  };
}

/** Leads from the start until it resigns: for where there is one replica only. */
export function createSoleElection(clock: Clock): Election {
  let isResigned = false;
  const listeners = new Set<(leads: boolean) => void>();
  const fence = createFence(() => !isResigned, clock);
  return {
    fence,
    leads: () => !isResigned,
    leader: () => undefined,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stand: () => {},
    fault: () => undefined,
    async resign() {
      isResigned = true;
      for (const listener of listeners) listener(false);
      await fence.idle(idleMs);
    },
    close: async () => {},
  };
}

/** Never leads, and lets no write through. */
export function createReadOnlyElection(clock: Clock): Election {
  return {
    isReadOnly: true,
    fence: createFence(() => false, clock),
    leads: () => false,
    leader: () => undefined,
    subscribe: () => () => {},
    stand: () => {},
    fault: () => undefined,
    resign: async () => {},
    close: async () => {},
  };
}

function isNewer(lease: Lease, than: Lease): boolean {
  return lease.resourceVersion !== than.resourceVersion && !isOlder(lease.resourceVersion, than.resourceVersion);
}

/** Whether nobody took, renewed or gave up the Lease in between; others may have labelled it. */
function isSameHold(a: Lease | 'missing' | undefined, b: Lease | 'missing'): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return (
    a.holder === b.holder && a.process === b.process && a.renewedAt === b.renewedAt && a.transitions === b.transitions
  );
}
