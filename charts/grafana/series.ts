/**
 * Labels that tell replicas of one installation apart. What is left without them tells installations apart: `namespace` and `job`, or a label such as `cluster`
 * that a Prometheus of several clusters has.
 */
const ofReplica = 'instance, pod, container, endpoint, node';
const ofApplication = ['autosync_enabled', 'repo', 'dest_namespace', 'sync_status', 'health_status', 'operation'];

/** What a metric says of each thing once, however many replicas tell of it. */
export function once(metric: string): string {
  return `max without (${ofReplica}) (${metric})`;
}

/** What a counter counted of each thing, over all replicas. */
export function total(increase: string, ...dropped: readonly string[]): string {
  return `sum without (${[ofReplica, ...dropped].join(', ')}) (${increase})`;
}

/** One series an Application, however many replicas tell of it, and whatever of it changes meanwhile; with those of the labels that may change that are named. */
export function applicationsOf(matchers: string, ...kept: readonly string[]): string {
  const dropped = ofApplication.filter((label) => !kept.includes(label));
  return `max without (${[ofReplica, ...dropped].join(', ')}) (argocd_app_info{${matchers}})`;
}

/** Series that know an Application only by its name, of the Applications that the matchers choose. */
export function ofApplications(series: string, matchers: string): string {
  return `${series} and ignoring (project, dest_server) ${applicationsOf(matchers)}`;
}
