import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { phaseColours } from './colours.ts';
import { graph } from './panels.ts';

/** How syncs ended and how long they took, of the Applications that the matchers choose. */
export function syncPanels(chosen: string): readonly Panel[] {
  return [
    graph({
      title: 'Sync operations',
      description: 'Syncs that ended, by how. Error: it could not run; Failed: an object or a hook failed.',
      unit: 'short',
      width: 8,
      decimals: 0,
      interval: '5m',
      bars: true,
      stacked: true,
      colours: phaseColours,
      queries: [
        {
          legend: '{{phase}}',
          expr: `sum by (phase) (increase(argocd_app_sync_total{${chosen}, dry_run!="true"}[$__rate_interval]))`,
        },
      ],
    }),
    graph({
      title: 'Duration of a sync',
      description: 'Mean of the syncs that ended, waiting for waves, hooks and retries included.',
      unit: 's',
      width: 8,
      interval: '5m',
      queries: [
        {
          legend: 'mean',
          expr: `sum(increase(argocd_app_sync_duration_seconds_total{${chosen}}[$__rate_interval])) / (sum(increase(argocd_app_sync_total{${chosen}}[$__rate_interval])) > 0)`,
        },
      ],
    }),
  ];
}
