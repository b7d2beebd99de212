import type { KubeObject } from '@mooring/renderer-contract';
import { addressKey, findRepositoryAddress, isBelowRepository } from '../../model/repository-url.ts';
import { unreadSettings } from '../../model/settings-keys.ts';
import type { RepositoryAccess } from '../../world/git.ts';
import { secretFields } from '../kube/cluster-secret.ts';

type Fields = Readonly<Record<string, string>>;

/** A repository Secret, or credentials for all repositories below an address (Argo CD's docs/operator-manual/declarative-setup.md, Repositories). */
export interface RepositorySecret {
  readonly type: 'repository' | 'repo-creds';
  readonly url: string;
  /** `''` for all projects. */
  readonly project: string;
  readonly fields: Fields;
}

export function readRepositorySecret(secret: KubeObject, type: RepositorySecret['type']): RepositorySecret {
  const fields = secretFields(secret);
  return { type, url: fields['url'] ?? '', project: fields['project'] ?? '', fields };
}

/** Whom to believe that they are the server, from Argo CD's ConfigMaps. */
export interface TrustSource {
  /** Data of `argocd-ssh-known-hosts-cm`; its key `ssh_known_hosts` is a file in OpenSSH's format. */
  readonly knownHosts: Fields;
  /** Data of `argocd-tls-certs-cm`: certificates (PEM) by name of the host. */
  readonly certificates: Fields;
}

/** The access with what is known of the server itself. */
export function withTrust(access: RepositoryAccess, { knownHosts, certificates }: TrustSource): RepositoryAccess {
  const keys = knownHosts['ssh_known_hosts'] ?? '';
  const { transport, host = '' } = findRepositoryAddress(access.url) ?? {};
  if (transport === 'https') {
    const ca = certificates[host] ?? '';
    return ca.trim() === '' ? access : { ...access, ca };
  }
  return transport !== 'ssh' || keys.trim() === '' ? access : { ...access, knownHosts: keys };
}

/**
 * How a repository is reached for a project: by its own Secret, that of the project before the global one; what that says nothing of
 * credentials is filled from the longest credentials prefix, that of the project before a global one of the same length; else without credentials. No
 * Secret of another project is read.
 */
export function accessTo(secrets: readonly RepositorySecret[], url: string, project: string): RepositoryAccess {
  const key = addressKey(url);
  const own = secrets.filter((secret) => secret.type === 'repository' && key !== undefined && keyOf(secret) === key);
  const chosen =
    own.find((secret) => secret.project === project && project !== '') ?? own.find((secret) => secret.project === '');
  if (chosen !== undefined && hasCredentials(chosen.fields)) return accessOf(url, chosen.fields);
  const shared = secrets
    .filter((secret) => secret.type === 'repo-creds' && (secret.project === '' || secret.project === project))
    .filter((secret) => isBelowRepository(secret.url, url))
    .sort((a, b) => lengthOf(b) - lengthOf(a) || b.project.length - a.project.length)[0];
  return accessOf(url, { ...shared?.fields, ...withoutEmpty(chosen?.fields ?? {}) });
}

const keys = new WeakMap<RepositorySecret, string | undefined>();

/** The key of a Secret's address, read once: every look at every Application asks for all of them. */
function keyOf(secret: RepositorySecret): string | undefined {
  if (!keys.has(secret)) keys.set(secret, addressKey(secret.url));
  return keys.get(secret);
}

function lengthOf(secret: RepositorySecret): number {
  return keyOf(secret)?.length ?? secret.url.length;
}

function hasCredentials(fields: Fields): boolean {
  const isGiven = ['username', 'password', 'bearerToken', 'sshPrivateKey', 'tlsClientCertData'].some(
    (name) => (fields[name] ?? '') !== '',
  );
  return isGiven || unsupportedIn(fields).length > 0;
}

/** Credentials of kinds that are not supported yet. Without them the server would be asked as by anybody, and answer what anybody may see. */
function unsupportedIn(fields: Fields): readonly string[] {
  return unreadSettings('repository', fields).flatMap((one) => (one.class === 'rule' ? one.key : []));
}

function withoutEmpty(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

function accessOf(url: string, fields: Fields): RepositoryAccess {
  const insecure = fields['insecure'] === 'true' || fields['insecureIgnoreHostKey'] === 'true';
  const texts: Record<string, string> = {};
  for (const name of [
    'username',
    'password',
    'bearerToken',
    'sshPrivateKey',
    'tlsClientCertData',
    'tlsClientCertKey',
    'proxy',
  ]) {
    const value = fields[name] ?? '';
    if (value !== '') texts[name] = value;
  }
  const unsupported = unsupportedIn(fields);
  const refusal = `its Secret has ${unsupported.join(', ')}, which is not supported yet; give it username and password, a bearerToken or an sshPrivateKey instead`;
  return { url, ...texts, ...(insecure && { insecure }), ...(unsupported.length > 0 && { refusal }) };
}
