import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { columns, datasource } from './panels.ts';

/** Common to all boards: the list in their heads shows those that have it. */
const tag = 'mooring';

export interface Row {
  readonly title: string;
  /** Laid out from left to right, and in a new line where one is full. */
  readonly panels: readonly Panel[];
}

/** A choice at the head of a board, of the values that a label has. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** `label_values(metric, label)` */
  readonly values: string;
  /** Several values and `All` may be chosen; queries use it with `=~`. */
  readonly several: boolean;
}

export interface Board {
  /** Part of the board's address: it never changes. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** The board as Grafana reads it. */
export function build(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags([tag])
    .timezone('browser')
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-24h', to: 'now' })
    .refresh('1m')
    .link(
      new DashboardLinkBuilder('Mooring')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const variable of board.variables) builder.withVariable(queryVariable(variable));
  const dashboard = builder.build();
  dashboard.panels = layOut(board.rows);
  return dashboard;
}

function queryVariable({ name, label, values, several }: Variable): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query: values, refId: 'variable' })
    .definition(values)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalCaseInsensitiveAsc)
    .multi(several)
    .includeAll(several);
  if (!several) return builder;
  return builder.allValue('.*').current({ selected: true, text: 'All', value: '$__all' });
}

function layOut(rows: readonly Row[]): NonNullable<Dashboard['panels']> {
  const laid: NonNullable<Dashboard['panels']> = [];
  let y = 0;
  for (const { title, panels } of rows) {
    const head = new RowBuilder(title).id(laid.length + 1).gridPos({ x: 0, y, w: columns, h: 1 });
    laid.push(head.build());
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const panel of panels) {
      const { w = columns, h = 0 } = panel.gridPos ?? {};
      if (x + w > columns) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      laid.push({ ...panel, id: laid.length + 1, gridPos: { x, y, w, h } });
      x += w;
      lineHeight = Math.max(lineHeight, h);
    }
    y += lineHeight;
  }
  return laid;
}

/** For a cell: address of a board whose variables are set to the values that the row has in these columns. Data source and time range stay. */
export function boardAddress(uid: string, variables: Readonly<Record<string, string>>): string {
  const set = Object.entries(variables).map(
    ([name, column]) => `var-${name}=\${__data.fields.${column}:percentencode}`,
  );
  return `/d/${uid}?\${__url_time_range}&var-datasource=\${datasource}&${set.join('&')}`;
}
