import { readFile } from 'node:fs/promises';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { Fault, messageOf } from '../../model/fault.ts';
import type { Connection } from './connection.ts';
import { newKubeConfig } from './kube-config.ts';

/** Which kubeconfig, and which of its contexts. */
export interface KubeconfigChoice {
  /** Path of a file; where absent `KUBECONFIG`, else `~/.kube/config`. */
  readonly path?: string;
  /** Text of a kubeconfig; wins over `path`. */
  readonly text?: string;
  /** The current one where absent. */
  readonly context?: string;
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const madeUpServer = 'http://localhost:8080';
/** Kubelet renews a token long before it ends; client-go reads it as often. */
const tokenMs = 60_000;

/**
 * A connection by a kubeconfig, with every kind of auth that `@kubernetes/client-node` knows, exec plugins among them: so only for the
 * operator's own kubeconfig, never for one that a tenant wrote. Throws `Fault` `cluster-refused` where it cannot be read or used.
 */
export async function fromKubeconfig(choice: KubeconfigChoice): Promise<Connection> {
  const config = await loadKubeconfig(choice);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Fault(
      'cluster-refused',
      `the kubeconfig${choice.path === undefined ? '' : ` ${choice.path}`} has no context "${config.getCurrentContext() ?? ''}" with a cluster: name one that is there`,
    );
  }
  const first = await authenticate(config);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...pemFields(first),
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    // KubeConfig caches what plugins and token files answer, and renews it when it is due.
    authorization: async () => (await authenticate(config)).authorization,
  };
}

/** Whether this process runs in a pod with a service account. */
export function isInCluster(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment['KUBERNETES_SERVICE_HOST'] !== undefined && environment['KUBERNETES_SERVICE_PORT'] !== undefined;
}

/** A connection by the pod's own service account. Throws `Fault` `cluster-refused` where its files are missing. */
export async function fromServiceAccount(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string = serviceAccountFolder,
): Promise<Connection> {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  let token = await readToken(folder);
  let readAt = performance.now();
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${environment['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    ca: await readFile(`${folder}/ca.crt`),
    authorization: async (renew) => {
      if (renew || performance.now() - readAt > tokenMs) {
        token = await readToken(folder);
        readAt = performance.now();
      }
      return `Bearer ${token}`;
    },
  };
}

/** Namespace of the pod's service account; undefined outside of a pod. */
export async function serviceAccountNamespace(folder: string = serviceAccountFolder): Promise<string | undefined> {
  try {
    return (await readFile(`${folder}/namespace`, 'utf8')).trim();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function readToken(folder: string): Promise<string> {
  try {
    return (await readFile(`${folder}/token`, 'utf8')).trim();
  } catch (thrown) {
    throw new Fault(
      'cluster-refused',
      `the service account's token cannot be read: ${messageOf(thrown)}: mount it (automountServiceAccountToken) or give a kubeconfig`,
      {},
      thrown,
    );
  }
}

async function loadKubeconfig(choice: KubeconfigChoice): Promise<KubeConfig> {
  const config = await newKubeConfig();
  try {
    if (choice.text !== undefined) config.loadFromString(choice.text);
    else if (choice.path !== undefined) config.loadFromFile(choice.path);
    else config.loadFromDefault();
  } catch (thrown) {
    throw new Fault(
      'cluster-refused',
      `the kubeconfig${choice.path === undefined ? '' : ` ${choice.path}`} cannot be read: ${messageOf(thrown)}`,
      {},
      thrown,
    );
  }
  if (isMadeUp(config)) {
    throw new Fault(
      'cluster-refused',
      'there is no kubeconfig: KUBECONFIG is not set and ~/.kube/config does not exist: set it, or name a file with --kubeconfig',
    );
  }
  if (choice.context !== undefined) config.setCurrentContext(choice.context);
  return config;
}

/** Where `loadFromDefault` finds nothing it makes up a cluster, as old versions of kubectl did. */
function isMadeUp(config: KubeConfig): boolean {
  return config.getCurrentContext() === 'loaded-context' && config.getCurrentCluster()?.server === madeUpServer;
}

interface Credentials {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly serverName?: string;
  readonly insecure: boolean;
  readonly authorization: string | undefined;
}

async function authenticate(config: KubeConfig): Promise<Credentials> {
  const options: Record<string, unknown> & { headers?: Record<string, string> } = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (thrown) {
    throw new Fault(
      'cluster-refused',
      `the kubeconfig's user cannot be authenticated: ${messageOf(thrown)}`,
      {},
      thrown,
    );
  }
  const basic =
    typeof options['auth'] === 'string' ? `Basic ${Buffer.from(options['auth']).toString('base64')}` : undefined;
  return {
    ...pick(options, 'ca', 'ca'),
    ...pick(options, 'cert', 'cert'),
    ...pick(options, 'key', 'key'),
    ...pick(options, 'servername', 'serverName'),
    insecure: options['rejectUnauthorized'] === false,
    authorization: options.headers?.['Authorization'] ?? basic,
  };
}

function pick(options: Readonly<Record<string, unknown>>, from: string, to: string): Record<string, string> {
  const value = options[from];
  return value === undefined || value === null ? {} : { [to]: value as string };
}

function pemFields({ authorization: _, ...fields }: Credentials): Omit<Credentials, 'authorization'> {
  return fields;
}
