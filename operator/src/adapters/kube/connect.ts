import { readFile } from 'node:fs/promises';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { Fault, messageOf } from '../../model/fault.ts';
import { textAt } from '../../model/json.ts';
import { maskUserInformation } from '../../model/mask.ts';
import type { ObjectReference } from '../../world/readiness.ts';
import { type Connection, sameOrNew, type Tls } from './connection.ts';
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
/** Kubelet renews a token long before it ends; client-go reads it as often. Certificates and the kubeconfig itself are looked at as often, too. */
const freshMs = 60_000;

/**
 * A connection by a kubeconfig, with every kind of auth that `@kubernetes/client-node` knows, exec plugins among them: so only for the
 * operator's own kubeconfig, never for one that a tenant wrote. What changes in it and in the files that it names is taken without a restart, but for the
 * server's address. Throws `Fault` `cluster-refused` where it cannot be read or used.
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
  const credentials = keepFresh(async () => authenticate(await loadKubeconfig(choice)), await authenticate(config));
  return {
    server: cluster.server.replace(/(?<!\/)\/+$/, ''),
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    ...credentials,
  };
}

/** Whether this process runs in a pod with a service account. */
export function isInCluster(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment['KUBERNETES_SERVICE_HOST'] !== undefined && environment['KUBERNETES_SERVICE_PORT'] !== undefined;
}

/**
 * A connection by the pod's own service account. Its files are read when they are needed: one that is missing fails the requests, until it is
 * there.
 */
export function fromServiceAccount(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string = serviceAccountFolder,
): Connection {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${environment['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    ...keepFresh(async () => ({
      tls: { ca: await readAccountFile(folder, 'ca.crt') },
      authorization: `Bearer ${await readToken(folder)}`,
    })),
  };
}

/**
 * The pod that this process runs in, for Events about it: by `POD_NAME` and `POD_NAMESPACE`, with the uid that its service account's token carries (without
 * it `kubectl describe pod` would not show them). undefined where neither says which pod that is.
 */
export async function ownPod(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string = serviceAccountFolder,
): Promise<ObjectReference | undefined> {
  const claims = await tokenClaims(folder);
  const bound = (...path: readonly string[]): string | undefined => textAt(claims, 'kubernetes.io', ...path);
  const name = environment['POD_NAME'] ?? bound('pod', 'name');
  const namespace = environment['POD_NAMESPACE'] ?? bound('namespace');
  if (name === undefined || namespace === undefined) return undefined;
  const uid = bound('pod', 'name') === name ? bound('pod', 'uid') : undefined;
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, ...(uid !== undefined && { uid }) };
}

/** What the service account's token says; undefined where there is none, or one of another form. */
async function tokenClaims(folder: string): Promise<unknown> {
  try {
    const [, payload = ''] = (await readToken(folder)).split('.');
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch (thrown) {
    if (thrown instanceof Fault || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
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

function readToken(folder: string): Promise<string> {
  return readAccountFile(folder, 'token');
}

async function readAccountFile(folder: string, name: 'token' | 'ca.crt'): Promise<string> {
  try {
    return (await readFile(`${folder}/${name}`, 'utf8')).trim();
  } catch (thrown) {
    throw new Fault(
      'cluster-refused',
      `the service account's ${name} cannot be read: ${messageOf(thrown)}: mount it (automountServiceAccountToken) or give a kubeconfig`,
      {},
      thrown,
    );
  }
}

/** What requests are secured and authorized with. */
interface Credentials {
  readonly tls: Tls;
  readonly authorization: string | undefined;
}

/** Reads credentials again each minute, and whenever they were refused. One that cannot be read any more is used until the API server refuses it. */
function keepFresh(
  read: () => Promise<Credentials>,
  first?: Credentials,
): Required<Pick<Connection, 'tls' | 'authorization'>> {
  let known = first;
  let readAt = performance.now();
  let reading: Promise<Credentials> | undefined;
  const readOnce = async (): Promise<Credentials> => {
    try {
      const now = await read();
      known = { ...now, tls: sameOrNew(known?.tls, now.tls) };
      readAt = performance.now();
    } catch (thrown) {
      if (known === undefined || !(thrown instanceof Fault)) throw thrown;
    }
    return known;
  };
  const fresh = async (renew: boolean): Promise<Credentials> => {
    if (known !== undefined && !renew && performance.now() - readAt < freshMs) return known;
    reading ??= readOnce().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  return {
    tls: async (renew) => (await fresh(renew)).tls,
    authorization: async (renew) => (await fresh(renew)).authorization,
  };
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
      `the kubeconfig${choice.path === undefined ? '' : ` ${choice.path}`} cannot be read: ${saidOf(thrown)}`,
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

/** What an error says, without the piece of the text that parsers repeat: it may be a token. */
function saidOf(thrown: unknown): string {
  if (thrown instanceof SyntaxError) return 'what was read is not valid JSON';
  return maskUserInformation(messageOf(thrown).split('\n', 1)[0] ?? '');
}

/** Where `loadFromDefault` finds nothing it makes up a cluster, as old versions of kubectl did. */
function isMadeUp(config: KubeConfig): boolean {
  return config.getCurrentContext() === 'loaded-context' && config.getCurrentCluster()?.server === madeUpServer;
}

async function authenticate(config: KubeConfig): Promise<Credentials> {
  const options: Record<string, unknown> & { headers?: Record<string, string> } = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (thrown) {
    throw new Fault('cluster-refused', `the kubeconfig's user cannot be authenticated: ${saidOf(thrown)}`);
  }
  const basic =
    typeof options['auth'] === 'string' ? `Basic ${Buffer.from(options['auth']).toString('base64')}` : undefined;
  return {
    tls: {
      ...pick(options, 'ca', 'ca'),
      ...pick(options, 'cert', 'cert'),
      ...pick(options, 'key', 'key'),
      ...pick(options, 'servername', 'serverName'),
      insecure: options['rejectUnauthorized'] === false,
    },
    authorization: options.headers?.['Authorization'] ?? basic,
  };
}

function pick(options: Readonly<Record<string, unknown>>, from: string, to: string): Record<string, string> {
  const value = options[from];
  return value === undefined || value === null ? {} : { [to]: value as string };
}
