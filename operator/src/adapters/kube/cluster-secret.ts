import { hash } from 'node:crypto';
import type { KubeObject } from '@mooring/renderer-contract';
import { isSkipped } from '../../model/annotations.ts';
import { Fault } from '../../model/fault.ts';
import { canonicalJson, isJsonObject, objectAt, textAt } from '../../model/json.ts';
import type { ClusterIdentity } from '../../world/cluster.ts';
import type { Connection, Tls } from './connection.ts';

/** A cluster that can be a destination. */
export interface ClusterTarget extends ClusterIdentity {
  /** Empty for all. */
  readonly namespaces: readonly string[];
  readonly clusterResources: boolean;
  /** Those of its Secret. */
  readonly labels: Readonly<Record<string, string>>;
  /** Changes when anything of it does. */
  readonly digest: string;
  /** Throws `Fault` `cluster-refused` where the Secret does not say how to connect. */
  connect(): Connection;
}

/** A destination's address without the slashes at its end. */
export function normalServer(server: string): string {
  return server.replace(/(?<!\/)\/+$/, '');
}

/** Reads a Secret labelled `argocd.argoproj.io/secret-type: cluster` (Argo CD's docs/operator-manual/declarative-setup.md, Clusters). */
export function readClusterSecret(secret: KubeObject): ClusterTarget {
  const fields = secretFields(secret);
  const server = normalServer(fields['server'] ?? '');
  const namespaces = (fields['namespaces'] ?? '')
    .split(',')
    .map((namespace) => namespace.trim())
    .filter((namespace) => namespace !== '');
  const name = fields['name'] ?? '';
  return {
    server,
    name: name === '' ? server : name,
    namespaces,
    clusterResources: namespaces.length === 0 || fields['clusterResources'] === 'true',
    project: fields['project'] ?? '',
    isSkipped: isSkipped(secret.metadata.annotations),
    labels: secret.metadata.labels ?? {},
    digest: hash('sha256', canonicalJson([fields, isSkipped(secret.metadata.annotations)])),
    connect: () => connectionOf(server, fields['config'] ?? '{}', `cluster Secret ${secret.metadata.name ?? ''}`),
  };
}

/** The decoded data of a Secret. */
export function secretFields(secret: KubeObject): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(objectAt(secret, 'data') ?? {})) {
    if (typeof value === 'string') fields[name] = Buffer.from(value, 'base64').toString('utf8');
  }
  return fields;
}

function connectionOf(server: string, text: string, where: string): Connection {
  const refuse = (why: string): never => {
    throw new Fault('cluster-refused', `${where}: ${why}`, { server });
  };
  if (!/^https:\/\/./.test(server))
    refuse('its server must begin with https://: credentials are not sent in clear text');
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    // The parser's own message repeats a piece of the text.
    refuse('its config is not valid JSON');
  }
  if (!isJsonObject(config)) return refuse('its config must be a JSON object');
  for (const unsupported of ['awsAuthConfig', 'execProviderConfig']) {
    if (objectAt(config, unsupported) !== undefined)
      refuse(`config.${unsupported} is not supported yet: give bearerToken or tlsClientConfig`);
  }
  const insecure = objectAt(config, 'tlsClientConfig')?.['insecure'] === true;
  const tls = (name: string): Buffer | undefined => {
    const value = textAt(config, 'tlsClientConfig', name);
    return value === undefined || value === '' ? undefined : Buffer.from(value, 'base64');
  };
  const ca = tls('caData');
  const cert = tls('certData');
  const key = tls('keyData');
  if (insecure && ca !== undefined) refuse('config.tlsClientConfig has both insecure and caData: leave one out');
  if ((cert === undefined) !== (key === undefined))
    refuse('config.tlsClientConfig needs certData and keyData together');
  const serverName = textAt(config, 'tlsClientConfig', 'serverName');
  const proxyUrl = textAt(config, 'proxyUrl');
  const authorization = authorizationOf(config);
  const secured: Tls = {
    insecure,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(serverName === undefined || serverName === '' ? {} : { serverName }),
  };
  return {
    server,
    tls: async () => secured,
    ...(proxyUrl === undefined || proxyUrl === '' ? {} : { proxyUrl }),
    ...(authorization === undefined ? {} : { authorization: async () => authorization }),
  };
}

function authorizationOf(config: unknown): string | undefined {
  const token = textAt(config, 'bearerToken') ?? '';
  if (token !== '') return `Bearer ${token}`;
  const username = textAt(config, 'username') ?? '';
  if (username === '') return undefined;
  return `Basic ${Buffer.from(`${username}:${textAt(config, 'password') ?? ''}`).toString('base64')}`;
}
