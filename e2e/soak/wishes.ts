import type { KubeObject } from '@mooring/renderer-contract';

/** Namespace of everything that the storm is about. */
export const namespace = 'soak';

/** What Git says of one Application. */
export interface Wish {
  /** In the values of its objects. */
  readonly revision: number;
  /** Whether it has an object that comes and goes. */
  readonly hasExtra: boolean;
}

export const appName = (index: number): string => `app-${String(index).padStart(4, '0')}`;

/** The objects that Git has for an Application. */
export function desiredOf(name: string, { revision, hasExtra }: Wish): readonly KubeObject[] {
  const labels = { app: name, part: 'git' };
  const maps = ['one', 'two', 'three', ...(hasExtra ? ['extra'] : [])].map((part) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-${part}`, namespace, labels },
    data: { a: `git ${revision}`, b: 'safe', c: part },
  }));
  const ports = [
    { name: 'http', port: 80 },
    { name: 'metrics', port: 9153 },
  ];
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, labels }, spec: { ports } };
  return [...maps, service];
}

/** Path and content of an Application's only file. */
export function fileOf(name: string, wish: Wish): readonly [string, string] {
  const documents = desiredOf(name, wish).map((object) => JSON.stringify(object));
  return [`${name}/all.yaml`, `${documents.join('\n---\n')}\n`];
}

/** Where the API server has an object. */
export function pathOf({ kind, metadata }: KubeObject): string {
  return `${collectionOf(kind)}/${metadata.name}`;
}

export function collectionOf(kind: string): string {
  return `/api/v1/namespaces/${namespace}/${kind.toLowerCase()}s`;
}
