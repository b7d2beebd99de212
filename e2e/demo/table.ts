import type { Application } from '@mooring/crds';
import { isSettled } from '../harness/applications.ts';

/** Colours a cell of the table by its text; what it answers is as wide on a terminal. */
export type Paint = (text: string) => string;

/** Columns of the table, left to right; the last takes what is left of the line. */
const columns: readonly { readonly title: string; readonly value: (app: Application) => string }[] = [
  { title: 'APPLICATION', value: ({ metadata }) => metadata.name ?? '' },
  { title: 'REVISION', value: ({ status }) => status?.sync?.revision?.slice(0, 7) ?? '' },
  { title: 'SYNC', value: ({ status }) => status?.sync?.status ?? '' },
  { title: 'HEALTH', value: ({ status }) => status?.health?.status ?? '' },
  { title: 'LAST MESSAGE', value: lastMessage },
];

function lastMessage({ status }: Application): string {
  const condition = status?.conditions?.[0];
  if (condition !== undefined) return `${condition.type}: ${condition.message}`;
  return status?.operationState?.message ?? '';
}

/**
 * The Applications as a table, by name; no line is wider than `width`. Where there are more than `rows` lines, those that are not Synced and Healthy
 * are shown first, and the last line counts the others.
 */
export function tableOf(
  apps: readonly Application[],
  width: number,
  rows: number = Number.POSITIVE_INFINITY,
  paint: Paint = (text) => text,
): string[] {
  const byName = [...apps].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const shown =
    byName.length < rows
      ? byName
      : [...byName.filter((app) => !isSettled(app)), ...byName.filter((app) => isSettled(app))].slice(0, rows - 2);
  const cells = [columns.map(({ title }) => title), ...shown.map((app) => columns.map(({ value }) => value(app)))];
  // Of all of them, so that nothing moves when others are shown.
  const widths = columns.map(({ title, value }) => Math.max(title.length, ...byName.map((app) => value(app).length)));
  const lines = cells.map((row) => lineOf(row, widths, width, paint));
  const more = byName.length - shown.length;
  return more === 0 ? lines : [...lines, `… and ${more} more`.slice(0, width)];
}

function lineOf(row: readonly string[], widths: readonly number[], width: number, paint: Paint): string {
  let line = '';
  let used = 0;
  for (const [index, cell] of row.entries()) {
    const text = cell.replaceAll(/\s/g, ' ').slice(0, width - used);
    const gap = index === row.length - 1 ? 0 : Math.min((widths[index] ?? 0) + 2, width - used) - text.length;
    line += `${paint(text)}${' '.repeat(gap)}`;
    used += text.length + gap;
  }
  return line.trimEnd();
}
