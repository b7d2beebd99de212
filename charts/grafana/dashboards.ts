import type { Files } from '../files.ts';
import { application } from './application.ts';
import { type Board, build } from './board.ts';
import { cluster } from './cluster.ts';
import { operator } from './operator.ts';
import { overview } from './overview.ts';

/** The boards by the name of their file. */
const boards: Readonly<Record<string, Board>> = { overview, application, cluster, operator };

/** The boards as Grafana imports them. The chart puts each into a ConfigMap. */
export async function dashboardFiles(): Promise<Files> {
  return Object.fromEntries(
    Object.entries(boards).map(([name, board]) => [
      `mooring/dashboards/${name}.json`,
      `${JSON.stringify(build(board), null, 2)}\n`,
    ]),
  );
}
