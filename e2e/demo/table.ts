import type { Application } from '@mooring/crds';

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

/** The Applications as a table, by name; no line is longer than `width`. */
export function tableOf(apps: readonly Application[], width: number): string[] {
  const sorted = [...apps].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rows = [columns.map(({ title }) => title), ...sorted.map((app) => columns.map(({ value }) => value(app)))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd((widths[index] ?? 0) + 2)));
    return cells
      .join('')
      .replaceAll(/\s+/g, (space) => ' '.repeat(space.length))
      .slice(0, width)
      .trimEnd();
  });
}
