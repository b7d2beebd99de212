import { readFile } from 'node:fs/promises';
import type { Files } from './files.ts';
import { readValues, type ValueRow } from './values.ts';

/** A JSON Schema of draft 7, which every version of Helm 3 and 4 reads. */
export interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

type Properties = Readonly<Record<string, Schema>>;

const anything: Schema = {};
const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const positive: Schema = { type: 'integer', minimum: 1 };
const port: Schema = { type: 'integer', minimum: 1, maximum: 65_535 };
/** What becomes text in a ConfigMap, a Secret or an annotation. */
const scalar: Schema = { type: ['string', 'number', 'boolean'] };

const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
const matching = (pattern: string): Schema => ({ type: 'string', pattern });
const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });
/** A map that has these keys and no others. */
const map = (properties: Properties, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required }),
});
/** A map that has these keys, which are checked, and any others. */
const openMap = (properties: Properties, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});
const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
/** A map whose keys are as the pattern wants them. (`propertyNames` says the same, but Helm then names another path.) */
const mapOfNamed = (pattern: string, values: Schema): Schema => ({
  type: 'object',
  patternProperties: { [pattern]: values },
  additionalProperties: false,
});

/** RFC 1123, as Kubernetes takes names of most objects. */
const objectName = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
const namespace = matching('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$');
const optionalName = matching('^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$');
/** Keys of a ConfigMap or Secret. */
const dataKey = '^[-._a-zA-Z0-9]+$';
const labels = mapOf({ type: 'string', maxLength: 63 });
const annotations = mapOf(scalar);

/** Go's `time.ParseDuration`. */
const duration = matching('^(0|(([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$');
/** Prometheus' own durations. */
const prometheusDuration = matching('^(([0-9]+(y|w|d|h|m|s|ms))+)?$');
const seconds: Schema = { type: ['string', 'integer'], pattern: '^[0-9]{1,9}$', minimum: 0 };
/** `3`, `50%`, or nothing. */
const amount: Schema = { type: ['string', 'integer'], pattern: '^([0-9]+%?)?$', minimum: 0 };
const quantity: Schema = {
  type: ['string', 'number'],
  pattern: '^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$',
  minimum: 0,
};

const pullPolicy = oneOf('Always', 'IfNotPresent', 'Never');
const image = (policy: Schema): Schema => map({ repository: text, tag: text, imagePullPolicy: policy });
const env = list(map({ name: text, value: text, valueFrom: { type: 'object' } }, ['name']));
const volumes = list(openMap({ name: text }, ['name']));
const volumeMounts = list(
  map(
    {
      name: text,
      mountPath: text,
      subPath: text,
      subPathExpr: text,
      readOnly: flag,
      recursiveReadOnly: text,
      mountPropagation: text,
    },
    ['name', 'mountPath'],
  ),
);
const containers = list(openMap({ name: text, image: text }, ['name', 'image']));
const tolerations = list(
  map({
    key: text,
    operator: oneOf('Exists', 'Equal'),
    value: text,
    effect: oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
    tolerationSeconds: { type: 'integer' },
  }),
);
const spread = list(
  map(
    {
      maxSkew: positive,
      minDomains: positive,
      topologyKey: text,
      whenUnsatisfiable: oneOf('DoNotSchedule', 'ScheduleAnyway'),
      labelSelector: { type: 'object' },
      matchLabelKeys: list(text),
      nodeAffinityPolicy: oneOf('Honor', 'Ignore'),
      nodeTaintsPolicy: oneOf('Honor', 'Ignore'),
    },
    ['maxSkew', 'topologyKey', 'whenUnsatisfiable'],
  ),
);
const pullSecrets = list(map({ name: text }, ['name']));
const nodeSelector = mapOf(text);
const seccompProfile = map({ type: oneOf('RuntimeDefault', 'Localhost', 'Unconfined'), localhostProfile: text });
const rules = list(
  map(
    {
      apiGroups: list(text),
      resources: list(text),
      resourceNames: list(text),
      nonResourceURLs: list(text),
      verbs: list(text),
    },
    ['verbs'],
  ),
);
const relabelings = list({ type: 'object' });

const probe = (more: Properties = {}): Schema =>
  map({
    httpPath: matching('^/'),
    failureThreshold: positive,
    initialDelaySeconds: count,
    periodSeconds: positive,
    timeoutSeconds: positive,
    ...more,
  });

/** What a Secret about a repository, or about credentials, may hold; all of it is text. */
const repository: Schema = {
  ...mapOfNamed(dataKey, scalar),
  properties: { url: text, type: oneOf('git', 'helm', 'oci') },
  required: ['url'],
};

const cluster = map(
  {
    server: matching('^https?://.'),
    namespaces: text,
    clusterResources: { type: ['boolean', 'string'] },
    project: text,
    shard: { type: ['integer', 'string'] },
    labels,
    annotations,
    config: map({
      username: text,
      password: text,
      bearerToken: text,
      tlsClientConfig: map({ insecure: flag, caData: text, certData: text, keyData: text, serverName: text }),
      awsAuthConfig: { type: 'object' },
      execProviderConfig: { type: 'object' },
      disableCompression: flag,
      proxyUrl: text,
    }),
  },
  ['server', 'config'],
);

/** A ConfigMap that is filled from every key beside its own two. */
const settings = (known: Properties): Schema => ({
  ...mapOf(scalar),
  properties: { create: flag, annotations, ...known },
});

const ingressPath = matching('^/');
const ingressPathType = oneOf('Exact', 'Prefix', 'ImplementationSpecific');

const global: Schema = openMap({
  // Not closed: an umbrella chart has global values for its other charts. Those that nobody knows are named in the notes.
  domain: text,
  runtimeClassName: text,
  additionalLabels: labels,
  revisionHistoryLimit: count,
  image: image(pullPolicy),
  imagePullSecrets: pullSecrets,
  logging: map({ format: oneOf('text', 'json'), level: oneOf('debug', 'info', 'warn', 'error') }),
  deploymentAnnotations: annotations,
  deploymentLabels: labels,
  podAnnotations: annotations,
  podLabels: labels,
  addPrometheusAnnotations: flag,
  securityContext: map({
    runAsNonRoot: flag,
    runAsUser: count,
    runAsGroup: count,
    fsGroup: count,
    fsGroupChangePolicy: oneOf('OnRootMismatch', 'Always'),
    supplementalGroups: list(count),
    supplementalGroupsPolicy: oneOf('Merge', 'Strict'),
    seccompProfile,
    seLinuxOptions: { type: 'object' },
    seLinuxChangePolicy: text,
    appArmorProfile: { type: 'object' },
    sysctls: list({ type: 'object' }),
    windowsOptions: { type: 'object' },
  }),
  hostAliases: list(map({ ip: text, hostnames: list(text) }, ['ip'])),
  dualStack: map({
    ipFamilyPolicy: oneOf('', 'SingleStack', 'PreferDualStack', 'RequireDualStack'),
    ipFamilies: list(oneOf('IPv4', 'IPv6'), { uniqueItems: true }),
  }),
  networkPolicy: map({ create: flag, defaultDenyIngress: flag }),
  priorityClassName: text,
  nodeSelector,
  tolerations,
  affinity: map({
    podAntiAffinity: oneOf('none', 'soft', 'hard'),
    nodeAffinity: map({
      type: oneOf('none', 'soft', 'hard'),
      matchExpressions: list(
        map(
          {
            key: text,
            operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
            values: list(text),
          },
          ['key', 'operator'],
        ),
      ),
    }),
  }),
  topologySpreadConstraints: spread,
  deploymentStrategy: map({
    type: oneOf('RollingUpdate', 'Recreate'),
    rollingUpdate: map({ maxSurge: amount, maxUnavailable: amount }),
  }),
  env,
  extraVolumes: volumes,
  extraVolumeMounts: volumeMounts,
});

const configs: Schema = map({
  cm: settings({
    'timeout.reconciliation': duration,
    'timeout.reconciliation.jitter': duration,
    'timeout.hard.reconciliation': duration,
    'resource.respectRBAC': oneOf('', 'normal', 'strict'),
  }),
  params: settings({
    'controller.sync.timeout.seconds': seconds,
    'controller.sync.wave.delay.seconds': seconds,
    'controller.log.level': oneOf('debug', 'info', 'warn', 'error'),
  }),
  rbac: settings({}),
  ssh: map({ create: flag, annotations, knownHosts: text, extraHosts: text }),
  tls: map({ create: flag, annotations, certificates: mapOfNamed(dataKey, text) }),
  clusterCredentials: mapOfNamed(objectName, cluster),
  credentialTemplates: mapOfNamed(objectName, repository),
  credentialTemplatesAnnotations: annotations,
  repositories: mapOfNamed(objectName, repository),
  repositoriesAnnotations: annotations,
  secret: map({
    createSecret: flag,
    labels,
    annotations,
    githubSecret: text,
    gitlabSecret: text,
    bitbucketServerSecret: text,
    bitbucketUUID: text,
    gogsSecret: text,
    azureDevops: map({ username: text, password: text }),
    extra: mapOfNamed(dataKey, text),
    argocdServerAdminPassword: text,
    argocdServerAdminPasswordMtime: text,
  }),
  cmp: anything,
  gpg: anything,
  styles: anything,
});

const metrics: Schema = map({
  enabled: flag,
  separatePort: flag,
  scrapeTimeout: prometheusDuration,
  service: map({
    type: oneOf('ClusterIP', 'NodePort', 'LoadBalancer'),
    clusterIP: text,
    annotations,
    labels,
    servicePort: port,
    portName: matching('^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$'),
  }),
  serviceMonitor: map({
    enabled: flag,
    interval: prometheusDuration,
    honorLabels: flag,
    relabelings,
    metricRelabelings: relabelings,
    selector: labels,
    scheme: oneOf('', 'http', 'https'),
    tlsConfig: { type: 'object' },
    namespace: optionalName,
    additionalLabels: labels,
    annotations,
  }),
  rules: map({
    enabled: flag,
    namespace: optionalName,
    selector: labels,
    additionalLabels: labels,
    annotations,
    spec: list(
      map(
        {
          alert: text,
          record: text,
          expr: scalar,
          for: prometheusDuration,
          keep_firing_for: prometheusDuration,
          labels: mapOf(text),
          annotations: mapOf(text),
        },
        ['expr'],
      ),
    ),
  }),
  applicationLabels: map({ enabled: flag, labels: list(text) }),
});

const controller: Schema = map({
  name: namespace,
  replicas: count,
  runtimeClassName: text,
  revisionHistoryLimit: { type: ['integer', 'null'], minimum: 0 },
  pdb: map({ enabled: flag, labels, annotations, minAvailable: amount, maxUnavailable: amount }),
  image: image(oneOf('', 'Always', 'IfNotPresent', 'Never')),
  imagePullSecrets: pullSecrets,
  extraArgs: list(scalar),
  env,
  envFrom: list(map({ prefix: text, configMapRef: { type: 'object' }, secretRef: { type: 'object' } })),
  extraContainers: containers,
  initContainers: containers,
  volumeMounts,
  volumes,
  emptyDir: map({
    sizeLimit: { type: ['string', 'number'], pattern: '^([0-9]+(\\.[0-9]+)?(k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)?$' },
  }),
  deploymentAnnotations: annotations,
  deploymentLabels: labels,
  podAnnotations: annotations,
  podLabels: labels,
  resources: map({
    requests: mapOf(quantity),
    limits: mapOf(quantity),
    claims: list({ type: 'object' }),
  }),
  hostNetwork: flag,
  dnsConfig: map({
    nameservers: list(text),
    searches: list(text),
    options: list(map({ name: text, value: text }, ['name'])),
  }),
  dnsPolicy: oneOf('ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
  containerSecurityContext: map({
    runAsNonRoot: flag,
    runAsUser: count,
    runAsGroup: count,
    readOnlyRootFilesystem: flag,
    allowPrivilegeEscalation: flag,
    privileged: flag,
    procMount: text,
    seccompProfile,
    capabilities: map({ add: list(text), drop: list(text) }),
    seLinuxOptions: { type: 'object' },
    appArmorProfile: { type: 'object' },
    windowsOptions: { type: 'object' },
  }),
  livenessProbe: probe(),
  readinessProbe: probe({ successThreshold: positive }),
  startupProbe: probe({ enabled: flag, successThreshold: { const: 1 } }),
  terminationGracePeriodSeconds: positive,
  priorityClassName: text,
  nodeSelector,
  tolerations,
  affinity: map({
    nodeAffinity: { type: 'object' },
    podAffinity: { type: 'object' },
    podAntiAffinity: { type: 'object' },
  }),
  topologySpreadConstraints: spread,
  automountServiceAccountToken: flag,
  serviceAccount: map({ create: flag, name: optionalName, annotations, labels, automountServiceAccountToken: flag }),
  metrics,
  clusterRoleRules: map({ enabled: flag, rules }),
  roleRules: rules,
  networkPolicy: map({ create: flag }),
  containerPorts: anything,
  dynamicClusterDistribution: anything,
  heartbeatTime: anything,
  statefulsetAnnotations: anything,
  statefulsetLabels: anything,
  vpa: anything,
});

const ingress: Schema = map({
  enabled: flag,
  labels,
  annotations,
  ingressClassName: text,
  hostname: text,
  path: ingressPath,
  pathType: ingressPathType,
  tls: flag,
  extraHosts: list(map({ name: text, path: ingressPath, pathType: ingressPathType }, ['name'])),
  extraPaths: list({ type: 'object' }),
  extraRules: list({ type: 'object' }),
  extraTls: list(map({ hosts: list(text), secretName: text })),
  aws: anything,
  controller: anything,
  gke: anything,
});

/** What the values of the chart may be. Parts that Argo CD has and Mooring has not may hold anything. */
export const valuesSchema: Schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...map({
    nameOverride: optionalName,
    fullnameOverride: optionalName,
    namespaceOverride: optionalName,
    crds: map({ install: flag, keep: flag, annotations, additionalLabels: labels }),
    createClusterRoles: flag,
    rbac: map({
      mode: oneOf('', 'cluster-admin', 'namespaced', 'read-only'),
      namespaces: list(namespace, { uniqueItems: true }),
    }),
    global,
    configs,
    extraObjects: { type: 'array', items: { type: ['object', 'string'] } },
    controller,
    server: openMap({ ingress }),
    dashboards: map({ enabled: flag, namespace: optionalName, labels, annotations }),
    apiVersionOverrides: anything,
    applicationSet: anything,
    commitServer: anything,
    createAggregateRoles: anything,
    dex: anything,
    externalRedis: anything,
    kubeVersionOverride: anything,
    notifications: anything,
    openshift: anything,
    redis: anything,
    'redis-ha': anything,
    redisSecretInit: anything,
    repoServer: anything,
  }),
  // A list that the other modes would leave aside without a word.
  if: { properties: { rbac: { properties: { namespaces: { minItems: 1 } } }, createClusterRoles: { const: true } } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword's name
  then: { properties: { rbac: { properties: { mode: { const: 'namespaced' } } } } },
};

/** The schema with the descriptions of values.yaml, which editors show. */
function described(schema: Schema, rows: ReadonlyMap<string, ValueRow>, path: readonly string[] = []): Schema {
  const description = rows.get(path.join('\0'))?.description;
  const properties = Object.entries(schema.properties ?? {}).map(
    ([key, child]) => [key, described(child, rows, [...path, key])] as const,
  );
  return {
    ...(description === undefined ? {} : { description }),
    ...schema,
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
  };
}

/** `values.schema.json`, which Helm checks values with. */
export async function schemaFile(): Promise<Files> {
  const rows = readValues(await readFile(new URL('mooring/values.yaml', import.meta.url), 'utf8'));
  const byPath = new Map(rows.map((row) => [row.path.join('\0'), row]));
  return { 'mooring/values.schema.json': `${JSON.stringify(described(valuesSchema, byPath), null, 2)}\n` };
}
