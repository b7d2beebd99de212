import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheChange } from '@mooring/operator/adapters/kube/cache.ts';
import { type ClusterView, openView, type ViewOptions } from '@mooring/operator/adapters/kube/cluster.ts';
import type { Connection } from '@mooring/operator/adapters/kube/connection.ts';
import { usualKinds } from '@mooring/operator/adapters/kube/watched-kinds.ts';
import { systemClock, systemRandom } from '@mooring/operator/adapters/time/system.ts';
import { hasHealthRule, healthOf } from '@mooring/operator/engine/health/health.ts';
import type { Guard } from '@mooring/operator/model/guard.ts';
import { operatorLimits } from '@mooring/operator/model/limits.ts';
import type { Log } from '@mooring/operator/world/telemetry.ts';
import type { KubeObject } from '@mooring/renderer-contract';
import type { Cluster } from '../cluster/cluster.ts';

/** A log that keeps its lines. */
export interface KeptLog extends Log {
  readonly lines: {
    readonly level: string;
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }[];
}

export function keepLog(): KeptLog {
  const lines: KeptLog['lines'] = [];
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ level, message, fields });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export function viewOptions(log: Log = keepLog()): ViewOptions {
  return {
    clock: systemClock,
    random: systemRandom,
    limits: operatorLimits,
    log,
    healthOf,
    hasHealthRule,
    respectRbac: () => 'off',
    kinds: usualKinds,
  };
}

export function connectionTo(cluster: Cluster, server: string = cluster.server): Connection {
  const tls = { ca: cluster.ca, cert: cluster.cert, key: cluster.key };
  return { server, tls: async () => tls };
}

/** A view of a cluster, and what it told. */
export interface Watched extends ClusterView {
  readonly changes: CacheChange[];
  readonly followed: (string | undefined)[];
  readonly log: KeptLog;
}

export async function watchCluster(
  cluster: Cluster,
  server: string = cluster.server,
  options: Partial<ViewOptions> = {},
): Promise<Watched> {
  const log = keepLog();
  const changes: CacheChange[] = [];
  const followed: (string | undefined)[] = [];
  const view = await openView(
    connectionTo(cluster, server),
    { server: cluster.server, namespaces: [], clusterResources: true },
    { ...viewOptions(log), ...options },
    {
      changed: (change) => changes.push(change),
      followed: (fault, kind) => {
        if (kind === undefined) followed.push(fault?.code);
      },
      outdated: (fault) => followed.push(fault.message),
    },
  );
  return { ...view, changes, followed, log };
}

/** Waits until something is so. Fails, saying what for, after `ms`. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not so after ${ms} ms: ${what}`);
    await sleep(10);
  }
}

/** An object tracked as an Application's. */
export function tracked(app: string, object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = object;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const id = `${app}:${group}/${kind}:${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, 'argocd.argoproj.io/tracking-id': id } },
  };
}

export function configMap(name: string, data: Readonly<Record<string, string>>, namespace = 'default'): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** A TCP proxy before an API server, to break connections. */
export interface Wire {
  readonly server: string;
  /** Connections that are open. */
  count(): number;
  /** Resets every connection that is open; new ones work. Answers how many there were. */
  reset(): number;
  /** While cut, what is open is reset and nothing new gets through. */
  cut(isCut: boolean): void;
  close(): Promise<void>;
}

export async function startWire(server: string): Promise<Wire> {
  const { hostname, port } = new URL(server);
  const open = new Set<Socket>();
  let isCut = false;
  const listener = createServer((near) => {
    if (isCut) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(port), hostname);
    open.add(near);
    const end = (): void => {
      open.delete(near);
      near.destroy();
      far.destroy();
    };
    // What a broken connection says of itself is the very thing that is wanted here.
    near.on('error', end).on('close', end);
    far.on('error', end).on('close', end);
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const reset = (): number => {
    const count = open.size;
    for (const socket of open) socket.resetAndDestroy();
    return count;
  };
  return {
    server: `https://127.0.0.1:${address.port}`,
    count: () => open.size,
    reset,
    cut: (cut) => {
      isCut = cut;
      if (cut) reset();
    },
    close: async () => {
      reset();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** A project that forbids nothing. */
export const permitAll: Guard = () => undefined;
