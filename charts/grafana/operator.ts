import type { Board } from './board.ts';
import { codeColours, green, grey, numberMapping, red, yellow } from './colours.ts';
import { graph, stat, timeline } from './panels.ts';
import { total } from './series.ts';

const chosen = 'instance=~"$instance"';
/** Many programs have these metrics: only those of Mooring, which alone has `mooring_ready`. */
const ofMooring = (expr: string, ...ownLabels: readonly string[]): string =>
  `${expr} and${ownLabels.length > 0 ? ` ignoring (${ownLabels.join(', ')})` : ''} mooring_ready{${chosen}}`;
/** Prometheus in Kubernetes knows the pod, any other only the address. */
const replica = '{{pod}} {{instance}}';
const rate = (metric: string, by: string, matchers = ''): string =>
  `sum by (${by}) (rate(${metric}{${chosen}${matchers}}[$__rate_interval]))`;
const quantile = (q: number, metric: string, by = ''): string =>
  `histogram_quantile(${q}, sum by (${by}le) (rate(${metric}_bucket{${chosen}}[$__rate_interval])))`;
const timesInRange = (metric: string, matchers = ''): string =>
  `sum(increase(${metric}{${chosen}${matchers}}[$__range])) or vector(0)`;

const megabyte = 1024 * 1024;

export const operator: Board = {
  uid: 'mooring-operator',
  title: 'Mooring / Operator',
  description: 'The program itself: its replicas, queues, renders, caches, memory, and what it asks of others.',
  variables: [{ name: 'instance', label: 'Replica', values: 'label_values(mooring_ready, instance)', several: true }],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Ready replicas',
          description: 'Replicas that could take over, the leader included.',
          unit: 'short',
          width: 3,
          steps: [
            [null, red],
            [1, green],
          ],
          query: { expr: `sum(mooring_ready{${chosen}}) or vector(0)` },
        }),
        stat({
          title: 'Leaders',
          description:
            'Exactly one replica of each installation leads. None: nothing is synced; two: one of them is wrong.',
          unit: 'short',
          width: 3,
          steps: [
            [null, red],
            [1, green],
            [2, red],
          ],
          query: { expr: `${total('mooring_leader')} or on () vector(0)` },
        }),
        stat({
          title: 'Waiting',
          description: 'Runs that are due and have not begun, in both queues.',
          unit: 'short',
          width: 3,
          steps: [
            [null, green],
            [100, yellow],
            [1_000, red],
          ],
          query: { expr: `sum(mooring_queue_depth{${chosen}}) or vector(0)` },
        }),
        stat({
          title: 'Wait, p95',
          description:
            '95 % of the runs of the shown time began within this time of being due. More than half a minute is not told apart.',
          unit: 's',
          width: 3,
          noValue: 'none',
          steps: [
            [null, green],
            [5, yellow],
            [30, red],
          ],
          query: {
            expr: `histogram_quantile(0.95, sum by (le) (increase(mooring_queue_wait_seconds_bucket{${chosen}}[$__range])))`,
          },
        }),
        stat({
          title: 'Crashes',
          description: 'Passes of the shown time that a bug ended. Please report them with the log.',
          unit: 'short',
          width: 3,
          decimals: 0,
          steps: [
            [null, green],
            [1, red],
          ],
          query: { expr: timesInRange('mooring_reconcile_crashes_total') },
        }),
        stat({
          title: 'Restarts',
          description: 'Starts of a replica in the shown time, but its first.',
          unit: 'short',
          width: 3,
          decimals: 0,
          steps: [
            [null, green],
            [1, yellow],
            [5, red],
          ],
          query: {
            expr: `sum(${ofMooring('changes(process_start_time_seconds[$__range])')}) or vector(0)`,
          },
        }),
        stat({
          title: 'Memory',
          description: 'Resident memory of the largest replica.',
          unit: 'bytes',
          width: 3,
          decimals: 0,
          steps: [
            [null, green],
            [512 * megabyte, yellow],
            [1024 * megabyte, red],
          ],
          query: { expr: `max(${ofMooring('process_resident_memory_bytes')})` },
        }),
        stat({
          title: 'Event-loop lag, p99',
          description:
            'How late Node.js came back to its work, at worst of the replicas. A program that computes without a pause answers nobody.',
          unit: 's',
          width: 3,
          steps: [
            [null, green],
            [0.1, yellow],
            [0.5, red],
          ],
          query: { expr: `max(${ofMooring('nodejs_eventloop_lag_p99_seconds')})` },
        }),
      ],
    },
    {
      title: 'Work',
      panels: [
        graph({
          title: 'Queues',
          description:
            'Runs that wait, and runs under way. Waiting that only grows means that something holds them up.',
          unit: 'short',
          width: 8,
          decimals: 0,
          queries: [
            { legend: '{{queue}} waiting', expr: `sum by (queue) (mooring_queue_depth{${chosen}})` },
            { legend: '{{queue}} under way', expr: `sum by (queue) (mooring_reconciles_running{${chosen}})` },
          ],
        }),
        graph({
          title: 'Wait in a queue, p95',
          description: 'From when a run was due until it began.',
          unit: 's',
          width: 8,
          queries: [{ legend: '{{queue}}', expr: quantile(0.95, 'mooring_queue_wait_seconds', 'queue, ') }],
        }),
        graph({
          title: 'Passes',
          description: 'Passes over Applications, by cluster.',
          unit: 'ops',
          width: 8,
          queries: [{ legend: '{{dest_server}}', expr: rate('argocd_app_reconcile_count', 'dest_server') }],
        }),
        graph({
          title: 'Steps of a pass, p95',
          description:
            'How long each step takes. resolve: Git; render: manifests; observe: the cluster; diff: what differs; sync: writes; publish: the status.',
          unit: 's',
          width: 8,
          queries: [{ legend: '{{step}}', expr: quantile(0.95, 'mooring_reconcile_step_seconds', 'step, ') }],
        }),
        graph({
          title: 'Time spent by step',
          description: 'Seconds a second: on what the passes spend their time.',
          unit: 'short',
          width: 8,
          stacked: true,
          queries: [{ legend: '{{step}}', expr: rate('mooring_reconcile_step_seconds_sum', 'step') }],
        }),
        graph({
          title: 'Events',
          description:
            'Events for Kubernetes, by what became of them: sent, failed, or dropped because too many waited.',
          unit: 'ops',
          width: 8,
          queries: [{ legend: '{{result}}', expr: rate('mooring_events_total', 'result') }],
        }),
      ],
    },
    {
      title: 'Git and renders',
      panels: [
        graph({
          title: 'Git requests',
          description:
            'ls-remote asks where branches are, fetch brings commits. Failures have a runbook: MooringGitFailing.',
          unit: 'reqps',
          width: 8,
          colours: { failed: red },
          queries: [
            { legend: '{{request_type}}', expr: rate('argocd_git_request_total', 'request_type') },
            {
              legend: 'failed',
              expr: `(sum(rate(argocd_git_fetch_fail_total{${chosen}}[$__rate_interval])) or vector(0)) + (sum(rate(argocd_git_lsremote_fail_total{${chosen}}[$__rate_interval])) or vector(0))`,
            },
          ],
        }),
        graph({
          title: 'Duration of Git requests, p95',
          description: 'How long the Git hosts take.',
          unit: 's',
          width: 8,
          queries: [
            {
              legend: '{{request_type}}',
              expr: quantile(0.95, 'argocd_git_request_duration_seconds', 'request_type, '),
            },
          ],
        }),
        graph({
          title: 'Webhooks',
          description:
            'Deliveries of Git hosts. None at all: commits are only seen by the poll, up to three minutes late.',
          unit: 'reqps',
          width: 8,
          queries: [
            { legend: 'deliveries', expr: `sum(${rate('argocd_webhook_requests_total', 'instance')}) or vector(0)` },
          ],
        }),
        graph({
          title: 'Renders',
          description:
            'Renders asked for, by kind of source and by whether nothing that they read had changed (cached).',
          unit: 'ops',
          width: 8,
          stacked: true,
          queries: [
            { legend: '{{source_type}}, made', expr: rate('mooring_renders_total', 'source_type', ', cached="false"') },
            {
              legend: '{{source_type}}, cached',
              expr: rate('mooring_renders_total', 'source_type', ', cached="true"'),
            },
          ],
        }),
        graph({
          title: 'Renders from the cache',
          description: 'Share of the renders that needed no engine.',
          unit: 'percentunit',
          width: 8,
          max: 1,
          colours: { cached: green },
          queries: [
            {
              legend: 'cached',
              expr: `(sum(rate(mooring_renders_total{${chosen}, cached="true"}[$__rate_interval])) or vector(0)) / (sum(rate(mooring_renders_total{${chosen}}[$__rate_interval])) > 0)`,
            },
          ],
        }),
        graph({
          title: 'Duration of a render, p95',
          description: 'Answers from the cache included.',
          unit: 's',
          width: 8,
          queries: [{ legend: '{{source_type}}', expr: quantile(0.95, 'mooring_render_seconds', 'source_type, ') }],
        }),
      ],
    },
    {
      title: 'API servers',
      panels: [
        graph({
          title: 'Requests by verb',
          description: 'To all clusters. The board of a cluster shows one.',
          unit: 'reqps',
          width: 8,
          queries: [{ legend: '{{verb}}', expr: rate('mooring_kube_requests_total', 'verb') }],
        }),
        graph({
          title: 'Requests by answer',
          description:
            'HTTP status codes. 409 and 404 are part of the work; 403: a permission is missing; 429 and 5xx: an API server is overloaded or ill.',
          unit: 'reqps',
          width: 8,
          colours: codeColours,
          queries: [{ legend: '{{code}}', expr: rate('mooring_kube_requests_total', 'code') }],
        }),
        graph({
          title: 'Time to answer, p95',
          description: 'By cluster, of all verbs.',
          unit: 's',
          width: 8,
          queries: [{ legend: '{{server}}', expr: quantile(0.95, 'mooring_kube_request_seconds', 'server, ') }],
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        graph({
          title: 'Memory',
          description: 'Resident memory and the part of it that is the JavaScript heap in use.',
          unit: 'bytes',
          width: 8,
          queries: [
            { legend: `${replica} resident`, expr: ofMooring('process_resident_memory_bytes') },
            { legend: `${replica} heap`, expr: ofMooring('nodejs_heap_size_used_bytes') },
          ],
        }),
        graph({
          title: 'CPU',
          description: 'Processors in use; 1 is one whole processor. JavaScript has one, renders and Git have others.',
          unit: 'short',
          width: 8,
          decimals: 2,
          queries: [
            {
              legend: replica,
              expr: ofMooring('rate(process_cpu_seconds_total[$__rate_interval])'),
            },
          ],
        }),
        graph({
          title: 'Event-loop lag',
          description:
            'How late Node.js came back to its work: the median and the worst hundredth between two scrapes.',
          unit: 's',
          width: 8,
          queries: [
            { legend: `${replica} p50`, expr: ofMooring('nodejs_eventloop_lag_p50_seconds') },
            { legend: `${replica} p99`, expr: ofMooring('nodejs_eventloop_lag_p99_seconds') },
          ],
        }),
        graph({
          title: 'Bytes of caches',
          description: 'What each cache holds. Each has a limit; all of them may be emptied at any time.',
          unit: 'bytes',
          width: 8,
          stacked: true,
          queries: [{ legend: '{{cache}}', expr: `sum by (cache) (mooring_cache_bytes{${chosen}})` }],
        }),
        graph({
          title: 'Entries of caches',
          description: 'How many things each cache holds.',
          unit: 'short',
          width: 8,
          decimals: 0,
          queries: [{ legend: '{{cache}}', expr: `sum by (cache) (mooring_cache_entries{${chosen}})` }],
        }),
        graph({
          title: 'Garbage collection',
          description: 'Share of the time spent on it, by kind. Much of it with little memory left: raise the limit.',
          unit: 'percentunit',
          width: 8,
          queries: [
            {
              legend: '{{kind}}',
              expr: `sum by (kind) (${ofMooring('rate(nodejs_gc_duration_seconds_sum[$__rate_interval])', 'kind')})`,
            },
          ],
        }),
        timeline({
          title: 'Leader',
          description:
            'Which replica leads. A change is a stop, a rollout or a lost connection to the API server. Over night there should be none.',
          unit: 'none',
          width: 12,
          mappings: [numberMapping({ 'stands by': grey, leads: green }, 0)],
          queries: [{ legend: replica, expr: 'mooring_leader' }],
        }),
        timeline({
          title: 'Ready',
          description: 'Which replicas are ready: they reach the API server and know its objects.',
          unit: 'none',
          width: 12,
          mappings: [numberMapping({ 'not ready': red, ready: green }, 0)],
          queries: [{ legend: replica, expr: `mooring_ready{${chosen}}` }],
        }),
      ],
    },
  ],
};
