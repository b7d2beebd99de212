/** Where settings are kept. */
export type SettingPlace = 'argocd-cm' | 'argocd-cmd-params-cm' | 'AppProject' | 'repository' | 'cluster';

/**
 * What becomes of a key. `read`: what it says is done. `gate`: it protects, and is not read yet, so that nothing is written for the Applications that it is to
 * protect. `rule`: it changes what is written, compared or pruned, and is not read yet, so that the Applications that it changes stop. `hint`: not read; nothing
 * that is written depends on it. `none`: it is for a part that Mooring does not have, or does not need.
 */
export type SettingClass = 'read' | 'gate' | 'rule' | 'hint' | 'none';

/** One key that Argo CD 3.6 knows, or several that begin alike. */
export interface SettingKey {
  readonly place: SettingPlace;
  /** A `*` at its end stands for the rest. */
  readonly key: string;
  readonly class: SettingClass;
  /** Values that change nothing, beside the empty one. */
  readonly harmless: readonly string[];
  /** What it is about, for people. */
  readonly about: string;
}

type Row = readonly [key: string, about: string, ...harmless: string[]];
type Table = Readonly<Partial<Record<SettingClass, readonly Row[]>>>;

const config: Table = {
  read: [
    ['timeout.reconciliation', 'how often repositories are asked'],
    ['timeout.reconciliation.jitter', 'what is added to that at random'],
    ['resource.respectRBAC', 'what becomes of kinds that may not be listed'],
    ['resource.exclusions', 'kinds that are left out'],
    ['resource.inclusions', 'the only kinds that are not left out'],
    ['globalProjects', 'projects whose rules hold for other projects, too'],
    ['cluster.inClusterEnabled', 'whether the own cluster may be a destination'],
    [
      'resource.customizations',
      'rules by kind, in the old form: ignoreDifferences is read, knownTypeFields stops who has the kind, the rest is a hint',
    ],
    ['resource.customizations.ignoreDifferences.*', 'fields of a kind that are not compared'],
    [
      'resource.compareoptions',
      'ignoreAggregatedRoles stops who has a ClusterRole, ignoreResourceStatusField other than all who has a status in Git',
    ],
    ['helm.*', "Helm's settings"],
    ['kustomize.*', "Kustomize's settings"],
    ['jsonnet.*', "Jsonnet's settings"],
  ],
  gate: [
    ['application.sync.impersonation.enabled', 'syncs act as the service account that the project names', 'false'],
  ],
  rule: [
    ['application.resourceTrackingMethod', 'how objects are known to be of an Application', 'annotation'],
    ['installationID', 'which of several installations an object belongs to'],
    ['resource.customizations.knownTypeFields.*', 'types of fields of a kind; stops who has the kind'],
  ],
  hint: [
    [
      'resource.customizations.health.*',
      "health of a kind in Lua; Mooring's own checks are used, and who has the kind is warned",
    ],
    ['resource.customizations.useOpenLibs.*', 'what that Lua may use'],
    ['resource.customizations.actions.*', 'what people may do to an object in the user interface'],
    ['resource.customizations.ignoreResourceUpdates.*', 'changes that are not looked at, to save work'],
    ['resource.ignoreResourceUpdatesEnabled', 'whether that saving is on', 'true'],
    ['application.instanceLabelKey', 'label that objects are known by, with another tracking method'],
    ['timeout.hard.reconciliation', 'how often everything is rendered anew', '0', '0s'],
    ['resource.includeEventLabelKeys', 'labels that Events get'],
    ['resource.excludeEventLabelKeys', 'labels that Events do not get'],
    ['resource.sensitive.mask.annotations', 'annotations whose values are not shown'],
    ['webhook.maxPayloadSizeMB', 'how large a webhook may be'],
    ['webhook.refresh.jitter', 'how long a webhook waits at random'],
    ['webhook.refresh.jitter.threshold', 'from how many Applications on it does'],
  ],
  none: [
    ['accounts.*', 'local users'],
    ['additionalUrls', 'addresses of the user interface'],
    ['admin.enabled', 'the local admin'],
    ['application.allowedNodeLabels', 'labels of nodes that are shown'],
    ['application.links', 'links that are shown'],
    [
      'application.sync.impersonation.enforced',
      'what impersonation does without an account; see application.sync.impersonation.enabled',
    ],
    ['application.sync.requireOverridePrivilegeForRevisionSync', 'rights of users'],
    ['commit.author.*', 'the source hydrator'],
    ['dex.*', 'single sign-on'],
    ['exec.*', 'the terminal'],
    ['extension.config*', 'extensions of the user interface'],
    ['ga.*', 'Google Analytics'],
    ['help.*', 'links that are shown'],
    ['oidc.*', 'single sign-on'],
    ['passwordPattern', 'local users'],
    ['project.links', 'links that are shown'],
    ['resource.customLabels', 'labels that are shown'],
    ['resource.links', 'links that are shown'],
    ['server.*', 'the API server'],
    ['sourceHydrator.*', 'the source hydrator'],
    ['statusbadge.*', 'badges'],
    ['ui.*', 'the user interface'],
    ['url', 'address of the user interface'],
    ['users.*', 'local users'],
  ],
};

const parameters: Table = {
  read: [
    ['controller.sync.timeout.seconds', 'how long a sync may take'],
    ['controller.sync.wave.delay.seconds', 'pause between waves'],
    ['controller.metrics.application.labels', 'labels of Applications that are metrics'],
    ['controller.metrics.application.conditions', 'conditions of Applications that are metrics'],
    ['controller.metrics.cluster.labels', 'labels of clusters that are metrics'],
    ['controller.log.level', 'which lines are logged; read when a pod starts'],
    ['controller.log.format', 'their form; read when a pod starts'],
    ['otlp.address', 'where traces go; read when a pod starts'],
    ['otlp.insecure', 'whether without TLS; read when a pod starts'],
    ['otlp.headers', 'what is sent with them; read when a pod starts'],
    ['otlp.attrs', 'attributes of all of them; read when a pod starts'],
    ['otlp.sample.ratio', 'how many of them; read when a pod starts'],
  ],
  rule: [
    [
      'reposerver.include.hidden.directories',
      'whether folders that begin with a dot are rendered; stops who has a directory of manifests',
      'false',
    ],
  ],
  hint: [
    ['application.namespaces', 'other namespaces that Applications may be in; those there are not looked at'],
    ['controller.self.heal.timeout.seconds', 'pause before healing', '0'],
    ['controller.self.heal.backoff.timeout.seconds', 'pause before healing again', '2'],
    ['controller.self.heal.backoff.factor', 'how that grows', '3'],
    ['controller.self.heal.backoff.cap.seconds', 'and how far', '300'],
    ['controller.self.heal.backoff.cooldown.seconds', 'when it begins anew', '330'],
    ['controller.diff.server.side', 'comparing by dry runs', 'false'],
    ['controller.repo.error.grace.period.seconds', 'how long errors of Git are not shown', '180'],
    ['controller.ignore.normalizer.jq.timeout', 'how long a jq expression may take', '1s'],
    ['controller.resource.health.persist', 'where health of objects is kept', 'false'],
    ['reposerver.allow.oob.symlinks', 'links that lead out of the repository, which Mooring never follows', 'false'],
    ['reposerver.enable.git.submodule', 'whether submodules are fetched, which Mooring does not', 'true'],
    ['reposerver.enable.builtin.git.config', "Git's settings", 'true'],
    ['reposerver.git.request.timeout', 'how long Git may take', '15s'],
    ['reposerver.max.combined.directory.manifests.size', 'how large a directory of manifests may be', '10M'],
  ],
  none: [
    ['applicationsetcontroller.*', 'the ApplicationSet controller'],
    ['commit.server', 'the source hydrator'],
    ['commitserver.*', 'the source hydrator'],
    ['controller.*', 'tuning that Mooring does not need'],
    ['dexserver.*', 'single sign-on'],
    ['hydrator.enabled', 'the source hydrator'],
    ['log.format.timestamp', "how the log's times look"],
    ['notificationscontroller.*', 'notifications'],
    ['redis.*', 'Redis'],
    ['repo.server', 'where the repo server is'],
    ['reposerver.*', 'tuning of the repo server, which is a part of Mooring'],
    ['server.*', 'the API server'],
  ],
};

const project: Table = {
  read: [
    ['sourceRepos', 'repositories that may be used'],
    ['destinations', 'places that may be deployed to'],
    ['permitOnlyProjectScopedClusters', 'only clusters of the project'],
    ['clusterResourceWhitelist', 'cluster-scoped kinds that are permitted'],
    ['clusterResourceBlacklist', 'cluster-scoped kinds that are not'],
    ['namespaceResourceWhitelist', 'namespaced kinds that are permitted'],
    ['namespaceResourceBlacklist', 'namespaced kinds that are not'],
    ['syncWindows', 'when syncs may run'],
  ],
  gate: [
    ['signatureKeys', 'keys that commits must be signed with'],
    ['sourceIntegrity', 'what commits must prove'],
    ['destinationServiceAccounts', 'whom syncs act as, where application.sync.impersonation.enabled is true'],
  ],
  hint: [
    ['orphanedResources', 'a warning of objects that are in no Application'],
    ['sourceNamespaces', 'other namespaces whose Applications may use the project; those there are not looked at'],
  ],
  none: [
    ['description', 'for people'],
    ['roles', 'rights of users'],
  ],
};

const repository: Table = {
  read: [
    ['url', 'where it is'],
    ['project', 'the only project that may use it'],
    ['username', 'who asks'],
    ['password', 'with what'],
    ['bearerToken', 'with what'],
    ['sshPrivateKey', 'with what'],
    ['tlsClientCertData', 'with what'],
    ['tlsClientCertKey', 'with what'],
    ['insecure', 'whether any certificate will do'],
    ['insecureIgnoreHostKey', 'whether any host key will do'],
    ['proxy', 'through what'],
  ],
  rule: [
    ['githubApp*', 'a GitHub App'],
    ['gcpServiceAccountKey', 'an account of Google Cloud'],
    ['azure*', 'an account of Azure'],
    ['useAzureWorkloadIdentity', "the pod's account of Azure", 'false'],
    ['useWorkloadIdentity', "the pod's account of a cloud", 'false'],
  ],
  hint: [
    ['type', 'git, helm or oci; only Git is spoken to', 'git'],
    ['enableLfs', 'Git LFS; what is a pointer stays one', 'false'],
    ['enableOCI', 'charts of an OCI registry', 'false'],
    ['forceHttpBasicAuth', 'whether the password is sent unasked', 'false'],
    ['insecureOCIForceHttp', 'an OCI registry without TLS', 'false'],
    ['noProxy', 'what is reached without the proxy'],
    ['depth', 'how much of the history is fetched', '0'],
  ],
  none: [
    ['name', 'for people'],
    ['webhookManifestCacheWarmDisabled', "the repo server's cache"],
  ],
};

const cluster: Table = {
  read: [
    ['server', 'where it is'],
    ['name', 'what destinations may call it'],
    ['namespaces', 'the only namespaces that are looked at'],
    ['clusterResources', 'whether cluster-scoped objects are, then'],
    ['project', 'the project that it belongs to'],
    ['config', 'how to connect; awsAuthConfig and execProviderConfig are refused'],
  ],
  none: [['shard', 'which of several controllers works for it; here one works for all']],
};

const tables: Readonly<Record<SettingPlace, Table>> = {
  'argocd-cm': config,
  'argocd-cmd-params-cm': parameters,
  AppProject: project,
  repository,
  cluster,
};

/** Every key that Argo CD 3.6 knows, by place and class. */
export const settingKeys: readonly SettingKey[] = Object.entries(tables).flatMap(([place, table]) =>
  Object.entries(table).flatMap(([name, rows]) =>
    rows.map(
      ([key, about, ...harmless]): SettingKey => ({
        place: place as SettingPlace,
        key,
        class: name as SettingClass,
        harmless,
        about,
      }),
    ),
  ),
);

const byPlace = new Map<SettingPlace, readonly SettingKey[]>(
  (Object.keys(tables) as SettingPlace[]).map((place) => [place, settingKeys.filter((one) => one.place === place)]),
);

/** What is known of a key: the row that names it, else the one that begins most like it; undefined where Argo CD does not know it. */
export function settingKey(place: SettingPlace, key: string): SettingKey | undefined {
  let best: SettingKey | undefined;
  for (const row of byPlace.get(place) ?? []) {
    if (row.key === key) return row;
    const isMatch = row.key.endsWith('*') && key.startsWith(row.key.slice(0, -1));
    if (isMatch && row.key.length > (best?.key.length ?? 0)) best = row;
  }
  return best;
}

/** A key that is given and not read. */
export interface UnreadSetting {
  readonly place: SettingPlace;
  readonly key: string;
  /** `unknown`: Argo CD does not know it either. */
  readonly class: Exclude<SettingClass, 'read'> | 'unknown';
  readonly about: string;
}

/** The keys that are given, are not read, and say something: neither nothing nor what is so anyway. */
export function unreadSettings(
  place: SettingPlace,
  fields: Readonly<Record<string, string>>,
): readonly UnreadSetting[] {
  return Object.entries(fields).flatMap(([key, value]): readonly UnreadSetting[] => {
    const row = settingKey(place, key);
    if (row === undefined) return [{ place, key, class: 'unknown', about: 'no key of Argo CD 3.6' }];
    const text = value.trim();
    if (row.class === 'read' || text === '' || row.harmless.includes(text)) return [];
    return [{ place, key, class: row.class, about: row.about }];
  });
}
