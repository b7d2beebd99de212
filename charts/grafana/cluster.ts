import { type Board, boardAddress } from './board.ts';
import {
  blue,
  codeColours,
  green,
  healthColours,
  numberMapping,
  red,
  syncColours,
  textMapping,
  yellow,
} from './colours.ts';
import { graph, stat, table } from './panels.ts';
import { applicationsOf } from './series.ts';

const chosen = 'server="$server"';
const destination = 'dest_server="$server"';
const applications = applicationsOf(destination);
const requests = (by: string): string =>
  `sum by (${by}) (rate(mooring_kube_requests_total{${chosen}}[$__rate_interval]))`;
const latency = (quantile: number, by: string): string =>
  `histogram_quantile(${quantile}, sum by (${by}) (rate(mooring_kube_request_seconds_bucket{${chosen}}[$__rate_interval])))`;
const commitToSynced = (quantile: number): string =>
  `histogram_quantile(${quantile}, sum by (le) (rate(mooring_commit_to_synced_seconds_bucket{${destination}}[$__rate_interval])))`;

const fiveMinutes = 300;

export const cluster: Board = {
  uid: 'mooring-cluster',
  title: 'Mooring / Cluster',
  description: 'One cluster that is deployed to: whether it is reached, what is watched there, and what it is asked.',
  variables: [
    { name: 'server', label: 'Cluster', values: 'label_values(argocd_cluster_info, server)', several: false },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Connection',
          description: 'Whether the view of the cluster is complete and follows it.',
          unit: 'none',
          width: 3,
          noValue: 'gone',
          mappings: [numberMapping({ Unreachable: red, Connected: green }, 0)],
          query: { expr: `min(argocd_cluster_connection_status{${chosen}})` },
        }),
        stat({
          title: 'Kubernetes',
          description: 'Version of the API server.',
          unit: 'none',
          width: 3,
          showName: true,
          steps: [[null, blue]],
          query: {
            legend: '{{k8s_version}}',
            expr: `max by (k8s_version) (argocd_cluster_info{${chosen}})`,
          },
        }),
        stat({
          title: 'Applications',
          description: 'Applications whose destination it is.',
          unit: 'short',
          width: 3,
          steps: [[null, blue]],
          query: { expr: `count(${applications}) or vector(0)` },
        }),
        stat({
          title: 'Not healthy',
          description: 'Of them, those that are not Healthy.',
          unit: 'short',
          width: 3,
          steps: [
            [null, green],
            [1, yellow],
          ],
          query: {
            expr: `count(${applicationsOf(`${destination}, health_status!="Healthy"`)}) or vector(0)`,
          },
        }),
        stat({
          title: 'Kinds',
          description: 'Kinds of objects that are watched.',
          unit: 'short',
          width: 3,
          steps: [[null, blue]],
          query: { expr: `max(argocd_cluster_api_resources{${chosen}})` },
        }),
        stat({
          title: 'Objects',
          description: 'Objects that are kept in view, whoever made them.',
          unit: 'short',
          width: 3,
          steps: [[null, blue]],
          query: { expr: `max(argocd_cluster_api_resource_objects{${chosen}})` },
        }),
        stat({
          title: 'Age of the view',
          description:
            'Since when it has followed the cluster without reading it as a whole again. What changes is taken in at once.',
          unit: 's',
          width: 3,
          decimals: 0,
          steps: [[null, blue]],
          query: { expr: `max(argocd_cluster_cache_age_seconds{${chosen}})` },
        }),
        stat({
          title: 'Failed requests',
          description: 'Share of the requests of the shown time that the API server refused, or that got no answer.',
          unit: 'percentunit',
          width: 3,
          decimals: 1,
          steps: [
            [null, green],
            [0.01, yellow],
            [0.05, red],
          ],
          query: {
            expr: `(sum(increase(mooring_kube_requests_total{${chosen}, code!~"2..|404|409|410"}[$__range])) or vector(0)) / sum(increase(mooring_kube_requests_total{${chosen}}[$__range]))`,
          },
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        graph({
          title: 'Requests by verb',
          description: 'Requests to the API server. A watch counts once, when it begins.',
          unit: 'reqps',
          width: 8,
          queries: [{ legend: '{{verb}}', expr: requests('verb') }],
        }),
        graph({
          title: 'Requests by answer',
          description:
            'HTTP status codes. 409 and 404 are part of the work; 403: a permission is missing; 429 and 5xx: the API server is overloaded or ill.',
          unit: 'reqps',
          width: 8,
          queries: [{ legend: '{{code}}', expr: requests('code') }],
          colours: codeColours,
        }),
        graph({
          title: 'Time to answer, p95',
          description: 'By verb, without watches.',
          unit: 's',
          width: 8,
          queries: [{ legend: '{{verb}}', expr: latency(0.95, 'verb, le') }],
        }),
      ],
    },
    {
      title: 'What is watched',
      panels: [
        graph({
          title: 'Events by kind',
          description: 'Changes of objects that the watches told, of the ten busiest kinds.',
          unit: 'ops',
          width: 12,
          legendRight: true,
          queries: [
            {
              legend: '{{kind}}',
              expr: `topk(10, sum by (kind) (rate(argocd_cluster_events_total{${chosen}}[$__rate_interval])))`,
            },
          ],
        }),
        graph({
          title: 'Objects',
          description: 'Objects that each replica keeps in view.',
          unit: 'short',
          width: 12,
          decimals: 0,
          queries: [
            {
              legend: '{{pod}} {{instance}}',
              expr: `mooring_cluster_objects{${chosen}}`,
            },
          ],
        }),
      ],
    },
    {
      title: 'What is deployed',
      panels: [
        graph({
          title: 'Health',
          description: 'Applications of this cluster by health status.',
          unit: 'short',
          width: 8,
          decimals: 0,
          stacked: true,
          colours: healthColours,
          queries: [
            {
              legend: '{{health_status}}',
              expr: `count by (health_status) (${applicationsOf(destination, 'health_status')})`,
            },
          ],
        }),
        graph({
          title: 'Deployments',
          description: 'Syncs to this cluster that brought another revision, by result.',
          unit: 'short',
          width: 8,
          decimals: 0,
          interval: '5m',
          bars: true,
          stacked: true,
          colours: { succeeded: green, failed: red },
          queries: [
            {
              legend: '{{result}}',
              expr: `sum by (result) (increase(mooring_deployments_total{${destination}}[$__rate_interval]))`,
            },
          ],
        }),
        graph({
          title: 'Commit to synced',
          description:
            'From the committer date to the end of the sync to this cluster. The dashed line is the promise.',
          unit: 's',
          width: 8,
          interval: '5m',
          steps: [
            [null, green],
            [fiveMinutes, red],
          ],
          colours: { p50: green, p95: blue },
          queries: [
            { legend: 'p50', expr: commitToSynced(0.5) },
            { legend: 'p95', expr: commitToSynced(0.95) },
          ],
        }),
        table({
          title: 'Applications',
          description: 'A click on a name leads to the board of that Application.',
          unit: 'short',
          width: 24,
          sortBy: 'Health',
          queries: [
            {
              expr: applicationsOf(destination, 'dest_namespace', 'sync_status', 'health_status'),
            },
          ],
          columns: [
            {
              field: 'name',
              title: 'Application',
              link: {
                title: 'This Application',
                url: boardAddress('mooring-application', {
                  namespace: 'Namespace',
                  name: 'Application',
                }),
              },
            },
            { field: 'namespace', title: 'Namespace' },
            { field: 'project', title: 'Project' },
            { field: 'dest_namespace', title: 'Deployed to' },
            { field: 'sync_status', title: 'Sync', mapping: textMapping(syncColours), width: 110 },
            { field: 'health_status', title: 'Health', mapping: textMapping(healthColours), width: 110 },
          ],
        }),
      ],
    },
  ],
};
