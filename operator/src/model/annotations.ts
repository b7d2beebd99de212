/** Annotations that Mooring reads and writes; the names are Argo CD's, Helm's and kubectl's. */
export const annotation: {
  readonly trackingId: 'argocd.argoproj.io/tracking-id';
  readonly syncWave: 'argocd.argoproj.io/sync-wave';
  readonly syncOptions: 'argocd.argoproj.io/sync-options';
  readonly compareOptions: 'argocd.argoproj.io/compare-options';
  readonly hook: 'argocd.argoproj.io/hook';
  readonly hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy';
  /** Which run of which operation made a hook; Mooring's own. */
  readonly hookRun: 'argocd.argoproj.io/hook-run';
  readonly ignoreHealthCheck: 'argocd.argoproj.io/ignore-healthcheck';
  readonly ignoreRestartPolicy: 'argocd.argoproj.io/ignore-restart-policy';
  /** When a person approved deletions that ask first; RFC 3339. */
  readonly deletionApproved: 'argocd.argoproj.io/deletion-approved';
  /** Asks for a look now: `normal`, or `hard` for one that takes nothing from a cache. */
  readonly refresh: 'argocd.argoproj.io/refresh';
  /** Followed by a name: an address that people open from the Application. */
  readonly linkPrefix: 'link.argocd.argoproj.io/';
  readonly ignoreDefaultLinks: 'argocd.argoproj.io/ignore-default-links';
  readonly skipReconcile: 'argocd.argoproj.io/skip-reconcile';
  /** The last manifest of a client-side apply. */
  readonly lastApplied: 'kubectl.kubernetes.io/last-applied-configuration';
  readonly helmHook: 'helm.sh/hook';
  readonly helmHookWeight: 'helm.sh/hook-weight';
  readonly helmHookDeletePolicy: 'helm.sh/hook-delete-policy';
  readonly helmResourcePolicy: 'helm.sh/resource-policy';
} = {
  trackingId: 'argocd.argoproj.io/tracking-id',
  syncWave: 'argocd.argoproj.io/sync-wave',
  syncOptions: 'argocd.argoproj.io/sync-options',
  compareOptions: 'argocd.argoproj.io/compare-options',
  hook: 'argocd.argoproj.io/hook',
  hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy',
  hookRun: 'argocd.argoproj.io/hook-run',
  ignoreHealthCheck: 'argocd.argoproj.io/ignore-healthcheck',
  ignoreRestartPolicy: 'argocd.argoproj.io/ignore-restart-policy',
  deletionApproved: 'argocd.argoproj.io/deletion-approved',
  refresh: 'argocd.argoproj.io/refresh',
  linkPrefix: 'link.argocd.argoproj.io/',
  ignoreDefaultLinks: 'argocd.argoproj.io/ignore-default-links',
  skipReconcile: 'argocd.argoproj.io/skip-reconcile',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
  helmHook: 'helm.sh/hook',
  helmHookWeight: 'helm.sh/hook-weight',
  helmHookDeletePolicy: 'helm.sh/hook-delete-policy',
  helmResourcePolicy: 'helm.sh/resource-policy',
};

/** An object's annotations, or those of its record that Mooring acts on. */
export type Annotations = Readonly<Record<string, string>> | undefined;

/** The items of a comma-separated annotation, trimmed, each once; empty where it is absent. */
export function itemsOf(annotations: Annotations, name: string): readonly string[] {
  const items = (annotations?.[name] ?? '').split(',').map((item) => item.trim());
  return [...new Set(items)].filter((item) => item !== '');
}

/**
 * Whether a person approved deletions at or after a time (milliseconds since 1970). As in Argo CD the value is a timestamp of RFC 3339, and anything else approves
 * nothing: what was approved for another deletion, or by a value that says no time, is not approved.
 */
export function isDeletionApproved(annotations: Annotations, since: number): boolean {
  const text = annotations?.[annotation.deletionApproved] ?? '';
  const isTimestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  return isTimestamp && Date.parse(text.replace(',', '.')) >= since;
}

/** What Go's `strconv.ParseBool` takes for true. */
const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

/** Whether an Application or a cluster Secret says that it is not to be looked at, its deletion included. As in Argo CD, what is no boolean of Go says nothing. */
export function isSkipped(annotations: Annotations): boolean {
  return truths.has(annotations?.[annotation.skipReconcile] ?? '');
}
