import { createServer, type Socket } from 'node:net';
import type { Application } from '@mooring/crds';
import { stringify } from 'yaml';
import { namespace } from './monorepo.ts';

/** Good Applications that are charts, to be measured beside the endless ones: both want Helm's engine. */
export const chartName = (index: number): string => `chart-${index}`;

/** The values of one, which commits change. */
export const valuesPath = (index: number): string => `charts/${chartName(index)}/values.yaml`;

/** A chart of one ConfigMap, `<name>-settings`. */
export function chartFiles(index: number): Record<string, string> {
  const name = chartName(index);
  const template = stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${name}-settings` } });
  return {
    [`charts/${name}/Chart.yaml`]: stringify({ apiVersion: 'v2', name, version: '1.0.0' }),
    [`charts/${name}/templates/settings.yaml`]: `${template}data:\n  value: {{ .Values.value | quote }}\n`,
    [valuesPath(index)]: stringify({ value: '0' }),
  };
}

/** A chart whose loops do not end while anybody waits: 10^15 turns. */
export function endlessChart(name: string): Record<string, string> {
  const loops = 5;
  return {
    [`${name}/Chart.yaml`]: stringify({ apiVersion: 'v2', name, version: '1.0.0' }),
    [`${name}/templates/loops.yaml`]: '{{ range until 1000 }}'.repeat(loops) + '{{ end }}'.repeat(loops),
  };
}

/** An Application of one folder. */
export function applicationAt(name: string, repoURL: string, path: string): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL, path, targetRevision: 'main' },
      destination: { server: 'https://kubernetes.default.svc', namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}

/** A Git server that takes every connection and never answers. */
export async function startHungServer(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}/hung.git`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
