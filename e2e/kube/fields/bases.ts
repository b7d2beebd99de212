import type { KubeObject } from '@mooring/renderer-contract';

const labels = { app: 'base' };
const selector = { matchLabels: labels };
const containers = [{ name: 'web', image: 'web:1' }];
const template = { metadata: { labels }, spec: { containers } };
const resources = { requests: { storage: '1Gi' } };
const claim = { accessModes: ['ReadWriteOnce'], resources };
const backend = { service: { name: 'web', port: { number: 80 } } };

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
    initContainers: [{ name: 'init', image: 'init:1' }],
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
  const metadata = { name: kind.toLowerCase(), ...(!isClustered && { namespace: 'any' }) };
  return { apiVersion, kind, metadata, ...rest };
}

/** One object of each kind that is written by people, with what its fields hang on. */
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
];
