import type { Board } from './board.ts';
import { boardAddress } from './board.ts';
import { blue, green, grey, healthColours, orange, red, syncColours, textMapping, yellow } from './colours.ts';
import { graph, heatmap, stat, table } from './panels.ts';
import { applicationsOf, ofApplications, once, total } from './series.ts';
import { syncPanels } from './syncs.ts';

const chosen = 'project=~"$project", dest_server=~"$server"';
const countOf = (matchers = ''): string => `count(${applicationsOf(chosen + matchers)}) or vector(0)`;
const ofChosen = (metric: string): string => ofApplications(once(metric), chosen);
/** How often something happened in the whole range. */
const timesInRange = (metric: string, matchers = ''): string =>
  `sum(increase(${metric}{${chosen}${matchers}}[$__range]))`;
const quantileInRange = (quantile: number, metric: string): string =>
  `histogram_quantile(${quantile}, sum by (le) (increase(${metric}_bucket{${chosen}}[$__range])))`;
const quantile = (quantile: number, metric: string): string =>
  `histogram_quantile(${quantile}, sum by (le) (rate(${metric}_bucket{${chosen}}[$__rate_interval])))`;

const fiveMinutes = 300;
const hour = 3_600;
const day = 86_400;

const bands = (elite: string, high: string, medium: string): string =>
  `DORA's bands: elite ${elite}, high ${high}, medium ${medium}, low beyond that.`;

export const overview: Board = {
  uid: 'mooring-overview',
  title: 'Mooring / Overview',
  description: 'From commit to cluster: how fast, how reliably, and what is not as Git says.',
  variables: [
    { name: 'project', label: 'Project', values: 'label_values(argocd_app_info, project)', several: true },
    { name: 'server', label: 'Cluster', values: 'label_values(argocd_app_info, dest_server)', several: true },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Applications',
          description: 'Applications of the chosen projects and clusters.',
          unit: 'short',
          width: 5,
          steps: [[null, blue]],
          query: { expr: countOf() },
        }),
        stat({
          title: 'Out of sync',
          description:
            'Applications whose objects are not what Git says. With automated sync that passes within seconds.',
          unit: 'short',
          width: 5,
          steps: [
            [null, green],
            [1, yellow],
          ],
          query: { expr: countOf(', sync_status="OutOfSync"') },
        }),
        stat({
          title: 'Degraded',
          description: 'Applications with an object that does not work.',
          unit: 'short',
          width: 5,
          steps: [
            [null, green],
            [1, red],
          ],
          query: { expr: countOf(', health_status="Degraded"') },
        }),
        stat({
          title: 'Progressing',
          description: 'Applications with an object that is not ready yet.',
          unit: 'short',
          width: 5,
          steps: [
            [null, green],
            [1, blue],
          ],
          query: { expr: countOf(', health_status="Progressing"') },
        }),
        stat({
          title: 'Unknown',
          description:
            'Applications of which Mooring cannot tell whether they are what Git says: see their conditions.',
          unit: 'short',
          width: 4,
          steps: [
            [null, green],
            [1, red],
          ],
          query: { expr: countOf(', sync_status="Unknown"') },
        }),
        stat({
          title: 'Failed syncs',
          description: 'Syncs of the shown time that ended in Failed or Error, retries that failed included.',
          unit: 'short',
          width: 5,
          decimals: 0,
          steps: [
            [null, green],
            [1, red],
          ],
          query: {
            expr: `${timesInRange('argocd_app_sync_total', ', phase!="Succeeded", dry_run!="true"')} or vector(0)`,
          },
        }),
        stat({
          title: 'Drifted objects',
          description: 'Objects that somebody changed in the cluster and that are not back at what Git says.',
          unit: 'short',
          width: 5,
          steps: [
            [null, green],
            [1, yellow],
          ],
          query: { expr: `sum(${ofChosen('mooring_drift_objects')}) or vector(0)` },
        }),
        stat({
          title: 'Oldest drift',
          description: 'How long the longest of these drifts has lasted.',
          unit: 's',
          width: 5,
          decimals: 0,
          steps: [
            [null, green],
            [hour, yellow],
            [day, red],
          ],
          query: { expr: `max(${ofChosen('mooring_drift_age_seconds')}) or vector(0)` },
        }),
        stat({
          title: 'Commit to synced, p95',
          description:
            'Of the syncs of the shown time, 95 % ended within this time of the commit that they brought. The promise is five minutes.',
          unit: 's',
          width: 5,
          noValue: 'no sync',
          steps: [
            [null, green],
            [fiveMinutes / 2, yellow],
            [fiveMinutes, red],
          ],
          query: { expr: quantileInRange(0.95, 'mooring_commit_to_synced_seconds') },
        }),
        stat({
          title: 'Alerts',
          description: 'Alerts of Mooring that fire, of all projects and clusters. Each has a runbook.',
          unit: 'short',
          width: 4,
          steps: [
            [null, green],
            [1, red],
          ],
          query: { expr: 'count(ALERTS{alertname=~"Mooring.*", alertstate="firing"}) or vector(0)' },
        }),
      ],
    },
    {
      title: 'From commit to cluster',
      panels: [
        graph({
          title: 'Commit to synced',
          description:
            'From the committer date to the end of the sync that brought the commit. The dashed line is the promise: five minutes. Longer than "seen to synced" means waiting for a push, a webhook, a poll or a person.',
          unit: 's',
          width: 8,
          interval: '5m',
          steps: [
            [null, green],
            [fiveMinutes, red],
          ],
          queries: [
            { legend: 'p50', expr: quantile(0.5, 'mooring_commit_to_synced_seconds') },
            { legend: 'p95', expr: quantile(0.95, 'mooring_commit_to_synced_seconds') },
          ],
          colours: { p50: green, p95: blue },
        }),
        graph({
          title: 'Seen to synced',
          description:
            'From the webhook or poll that saw the commit to the end of the sync: the part that is Mooring and the cluster.',
          unit: 's',
          width: 8,
          interval: '5m',
          queries: [
            { legend: 'p50', expr: quantile(0.5, 'mooring_seen_to_synced_seconds') },
            { legend: 'p95', expr: quantile(0.95, 'mooring_seen_to_synced_seconds') },
          ],
          colours: { p50: green, p95: blue },
        }),
        heatmap({
          title: 'Commit to synced, all syncs',
          description: 'How many syncs took how long. Two bands mean two kinds of Applications: choose one.',
          unit: 's',
          width: 8,
          interval: '5m',
          expr: `sum by (le) (increase(mooring_commit_to_synced_seconds_bucket{${chosen}}[$__rate_interval]))`,
        }),
        ...syncPanels(chosen),
        graph({
          title: 'A pass over an Application',
          description: 'How long it takes to look at an Application, a sync included where one was due.',
          unit: 's',
          width: 8,
          queries: [0.5, 0.95].map((share) => ({
            legend: `p${share * 100}`,
            expr: `histogram_quantile(${share}, sum by (le) (rate(argocd_app_reconcile_bucket{dest_server=~"$server"}[$__rate_interval])))`,
          })),
          colours: { p50: green, p95: blue },
        }),
      ],
    },
    {
      title: 'Delivery',
      panels: [
        stat({
          title: 'Deployments a day',
          description: `Syncs that brought another revision and succeeded, a day, over the shown time. Heals and dry runs are none. ${bands('several a day', 'one a day to one a week', 'one a week to one a month')} They are meant for one service: choose its project.`,
          unit: 'short',
          width: 6,
          decimals: 1,
          steps: [
            [null, red],
            [1 / 30, orange],
            [1 / 7, yellow],
            [1, green],
          ],
          query: {
            expr: `(${timesInRange('mooring_deployments_total', ', result="succeeded"')} or vector(0)) / ($__range_s / ${day})`,
          },
        }),
        stat({
          title: 'Lead time for changes',
          description: `Median from commit to synced. ${bands('less than a day', 'up to a week', 'up to a month')} A week is the longest that is told apart.`,
          unit: 's',
          width: 6,
          noValue: 'no deployment',
          steps: [
            [null, green],
            [day, yellow],
            [7 * day, red],
          ],
          query: { expr: quantileInRange(0.5, 'mooring_commit_to_synced_seconds') },
        }),
        stat({
          title: 'Change failure rate',
          description: `Deployments that failed and Applications that became Degraded, of all deployments. ${bands('up to 5 %', 'up to 10 %', 'up to 15 %')} What breaks without a deployment counts too.`,
          unit: 'percentunit',
          width: 6,
          decimals: 1,
          noValue: 'no deployment',
          steps: [
            [null, green],
            [0.05, yellow],
            [0.1, orange],
            [0.15, red],
          ],
          query: {
            expr: `clamp_max(((${timesInRange('mooring_deployments_total', ', result="failed"')} or vector(0)) + (${timesInRange('mooring_app_degraded_total')} or vector(0))) / (${timesInRange('mooring_deployments_total')} > 0), 1)`,
          },
        }),
        stat({
          title: 'Time to restore',
          description: `Median time from Degraded to Healthy again. ${bands('less than an hour', 'less than a day', 'up to a week')}`,
          unit: 's',
          width: 6,
          noValue: 'nothing restored',
          steps: [
            [null, green],
            [hour, yellow],
            [day, orange],
            [7 * day, red],
          ],
          query: { expr: quantileInRange(0.5, 'mooring_restore_seconds') },
        }),
        graph({
          title: 'Deployments by day',
          description: 'Deployments of the 24 hours before each bar, by result. Choose a week or more.',
          unit: 'short',
          width: 12,
          decimals: 0,
          interval: '1d',
          bars: true,
          stacked: true,
          colours: { succeeded: green, failed: red },
          queries: [
            {
              legend: '{{result}}',
              expr: `sum by (result) (increase(mooring_deployments_total{${chosen}}[1d]))`,
            },
          ],
        }),
        graph({
          title: 'Degraded and restored',
          description: 'Applications that became Degraded, and those that were Healthy again.',
          unit: 'short',
          width: 12,
          decimals: 0,
          interval: '5m',
          bars: true,
          colours: { degraded: red, restored: green },
          queries: [
            {
              legend: 'degraded',
              expr: `sum(increase(mooring_app_degraded_total{${chosen}}[$__rate_interval])) or vector(0)`,
            },
            {
              legend: 'restored',
              expr: `sum(increase(mooring_restore_seconds_count{${chosen}}[$__rate_interval])) or vector(0)`,
            },
          ],
        }),
      ],
    },
    {
      title: 'State',
      panels: [
        graph({
          title: 'Health',
          description: 'Applications by health status.',
          unit: 'short',
          width: 8,
          decimals: 0,
          stacked: true,
          colours: healthColours,
          queries: [
            {
              legend: '{{health_status}}',
              expr: `count by (health_status) (${applicationsOf(chosen, 'health_status')})`,
            },
          ],
        }),
        graph({
          title: 'Sync status',
          description: 'Applications by sync status.',
          unit: 'short',
          width: 8,
          decimals: 0,
          stacked: true,
          colours: syncColours,
          queries: [
            {
              legend: '{{sync_status}}',
              expr: `count by (sync_status) (${applicationsOf(chosen, 'sync_status')})`,
            },
          ],
        }),
        graph({
          title: 'Drift and heals',
          description:
            'Objects that differ from Git though Git has not changed, and objects that self-heal brought back.',
          unit: 'short',
          width: 8,
          decimals: 0,
          colours: { drifted: yellow, healed: green },
          queries: [
            { legend: 'drifted', expr: `sum(${ofChosen('mooring_drift_objects')}) or vector(0)` },
            {
              legend: 'healed',
              expr: `sum(${ofApplications(total('increase(mooring_drift_healed_total[$__rate_interval])'), chosen)}) or vector(0)`,
            },
          ],
        }),
      ],
    },
    {
      title: 'Applications',
      panels: [
        table({
          title: 'Applications',
          description: 'A click on a name leads to the board of that Application.',
          unit: 'short',
          width: 24,
          height: 12,
          sortBy: 'Health',
          queries: [
            {
              expr: applicationsOf(chosen, 'sync_status', 'health_status'),
            },
            { expr: ofChosen('mooring_app_commit_to_synced_seconds') },
            { expr: ofChosen('mooring_drift_objects') },
            { expr: ofChosen('mooring_drift_age_seconds') },
            {
              expr: total(`increase(mooring_deployments_total{${chosen}}[$__range])`, 'result'),
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
            { field: 'namespace', title: 'Namespace', width: 140 },
            { field: 'project', title: 'Project', width: 140 },
            {
              field: 'dest_server',
              title: 'Cluster',
              link: {
                title: 'This cluster',
                url: boardAddress('mooring-cluster', { server: 'Cluster' }),
              },
            },
            { field: 'sync_status', title: 'Sync', mapping: textMapping(syncColours), width: 110 },
            { field: 'health_status', title: 'Health', mapping: textMapping(healthColours), width: 110 },
            {
              field: 'Value #B',
              title: 'Commit to synced',
              unit: 's',
              width: 170,
              steps: [
                [null, green],
                [fiveMinutes, yellow],
              ],
            },
            {
              field: 'Value #C',
              title: 'Drifted',
              unit: 'short',
              width: 100,
              steps: [
                [null, grey],
                [1, yellow],
              ],
            },
            {
              field: 'Value #D',
              title: 'Drift lasts',
              unit: 's',
              width: 120,
              steps: [
                [null, grey],
                [hour, yellow],
                [day, red],
              ],
            },
            { field: 'Value #E', title: 'Deployments', unit: 'short', decimals: 0, width: 120 },
          ],
        }),
      ],
    },
  ],
};
