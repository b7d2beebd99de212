import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboardFiles } from './dashboards.ts';
import { columns } from './panels.ts';

const boards = Object.entries(await dashboardFiles()).map(
  ([path, text]) => [basename(path), JSON.parse(text) as Dashboard] as const,
);

/** Variables of Grafana itself that queries and links may use. */
const builtIn = new Set(['__range', '__range_s', '__rate_interval', '__url_time_range', '__data']);

const all = (board: Dashboard): readonly Panel[] => (board.panels ?? []) as Panel[];
const panelsOf = (board: Dashboard): readonly Panel[] => all(board).filter(({ type }) => type !== 'row');
const queriesOf = (panel: Panel): readonly Record<string, unknown>[] =>
  (panel.targets ?? []) as unknown as Record<string, unknown>[];
const variablesOf = (board: Dashboard): readonly string[] => board.templating?.list?.map(({ name }) => name) ?? [];

test('boards have addresses of their own, and are found together', () => {
  const uids = boards.map(([, { uid }]) => uid);
  assert.equal(new Set(uids).size, uids.length);
  assert.deepEqual(
    uids.filter((uid) => !/^mooring-[a-z]+$/.test(uid ?? '')),
    [],
  );
  for (const [name, { tags, timezone }] of boards) {
    assert.deepEqual(tags, ['mooring'], name);
    assert.equal(timezone, 'browser', name);
  }
});

for (const [name, board] of boards) {
  test(`${name}: panels lie side by side`, () => {
    const ids = all(board).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'two panels have one id');
    const taken = new Map<string, string>();
    for (const { title = '', gridPos } of all(board)) {
      assert.ok(gridPos !== undefined, title);
      const [right, bottom] = [gridPos.x + gridPos.w, gridPos.y + gridPos.h];
      assert.ok(right <= columns, `${title} is wider than the board`);
      for (let x = gridPos.x; x < right; x++) {
        for (let y: number = gridPos.y; y < bottom; y++) {
          assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies on another panel`);
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  test(`${name}: every panel says what it shows`, () => {
    for (const panel of panelsOf(board)) {
      const { title = '', description = '', fieldConfig } = panel;
      assert.ok(description.length > 10, `${title} has no description`);
      assert.ok(fieldConfig?.defaults.unit, `${title} has no unit`);
      assert.ok(queriesOf(panel).length > 0, `${title} has no query`);
      for (const { expr, legendFormat } of queriesOf(panel)) {
        if (['timeseries', 'state-timeline', 'heatmap'].includes(panel.type))
          assert.ok(legendFormat !== undefined, `${title}: ${expr} has no legend`);
      }
    }
  });

  test(`${name}: queries use the chosen data source and range, whatever the job is called`, () => {
    for (const panel of panelsOf(board)) {
      assert.deepEqual(panel.datasource, { type: 'prometheus', uid: '$datasource' }, panel.title ?? '');
      for (const query of queriesOf(panel)) {
        const expr = String(query['expr']);
        assert.deepEqual(query['datasource'], panel.datasource, expr);
        assert.doesNotMatch(expr, /\bjob\b/);
        const windows = Array.from(expr.matchAll(/\[([^\]]+)\]/g), ([, window]) => window);
        const fitting = ['$__rate_interval', '$__range', '1d'];
        assert.deepEqual(
          windows.filter((window) => !fitting.includes(window ?? '')),
          [],
          expr,
        );
      }
    }
  });

  test(`${name}: every variable that is used is there, and the other way round`, () => {
    const variables = variablesOf(board);
    const { templating, ...rest } = board;
    const used = Array.from(JSON.stringify(rest).matchAll(/\$\{?([a-zA-Z_]+)/g), ([, variable = '']) => variable);
    assert.deepEqual(
      used.filter((variable) => !variables.includes(variable) && !builtIn.has(variable)),
      [],
    );
    assert.deepEqual(
      variables.filter((variable) => !used.includes(variable)),
      [],
    );
  });
}

test('links lead to a board and set variables that it has', () => {
  const links = Array.from(JSON.stringify(boards).matchAll(/"\/d\/([\w-]+)\?([^"]+)"/g));
  assert.ok(links.length > 0);
  for (const [, uid, query = ''] of links) {
    const target = boards.find(([, other]) => other.uid === uid)?.[1];
    assert.ok(target !== undefined, `there is no board ${uid}`);
    for (const [, variable = ''] of query.matchAll(/var-(\w+)=/g))
      assert.ok(variablesOf(target).includes(variable), `${uid} has no variable ${variable}`);
  }
});
