import { globMatches } from './glob.ts';

/** Kinds of some clusters, as in `resource.exclusions`. An empty list stands for everything. */
export interface KindPattern {
  /** Globs. */
  readonly apiGroups: readonly string[];
  /** Names, or `*`. */
  readonly kinds: readonly string[];
  /** Globs of the clusters' addresses. */
  readonly clusters: readonly string[];
}

/** `resource.exclusions` and `resource.inclusions`: kinds that are left out altogether, and the only ones that are not. */
export interface KindFilter {
  readonly exclusions: readonly KindPattern[];
  readonly inclusions: readonly KindPattern[];
}

function of(apiGroups: readonly string[], kinds: readonly string[]): KindPattern {
  return { apiGroups, kinds, clusters: [] };
}

/** What Argo CD leaves out whatever its settings say: it changes all the time, and nobody keeps it in Git. */
const always: readonly KindPattern[] = [
  of(['events.k8s.io', 'metrics.k8s.io'], []),
  of([''], ['Event']),
  of(['coordination.k8s.io'], ['Lease']),
];

/** What Argo CD's own manifests set `resource.exclusions` to (docs/operator-manual/declarative-setup.md). */
export const usualFilter: KindFilter = {
  exclusions: [
    of([''], ['Endpoints']),
    of(['discovery.k8s.io'], ['EndpointSlice']),
    of(['authentication.k8s.io', 'authorization.k8s.io'], []),
    of(['certificates.k8s.io'], ['CertificateSigningRequest']),
    of(['cert-manager.io'], ['CertificateRequest']),
    of(['cilium.io'], ['CiliumIdentity', 'CiliumEndpoint', 'CiliumEndpointSlice']),
    of(
      ['kyverno.io'],
      [
        'PolicyReport',
        'ClusterPolicyReport',
        'EphemeralReport',
        'ClusterEphemeralReport',
        'AdmissionReport',
        'ClusterAdmissionReport',
        'BackgroundScanReport',
        'ClusterBackgroundScanReport',
        'UpdateRequest',
      ],
    ),
    of(['reports.kyverno.io', 'wgpolicyk8s.io'], []),
  ],
  inclusions: [],
};

/**
 * Whether a kind is left out of a cluster altogether: never watched, not applied where a source holds it, and never pruned. An exclusion wins; where any inclusion
 * is for the cluster, what none of them names is left out, too.
 */
export function isExcludedKind(
  { exclusions, inclusions }: KindFilter,
  group: string,
  kind: string,
  server: string,
): boolean {
  const isMet = (pattern: KindPattern): boolean =>
    isOf(pattern, server) && any(pattern.apiGroups, (glob) => globMatches(glob, group)) && hasKind(pattern, kind);
  if (always.some(isMet) || exclusions.some(isMet)) return true;
  return !inclusions.some(isMet) && inclusions.some((pattern) => isOf(pattern, server));
}

function isOf({ clusters }: KindPattern, server: string): boolean {
  return any(clusters, (glob) => globMatches(glob, server));
}

function hasKind({ kinds }: KindPattern, kind: string): boolean {
  return any(kinds, (name) => name === '*' || name === kind);
}

function any(list: readonly string[], test: (text: string) => boolean): boolean {
  return list.length === 0 || list.some(test);
}
