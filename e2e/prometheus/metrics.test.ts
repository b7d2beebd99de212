import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { definitions } from '@mooring/operator/adapters/telemetry/definitions.ts';
import { createMetrics } from '@mooring/operator/adapters/telemetry/metrics.ts';
import { parse } from 'yaml';

const chart = join(import.meta.dirname, '..', '..', 'charts', 'mooring');

/** Labels that Prometheus gives to what it scrapes, and those of histograms. */
const everywhere = ['namespace', 'job', 'pod', 'instance', 'le', 'container', 'endpoint', 'node', 'service'];

/** Name to labels: of our own definitions, of what prom-client tells of any program, and of the one metric of others. */
const known = new Map<string, readonly string[]>();
for (const { name, type, labels } of definitions) {
  const names = type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name];
  for (const one of names) known.set(one, labels);
}
for (const line of (await createMetrics().scrape()).body.split('\n')) {
  const [, name, labels = ''] = /^((?:nodejs|process)_\w+)(?:\{(.*)\})? /.exec(line) ?? [];
  if (name !== undefined)
    known.set(
      name,
      Array.from(labels.matchAll(/(\w+)=/g), ([, label = '']) => label),
    );
}
// Observed when the first collection ends.
for (const part of ['bucket', 'sum', 'count']) known.set(`nodejs_gc_duration_seconds_${part}`, ['kind']);
known.set('kube_pod_container_resource_limits', ['resource', 'unit', 'uid']);

/** Every string of a value, however deep, below these keys. */
function* textsOf(value: unknown, keys: readonly string[]): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (typeof child === 'string' && keys.includes(key)) yield child;
    else yield* textsOf(child, keys);
  }
}

const expressions = ['dashboards', 'rules'].flatMap((folder) =>
  readdirSync(join(chart, folder)).flatMap((file) => {
    const content: unknown = parse(readFileSync(join(chart, folder, file), 'utf8'));
    return Array.from(textsOf(content, ['expr', 'definition']), (expr) => ({ file, expr }));
  }),
);

test('boards and rules ask for metrics and labels that there are', () => {
  assert.ok(expressions.length > 100, `only ${expressions.length} expressions were found`);
  const unknown: string[] = [];
  for (const { file, expr } of expressions) {
    const labels = new Set(everywhere);
    for (const [, name = '', matchers = ''] of expr.matchAll(
      /\b((?:argocd|mooring|nodejs|process|kube)_\w+)(?:\{([^}]*)\})?/g,
    )) {
      const own = known.get(name);
      if (own === undefined) unknown.push(`${file}: ${name}`);
      for (const label of own ?? []) labels.add(label);
      for (const [, label = ''] of matchers.matchAll(/(\w+)\s*[=!]~?/g)) {
        if (![...everywhere, ...(own ?? [])].includes(label)) unknown.push(`${file}: ${name} has no label ${label}`);
      }
    }
    for (const [, list = ''] of expr.matchAll(/\b(?:by|on|without|ignoring) \(([^)]+)\)/g)) {
      for (const label of list.split(',').map((one) => one.trim())) {
        if (!labels.has(label)) unknown.push(`${file}: no metric of ${expr} has a label ${label}`);
      }
    }
    const [, label] = /^label_values\(.*, (\w+)\)$/.exec(expr) ?? [];
    if (label !== undefined && !labels.has(label)) unknown.push(`${file}: ${expr}`);
  }
  assert.deepEqual(unknown, []);
});
