import { bucketSets, definitions, labelMeanings, type MetricDefinition } from './definitions.ts';

/** The page `docs/reference/metrics.md`. Throws where a label has no meaning, or a meaning no label. */
export function metricsPage(): string {
  const used = new Set(definitions.flatMap(({ labels }) => labels));
  const known = Object.keys(labelMeanings);
  const missing = [...used].filter((label) => !known.includes(label));
  const spare = known.filter((label) => !used.has(label));
  if (missing.length > 0) throw new Error(`labelMeanings in definitions.ts lacks ${missing.join(', ')}`);
  if (spare.length > 0) throw new Error(`labelMeanings in definitions.ts has ${spare.join(', ')}, which no metric has`);
  const argo = definitions.filter((definition) => definition.of === 'Argo CD');
  const own = definitions.filter((definition) => definition.of === 'Mooring');
  const labels = [...used].sort().map((label) => `| \`${label}\` | ${labelMeanings[label]} |`);
  return `<!-- Written by \`make reference\`. Change operator/src/adapters/telemetry/, not this file. -->

# Metrics

\`GET /metrics\` answers in Prometheus' text format, or in OpenMetrics where the scraper's \`Accept\` asks for it, as Prometheus does. Only OpenMetrics carries exemplars: a histogram marked with ◆ has the id of a trace as \`trace_id\`, where traces are recorded.

Metrics marked with ★ are about Applications and clusters, and told by the replica that leads alone, so that sums over replicas are right; all others are about the process. Series of an Application, a cluster or a repository go when it does.

## Argo CD's

Names and labels are Argo CD's, so that its dashboards and alerts work. All are on this one port, where Argo CD has one for each of its programs.

${table(argo)}

## Mooring's own

${table(own)}

## Node's

\`nodejs_*\` and \`process_*\`, as prom-client makes them: \`nodejs_eventloop_lag_*_seconds\`, \`nodejs_gc_duration_seconds\`, \`nodejs_heap_*\`, \`process_cpu_*_seconds_total\`, \`process_resident_memory_bytes\`, \`process_open_fds\` and more.

## Labels

| label | value |
|---|---|
${labels.join('\n')}

## What is chosen

| flag | key of \`argocd-cmd-params-cm\` | default |
|---|---|---|
| \`--metrics-application-labels\` | \`controller.metrics.application.labels\` | none |
| \`--metrics-application-conditions\` | \`controller.metrics.application.conditions\` | all |
| \`--metrics-cluster-labels\` | \`controller.metrics.cluster.labels\` | none |

Each is a list with commas between. A flag overrules its key; a key takes effect at once.
`;
}

function table(chosen: readonly MetricDefinition[]): string {
  const rows = chosen.map(({ name, type, unit, help, labels, buckets, exemplars, leader }) => {
    const marks = `${leader ? ' ★' : ''}${exemplars ? ' ◆' : ''}`;
    const bounds = buckets === undefined ? '' : ` Buckets: ${bucketSets[buckets].join(', ')}.`;
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\`${marks} | ${type}${unit === undefined ? '' : `, ${unit}`} | ${names} | ${help.replaceAll('<error>', '`<error>`')}${bounds} |`;
  });
  return ['| metric | type | labels | what |', '|---|---|---|---|', ...rows].join('\n');
}
