/** Argo CD 3's default `resource.exclusions` (docs/operator-manual/declarative-setup.md). `*` is every kind of the group. */
const excluded: Readonly<Record<string, readonly string[]>> = {
  '': ['Endpoints', 'Event'],
  'events.k8s.io': ['*'],
  'discovery.k8s.io': ['EndpointSlice'],
  'coordination.k8s.io': ['Lease'],
  'authentication.k8s.io': ['*'],
  'authorization.k8s.io': ['*'],
  'metrics.k8s.io': ['*'],
  'certificates.k8s.io': ['CertificateSigningRequest'],
  'cert-manager.io': ['CertificateRequest'],
  'cilium.io': ['CiliumIdentity', 'CiliumEndpoint', 'CiliumEndpointSlice'],
  'kyverno.io': [
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
  'reports.kyverno.io': ['*'],
  'wgpolicyk8s.io': ['*'],
};

/** Whether a kind is left out altogether: never watched, and not applied where a source holds it. */
export function isExcludedKind(group: string, kind: string): boolean {
  const kinds = Object.hasOwn(excluded, group) ? excluded[group] : undefined;
  return kinds !== undefined && (kinds.includes('*') || kinds.includes(kind));
}
