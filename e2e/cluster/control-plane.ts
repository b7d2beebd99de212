import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Api, createApi, type Endpoint } from './api.ts';
import type { Binaries } from './build.ts';
import { checkRunning, type Run, type Started, startProcess } from './run.ts';

/** Name of the one node, real or simulated. The API server reaches kubelet by it, so it must resolve to this machine. */
export const nodeName = 'localhost';

/** Addresses of Services; the first is the API server's own. */
export type ServiceNetwork = { readonly range: string; readonly apiServer: string };

/** For a cluster without a real node: its Services lead nowhere. */
export const unroutedServices: ServiceNetwork = { range: '10.96.0.0/16', apiServer: '10.96.0.1' };

export type ControlPlane = {
  readonly endpoint: Endpoint;
  readonly api: Api;
  readonly kubeconfigPath: string;
  readonly processes: readonly Started[];
};

/** Path of a certificate or key that the `certs` part of the binary writes. */
export function pki(state: Run, file: string): string {
  return join(state.dir, 'pki', file);
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler, and waits until the API server is ready.
 * etcd doesn't sync to disk and listens on Unix sockets in the run's folder; everything else is on 127.0.0.1.
 */
export async function startControlPlane(
  state: Run,
  binaries: Binaries,
  services: ServiceNetwork,
  onStart: (started: Started) => void,
): Promise<ControlPlane> {
  const certificates = join(state.dir, 'pki');
  await mkdir(certificates, { mode: 0o700 });
  const certs = { dir: certificates, node: nodeName, 'service-ip': services.apiServer };
  await promisify(execFile)(binaries.kubernetes, ['certs', ...toArgs(certs)]);
  const endpoint: Endpoint = {
    server: `https://127.0.0.1:${await freePort()}`,
    ca: await readFile(pki(state, 'ca.crt'), 'utf8'),
    cert: await readFile(pki(state, 'admin.crt'), 'utf8'),
    key: await readFile(pki(state, 'admin.key'), 'utf8'),
  };
  const kubeconfigPath = await writeKubeconfig(state, endpoint.server, 'admin');
  const processes: Started[] = [];
  const start = async (part: string, flags: Record<string, string>): Promise<void> => {
    const started = await startProcess(state, part, binaries.kubernetes, [part, ...toArgs(flags)]);
    processes.push(started);
    onStart(started);
  };
  await start('etcd', etcdFlags(state));
  await start('kube-apiserver', apiServerFlags(state, services, new URL(endpoint.server).port));
  const api = createApi(endpoint);
  await untilReady('kube-apiserver', processes, async () => {
    await api.text('/readyz');
    return true;
  });
  const alone = {
    'leader-elect': 'false',
    'secure-port': '0',
    profiling: 'false',
    // With the default of 20 requests a second it takes the controllers 6 s to start.
    'kube-api-qps': '1000',
    'kube-api-burst': '2000',
  };
  await start('kube-controller-manager', {
    ...alone,
    kubeconfig: await writeKubeconfig(state, endpoint.server, 'controller-manager'),
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': pki(state, 'sa.key'),
    'root-ca-file': pki(state, 'ca.crt'),
    'cluster-signing-cert-file': pki(state, 'ca.crt'),
    'cluster-signing-key-file': pki(state, 'ca.key'),
  });
  await start('kube-scheduler', {
    ...alone,
    kubeconfig: await writeKubeconfig(state, endpoint.server, 'scheduler'),
  });
  // No pod is admitted before its namespace has a service account, which the controller manager makes.
  await untilReady('the default service account', processes, () =>
    exists(api, '/api/v1/namespaces/default/serviceaccounts/default'),
  );
  return { endpoint, api, kubeconfigPath, processes };
}

/** Calls `check` until it returns true. An error counts as "not yet". Throws when a process ends, or after a minute. */
export async function untilReady(
  what: string,
  processes: readonly Started[],
  check: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + 60_000;
  let last: unknown;
  for (;;) {
    for (const started of processes) checkRunning(started);
    try {
      if (await check()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what} was not ready after 60 s`, { cause: last });
    await sleep(25);
  }
}

/** Whether an object is there. */
export async function exists(api: Api, path: string): Promise<boolean> {
  try {
    await api.call('GET', path);
    return true;
  } catch (error) {
    if ((error as { status?: number }).status === 404) return false;
    throw error;
  }
}

/** Writes a kubeconfig for one of the users that have a certificate, and returns its path. */
export async function writeKubeconfig(state: Run, server: string, user: string): Promise<string> {
  const base64 = async (file: string): Promise<string> => (await readFile(pki(state, file))).toString('base64');
  const path = join(state.dir, `${user}.kubeconfig`);
  const context = `mooring-${state.name}`;
  const lines = [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: ${context}`,
    '  cluster:',
    `    server: ${server}`,
    `    certificate-authority-data: ${await base64('ca.crt')}`,
    'users:',
    `- name: ${context}-${user}`,
    '  user:',
    `    client-certificate-data: ${await base64(`${user}.crt`)}`,
    `    client-key-data: ${await base64(`${user}.key`)}`,
    'contexts:',
    `- name: ${context}`,
    '  context:',
    `    cluster: ${context}`,
    `    user: ${context}-${user}`,
    `current-context: ${context}`,
    '',
  ];
  await writeFile(path, lines.join('\n'), { mode: 0o600 });
  return path;
}

/** A TCP port of 127.0.0.1 that nobody listens on right now. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Flags as a command line: `{ 'a-flag': 'x' }` is `--a-flag=x`. */
export function toArgs(flags: Record<string, string>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

function etcdFlags(state: Run): Record<string, string> {
  return {
    'data-dir': join(state.dir, 'etcd'),
    'unsafe-no-fsync': 'true',
    'listen-client-urls': `unix://${etcdSocket(state)}`,
    // Nobody reads the advertised address of a single member, but it must have a port.
    'advertise-client-urls': 'http://127.0.0.1:1',
    'listen-peer-urls': 'http://127.0.0.1:0',
    'log-level': 'warn',
    // The API server compacts by itself; the default quota of 2 GiB is too small for the larger benchmarks.
    'quota-backend-bytes': String(8 * 2 ** 30),
  };
}

function etcdSocket(state: Run): string {
  return join(state.dir, 'etcd.sock');
}

function apiServerFlags(state: Run, services: ServiceNetwork, port: string): Record<string, string> {
  return {
    'etcd-servers': `unix://${etcdSocket(state)}`,
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'advertise-address': '127.0.0.1',
    // Endpoints of the kubernetes service can't be loopback addresses.
    'endpoint-reconciler-type': 'none',
    'service-cluster-ip-range': services.range,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'client-ca-file': pki(state, 'ca.crt'),
    'tls-cert-file': pki(state, 'apiserver.crt'),
    'tls-private-key-file': pki(state, 'apiserver.key'),
    'kubelet-certificate-authority': pki(state, 'ca.crt'),
    'kubelet-client-certificate': pki(state, 'apiserver-kubelet-client.crt'),
    'kubelet-client-key': pki(state, 'apiserver-kubelet-client.key'),
    'kubelet-preferred-address-types': 'Hostname',
    'requestheader-client-ca-file': pki(state, 'front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': pki(state, 'front-proxy-client.crt'),
    'proxy-client-key-file': pki(state, 'front-proxy-client.key'),
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': pki(state, 'sa.pub'),
    'service-account-signing-key-file': pki(state, 'sa.key'),
    'allow-privileged': 'true',
    profiling: 'false',
  };
}
