import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableCellDisplayMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { green, grey } from './colours.ts';

/** The variable that every board has for its data source. */
export const datasource = { type: 'prometheus', uid: '$datasource' };

/** Width of a board in columns. */
export const columns = 24;

export interface Query {
  readonly expr: string;
  /** `{{label}}` stands for a label's value. */
  readonly legend?: string;
}

interface Common {
  readonly title: string;
  /** What is shown, and what to think of it. */
  readonly description: string;
  /** Grafana's id of the unit: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  readonly unit: string;
  /** Columns. */
  readonly width: number;
  /** Lines of the grid, 30 px each. */
  readonly height?: number;
  readonly decimals?: number;
}

/** From each value on, a colour; the first has no lower bound. */
type Steps = readonly (readonly [from: number | null, colour: string])[];

interface Shared extends Common {
  readonly steps?: Steps;
  readonly mappings?: readonly ValueMapping[];
}

/** What all kinds of panels have in common in the SDK. */
interface AnyBuilder extends Builder<Panel> {
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  decimals(decimals: number): this;
  span(width: number): this;
  height(height: number): this;
  datasource(ref: { type: string; uid: string }): this;
  mappings(mappings: ValueMapping[]): this;
  thresholds(thresholds: ThresholdsConfigBuilder): this;
}

function shared<B extends AnyBuilder>(builder: B, height: number, options: Shared): B {
  const { title, description, unit, width, decimals, steps = [[null, green]], mappings } = options;
  builder
    .title(title)
    .description(description)
    .unit(unit)
    .span(width)
    .height(options.height ?? height)
    .datasource(datasource)
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps(steps.map(([value, color]) => ({ value, color }))),
    );
  if (decimals !== undefined) builder.decimals(decimals);
  if (mappings !== undefined) builder.mappings([...mappings]);
  return builder;
}

function query({ expr, legend }: Query, index: number): DataqueryBuilder {
  const refId = String.fromCharCode('A'.charCodeAt(0) + index);
  const builder = new DataqueryBuilder().refId(refId).datasource(datasource).expr(expr);
  return legend === undefined ? builder : builder.legendFormat(legend);
}

/** One number as it is now, coloured by its steps. */
export function stat(
  options: Shared & { readonly query: Query; readonly noValue?: string; readonly showName?: boolean },
): Panel {
  const builder = shared(new StatBuilder(), 4, options)
    .withTarget(query(options.query, 0).instant())
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .textMode(options.showName ? BigValueTextMode.Name : BigValueTextMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  if (options.noValue !== undefined) builder.noValue(options.noValue);
  return builder.build();
}

interface GraphOptions extends Shared {
  readonly queries: readonly Query[];
  /** Shortest step, for what happens seldom: `5m`. */
  readonly interval?: string;
  readonly bars?: boolean;
  readonly stacked?: boolean;
  /** Colours of series by their legend. */
  readonly colours?: Readonly<Record<string, string>>;
  readonly max?: number;
  /** Units of series that are not the panel's, by legend; they are drawn to an axis on the right. */
  readonly right?: Readonly<Record<string, string>>;
  readonly legendRight?: boolean;
}

/** Values over time. Steps are drawn as dashed lines. */
export function graph(options: GraphOptions): Panel {
  const { queries, interval, bars = false, stacked = false, colours = {}, right = {} } = options;
  // Bars of neighbouring times share a scrape, so that their sum would be too much.
  const calcs = bars ? [] : ['mean', 'max', 'lastNotNull'];
  const builder = shared(new GraphBuilder(), 8, options)
    .targets(queries.map((one, index) => query(one, index).range()))
    .min(0)
    .lineWidth(bars ? 0 : 1)
    .fillOpacity(bars ? 80 : stacked ? 40 : 8)
    .drawStyle(bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    // What happens seldom leaves holes; a line over them shows how it goes.
    .spanNulls(true)
    .showPoints(VisibilityMode.Auto)
    .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None).group('A'))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(bars ? LegendDisplayMode.List : LegendDisplayMode.Table)
        .placement(options.legendRight ? LegendPlacement.Right : LegendPlacement.Bottom)
        .calcs(calcs)
        .sortBy('Last *')
        .sortDesc(true),
    );
  if (options.steps !== undefined)
    builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  if (options.max !== undefined) builder.max(options.max);
  if (interval !== undefined) builder.interval(interval);
  for (const [legend, fixedColor] of Object.entries(colours))
    builder.overrideByName(legend, [{ id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor } }]);
  for (const [legend, unit] of Object.entries(right))
    builder.overrideByName(legend, [
      { id: 'unit', value: unit },
      { id: 'custom.axisPlacement', value: AxisPlacement.Right },
    ]);
  return builder.build();
}

/** How the observations of a histogram are spread over time; `expr` keeps its buckets (`by (le)`). */
export function heatmap(options: Common & { readonly expr: string; readonly interval: string }): Panel {
  const { unit, expr, interval } = options;
  return shared(new HeatmapBuilder(), 8, options)
    .withTarget(query({ expr, legend: '{{le}}' }, 0).range().format(PromQueryFormat.Heatmap))
    .interval(interval)
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Greens').steps(32))
    .yAxis(new YAxisConfigBuilder().unit(unit).axisPlacement(AxisPlacement.Left))
    .build();
}

/** States over time, a lane a query. */
export function timeline(options: Shared & { readonly queries: readonly Query[] }): Panel {
  return shared(new TimelineBuilder(), 6, options)
    .targets(options.queries.map((one, index) => query(one, index).range()))
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .lineWidth(0)
    .fillOpacity(80)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(LegendDisplayMode.Hidden)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .build();
}

/** A column of a table: a label of the queries' series, or a value: `Value` of the only query, `Value #A` of the first of several. */
export interface Column {
  readonly field: string;
  readonly title: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly mapping?: ValueMapping;
  readonly steps?: Steps;
  /** Address that a click on a cell leads to. */
  readonly link?: { readonly title: string; readonly url: string };
  /** Pixels. */
  readonly width?: number;
}

/** One row for each combination of labels, joined over all queries. Other fields than the columns' are hidden. */
export function table(
  options: Common & {
    readonly queries: readonly Query[];
    readonly columns: readonly Column[];
    /** Title of a column. Of statuses the first in the alphabet is the worst: Degraded, OutOfSync. */
    readonly sortBy?: string;
    readonly noValue?: string;
  },
): Panel {
  const { queries, columns } = options;
  const fields = columns.map(({ field }) => field);
  const builder = shared(new TableBuilder(), 10, options)
    .targets(queries.map((one, index) => query(one, index).instant().format(PromQueryFormat.Table)))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .filterable(true)
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'filterFieldsByName', options: { include: { names: fields } } })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(fields.map((field, index) => [field, index])),
        renameByName: Object.fromEntries(columns.map(({ field, title }) => [field, title])),
      },
    });
  if (options.sortBy !== undefined)
    builder.sortBy([new TableSortByFieldStateBuilder().displayName(options.sortBy).desc(false)]);
  if (options.noValue !== undefined) builder.noValue(options.noValue);
  for (const column of columns) {
    const properties = columnProperties(column);
    if (properties.length > 0) builder.overrideByName(column.title, properties);
  }
  return builder.build();
}

function columnProperties({ unit, decimals, mapping, steps, link, width }: Column): DynamicConfigValue[] {
  const properties: DynamicConfigValue[] = [];
  if (unit !== undefined) properties.push({ id: 'unit', value: unit });
  if (decimals !== undefined) properties.push({ id: 'decimals', value: decimals });
  if (width !== undefined) properties.push({ id: 'custom.width', value: width });
  if (link !== undefined) {
    const { title, url } = link;
    properties.push({ id: 'links', value: [new DashboardLinkBuilder(title).url(url).build()] });
  }
  if (mapping !== undefined) properties.push({ id: 'mappings', value: [mapping] });
  if (steps !== undefined)
    properties.push({
      id: 'thresholds',
      value: { mode: ThresholdsMode.Absolute, steps: steps.map(([value, color]) => ({ value, color })) },
    });
  if (mapping !== undefined || steps !== undefined) {
    properties.push({ id: 'custom.cellOptions', value: { type: TableCellDisplayMode.ColorText } });
    // Without a match the text has no meaning that a colour would tell.
    if (steps === undefined)
      properties.push({
        id: 'thresholds',
        value: { mode: ThresholdsMode.Absolute, steps: [{ value: null, color: grey }] },
      });
  }
  return properties;
}
