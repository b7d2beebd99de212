import { globMatches } from './glob.ts';
import { canonicalHost, findRepositoryAddress, keyPort, type RepositoryAddress, withoutGit } from './repository-url.ts';

/** What of an address is held against a pattern: `key` with the user of SSH, `place` without it. */
export type PatternScope = 'key' | 'place';

/**
 * Whether a pattern of a project's `sourceRepos`, without its `!`, matches an address. Both are compared in the form of keys, as Argo CD does; `*` alone
 * matches everything, and as a part of a pattern anything but `/`.
 */
export function matchesPattern(pattern: string, address: RepositoryAddress, scope: PatternScope): boolean {
  const text = pattern.trim();
  if (text === '*') return true;
  const plain = /[*?[\]{}\\]/.test(text) ? undefined : findRepositoryAddress(text);
  if (plain !== undefined) return plain[scope] === address[scope];
  return globMatches(keyPattern(text.toLowerCase(), scope), address[scope], '/');
}

/** The pattern that keys are matched with. What cannot be told from a pattern's special characters stays as it is. */
function keyPattern(text: string, scope: PatternScope): string {
  const [, scheme, authority = '', path = ''] =
    /^(https?|file|ssh|git\+ssh|ssh\+git):\/\/([^/]*)(.*)$/s.exec(text) ?? [];
  if (scheme === 'http' || scheme === 'https') {
    return `${scheme}://${serverPattern(scheme, afterUser(authority))}${pathPattern(decodePattern(path))}`;
  }
  if (scheme === 'file') return `file://${authority}${pathPattern(decodePattern(path))}`;
  if (scheme !== undefined) return sshPattern(authority, decodePattern(path), scope);
  const [, login, rest = ''] = /^([^/:@]*@(?:\[[^\]/]*\]|[^/:@]*)|[^/:@*]{2,}(?=:(?!\/\/)))[:/](.*)$/s.exec(text) ?? [];
  return login === undefined ? pathPattern(text) : sshPattern(login, `/${rest}`, scope);
}

function sshPattern(authority: string, path: string, scope: PatternScope): string {
  const server = afterUser(authority);
  const login = authority.slice(0, authority.length - server.length);
  const [home = ''] = /^\/+~[^/]*(?=\/)/.exec(path) ?? [];
  const isHome = home.endsWith('/~') || home.endsWith(`/~${login.slice(0, -1)}`);
  const there = isHome ? path.slice(home.length) : path;
  return `${scope === 'key' ? login : ''}${serverPattern('ssh', server)}${pathPattern(there)}`;
}

function afterUser(authority: string): string {
  return authority.slice(authority.lastIndexOf('@') + 1);
}

function serverPattern(scheme: string, server: string): string {
  const [, host = '', port = ''] = /^(\[[\d:a-f.]*\]|.*?)(?::(\d*))?$/s.exec(server) ?? [];
  const name = canonicalHost(host);
  return `${name === undefined ? host : literal(name)}${keyPort(scheme, port)}`;
}

function pathPattern(path: string): string {
  const single = path.replace(/(?<!:)\/{2,}/g, '/');
  return withoutGit(single.endsWith('/') ? single.slice(0, -1) : single);
}

/** What is percent-encoded in a pattern means itself. */
function decodePattern(path: string): string {
  return path.replace(/(?:%[\da-f]{2})+/g, (escapes) => {
    try {
      return literal(decodeURIComponent(escapes).toLowerCase());
    } catch {
      return escapes;
    }
  });
}

/** A text that matches nothing but itself. */
function literal(text: string): string {
  return text.replace(/[*?[\]{},\\]/g, '\\$&');
}
