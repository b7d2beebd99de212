/** How metrics are written down. Only OpenMetrics has exemplars. */
export type Format = 'text' | 'openmetrics';

export const contentTypes: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A label that is undefined is left out. */
export type Labels = Readonly<Record<string, string | number | undefined>>;

/** One line of a metric. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it is not the metric's own: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string | undefined;
  readonly exemplar?: Exemplar | null | undefined;
}

/** One observation that a sample counts, by the id of its trace. `timestamp` is in seconds. */
export interface Exemplar {
  readonly labelSet: Labels;
  readonly value: number;
  readonly timestamp?: number | undefined;
}

/** A metric with all its series. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

/** The format that a scraper's `Accept` asks for. */
export function formatOf(accept: string | undefined): Format {
  return accept?.includes('application/openmetrics-text') ? 'openmetrics' : 'text';
}

/**
 * Metrics as Prometheus reads them: its text format, or OpenMetrics 1.0. prom-client can write either, but one registry only one of them, since it takes the
 * `_total` off its counters' names for good (lib/registry.js); and what is kept of a line from scrape to scrape halves the time.
 */
export function write(families: readonly Family[], format: Format): string {
  const isOpen = format === 'openmetrics';
  // One string that grows is quicker here than a list of parts that are joined.
  let body = '';
  for (const { name, help, type, values } of families) {
    const isCounter = type === 'counter' && name.endsWith('_total');
    // OpenMetrics names a counter without its suffix, and knows none that lacks it.
    const family = isOpen && isCounter ? name.slice(0, -'_total'.length) : name;
    body += `# HELP ${family} ${isOpen ? escaped(help) : escapedLine(help)}\n`;
    body += `# TYPE ${family} ${isOpen && type === 'counter' && !isCounter ? 'unknown' : type}\n`;
    for (const { labels, value, metricName, exemplar } of values) {
      const series = type === 'histogram' ? `${metricName ?? name}${labelsText(labels)}` : keptSeries(name, labels);
      body += series;
      body += isOpen && exemplar ? ` ${numberText(value)}${exemplarText(exemplar)}\n` : ` ${numberText(value)}\n`;
    }
  }
  return isOpen ? `${body}# EOF\n` : body;
}

function exemplarText({ labelSet, value, timestamp }: Exemplar): string {
  return ` # ${labelsText(labelSet)} ${numberText(value)}${timestamp === undefined ? '' : ` ${timestamp}`}`;
}

/** The beginnings of lines, by metric: a counter or gauge keeps its labels in one value for as long as the series is there. */
const kept = new Map<string, WeakMap<Labels, string>>();

function keptSeries(name: string, labels: Labels): string {
  const ofMetric = kept.get(name) ?? new WeakMap<Labels, string>();
  kept.set(name, ofMetric);
  const known = ofMetric.get(labels);
  if (known !== undefined) return known;
  // V8 keeps a text that was put together as its parts, and would put it together again in each scrape.
  const text = Buffer.from(name + labelsText(labels)).toString();
  ofMetric.set(labels, text);
  return text;
}

function labelsText(labels: Labels): string {
  let text = '';
  for (const name in labels) {
    const value = labels[name];
    if (value === undefined) continue;
    text += `${text === '' ? '{' : ','}${name}="${typeof value === 'number' ? value : escaped(value)}"`;
  }
  return text === '' ? '' : `${text}}`;
}

function escaped(text: string): string {
  return /["\\\n]/.test(text) ? escapedLine(text).replaceAll('"', '\\"') : text;
}

function escapedLine(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
