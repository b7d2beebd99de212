import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const dashboards = join(import.meta.dirname, '..', '..', 'charts', 'mooring', 'dashboards');

/** One query of a panel, as Grafana would send it. */
export interface PanelQuery {
  /** Name of the board's file, without its ending. */
  readonly board: string;
  readonly panel: string;
  readonly expr: string;
  /** Whether it asks for now and not for the whole time. */
  readonly instant: boolean;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly instant?: boolean }[];
}

/** Every query of every board. `values` are what is chosen for the variables, also for Grafana's own. Throws where a query has another. */
export function panelQueries(values: Readonly<Record<string, string>>): PanelQuery[] {
  return readdirSync(dashboards).flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(dashboards, file), 'utf8')) as { panels: readonly Panel[] };
    return panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, instant = false }) => ({
        board: file.replace(/\.json$/, ''),
        panel: title,
        expr: substitute(expr, values),
        instant,
      })),
    );
  });
}

function substitute(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replaceAll(/\$(\w+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`no value for the variable ${name} of ${expr}`);
    return value;
  });
}
