import { Fault } from '../../model/fault.ts';
import { maskAddress } from '../../model/repository-url.ts';

/** How a repository is reached. */
export type Transport = 'http' | 'https' | 'ssh' | 'file';

export const everyTransport: readonly Transport[] = ['http', 'https', 'ssh', 'file'];

/** The address of a repository, checked. */
export interface Address {
  readonly transport: Transport;
  /** Without user information where the transport is HTTP, and with no trailing slash: safe to log and to hand to git. */
  readonly url: string;
  /** User and password written into an HTTP address. */
  readonly username?: string;
  readonly password?: string;
  /** Where the repository is, in the words of the program that reaches it; for SSH and files. */
  readonly place?: Place;
}

/** A folder, on another machine where there is a host. */
export interface Place {
  /** As ssh takes it: `git@github.com`. */
  readonly host?: string;
  readonly port?: string;
  /** Absolute, or relative to the home folder. */
  readonly path: string;
}

/** The longest address taken, in characters. */
const addressLength = 2_048;

const sshUser = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/;
const sshHost = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])$/;
const scpLike = /^(?:(?<user>[^@:/]+)@)?(?<host>[^:/@[\]]+|\[[0-9A-Fa-f:.]+\]):(?<path>.+)$/;

/**
 * Reads the address of a repository: `http(s)://`, `ssh://`, `user@host:path`, `file://` or an absolute path.
 * Throws `repository-refused` for anything else: options (`-…`), remote helpers (`ext::…`), control characters, other schemes, and transports that are not allowed.
 */
export function parseAddress(text: string, allowed: readonly Transport[] = everyTransport): Address {
  const address = readAddress(text);
  if (!allowed.includes(address.transport)) {
    throw refusal(text, `the transport ${address.transport} is switched off; allowed are ${allowed.join(', ')}`);
  }
  return address;
}

function readAddress(text: string): Address {
  if (text === '') throw refusal(text, 'it is empty');
  if (text.length > addressLength) throw refusal(text.slice(0, 80), `it is longer than ${addressLength} characters`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw refusal(text, 'it holds a control character');
  if (text.startsWith('-')) throw refusal(text, 'it begins with a dash');
  if (/^[^/:]*::/.test(text)) throw refusal(text, 'remote helpers are not allowed');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'http' || scheme === 'https') return readHttp(text, scheme);
  if (scheme === 'ssh' || scheme === 'git+ssh' || scheme === 'ssh+git') return readSsh(text);
  if (scheme === 'file') return readFile(text, text.slice('file://'.length), unescapePath);
  if (scheme !== undefined) throw refusal(text, `the scheme ${scheme} is not supported; use https, http, ssh or file`);
  if (text.startsWith('/')) return readFile(text, text, (_, path) => path);
  const scp = scpLike.exec(text)?.groups;
  if (scp !== undefined) {
    const { user, host = '', path = '' } = scp;
    return sshAddress(text, user, host, undefined, path, path);
  }
  throw refusal(text, 'write it as https://host/path, ssh://user@host/path, user@host:path or file:///path');
}

function readHttp(text: string, transport: 'http' | 'https'): Address {
  const url = URL.parse(text);
  if (url === null || url.hostname === '' || !/^https?:\/\/[^/]/i.test(text))
    throw refusal(text, 'it cannot be read as a URL');
  if (url.search !== '' || url.hash !== '') throw refusal(text, 'it holds a query or a fragment');
  const username = decode(text, url.username);
  const password = decode(text, url.password);
  url.username = '';
  url.password = '';
  return {
    transport,
    url: url.href.replace(/\/+$/, ''),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
  };
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refusal(text, 'its user information is not percent-encoded as a URL asks');
  }
}

function readSsh(text: string): Address {
  const parts =
    /^[^:]+:\/\/(?:(?<user>[^@/:]+)(?::[^@/]*)?@)?(?<host>\[[^\]]+\]|[^:/@]+)(?::(?<port>\d{1,5}))?(?<path>\/.+)$/.exec(
      text,
    )?.groups;
  if (parts === undefined) throw refusal(text, 'write it as ssh://user@host/path');
  const { user, host = '', port, path = '' } = parts;
  return sshAddress(text, user, host, port, path, unescapePath(text, path));
}

/** Reads the escapes of a URL's path as git does: those that are none stay as they are. */
function unescapePath(text: string, path: string): string {
  const plain = path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(plain)) throw refusal(text, 'its path holds a control character');
  return plain;
}

function sshAddress(
  text: string,
  user: string | undefined,
  host: string,
  port: string | undefined,
  path: string,
  pathThere: string,
): Address {
  if (user !== undefined && !sshUser.test(user)) throw refusal(text, 'its user name is not one of SSH');
  if (!sshHost.test(host)) throw refusal(text, 'its host name is not valid');
  if (path.startsWith('-') || path.startsWith('/-')) throw refusal(text, 'its path begins with a dash');
  const login = user === undefined ? '' : `${user}@`;
  // A relative path (`host:path`) is relative to the home folder, which a URL can only say as `/~/`.
  const rooted = path.startsWith('/') ? path : `/~/${path}`;
  const scpForm = port === undefined && !path.startsWith('/');
  const url = scpForm
    ? `${login}${host}:${path}`
    : `ssh://${login}${host}${port === undefined ? '' : `:${port}`}${rooted}`;
  return {
    transport: 'ssh',
    url: url.replace(/\/+$/, ''),
    place: {
      host: `${login}${host.replace(/^\[|\]$/g, '')}`,
      ...(port !== undefined && { port }),
      path: pathThere.replace(/^\/(?=~)/, '').replace(/\/+$/, ''),
    },
  };
}

function readFile(text: string, path: string, plain: (text: string, path: string) => string): Address {
  if (!path.startsWith('/')) throw refusal(text, 'a file URL has three slashes and an absolute path: file:///path');
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') throw refusal(text, 'it names no folder');
  return { transport: 'file', url: `file://${trimmed}`, place: { path: plain(text, trimmed) } };
}

function refusal(text: string, reason: string): Fault {
  const shown = maskAddress(text);
  return new Fault('repository-refused', `the repository URL ${JSON.stringify(shown)} is not valid: ${reason}`, {
    repository: shown,
  });
}
