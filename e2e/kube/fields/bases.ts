import type { KubeObject } from '@mooring/renderer-contract';

const labels = { app: 'base' };
const selector = { matchLabels: labels };
const containers = [{ name: 'web', image: 'web:1' }];
const template = { metadata: { labels }, spec: { containers } };
const resources = { requests: { storage: '1Gi' } };
const claim = { accessModes: ['ReadWriteOnce'], resources };
const backend = { service: { name: 'web', port: { number: 80 } } };

/** Stands in the names of what is made more than once, for a number. */
export const turn = 'TURN';

/** Its key is thrown away. */
const trustBundle = [
  '-----BEGIN CERTIFICATE-----',
  'MIIBbzCCARWgAwIBAgIUMAMb7sa1YUYkHkrnNS9Nrx2UVfcwCgYIKoZIzj0EAwIw',
  'DDEKMAgGA1UEAwwBYTAgFw0yNjEyMDEwNDU1NDJaGA8yMTI2MTEwNzA0NTU0Mlow',
  'DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKkZxdy8po+n',
  'k97cSRuoZPsxMwVPG+fZ67m4+XsKUr9n8FHn/JvTm5OrTkUGIfQqfmIhCcoxovAw',
  'DVf4Ar7YHV6jUzBRMB0GA1UdDgQWBBQQDZI0NoYLcZwdupY1grODV9Ej4TAfBgNV',
  'HSMEGDAWgBQQDZI0NoYLcZwdupY1grODV9Ej4TAPBgNVHRMBAf8EBTADAQH/MAoG',
  'CCqGSM49BAMCA0gAMEUCIFAaFATVeMHMXDcGOexsubdiq3rTZpDoV7WYnCdOF3h2',
  'AiEAqaZaf+vXXGNHdNXXI/xBuMrY2eT1PTHlRzQRGBcVwfI=',
  '-----END CERTIFICATE-----',
  '',
].join('\n');

/** One probe, and the like, of each way that it can be made. */
const detailed = {
  metadata: { labels },
  spec: {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
        ],
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, podAffinityTerm: { topologyKey: 'zone', labelSelector: selector } },
        ],
      },
    },
    dnsConfig: { options: [{ name: 'ndots' }] },
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }],
    securityContext: {},
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }],
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: selector },
    ],
    initContainers: [{ name: 'init', image: 'init:1', restartPolicy: 'Always' }],
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [{ containerPort: 80 }],
        env: [
          { name: 'A', value: '1' },
          { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        ],
        envFrom: [{ configMapRef: { name: 'c' } }],
        resources: {},
        securityContext: { capabilities: { drop: ['ALL'] } },
        livenessProbe: { httpGet: { path: '/', port: 80 } },
        readinessProbe: { exec: { command: ['true'] } },
        lifecycle: { preStop: { exec: { command: ['true'] } } },
        volumeMounts: [{ name: 'empty', mountPath: '/empty' }],
      },
    ],
    volumes: [
      { name: 'empty', emptyDir: {} },
      { name: 'config', configMap: { name: 'c', items: [{ key: 'a', path: 'a' }] } },
      { name: 'secret', secret: { secretName: 's' } },
      { name: 'projected', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
    ],
  },
};

function object(
  apiVersion: string,
  kind: string,
  rest: Readonly<Record<string, unknown>>,
  isClustered = false,
): KubeObject {
  const metadata = { name: `${kind.toLowerCase()}-${turn}`, ...(!isClustered && { namespace: 'any' }) };
  return { apiVersion, kind, metadata, ...rest };
}

/** Of a group that has nothing, so that what is to be admitted never holds a write. */
const nothing = {
  apiGroups: ['none.example.com'],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['nothing'],
};
const webhook = {
  name: 'a.example.com',
  rules: [nothing],
  clientConfig: { url: 'https://a.example.com' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};
const matchConstraints = { resourceRules: [nothing] };
const groupResource = { group: 'example.com', resource: 'a' };
const hpa = { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } };

/** Kinds that can be created, but not as an object that stays and can be changed, and why. */
export const notKept: Readonly<Record<string, string>> = {
  'v1/Binding': 'an order to the scheduler; nothing is stored',
  'authentication.k8s.io/v1/SelfSubjectReview': 'a question; nothing is stored',
  'authentication.k8s.io/v1/TokenReview': 'a question; nothing is stored',
  'authorization.k8s.io/v1/LocalSubjectAccessReview': 'a question; nothing is stored',
  'authorization.k8s.io/v1/SelfSubjectAccessReview': 'a question; nothing is stored',
  'authorization.k8s.io/v1/SelfSubjectRulesReview': 'a question; nothing is stored',
  'authorization.k8s.io/v1/SubjectAccessReview': 'a question; nothing is stored',
  'certificates.k8s.io/v1/CertificateSigningRequest':
    'the API server takes every change of the spec, and leaves it as it was',
  'certificates.k8s.io/v1/PodCertificateRequest': 'made by a kubelet only, with a proof that it has the key',
};

/** One object of each kind that can be created and stays, with what its fields hang on. */
export const bases: readonly KubeObject[] = [
  object('v1', 'ConfigMap', {}),
  object('v1', 'Secret', {}),
  object('v1', 'ServiceAccount', {}),
  object('v1', 'Service', { spec: { ports: [{ port: 80 }] } }),
  object('v1', 'PersistentVolumeClaim', { spec: claim }),
  object('v1', 'LimitRange', { spec: { limits: [{ type: 'Container' }] } }),
  object('v1', 'ResourceQuota', { spec: {} }),
  object('v1', 'Pod', { spec: { containers } }),
  object('apps/v1', 'Deployment', {
    spec: { replicas: 0, selector, template: detailed, strategy: { rollingUpdate: {} } },
  }),
  object('apps/v1', 'StatefulSet', {
    spec: {
      replicas: 0,
      selector,
      template,
      updateStrategy: {},
      persistentVolumeClaimRetentionPolicy: {},
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
    },
  }),
  object('apps/v1', 'DaemonSet', { spec: { selector, template, updateStrategy: { rollingUpdate: {} } } }),
  object('batch/v1', 'Job', { spec: { suspend: true, template: { spec: { containers, restartPolicy: 'Never' } } } }),
  object('batch/v1', 'CronJob', {
    spec: {
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: { template: { spec: { containers, restartPolicy: 'Never' } } } },
    },
  }),
  object('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      behavior: { scaleDown: {}, scaleUp: {} },
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
    },
  }),
  object('policy/v1', 'PodDisruptionBudget', { spec: { selector } }),
  object('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: selector }, { ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 80 }] }],
    },
  }),
  object('networking.k8s.io/v1', 'Ingress', {
    spec: {
      tls: [{ hosts: ['a.example.com'] }],
      rules: [{ host: 'a.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  }),
  object('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'example.com/a' } }, true),
  object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
  object(
    'rbac.authorization.k8s.io/v1',
    'ClusterRole',
    { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    true,
  ),
  object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' },
    subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: 'any' }],
  }),
  object('scheduling.k8s.io/v1', 'PriorityClass', { value: 5 }, true),
  object('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.com/a' }, true),
  object('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }),
  object('v1', 'Event', { involvedObject: { kind: 'Pod', name: 'a', namespace: 'any' } }),
  object('v1', 'Namespace', { spec: {} }, true),
  object('v1', 'Node', { spec: { taints: [{ key: 'fields', effect: 'NoExecute' }] } }, true),
  object(
    'v1',
    'PersistentVolume',
    { spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/a' } } },
    true,
  ),
  object('v1', 'PodTemplate', { template }),
  object('v1', 'ReplicationController', { spec: { replicas: 0, selector: labels, template } }),
  object('apps/v1', 'ReplicaSet', { spec: { replicas: 0, selector, template } }),
  object('apps/v1', 'ControllerRevision', { revision: 1, data: {} }),
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', { webhooks: [webhook] }, true),
  object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', { webhooks: [webhook] }, true),
  object(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicy',
    { spec: { matchConstraints, validations: [{ expression: 'true' }] } },
    true,
  ),
  object(
    'admissionregistration.k8s.io/v1',
    'ValidatingAdmissionPolicyBinding',
    { spec: { policyName: 'none', validationActions: ['Audit'] } },
    true,
  ),
  object(
    'admissionregistration.k8s.io/v1',
    'MutatingAdmissionPolicy',
    {
      spec: {
        matchConstraints,
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
      },
    },
    true,
  ),
  object('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicyBinding', { spec: { policyName: 'none' } }, true),
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.g${turn}.example.com` },
    spec: {
      group: `g${turn}.example.com`,
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        {
          name: 'v1',
          served: false,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'string' } } } },
        },
      ],
    },
  },
  {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.s${turn}.example.com` },
    spec: {
      group: `s${turn}.example.com`,
      version: 'v1',
      groupPriorityMinimum: 10,
      versionPriority: 10,
      service: { name: 'none', namespace: 'default' },
      insecureSkipTLSVerify: true,
    },
  },
  object('autoscaling/v1', 'HorizontalPodAutoscaler', { spec: hpa }),
  object('certificates.k8s.io/v1', 'ClusterTrustBundle', { spec: { trustBundle } }, true),
  object('coordination.k8s.io/v1', 'Lease', { spec: {} }),
  object('discovery.k8s.io/v1', 'EndpointSlice', {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ port: 80 }],
  }),
  object('events.k8s.io/v1', 'Event', {
    eventTime: '2026-01-01T00:00:00.000000Z',
    action: 'a',
    reason: 'a',
    type: 'Normal',
    reportingController: 'example.com/a',
    reportingInstance: 'a',
    regarding: { kind: 'Pod', name: 'a', namespace: 'any' },
  }),
  object(
    'flowcontrol.apiserver.k8s.io/v1',
    'FlowSchema',
    {
      spec: {
        priorityLevelConfiguration: { name: 'none' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'nobody' } }],
            resourceRules: [{ apiGroups: ['a'], resources: ['a'], verbs: ['get'], namespaces: ['a'] }],
          },
        ],
      },
    },
    true,
  ),
  object(
    'flowcontrol.apiserver.k8s.io/v1',
    'PriorityLevelConfiguration',
    { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
    true,
  ),
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: `2001:db8::${turn}` },
    spec: { parentRef: { resource: 'services', name: 'a', namespace: 'any' } },
  },
  object('networking.k8s.io/v1', 'ServiceCIDR', { spec: { cidrs: ['10.250.0.0/24'] } }, true),
  object('node.k8s.io/v1', 'RuntimeClass', { handler: 'a' }, true),
  object(
    'rbac.authorization.k8s.io/v1',
    'ClusterRoleBinding',
    {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'none' },
      subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: 'any' }],
    },
    true,
  ),
  object('resource.k8s.io/v1', 'DeviceClass', { spec: {} }, true),
  object(
    'resource.k8s.io/v1',
    'DeviceTaintRule',
    { spec: { deviceSelector: { driver: 'a.example.com' }, taint: { key: 'a', effect: 'NoSchedule' } } },
    true,
  ),
  object('resource.k8s.io/v1', 'ResourceClaim', { spec: {} }),
  object('resource.k8s.io/v1', 'ResourceClaimTemplate', {
    spec: { spec: { devices: { requests: [{ name: 'a', exactly: { deviceClassName: 'a' } }] } } },
  }),
  object(
    'resource.k8s.io/v1',
    'ResourceSlice',
    {
      spec: {
        driver: 'a.example.com',
        nodeName: 'none',
        pool: { name: 'a', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'a' }],
      },
    },
    true,
  ),
  object('storage.k8s.io/v1', 'CSIDriver', { spec: {} }, true),
  object('storage.k8s.io/v1', 'CSINode', { spec: { drivers: [{ name: 'a.example.com', nodeID: 'a' }] } }, true),
  object('storage.k8s.io/v1', 'CSIStorageCapacity', { storageClassName: 'a' }),
  object(
    'storage.k8s.io/v1',
    'VolumeAttachment',
    { spec: { attacher: 'a.example.com', nodeName: 'none', source: { persistentVolumeName: 'none' } } },
    true,
  ),
  object('storage.k8s.io/v1', 'VolumeAttributesClass', { driverName: 'a.example.com', parameters: { a: 'a' } }, true),
  object('storagemigration.k8s.io/v1', 'StorageVersionMigration', { spec: { resource: groupResource } }, true),
];
