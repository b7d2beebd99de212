import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownServer, type Stage, startStage } from '../harness/stage.ts';
import { type PanelQuery, panelQueries } from './panels.ts';
import { type Prometheus, type Rule, type Series, startPrometheus } from './prometheus.ts';
import { work } from './work.ts';

const root = join(import.meta.dirname, '..', '..');

let stage: Stage;
let prometheus: Prometheus;
/** Seconds since 1970. */
let startedAt: number;

before(async () => {
  stage = await startStage({ name: 'e2e-prometheus', node: 'simulated' });
  startedAt = Date.now() / 1_000;
  prometheus = await startPrometheus({
    target: new URL(stage.operator.url).host,
    labels: { namespace: 'argocd', pod: 'mooring-0' },
    rules: [join(root, 'charts', 'mooring', 'rules', '*.yaml')],
    onProgress: console.error,
  });
  await work(stage, prometheus);
});
after(async () => {
  await prometheus?.stop();
  await stage?.close();
});

/** Asks again until the answer is as it should be, since a rate needs scrapes before and after. Throws what is wrong with the last one. */
async function eventually<T>(ask: () => Promise<T>, problem: (answer: T) => string | undefined): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const answer = await ask();
    const wrong = problem(answer);
    if (wrong === undefined) return answer;
    assert.ok(performance.now() < deadline, wrong);
    await sleep(500);
  }
}

const hasData = (answer: readonly Series[]): boolean =>
  answer.some(({ values }) => values.some(([, value]) => Number.isFinite(Number(value))));

/** The queries that answer nothing, as text. */
async function emptyQueries(queries: readonly PanelQuery[]): Promise<string[]> {
  const empty: string[] = [];
  for (const { board, panel, expr, instant } of queries) {
    const answer = await (instant ? prometheus.query(expr) : prometheus.queryRange(expr, startedAt, 1));
    if (!hasData(answer)) empty.push(`${board}, ${panel}: ${expr}`);
  }
  return empty;
}

function queries(): PanelQuery[] {
  const seconds = String(Math.ceil(Date.now() / 1_000 - startedAt));
  return panelQueries({
    __range: `${seconds}s`,
    __range_s: seconds,
    __rate_interval: '10s',
    project: '.*',
    server: ownServer,
    instance: '.*',
    namespace: 'argocd',
    name: 'unlucky',
  });
}

test('every query of every panel answers with data', async (t) => {
  await eventually(
    () => emptyQueries(queries()),
    (empty) => (empty.length === 0 ? undefined : `without data:\n${empty.join('\n')}`),
  );
  for (const board of ['overview', 'application', 'cluster', 'operator']) {
    const own = queries().filter((query) => query.board === board);
    assert.ok(own.length > 10, board);
    t.diagnostic(`${board}: ${new Set(own.map(({ panel }) => panel)).size} panels, ${own.length} queries`);
  }
});

test('what happened is counted', async () => {
  const value = async (expr: string): Promise<number> => Number((await prometheus.query(expr))[0]?.values[0]?.[1]);
  const shown = async (board: string, panel: string): Promise<number> => {
    const query = queries().find((one) => one.board === board && one.panel === panel);
    assert.ok(query !== undefined, `${board} has no panel ${panel}`);
    // Prometheus extrapolates to both ends of the range.
    return Math.round(await value(query.expr));
  };
  assert.equal(await shown('overview', 'Applications'), 28);
  assert.equal(await value('count(argocd_app_info{name="guest"}) or vector(0)'), 0);
  // The first of the two counts where a scrape came before it.
  const deployments = await shown('application', 'Deployments');
  assert.ok(deployments === 1 || deployments === 2, `${deployments}`);
  assert.equal(await shown('operator', 'Crashes'), 0);
});

/** What alerts are to say of the broken Applications and of an operator that runs. */
const states: Readonly<Record<string, Rule['state']>> = {
  MooringSyncFailing: 'pending',
  MooringApplicationUnknown: 'pending',
  MooringApplicationOutOfSync: 'pending',
  MooringDown: 'inactive',
  MooringNotReady: 'inactive',
  MooringNoLeader: 'inactive',
  MooringTwoLeaders: 'inactive',
  MooringReconcileCrashes: 'inactive',
  MooringClusterUnreachable: 'inactive',
};

/** Waits until every rule is evaluated without an error, and these are in their states. */
async function untilRules(wanted: Readonly<Record<string, Rule['state']>>): Promise<void> {
  await eventually(
    () => prometheus.rules(),
    (rules) => {
      const problems = rules
        .filter(({ name, health, state }) => health !== 'ok' || state !== (wanted[name] ?? state))
        .map(({ name, health, state, lastError }) => `${name}: ${health} ${state} ${lastError ?? ''}`);
      const missing = Object.keys(wanted).filter((name) => !rules.some((rule) => rule.name === name));
      const all = [...problems, ...missing];
      return all.length === 0 ? undefined : all.join('\n');
    },
  );
}

test('every rule is evaluated, and says what is so', async () => {
  await untilRules(states);
  await stage.operator.stop();
  await untilRules({ MooringDown: 'pending' });
});
