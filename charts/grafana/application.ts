import { type Board, boardAddress } from './board.ts';
import { blue, green, grey, healthColours, numberMapping, red, statusNumber, syncColours, yellow } from './colours.ts';
import { graph, stat, table, timeline } from './panels.ts';
import { applicationsOf, once } from './series.ts';
import { syncPanels } from './syncs.ts';

const chosen = 'namespace="$namespace", name="$name"';
/** Numbers of the first health and the first sync status: far enough apart to be shown in one panel. */
const health = 1;
const sync = 11;
const mappings = [numberMapping(healthColours, health), numberMapping(syncColours, sync)];
const healthNumber = statusNumber('health_status', healthColours, health, chosen);
const syncNumber = statusNumber('sync_status', syncColours, sync, chosen);
/** How often something happened in the whole range; 0 where it never did. */
const timesInRange = (metric: string, matchers = ''): string =>
  `sum(increase(${metric}{${chosen}${matchers}}[$__range])) or vector(0)`;
const times = (metric: string): string => `sum(increase(${metric}{${chosen}}[$__rate_interval])) or vector(0)`;

const fiveMinutes = 300;
const hour = 3_600;
const day = 86_400;

export const application: Board = {
  uid: 'mooring-application',
  title: 'Mooring / Application',
  description: 'One Application: how it is, how it got there, and what its syncs did.',
  variables: [
    { name: 'namespace', label: 'Namespace', values: 'label_values(argocd_app_info, namespace)', several: false },
    {
      name: 'name',
      label: 'Application',
      values: 'label_values(argocd_app_info{namespace="$namespace"}, name)',
      several: false,
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Health',
          description: 'The worst health of its objects.',
          unit: 'none',
          width: 3,
          noValue: 'gone',
          mappings,
          query: { expr: healthNumber },
        }),
        stat({
          title: 'Sync',
          description:
            'Whether its objects are what Git says. Unknown: that could not be found out; see its conditions.',
          unit: 'none',
          width: 3,
          noValue: 'gone',
          mappings,
          query: { expr: syncNumber },
        }),
        stat({
          title: 'Commit to synced',
          description: 'Of the last deployment: from its commit to the end of its sync. The promise is five minutes.',
          unit: 's',
          width: 3,
          noValue: 'no deployment',
          steps: [
            [null, green],
            [fiveMinutes / 2, yellow],
            [fiveMinutes, red],
          ],
          query: { expr: `max(mooring_app_commit_to_synced_seconds{${chosen}})` },
        }),
        stat({
          title: 'Deployments',
          description: 'Syncs of the shown time that brought another revision and succeeded.',
          unit: 'short',
          width: 3,
          decimals: 0,
          steps: [[null, blue]],
          query: { expr: timesInRange('mooring_deployments_total', ', result="succeeded"') },
        }),
        stat({
          title: 'Failed syncs',
          description: 'Sync operations of the shown time that ended Failed or Error.',
          unit: 'short',
          width: 3,
          decimals: 0,
          steps: [
            [null, green],
            [1, red],
          ],
          query: { expr: timesInRange('argocd_app_sync_total', ', phase=~"Failed|Error"') },
        }),
        stat({
          title: 'Drifted objects',
          description: 'Objects that somebody changed in the cluster and that are not back at what Git says.',
          unit: 'short',
          width: 3,
          steps: [
            [null, green],
            [1, yellow],
          ],
          query: { expr: `max(mooring_drift_objects{${chosen}}) or vector(0)` },
        }),
        stat({
          title: 'Drift lasts',
          description: 'Since when there has been drift without a break.',
          unit: 's',
          width: 3,
          decimals: 0,
          steps: [
            [null, green],
            [hour, yellow],
            [day, red],
          ],
          query: { expr: `max(mooring_drift_age_seconds{${chosen}}) or vector(0)` },
        }),
        stat({
          title: 'Healed objects',
          description: 'Objects that self-heal brought back in the shown time. Many: something else writes them, too.',
          unit: 'short',
          width: 3,
          decimals: 0,
          steps: [[null, blue]],
          query: { expr: timesInRange('mooring_drift_healed_total') },
        }),
        timeline({
          title: 'Health and sync status',
          description: 'How it was. Every deployment is a short OutOfSync, mostly with a Progressing after it.',
          unit: 'none',
          width: 24,
          mappings,
          queries: [
            { legend: 'Health', expr: healthNumber },
            { legend: 'Sync', expr: syncNumber },
          ],
        }),
      ],
    },
    {
      title: 'Syncs',
      panels: [
        ...syncPanels(chosen),
        graph({
          title: 'Commit to synced',
          description: 'Of the last deployment, at each moment. The dashed line is the promise: five minutes.',
          unit: 's',
          width: 8,
          steps: [
            [null, green],
            [fiveMinutes, red],
          ],
          queries: [{ legend: 'commit to synced', expr: `max(mooring_app_commit_to_synced_seconds{${chosen}})` }],
        }),
        graph({
          title: 'Deployments and failures',
          description: 'Deployments by result, and how often the Application became Degraded.',
          unit: 'short',
          width: 8,
          decimals: 0,
          interval: '5m',
          bars: true,
          colours: { succeeded: green, failed: red, degraded: yellow },
          queries: [
            {
              legend: '{{result}}',
              expr: `sum by (result) (increase(mooring_deployments_total{${chosen}}[$__rate_interval]))`,
            },
            { legend: 'degraded', expr: times('mooring_app_degraded_total') },
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
            { legend: 'drifted', expr: `max(mooring_drift_objects{${chosen}}) or vector(0)` },
            { legend: 'healed', expr: times('mooring_drift_healed_total') },
          ],
        }),
        graph({
          title: 'Requests to the cluster',
          description: 'Requests that its syncs made to the API server, by verb and answer.',
          unit: 'short',
          width: 8,
          decimals: 0,
          interval: '5m',
          bars: true,
          stacked: true,
          queries: [
            {
              legend: '{{verb}} {{response_code}}',
              expr: `sum by (verb, response_code) (increase(argocd_app_k8s_request_total{${chosen}}[$__rate_interval]))`,
            },
          ],
        }),
      ],
    },
    {
      title: 'What it is',
      panels: [
        table({
          title: 'Source and destination',
          description: 'Where it comes from and where it goes.',
          unit: 'none',
          width: 16,
          height: 5,
          queries: [
            {
              expr: applicationsOf(chosen, 'repo', 'dest_namespace', 'autosync_enabled'),
            },
          ],
          columns: [
            { field: 'project', title: 'Project', width: 140 },
            { field: 'repo', title: 'Repository' },
            {
              field: 'dest_server',
              title: 'Cluster',
              link: {
                title: 'This cluster',
                url: boardAddress('mooring-cluster', { server: 'Cluster' }),
              },
            },
            { field: 'dest_namespace', title: 'Namespace', width: 140 },
            { field: 'autosync_enabled', title: 'Automated sync', width: 130 },
          ],
        }),
        table({
          title: 'Conditions',
          description:
            'What its status complains of, and how often. Their messages: kubectl get application NAME -o yaml.',
          unit: 'short',
          width: 8,
          height: 5,
          noValue: 'none',
          queries: [{ expr: `${once(`argocd_app_condition{${chosen}}`)} > 0` }],
          columns: [
            { field: 'condition', title: 'Condition', steps: [[null, red]] },
            { field: 'Value', title: 'Times', steps: [[null, grey]] },
          ],
        }),
      ],
    },
  ],
};
