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
 * `_total` off its counters' names for good (lib/registry.js); and this is twice as quick where a series keeps its labels' text.
 */
export function write(families: readonly Family[], format: Format): string {
  const parts: string[] = [];
  for (const { name, help, type, values } of families) {
    const isOpen = format === 'openmetrics';
    const isCounter = type === 'counter' && name.endsWith('_total');
    // OpenMetrics names a counter without its suffix, and knows none that lacks it.
    const family = isOpen && isCounter ? name.slice(0, -'_total'.length) : name;
    parts.push(`# HELP ${family} ${isOpen ? escaped(help) : escapedLine(help)}\n`);
    parts.push(`# TYPE ${family} ${isOpen && type === 'counter' && !isCounter ? 'unknown' : type}\n`);
    for (const { labels, value, metricName, exemplar } of values) {
      const text = type === 'histogram' ? labelsText(labels) : keptLabelsText(labels);
      parts.push(`${metricName ?? name}${text} ${numberText(value)}`);
      if (isOpen && exemplar) {
        const { labelSet, value: observed, timestamp } = exemplar;
        parts.push(
          ` # ${labelsText(labelSet)} ${numberText(observed)}${timestamp === undefined ? '' : ` ${timestamp}`}`,
        );
      }
      parts.push('\n');
    }
  }
  if (format === 'openmetrics') parts.push('# EOF\n');
  return parts.join('');
}

/** A counter or gauge keeps its labels in one value for as long as the series is there. */
const texts = new WeakMap<Labels, string>();

function keptLabelsText(labels: Labels): string {
  const known = texts.get(labels);
  if (known !== undefined) return known;
  const made = labelsText(labels);
  texts.set(labels, made);
  return made;
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
