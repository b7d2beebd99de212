import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the chart is. */
export const chartFolder: string = fileURLToPath(new URL('./mooring/', import.meta.url));

/** Every file of the chart as it is on disk, by its path in the chart. */
export function chartFiles(): Record<string, string> {
  const entries = readdirSync(chartFolder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    paths.sort().map((path) => [path.slice(chartFolder.length), readFileSync(path, 'utf8')] as const),
  );
}

/** The values files of `ci/`, one for each way that the chart is meant to be used, by name: `ha` for `ci/ha-values.yaml`. */
export function ciValues(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(chartFiles()).flatMap(([path, text]) => {
      const name = /^ci\/(.+)-values\.yaml$/.exec(path)?.[1];
      return name === undefined ? [] : [[name, text]];
    }),
  );
}
