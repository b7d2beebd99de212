import type { KubeObject } from '@mooring/renderer-contract';
import { isBuiltIn } from '../../engine/diff/defaults.ts';
import { Fault } from '../../model/fault.ts';
import { maskUserInformation } from '../../model/mask.ts';
import type { KubeClient, KubeContext } from './client.ts';
import type { KubeStatus } from './refusal.ts';
import { apiVersionOf, listPage, type Selection, watchFrom } from './request.ts';
import { isOlder } from './resource-version.ts';
import type { ServedKind } from './served-kind.ts';
import {
  initialWatchState,
  stepWatch,
  type WatchEffect,
  type WatchEvent,
  type WatchFailure,
  type WatchState,
} from './watch-state.ts';

/** Who is told about the objects of one kind. The kind and apiVersion of the objects are always set. */
export interface ReflectorListener {
  /** An object as it is now; events may come twice. */
  seen(object: KubeObject): void;
  /** An object that is no more, as it was last. */
  gone(object: KubeObject): void;
  /** A list begins: what is not `seen` before `listEnded` does not exist any more, as of that version. */
  listBegan(): void;
  listEnded(resourceVersion: string): void;
  /** The view of this kind is complete and follows the server (again). */
  live(): void;
  /** The watch failed, and is tried again by itself; `refusals` counts the failures since one was last accepted. */
  failing(why: WatchFailure, fault: Fault, refusals: number): void;
}

/** Keeps somebody told about all objects of one kind, for good: lists, watches, resumes, and tries again until it is stopped. */
export interface Reflector {
  /** Tries again now where it waits to: there is a sign that it would work. */
  nudge(): void;
  stop(): void;
}

/** How long the server may keep one watch open, in seconds; chosen between these so that the watches of all kinds don't end together. */
const watchSeconds = { least: 300, most: 540 };
/** A bookmark comes about each minute: a watch without a word for this long is dead, whatever the connection says. */
const stallMs = 150_000;
/** What of a server's `Retry-After` is believed. */
const retryAfter = { leastMs: 100, mostMs: 30_000 };
/** A streaming list sends something all the time. */
const listStallMs = 60_000;
const initialEventsEnd = 'k8s.io/initial-events-end';

/** A list as an API server answers it. */
export interface ListPage {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
}

export function startReflector(
  client: KubeClient,
  served: ServedKind,
  selection: Selection,
  context: KubeContext,
  listener: ReflectorListener,
): Reflector {
  const { clock, random, limits } = context;
  const apiVersion = apiVersionOf(served);
  let state: WatchState = initialWatchState;
  let generation = 0;
  let closeStream: (() => void) | undefined;
  let cancelWait: (() => void) | undefined;
  let cancelStall: (() => void) | undefined;
  let heardAt = 0;
  let lastFault: Fault | undefined;

  function step(event: WatchEvent): void {
    const [next, effects] = stepWatch(state, event);
    state = next;
    for (const effect of effects) run(effect);
  }

  function run(effect: WatchEffect): void {
    switch (effect.do) {
      case 'begin-list':
        listener.listBegan();
        return;
      case 'end-list':
        listener.listEnded(effect.resourceVersion);
        // From here on the stream is a watch, and as quiet as one.
        watchForStall(stallMs, generation);
        return;
      case 'get-page':
        void getPage(effect.more, generation);
        return;
      case 'open':
        open(effect.resourceVersion, generation);
        return;
      case 'confirm':
        void confirm(effect.resourceVersion, generation);
        return;
      case 'close':
        generation++;
        closeStream?.();
        cancelWait?.();
        cancelStall?.();
        closeStream = cancelWait = cancelStall = undefined;
        return;
      case 'wait':
        cancelWait = clock.after(effect.ms, () => step({ what: 'timer' }));
        return;
      case 'report-live':
        listener.live();
        return;
      case 'report-failure':
        listener.failing(
          effect.why,
          lastFault ?? new Fault('cluster-unreachable', `${client.server}: the watch of ${served.plural} ended`),
          effect.refusals,
        );
        return;
    }
  }

  function fail(fault: Fault, why: WatchFailure): void {
    lastFault = fault;
    const retryAfterMs = fault.data['retryAfterMs'];
    const wait =
      typeof retryAfterMs === 'number'
        ? { retryAfterMs: Math.min(Math.max(retryAfterMs, retryAfter.leastMs), retryAfter.mostMs) }
        : {};
    step({ what: 'failed', why, random: random.next(), ...wait });
  }

  async function confirm(resourceVersion: string, of: number): Promise<void> {
    let version: string | undefined;
    try {
      const page = (await client.send(listPage(served, selection, 1, undefined))) as ListPage;
      version = page.metadata?.resourceVersion;
    } catch (thrown) {
      if (of === generation) failList(thrown);
      return;
    }
    if (of !== generation) return;
    if (!isOlder(version ?? '', resourceVersion)) return step({ what: 'confirmed' });
    const message = `${client.server} went back in time: ${served.plural} were at version ${resourceVersion} and are now at ${version}, as after a restored backup`;
    fail(new Fault('cluster-unreachable', message), 'gone');
  }

  function failList(thrown: unknown): void {
    const fault =
      thrown instanceof Fault
        ? thrown
        : new Fault('cluster-unreachable', `${client.server}: listing ${served.plural} failed`, {}, thrown);
    fail(fault, failureOf(fault, false, apiVersion));
  }

  async function getPage(more: string | undefined, of: number): Promise<void> {
    let page: ListPage;
    try {
      page = (await client.send(listPage(served, selection, limits.listPageSize, more))) as ListPage;
    } catch (thrown) {
      if (of === generation) failList(thrown);
      return;
    }
    if (of !== generation) return;
    for (const item of page.items ?? []) listener.seen(typed(item));
    const next = page.metadata?.continue;
    step({
      what: 'page',
      more: next === undefined || next === '' ? undefined : next,
      resourceVersion: page.metadata?.resourceVersion ?? '',
    });
  }

  function open(resourceVersion: string | undefined, of: number): void {
    const seconds = watchSeconds.least + Math.floor(random.next() * (watchSeconds.most - watchSeconds.least));
    const request = watchFrom(served, selection, resourceVersion, seconds);
    const listing = resourceVersion === undefined;
    const current = (): boolean => of === generation;
    heardAt = clock.now();
    watchForStall(listing ? listStallMs : stallMs, of);
    closeStream = client.stream(request, {
      opened: () => {
        if (!current()) return;
        heardAt = clock.now();
        step({ what: 'opened' });
      },
      line: (line) => {
        if (!current()) return;
        heardAt = clock.now();
        onEvent(readLine(line, client.server));
      },
      ended: () => {
        if (current()) step({ what: 'ended' });
      },
      failed: (fault) => {
        if (current()) fail(fault, failureOf(fault, listing, apiVersion));
      },
    });
  }

  function onEvent(event: WatchLine): void {
    const { type, object } = event;
    if (type === 'ERROR') {
      const status = object as unknown as KubeStatus;
      const gone = status.code === 410 || status.reason === 'Expired' || status.reason === 'Gone';
      fail(
        new Fault(
          'cluster-unreachable',
          `${client.server}: the watch of ${served.plural} ended: ${status.message ?? status.reason ?? 'no reason given'}`,
        ),
        gone ? 'gone' : 'broken',
      );
      return;
    }
    const resourceVersion = object.metadata.resourceVersion ?? '';
    if (type === 'BOOKMARK') {
      const end = object.metadata.annotations?.[initialEventsEnd] === 'true';
      step(end ? { what: 'list-end', resourceVersion } : { what: 'progress', resourceVersion });
      return;
    }
    if (type === 'DELETED') listener.gone(typed(object));
    else listener.seen(typed(object));
    step({ what: 'progress', resourceVersion });
  }

  // Items of a list carry no kind, and metadata alone the kind PartialObjectMetadata.
  function typed(object: KubeObject): KubeObject {
    object.kind = served.kind;
    object.apiVersion = apiVersion;
    return object;
  }

  function watchForStall(ms: number, of: number): void {
    cancelStall?.();
    cancelStall = clock.after(ms, () => {
      if (of !== generation) return;
      const silent = clock.now() - heardAt;
      if (silent < ms) return watchForStall(ms - silent, of);
      fail(
        new Fault(
          'cluster-unreachable',
          `${client.server}: the watch of ${served.plural} was silent for ${Math.round(silent / 1000)} s`,
        ),
        'broken',
      );
    });
  }

  step({ what: 'start' });
  return {
    nudge: () => {
      if (state.at !== 'waiting') return;
      cancelWait?.();
      step({ what: 'timer' });
    },
    stop: () => step({ what: 'stop' }),
  };
}

function failureOf(fault: Fault, streamingList: boolean, apiVersion: string): WatchFailure {
  const status = fault.data['httpStatus'];
  if (status === 410) return 'gone';
  if (status === 403) return 'forbidden';
  // Servers before 1.32, and aggregated ones, answer 422 or 400 to sendInitialEvents.
  if (streamingList && (status === 400 || status === 422)) return 'unsupported';
  if (status === 404 || status === 405) return 'unserved';
  // The server of an aggregated API is down; for what the API server itself serves it is the answer of a load balancer with nothing behind it.
  if (status === 503 && !isBuiltIn(apiVersion)) return 'unserved';
  return 'broken';
}

/** What one line of a watch holds. */
interface WatchLine {
  readonly type: string;
  readonly object: KubeObject;
}

function readLine(line: string, server: string): WatchLine {
  try {
    return JSON.parse(line) as WatchLine;
  } catch {
    // The parser's own message repeats a piece of the line, which may be of a Secret.
    throw new Fault('cluster-unreachable', `${maskUserInformation(server)}: a line of a watch is no JSON`, { server });
  }
}
