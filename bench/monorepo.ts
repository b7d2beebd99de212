import type { Application } from '@mooring/crds';
import { stringify } from 'yaml';

/** Namespace of everything that the benchmark applies. */
export const namespace = 'bench';

export const appName = (index: number): string => `app-${String(index).padStart(3, '0')}`;

/** Path of the one file of an application that commits change. */
export const settingsPath = (index: number): string => `apps/${appName(index)}/settings.yaml`;

/** The ConfigMap that commits change. */
export function settings(index: number, value: string): string {
  return stringify(configMap(`${appName(index)}-settings`, { value }));
}

/** Files of one application: ten objects, of which none needs a node. */
export function filesOf(index: number): Record<string, string> {
  const name = appName(index);
  const labels = { 'app.kubernetes.io/name': name };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: 'mooring.local/web:v1', ports: [{ containerPort: 8080 }] }] },
      },
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, labels } };
  const others = Array.from({ length: 6 }, (_, other) =>
    configMap(`${name}-${other}`, { text: `${name} ${other}`.repeat(20) }),
  );
  return {
    [settingsPath(index)]: settings(index, '0'),
    [`apps/${name}/workload.yaml`]: [deployment, service, account].map((object) => stringify(object)).join('---\n'),
    [`apps/${name}/more.yaml`]: others.map((object) => stringify(object)).join('---\n'),
  };
}

function configMap(name: string, data: Record<string, string>): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

export function applicationOf(index: number, repoURL: string): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: appName(index), namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL, path: `apps/${appName(index)}`, targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}
