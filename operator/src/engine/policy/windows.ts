import type { Application, AppProject, SyncWindow } from '@mooring/crds';
import { nextStart, parseSchedule, type Schedule } from '../../model/cron.ts';
import { parseDuration } from '../../model/duration.ts';
import { globMatches, isGlob } from '../../model/glob.ts';
import { isTimeZone, offsetAt } from '../../model/time-zone.ts';
import { timestamp } from '../../model/timestamp.ts';

/** A sync window that can be used. */
interface Opening {
  readonly window: SyncWindow;
  readonly schedule: Schedule;
  readonly durationMs: number;
  readonly zone: string;
}

/** The sync windows of one Application. */
export interface Windows {
  readonly openings: readonly Opening[];
  /** Names the window, its field and what is wrong. Nothing is synced while there is any: nobody knows what it was to protect. */
  readonly problems: readonly string[];
}

/** By what windows may name the cluster of a destination. */
export interface WindowCluster {
  readonly server: string;
  readonly name: string;
}

/** What is to run: by a person or by policy, and since when, where it has begun (milliseconds since 1970). */
export interface WindowQuestion {
  readonly manual: boolean;
  readonly startedAt?: number;
}

/** Why nothing may run now. */
export interface Blocked {
  readonly message: string;
  /** When it is to be asked again: at the edge after which it may run, or a day later at the latest. Milliseconds since 1970. */
  readonly again: number;
}

const dayMs = 86_400_000;
/** How far it is looked ahead for the edge after which a sync may run, and how many windows are asked on the way. */
const aheadMs = 14 * dayMs;
const lookedAtMost = 2_000;
/** Characters of a duration. */
const longestDuration = 64;

/**
 * The windows of a project that hold for an Application, by Argo CD's rules (docs/user-guide/sync_windows.md). The cluster is matched by what the destination
 * names it and by what it is, so that no other spelling of a destination leads past a window.
 */
export function windowsOf(project: AppProject, app: Application, cluster: WindowCluster): Windows {
  const openings: Opening[] = [];
  const problems: string[] = [];
  for (const [index, window] of (project.spec.syncWindows ?? []).entries()) {
    if (!concerns(window, app, cluster)) continue;
    const read = openingOf(window);
    if (typeof read !== 'string') openings.push(read);
    else problems.push(`spec.syncWindows[${index}].${read}; correct it in AppProject ${project.metadata.name ?? ''}`);
  }
  return { openings, problems };
}

function concerns(window: SyncWindow, app: Application, cluster: WindowCluster): boolean {
  const { destination } = app.spec;
  const clusters = [destination.name, destination.server, cluster.name, cluster.server];
  const lists = [
    [window.applications, [app.metadata.name]],
    [window.clusters, clusters],
    [window.namespaces, [destination.namespace ?? '']],
  ] as const;
  const given = lists.filter(([globs]) => globs !== undefined && globs.length > 0);
  const isMet = ([globs, texts]: (typeof lists)[number]): boolean =>
    globs?.some((glob) => !isGlob(glob) || texts.some((text) => text !== undefined && globMatches(glob, text))) ===
    true;
  return window.andOperator === true ? given.length > 0 && given.every(isMet) : given.some(isMet);
}

/** A window, or what is wrong with it: the field, its value, and why. */
function openingOf(window: SyncWindow): Opening | string {
  const { kind = '', schedule: text = '', duration = '', timeZone = '' } = window;
  const broken = (['applications', 'clusters', 'namespaces'] as const).find((name) =>
    window[name]?.some((glob) => !isGlob(glob)),
  );
  if (broken !== undefined) return `${broken} has a glob that is broken`;
  if (kind !== 'allow' && kind !== 'deny') return `kind is ${quoted(kind)}, but must be allow or deny`;
  const schedule = parseSchedule(text);
  if (typeof schedule === 'string') return `schedule is ${quoted(text)}, ${schedule}`;
  if (nextStart(schedule, 0) === undefined) return `schedule is ${quoted(text)}, but there is no such day`;
  const durationMs = duration.length > longestDuration ? undefined : parseDuration(duration);
  if (durationMs === undefined || durationMs <= 0)
    return `duration is ${quoted(duration)}, but must be a duration above 0, such as 30m or 8h`;
  const zone = timeZone === '' ? 'UTC' : timeZone;
  if (!isTimeZone(zone))
    return `timeZone is ${quoted(timeZone)}, but must be a name of the IANA time zone database, such as Europe/Berlin`;
  return { window, schedule, durationMs, zone };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/**
 * Why a sync may not run now, by Argo CD's rules: an active `deny` wins; else one active `allow` is enough; else any `allow` at all blocks. `manualSync` lets a
 * person's sync through, and `syncOverrun` one that began when it was permitted; of several windows that block, all must say so.
 */
export function blockedBy(windows: Windows, question: WindowQuestion, now: number): Blocked | undefined {
  const { openings, problems } = windows;
  if (problems.length > 0) return { message: problems.join('; '), again: now + dayMs };
  const blocking = blockingAt(openings, question, now);
  if (blocking.length === 0) return undefined;
  const until = now + aheadMs;
  let at = now;
  for (let looked = 0; looked < lookedAtMost && at < until; looked += openings.length) {
    at = Math.min(...openings.map((opening) => edgeOf(opening, at, until)));
    if (blockingAt(openings, question, at).length > 0) continue;
    return { message: told(blocking, at), again: Math.min(at, now + dayMs) };
  }
  return { message: told(blocking, undefined), again: now + dayMs };
}

/** The windows that keep a sync from running; none where it may run. */
function blockingAt(openings: readonly Opening[], question: WindowQuestion, time: number): readonly Opening[] {
  const { manual, startedAt } = question;
  const active = openings.filter((opening) => isActive(opening, time));
  const denying = active.filter(({ window }) => window.kind === 'deny');
  const isAllowed = active.some(({ window }) => window.kind === 'allow');
  const blocking = denying.length > 0 || isAllowed ? denying : openings.filter(({ window }) => window.kind === 'allow');
  if (blocking.length === 0) return [];
  if (manual && blocking.every(({ window }) => window.manualSync === true)) return [];
  const mayOverrun = startedAt !== undefined && blocking.every(({ window }) => window.syncOverrun === true);
  return mayOverrun && blockingAt(openings, { manual }, startedAt).length === 0 ? [] : blocking;
}

/**
 * A window is a time on the wall: it opens when the clocks there show it, and closes when they have gone on by its duration. Where they are put forward over its
 * beginning it opens then; an hour that comes twice opens it twice.
 */
function isActive({ schedule, durationMs, zone }: Opening, time: number): boolean {
  const wall = time + offsetAt(zone, time);
  return nextStart(schedule, wall - durationMs, wall) !== undefined;
}

/** The next time at which a window may open or close or its clocks are changed, `until` at the latest. */
function edgeOf({ schedule, durationMs, zone }: Opening, time: number, until: number): number {
  const offset = offsetAt(zone, time);
  const wall = time + offset;
  const first = nextStart(schedule, wall - durationMs, until + offset) ?? Number.POSITIVE_INFINITY;
  const edge = Math.min(until, (first <= wall ? first + durationMs : first) - offset);
  return changeOfClocks(zone, time, edge) ?? edge;
}

/** The first time after one and up to another at which the clocks of a zone are changed. */
function changeOfClocks(zone: string, from: number, to: number): number | undefined {
  const offset = offsetAt(zone, from);
  for (let low = from; low < to; low += dayMs) {
    let high = Math.min(to, low + dayMs);
    if (offsetAt(zone, high) === offset) continue;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(zone, middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }
  return undefined;
}

function told(blocking: readonly Opening[], until: number | undefined): string {
  const names = blocking.map(({ window: { kind, schedule, duration, description }, zone }) => {
    const why = description ? ` (${quoted(description)})` : '';
    return `${kind} ${schedule} for ${duration}, ${zone}${why}`;
  });
  const shown = names.slice(0, 3).join('; ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  const end = until === undefined ? 'no end of that is in sight' : `it may run from ${timestamp(until)}`;
  return `blocked by sync window ${shown}; ${end}`;
}
