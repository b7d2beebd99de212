import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
}

interface Cases {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

const root = join(import.meta.dirname, '..', '..');
const runbooks = join('docs', 'runbooks');

function readAll<T>(folder: string, end: string): T[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(end))
    .map((name) => parse(readFileSync(join(root, folder, name), 'utf8')) as T);
}

const alerts = readAll<Rules>('charts/mooring/rules', '.yaml').flatMap(({ groups }) =>
  groups.flatMap(({ rules }) => rules),
);
const names = alerts.map(({ alert }) => alert);
const cases = readAll<Cases>('charts/alerts', '.test.yaml').flatMap(({ tests }) =>
  tests.flatMap(({ alert_rule_test }) => alert_rule_test),
);

test('every alert says how bad it is, what it is about and where to read on', () => {
  assert.equal(new Set(names).size, names.length, 'two alerts have one name');
  for (const { alert, labels, annotations } of alerts) {
    assert.match(alert, /^Mooring[A-Z]/);
    assert.deepEqual(Object.keys(labels), ['severity'], alert);
    assert.ok(['critical', 'warning', 'info'].includes(labels['severity'] ?? ''), alert);
    assert.deepEqual(Object.keys(annotations), ['summary', 'description', 'runbook_url'], alert);
    assert.equal(
      annotations['runbook_url'],
      `https://github.com/mooring-cd/mooring/blob/main/docs/runbooks/${alert}.md`,
    );
  }
});

test('every alert has its runbook, and every runbook its alert', () => {
  const pages = readdirSync(join(root, runbooks)).map((name) => name.replace(/\.md$/, ''));
  assert.deepEqual(pages.sort(), [...names].sort());
});

test('every runbook has the same parts', () => {
  for (const name of names) {
    const text = readFileSync(join(root, runbooks, `${name}.md`), 'utf8');
    const heads = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, head]) => head);
    assert.deepEqual(heads, [name, 'Meaning', 'Impact', 'Find the cause', 'Mend'], name);
  }
});

test('the table of alerts is complete', () => {
  const text = readFileSync(join(root, 'docs', 'monitoring.md'), 'utf8');
  const rows = Array.from(
    text.matchAll(/^\| \[(Mooring\w+)\]\(runbooks\/\1\.md\) \| (\w+) \|/gm),
    ([, name, severity]) => [name, severity].join(' '),
  );
  assert.deepEqual(rows.sort(), alerts.map(({ alert, labels }) => `${alert} ${labels['severity']}`).sort());
});

test('every alert has a case that fires and one that does not', () => {
  for (const name of names) {
    const own = cases.filter(({ alertname }) => alertname === name);
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${name} fires in no case`,
    );
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${name} is silent in no case`,
    );
  }
  assert.deepEqual(
    cases.filter(({ alertname }) => !names.includes(alertname)),
    [],
  );
});

test('rules keep the labels that tell installations apart: one Prometheus may see several', () => {
  for (const { alert, expr } of alerts) assert.doesNotMatch(expr, /\bby \(|\bon \([a-z]/, alert);
});
