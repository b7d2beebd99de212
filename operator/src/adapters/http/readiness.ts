import type { Clock } from '../../world/clock.ts';
import type { Check, Problem, Report } from '../../world/readiness.ts';
import type { Log } from '../../world/telemetry.ts';
import type { HttpAnswer, Route } from './server.ts';

/** Whether the operator can do its work, and what is missing. */
export interface Readiness {
  /** Takes what is wrong; each new problem is logged and told once, and one line says when all is well again. */
  readonly report: Report;
  isReady(): boolean;
  /** Not ready from now on, whatever else is said. */
  stop(): void;
  /** `/livez`, `/readyz` and `/healthz`. */
  readonly routes: readonly Route[];
}

export interface ReadinessOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Tells people of a problem by an Event. */
  tell(problem: Problem): void;
  /** Milliseconds for which an API server that was there before may be gone. */
  readonly outageMs: number;
}

/** What is said of a check of which nothing is known yet; where undefined, that is no obstacle. */
const beforehand: Readonly<Record<Check, string | undefined>> = {
  'api-server': 'it has not answered yet',
  permissions: 'not looked at yet',
  crds: 'not looked at yet',
  settings: 'not read yet',
  'default-project': undefined,
  'other-controllers': undefined,
  controllers: "the view of Mooring's own objects is not complete yet",
  caches: 'not every Application has been looked at yet',
};

/** What is wrong there is told, and keeps nothing from going on: a typo in a setting is no reason to take every replica away. */
const harmless: ReadonlySet<Check> = new Set<Check>(['settings']);

interface State {
  problems: readonly Problem[] | undefined;
  notes: readonly string[];
  /** When the first of the present problems began. */
  since: number;
  /** Until when they are no obstacle yet. */
  tolerableUntil: number;
  /** What was told since all was well. An API server that comes and goes may fail in several ways, over and over. */
  readonly told: Set<string>;
}

/** Problems that are told before all is well again; with their texts this bounds what an outage of days may log. */
const toldAtMost = 20;
const bodyBytes = 1_024;

export function createReadiness({ clock, log, tell, outageMs }: ReadinessOptions): Readiness {
  const names = Object.keys(beforehand) as readonly Check[];
  const states = new Map<Check, State>(
    names.map((name) => [name, { problems: undefined, notes: [], since: 0, tolerableUntil: 0, told: new Set() }]),
  );

  function report(check: Check, problems: readonly Problem[], notes: readonly string[] = []): void {
    const state = states.get(check) as State;
    state.notes = notes;
    if (problems.length > 0 && (state.problems ?? []).length === 0) {
      state.since = clock.now();
      // Without this all replicas would be unready at the same time, for what none of them can help.
      const isOutage = check === 'api-server' && state.problems !== undefined;
      state.tolerableUntil = isOutage ? state.since + outageMs : 0;
    }
    state.problems = problems;
    for (const problem of problems) {
      const text = `${problem.reason} ${problem.message}`;
      if (state.told.has(text) || state.told.size >= toldAtMost) continue;
      state.told.add(text);
      log.warn({ check, reason: problem.reason }, problem.message);
      tell(problem);
    }
    if (problems.length > 0 || state.told.size === 0) return;
    state.told.clear();
    log.info({ check, lastedMs: clock.now() - state.since }, `${check}: all is well again`);
  }

  /** What is wrong, line by line, and whether that is an obstacle. */
  function verdict(check: Check): { readonly lines: readonly string[]; readonly isMet: boolean } {
    const { problems, tolerableUntil } = states.get(check) as State;
    if (problems === undefined) {
      const line = beforehand[check];
      return { lines: line === undefined ? [] : [line], isMet: line === undefined };
    }
    const lines = problems.map(({ message }) => message.replaceAll('\n', ' '));
    return { lines, isMet: lines.length === 0 || harmless.has(check) || clock.now() < tolerableUntil };
  }

  let isStopping = false;
  function isReady(): boolean {
    return !isStopping && names.every((name) => verdict(name).isMet);
  }

  function readyz(isVerbose: boolean): HttpAnswer {
    if (isStopping) return { status: 503, body: 'stopping\n' };
    const verdicts = names.map((name) => ({ name, ...verdict(name) }));
    const ready = verdicts.every(({ isMet }) => isMet);
    const text = isVerbose
      ? verdicts.flatMap(({ name, lines, isMet }) => {
          const how = harmless.has(name) ? 'goes on without' : 'tolerated for now';
          const told = lines.map((line) => (isMet ? `[+]${name} ${how}: ${line}` : `[-]${name}: ${line}`));
          const notes = (states.get(name)?.notes ?? []).map((note) => `[+]${name} note: ${note}`);
          return [...(lines.length === 0 ? [`[+]${name} ok`] : told), ...notes];
        })
      : verdicts.flatMap(({ name, lines }) => lines.map((line) => `${name}: ${line}`));
    const end = isVerbose ? [`readyz check ${ready ? 'passed' : 'failed'}`] : ready ? ['ok'] : [];
    return { status: ready ? 200 : 503, body: `${[...text, ...end].join('\n')}\n` };
  }

  const alive: HttpAnswer = { status: 200, body: 'ok\n' };
  return {
    report,
    isReady,
    stop: () => {
      isStopping = true;
    },
    routes: [
      // That the event loop comes to answer is all that a restart could mend.
      { method: 'GET', path: '/livez', bodyBytes, answer: () => alive },
      { method: 'GET', path: '/readyz', bodyBytes, answer: ({ query }) => readyz(query.has('verbose')) },
      // Argo CD's address; with `full=true` it looks deeper there, too.
      {
        method: 'GET',
        path: '/healthz',
        bodyBytes,
        answer: ({ query }) => (query.get('full') === 'true' ? readyz(query.has('verbose')) : alive),
      },
    ],
  };
}
