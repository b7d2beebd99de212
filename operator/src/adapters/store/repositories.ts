import type { KubeObject } from '@mooring/renderer-contract';
import { isBelowRepository, isSameRepository, normalizeRepositoryUrl } from '../../model/repository-url.ts';
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
  const host = /^https:\/\/(?:[^/]*@)?(\[[^\]]*\]|[^/:]*)/.exec(access.url)?.[1]?.toLowerCase();
  if (host !== undefined) {
    const ca = certificates[host] ?? '';
    return ca.trim() === '' ? access : { ...access, ca };
  }
  const isHttp = /^http:/.test(access.url);
  return isHttp || keys.trim() === '' ? access : { ...access, knownHosts: keys };
}

/**
 * How a repository is reached for a project: by its own Secret, that of the project before the global one; what that says nothing of
 * credentials is filled from the longest credentials prefix; else without credentials.
 */
export function accessTo(secrets: readonly RepositorySecret[], url: string, project: string): RepositoryAccess {
  const own = secrets.filter((secret) => secret.type === 'repository' && isSameRepository(secret.url, url));
  const chosen =
    own.find((secret) => secret.project === project && project !== '') ?? own.find((secret) => secret.project === '');
  if (chosen !== undefined && hasCredentials(chosen.fields)) return accessOf(url, chosen.fields);
  const shared = secrets
    .filter((secret) => secret.type === 'repo-creds' && isBelowRepository(secret.url, url))
    .sort((a, b) => normalizeRepositoryUrl(b.url).length - normalizeRepositoryUrl(a.url).length)[0];
  return accessOf(url, { ...shared?.fields, ...withoutEmpty(chosen?.fields ?? {}) });
}

function hasCredentials(fields: Fields): boolean {
  return [
    'username',
    'password',
    'bearerToken',
    'sshPrivateKey',
    'tlsClientCertData',
    'githubAppPrivateKey',
    'gcpServiceAccountKey',
  ].some((name) => (fields[name] ?? '') !== '');
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
  return { url, ...texts, ...(insecure ? { insecure } : {}) };
}
