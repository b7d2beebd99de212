import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Family, formatOf, write } from './exposition.ts';

const families: readonly Family[] = [
  {
    name: 'shop_orders_total',
    help: 'Orders, "all" of them\nby \\ path.',
    type: 'counter',
    values: [{ labels: { path: 'a\\b"c\nd', size: undefined, count: 2 }, value: 3 }],
  },
  {
    name: 'shop_seconds',
    help: 'Seconds.',
    type: 'histogram',
    values: [
      {
        metricName: 'shop_seconds_bucket',
        labels: { le: 0.5 },
        value: 1,
        exemplar: { labelSet: { trace_id: 'ab' }, value: 0.25, timestamp: 12.5 },
      },
      { metricName: 'shop_seconds_bucket', labels: { le: '+Inf' }, value: 2, exemplar: null },
      { metricName: 'shop_seconds_sum', labels: {}, value: Number.POSITIVE_INFINITY },
      { metricName: 'shop_seconds_count', labels: {}, value: 2 },
    ],
  },
  { name: 'shop_carts', help: 'Carts.', type: 'gauge', values: [{ labels: {}, value: Number.NaN }] },
  { name: 'shop_odd', help: 'Odd.', type: 'counter', values: [{ labels: {}, value: -1 }] },
];

test("Prometheus' text format", () => {
  assert.equal(
    write(families, 'text'),
    `# HELP shop_orders_total Orders, "all" of them\\nby \\\\ path.
# TYPE shop_orders_total counter
shop_orders_total{path="a\\\\b\\"c\\nd",count="2"} 3
# HELP shop_seconds Seconds.
# TYPE shop_seconds histogram
shop_seconds_bucket{le="0.5"} 1
shop_seconds_bucket{le="+Inf"} 2
shop_seconds_sum +Inf
shop_seconds_count 2
# HELP shop_carts Carts.
# TYPE shop_carts gauge
shop_carts NaN
# HELP shop_odd Odd.
# TYPE shop_odd counter
shop_odd -1
`,
  );
});

test('OpenMetrics: counters by their bare name, exemplars, and an end', () => {
  assert.equal(
    write(families, 'openmetrics'),
    `# HELP shop_orders Orders, \\"all\\" of them\\nby \\\\ path.
# TYPE shop_orders counter
shop_orders_total{path="a\\\\b\\"c\\nd",count="2"} 3
# HELP shop_seconds Seconds.
# TYPE shop_seconds histogram
shop_seconds_bucket{le="0.5"} 1 # {trace_id="ab"} 0.25 12.5
shop_seconds_bucket{le="+Inf"} 2
shop_seconds_sum +Inf
shop_seconds_count 2
# HELP shop_carts Carts.
# TYPE shop_carts gauge
shop_carts NaN
# HELP shop_odd Odd.
# TYPE shop_odd unknown
shop_odd -1
# EOF
`,
  );
});

test('a scraper gets what it asks for', () => {
  const prometheus = 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;q=0.5';
  assert.equal(formatOf(prometheus), 'openmetrics');
  for (const accept of [undefined, '', '*/*', 'text/plain;version=0.0.4']) assert.equal(formatOf(accept), 'text');
});
