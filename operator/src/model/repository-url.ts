import { Fault } from './fault.ts';
import { maskAddress } from './mask.ts';

/** How a repository is reached. */
export type Transport = 'http' | 'https' | 'ssh' | 'file';

/**
 * The address of a repository in the one form that is held against projects, matched with credentials, used as a key and fetched. However an address is
 * spelled, what was checked and what is asked are the same.
 */
export interface RepositoryAddress {
  readonly transport: Transport;
  /** What is connected to: no user information where the transport is HTTP, and nothing in it that programs read in different ways. Safe to log. */
  readonly url: string;
  /**
   * By which two addresses are compared, as in Argo CD (util/git): lower case, no user of HTTP, no `.git` at the end, `user@host/path` for both forms of SSH.
   * It is no address to connect to.
   */
  readonly key: string;
  /** The key without the user of SSH: who asks for another user is at the same place. */
  readonly place: string;
  /** User and password written into an HTTP address, decoded. */
  readonly username?: string;
  readonly password?: string;
  /** User of SSH. */
  readonly user?: string;
  /** Lower case and without a dot at its end, an address of IPv4 as four numbers, one of IPv6 in brackets; `''` for files. */
  readonly host: string;
  /** Absent where it is the transport's own. */
  readonly port?: string;
  /** As the server is asked for it, decoded: absolute, or over SSH relative to the home folder. No empty segment, no `.` and no `..`. */
  readonly path: string;
}

/** The longest address taken, in characters. */
const addressLength = 2_048;

const schemeOf = /^([a-z][a-z0-9+.-]*):\/\//i;
const transports: Readonly<Record<string, Transport>> = {
  http: 'http',
  https: 'https',
  ssh: 'ssh',
  'git+ssh': 'ssh',
  'ssh+git': 'ssh',
  file: 'file',
};
const defaultPorts: Readonly<Partial<Record<Transport, string>>> = { http: '80', https: '443', ssh: '22' };
const sshUser = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/;
/** `user@host:path`, the short form of an SSH address. */
const scpForm = /^(?:([^@:/]+)@)?([^:/@[\]]+|\[[0-9A-Fa-f:.]+\]):(.+)$/;
/** What is read in two ways by two programs, or by one of them twice. */
const ambiguousEscape = /%(?:2e|2f|5c)/i;
const anyEscape = /%[0-9a-f]{2}/i;

/**
 * Reads the address of a repository: `http(s)://`, `ssh://`, `user@host:path`, `file://` or an absolute path. Throws `Fault` `repository-refused` for anything
 * else, and for what one program reads in another way than the next: `\`, `.` and `..`, encoded dots and slashes, control characters, a path encoded twice.
 */
export function readRepositoryAddress(text: string): RepositoryAddress {
  const read = parse(text);
  if (typeof read !== 'string') return read;
  const shown = maskAddress(text).slice(0, 200);
  throw new Fault('repository-refused', `the repository URL ${JSON.stringify(shown)} is not valid: ${read}`, {
    repository: shown,
  });
}

/** The address that a text is; undefined where it is none. */
export function findRepositoryAddress(text: string): RepositoryAddress | undefined {
  const read = parse(text);
  return typeof read === 'string' ? undefined : read;
}

/** The key of an address; undefined where a text is none. */
export function addressKey(text: string): string | undefined {
  return findRepositoryAddress(text)?.key;
}

/** Whether two texts are addresses of the same repository. */
export function isSameRepository(a: string, b: string): boolean {
  const key = addressKey(a);
  return key !== undefined && key === addressKey(b);
}

/**
 * Whether credentials for every repository below `prefix` are meant for `url`: it is the same scheme, host and port. As in Argo CD any prefix of the path
 * counts, unless it ends in a slash; a prefix of the host alone does not, since `https://git.example.com` must not give its password to
 * `https://git.example.com.evil.net`.
 */
export function isBelowRepository(prefix: string, url: string): boolean {
  const above = addressKey(prefix) ?? hostKey(prefix);
  const below = addressKey(url);
  if (above === undefined || below?.startsWith(above) !== true) return false;
  const next = below.charAt(above.length);
  const isPartial = above.replace(schemeOf, '').includes('/') && !prefix.trim().endsWith('/');
  return isPartial || next === '' || next === '/';
}

/** The key of a whole host of SSH: `git@host`, `git@host:`, `ssh://git@host:2222`. */
function hostKey(prefix: string): string | undefined {
  const host = prefix
    .trim()
    .replace(/^ssh:\/\//i, '')
    .replace(/:?\/?$/, '');
  return host.includes('/') ? undefined : addressKey(`ssh://${host}/x`)?.slice(0, -'/x'.length);
}

/** The address, or why it is none. */
function parse(given: string): RepositoryAddress | string {
  const text = given.trim();
  if (text === '') return 'it is empty';
  if (text.length > addressLength) return `it is longer than ${addressLength} characters`;
  if (/\p{Cc}/u.test(text)) return 'it holds a control character';
  if (!text.isWellFormed()) return 'it holds half a character';
  if (text.includes('\\')) return 'it holds a backslash; write /';
  if (text.startsWith('-')) return 'it begins with a dash';
  if (/^[^/:[]*::/.test(text)) return 'remote helpers are not allowed';
  const scheme = schemeOf.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    const transport = Object.hasOwn(transports, scheme) ? transports[scheme] : undefined;
    if (transport === undefined) return `the scheme ${scheme} is not supported; use https, http, ssh or file`;
    const rest = text.slice(scheme.length + '://'.length);
    const slash = rest.indexOf('/');
    const authority = slash < 0 ? rest : rest.slice(0, slash);
    const path = slash < 0 ? '' : rest.slice(slash);
    if (transport === 'file') {
      if (authority !== '') return 'a file URL has three slashes and an absolute path: file:///path';
      return readPath(path, true, (segments) => fileAddress(segments));
    }
    return readUrl(transport, authority, path);
  }
  if (text.startsWith('/')) return readPath(text, false, (segments) => fileAddress(segments));
  const scp = scpForm.exec(text);
  if (scp === null) return 'write it as https://host/path, ssh://user@host/path, user@host:path or file:///path';
  const [, user, host = '', path = ''] = scp;
  return readPath(path, false, (segments) => sshAddress(user, host, undefined, path.startsWith('/'), segments));
}

function readUrl(transport: 'http' | 'https' | 'ssh', authority: string, path: string): RepositoryAddress | string {
  if (transport !== 'ssh' && /[?#]/.test(authority + path)) return 'it holds a query or a fragment';
  if (transport !== 'ssh' && path.includes(';')) return 'its path holds a semicolon, which some servers cut it at';
  const at = authority.lastIndexOf('@');
  const place = /^(.*?)(?::(\d*))?$/.exec(authority.slice(at + 1));
  const host = place?.[1] ?? '';
  const number = Number(place?.[2] || defaultPorts[transport]);
  if (number === 0 || number > 65_535) return 'its port is not one of 1 to 65535';
  const port = String(number) === defaultPorts[transport] ? undefined : String(number);
  const [user, ...rest] = at < 0 ? [] : authority.slice(0, at).split(':');
  if (transport === 'ssh') {
    if (rest.length > 0) return 'it holds a password, which SSH takes from nowhere; give sshPrivateKey in a Secret';
    return readPath(path, true, (segments) => sshAddress(user, host, port, true, segments));
  }
  const username = decode(user ?? '');
  const password = decode(rest.join(':'));
  if (username === undefined || password === undefined)
    return 'its user information is not percent-encoded as a URL asks';
  const name = canonicalHost(host);
  if (name === undefined) return 'its host name is not valid';
  return readPath(path, true, (segments) => {
    const server = `${transport}://${name}${port === undefined ? '' : `:${port}`}`;
    if (segments.some((segment) => anyEscape.test(segment))) return 'its path is percent-encoded twice';
    const place = server + keyPath(segments);
    return {
      transport,
      url: server + segments.map((segment) => `/${encode(segment)}`).join(''),
      key: place,
      place,
      host: name,
      path: `/${segments.join('/')}`,
      ...(username !== '' && { username }),
      ...(password !== '' && { password }),
      ...(port !== undefined && { port }),
    };
  });
}

function sshAddress(
  user: string | undefined,
  host: string,
  port: string | undefined,
  isRooted: boolean,
  segments: readonly string[],
): RepositoryAddress | string {
  if (user !== undefined && !sshUser.test(user)) return 'its user name is not one of SSH';
  const name = canonicalHost(host);
  if (name === undefined) return 'its host name is not valid';
  const [first] = segments;
  if (first === undefined) return 'write it as ssh://user@host/path';
  if (first.startsWith('-')) return 'its path begins with a dash';
  // In a URL git takes `/~` for the beginning of a path that is not below the root.
  const isBelowHome = !isRooted || first.startsWith('~');
  const path = `${isBelowHome ? '' : '/'}${segments.join('/')}`;
  if (path !== path.trim()) return 'its path begins or ends with a blank';
  const server = `${name}${port === undefined ? '' : `:${port}`}`;
  const login = user === undefined ? '' : `${user}@`;
  const isHome = segments.length > 1 && (first === '~' || first === `~${user}`);
  const place = server + keyPath(isHome ? segments.slice(1) : segments);
  const isShort = isBelowHome && port === undefined;
  const encoded = segments.map(encode).join('/');
  const tail = isBelowHome && !first.startsWith('~') ? `~/${encoded}` : encoded;
  return {
    transport: 'ssh',
    url: isShort ? `${login}${name}:${path}` : `ssh://${login}${server}/${tail}`,
    key: `${login.toLowerCase()}${place}`,
    place,
    host: name,
    path,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
  };
}

function fileAddress(segments: readonly string[]): RepositoryAddress | string {
  if (segments.length === 0) return 'it names no folder';
  const place = `file://${keyPath(segments)}`;
  return {
    transport: 'file',
    url: `file://${segments.map((segment) => `/${encode(segment)}`).join('')}`,
    key: place,
    place,
    host: '',
    path: `/${segments.join('/')}`,
  };
}

/** Reads the segments of a path, encoded as in a URL or as it is, and has an address made of them. */
function readPath(
  path: string,
  isEncoded: boolean,
  make: (segments: readonly string[]) => RepositoryAddress | string,
): RepositoryAddress | string {
  if (ambiguousEscape.test(path)) return 'its path holds an encoded dot, slash or backslash';
  const plain = isEncoded ? decode(path) : path;
  if (plain === undefined) return 'its path is not percent-encoded as a URL asks';
  if (/\p{Cc}/u.test(plain)) return 'its path holds a control character';
  const segments = plain.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'its path holds . or .. as a part';
  return make(segments);
}

/** The path of a key: a server finds one repository with `.git` at its end, with `/.git` and without. */
function keyPath(segments: readonly string[]): string {
  return withoutGit(segments.map((segment) => `/${segment.toLowerCase()}`).join(''));
}

/** A path of a key, or of a pattern of keys, without what all names of one repository do not have. */
export function withoutGit(path: string): string {
  return path.replace(/(?:\/?\.git)+$/, '');
}

/** A host's name as every program reads it; undefined where it is none. */
export function canonicalHost(host: string): string | undefined {
  if (!/^(?:[\p{L}\p{M}\p{N}_.-]+|\[[0-9a-f:.]+\])$/iu.test(host)) return undefined;
  const name = URL.parse(`http://${host}/`)?.hostname.replace(/\.$/, '');
  const isName = name !== undefined && /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:]+\])$/.test(name);
  return isName && !name.includes('..') ? name : undefined;
}

/** The port as keys have it: `''` where it is the transport's own, else with its colon. */
export function keyPort(transport: string, port: string): string {
  return port === '' || Number(port) === Number(defaultPorts[transport as Transport]) ? '' : `:${Number(port)}`;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function encode(segment: string): string {
  return encodeURIComponent(segment).replace(/%(?:24|26|2B|2C|3A|3D|40)/g, decodeURIComponent);
}
