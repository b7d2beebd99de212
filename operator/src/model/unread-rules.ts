/** Settings that are not read, and whom they stop. */
export interface UnreadRules {
  /** Each stops every Application; names the setting. */
  readonly everybody: readonly string[];
  /** `application.sync.impersonation.enabled`; whether a sync needs an account of its project (`…enforced`), or only uses it. */
  readonly impersonation: 'off' | 'used' | 'needed';
  /** `cluster.inClusterEnabled: "false"`: nothing is deployed to the own cluster. */
  readonly ownClusterOff: boolean;
  /** `resource.compareoptions` with `ignoreAggregatedRoles`. */
  readonly aggregatedRoles: boolean;
  /** `resource.compareoptions` with another `ignoreResourceStatusField` than `all`. */
  readonly comparesStatus: boolean;
  /** `reposerver.include.hidden.directories`. */
  readonly hiddenDirectories: boolean;
}

export const noUnreadRules: UnreadRules = {
  everybody: [],
  impersonation: 'off',
  ownClusterOff: false,
  aggregatedRoles: false,
  comparesStatus: false,
  hiddenDirectories: false,
};
