/** One measured quantity, as one JSON line. */
export interface Figure {
  readonly figure: string;
  readonly unit: 'ms' | 's' | 'MB' | '%';
  /** Every run's value, in order. */
  readonly runs: readonly number[];
  /** What the project promises, where it does. */
  readonly limit?: number;
}

/** The middle of the values; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** `{"figure":…,"unit":…,"median":…,"min":…,"max":…,"runs":…,"limit":…,"kept":…}` */
export function lineOf({ figure, unit, runs, limit }: Figure): string {
  const round = (value: number): number => Math.round(value * 100) / 100;
  const middle = median(runs);
  return JSON.stringify({
    figure,
    unit,
    median: round(middle),
    min: round(Math.min(...runs)),
    max: round(Math.max(...runs)),
    runs: runs.length,
    ...(limit !== undefined && { limit, kept: middle <= limit }),
  });
}
