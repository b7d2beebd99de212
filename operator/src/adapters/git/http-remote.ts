import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent, request } from 'undici';
import { maskValues } from '../../model/mask.ts';
import type { RepositoryAddress } from '../../model/repository-url.ts';
import type { RepositoryAccess } from '../../world/git.ts';
import { authorizationOf, credentialsOf } from './access.ts';
import { cleanOutput } from './command.ts';
import { HostRefused, type Network, proxyOf } from './network.ts';
import { encodePackets, lineOf, MalformedAnswer, readPackets, ServerComplaint } from './packet.ts';
import { type Refs, TooManyRefs } from './refs.ts';

/** A server's answer that is no success. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  /** Where the server sends us, and we do not go. */
  readonly location?: string;

  constructor(status: number, location?: string) {
    super(`the server answered ${status}`);
    this.status = status;
    if (location !== undefined) this.location = location;
  }
}

/** An answer that grew beyond a limit. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
  readonly bytes: number;

  constructor(bytes: number) {
    super(`the answer has more than ${bytes} bytes`);
    this.bytes = bytes;
  }
}

/** What a server can do for one repository. */
export interface HttpRemote {
  /** Address that the server answers at; differs from the one asked for where the server moved us on the same host. */
  readonly url: string;
  readonly version: 0 | 2;
  /** What the server offers for each command of protocol 2. */
  readonly capabilities: ReadonlyMap<string, string>;
  /** All refs; a server of protocol 0 tells them when it is first asked. */
  readonly advertised?: Refs;
}

/** Connections to the servers of repositories, one pool for each way of reaching them. */
export interface HttpConnections {
  /** Throws `HostRefused` where a host is not to be asked, as far as that is not told when it is connected to: where its name is no name, or a proxy connects. */
  admit(access: RepositoryAccess, host: string): Promise<void>;
  dispatcher(access: RepositoryAccess, address: RepositoryAddress): Dispatcher;
  close(): Promise<void>;
}

const redirectsFollowed = 5;

/**
 * Opens no connection by itself. `proxies` holds `http_proxy`, `https_proxy` and `no_proxy`: they are set by whoever runs the operator, and may be on any host
 * of the network.
 */
export function createHttpConnections(proxies: Readonly<Record<string, string>>, network: Network): HttpConnections {
  const { http_proxy: httpProxy, https_proxy: httpsProxy, no_proxy: noProxy } = proxies;
  const lookup = network.lookup && { lookup: network.lookup };
  const pools = new Map<string, Dispatcher>();
  let trusted: string[] | undefined;
  const open = (access: RepositoryAccess, secure: boolean): Dispatcher => {
    // The certificates that git itself trusts on this machine, beside those of Node.
    if (secure) trusted ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
    const ca = access.ca ?? trusted;
    const tls = {
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: access.insecure !== true,
      ...(access.tlsClientCertData === undefined || access.tlsClientCertKey === undefined
        ? {}
        : { cert: access.tlsClientCertData, key: access.tlsClientCertKey }),
    };
    const timing = { keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 30_000, connections: 4 };
    if (access.proxy !== undefined && access.proxy !== '') {
      return new ProxyAgent({ uri: access.proxy, proxyTls: { ...lookup }, requestTls: tls, ...timing });
    }
    const connect = { ...tls, ...lookup };
    if (httpProxy === undefined && httpsProxy === undefined) return new Agent({ connect, ...timing });
    return new EnvHttpProxyAgent({
      connect,
      requestTls: tls,
      ...(httpProxy === undefined ? {} : { httpProxy }),
      ...(httpsProxy === undefined ? {} : { httpsProxy }),
      ...(noProxy === undefined ? {} : { noProxy }),
      ...timing,
    });
  };
  return {
    async admit({ proxy = '' }, host) {
      network.refuse(host);
      const through = proxyOf(proxy);
      if (through !== undefined) network.refuse(through.host);
      if (proxy === '' && httpProxy === undefined && httpsProxy === undefined) return;
      // The proxy looks the name up, and may know names that are unknown here.
      await network.pin(host).catch((error: unknown) => {
        if (error instanceof HostRefused) throw error;
      });
    },
    dispatcher(access, { transport }) {
      const key = JSON.stringify([
        transport,
        access.insecure === true,
        access.proxy ?? '',
        access.tlsClientCertData ?? '',
        access.tlsClientCertKey ?? '',
        access.ca ?? '',
      ]);
      let pool = pools.get(key);
      if (pool === undefined) {
        pool = open(access, transport === 'https');
        pools.set(key, pool);
      }
      return pool;
    },
    async close() {
      const closing = [...pools.values()];
      pools.clear();
      await Promise.all(closing.map((pool) => pool.destroy()));
    },
  };
}

/** How requests to one repository are made. */
export interface HttpCall {
  readonly connections: HttpConnections;
  readonly dispatcher: Dispatcher;
  readonly access: RepositoryAccess;
  readonly address: RepositoryAddress;
  readonly signal: AbortSignal;
  /** Bytes of the answer. */
  readonly answerBytes: number;
  /** Refs that it may list. */
  readonly refsCount: number;
}

function headersFor(call: HttpCall): Record<string, string> {
  const authorization = authorizationOf(call.access);
  return {
    'git-protocol': 'version=2',
    'user-agent': 'git/mooring',
    ...(authorization === undefined ? {} : { authorization }),
  };
}

async function* bounded(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of body) {
    seen += chunk.length;
    if (seen > bytes) throw new AnswerTooLarge(bytes);
    yield chunk;
  }
}

/**
 * Asks a server what it speaks (gitprotocol-http). A redirection is followed on the same host only, and never from HTTPS to HTTP: credentials go nowhere else.
 * Throws `HttpRefusal`, `AnswerTooLarge`, `MalformedAnswer`, `ServerComplaint`, or what the connection throws.
 */
export async function discover(call: HttpCall): Promise<HttpRemote> {
  let url = call.address.url;
  for (let redirects = 0; ; redirects += 1) {
    await call.connections.admit(call.access, new URL(url).hostname);
    const asked = `${url}/info/refs?service=git-upload-pack`;
    const { statusCode, headers, body } = await request(asked, {
      dispatcher: call.dispatcher,
      headers: headersFor(call),
      signal: call.signal,
    });
    if (statusCode >= 300 && statusCode < 400) {
      await body.dump();
      const location = typeof headers['location'] === 'string' ? headers['location'] : '';
      const next = redirects < redirectsFollowed ? redirected(asked, location) : undefined;
      if (next === undefined) throw new HttpRefusal(statusCode, location);
      url = next;
      continue;
    }
    if (statusCode !== 200) {
      await body.dump();
      throw new HttpRefusal(statusCode);
    }
    if (headers['content-type'] !== 'application/x-git-upload-pack-advertisement') {
      await body.dump();
      throw new MalformedAnswer("the server does not speak Git's smart HTTP protocol at this address");
    }
    return readAdvertisement(url, bounded(body, call.answerBytes), call);
  }
}

function redirected(asked: string, location: string): string | undefined {
  const from = new URL(asked);
  const to = URL.parse(location, asked);
  if (to === null || to.hostname !== from.hostname) return undefined;
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === '';
  if (to.origin !== from.origin && !upgraded) return undefined;
  const suffix = '/info/refs';
  if (!to.pathname.endsWith(suffix) || to.username !== '' || to.password !== '') return undefined;
  return `${to.origin}${to.pathname.slice(0, -suffix.length)}`;
}

/** What a server says went wrong: it may repeat what it was asked with. */
function complaint({ access }: HttpCall, line: string): ServerComplaint {
  return new ServerComplaint(maskValues(cleanOutput(line), credentialsOf(access)));
}

async function readAdvertisement(url: string, body: AsyncIterable<Uint8Array>, call: HttpCall): Promise<HttpRemote> {
  const capabilities = new Map<string, string>();
  const commits = new Map<string, string>();
  let head: string | undefined;
  let version: 0 | 2 = 0;
  let first = true;
  for await (const packet of readPackets(body)) {
    if (typeof packet === 'string') continue;
    const line = lineOf(packet);
    if (line.startsWith('# service=')) continue;
    if (line.startsWith('ERR ')) throw complaint(call, line.slice('ERR '.length));
    if (first) {
      first = false;
      if (line === 'version 2') {
        version = 2;
        continue;
      }
    }
    if (version === 2) {
      const equals = line.indexOf('=');
      if (equals < 0) capabilities.set(line, '');
      else capabilities.set(line.slice(0, equals), line.slice(equals + 1));
      continue;
    }
    const [ref = '', offered] = line.split('\0');
    if (offered !== undefined) head = /(?:^| )symref=HEAD:([^ ]+)/.exec(offered)?.[1] ?? head;
    const space = ref.indexOf(' ');
    const name = ref.slice(space + 1);
    if (space < 0 || name === 'capabilities^{}') continue;
    commits.set(name.endsWith('^{}') ? name.slice(0, -'^{}'.length) : name, ref.slice(0, space));
    if (commits.size > call.refsCount) throw new TooManyRefs(call.refsCount);
  }
  return version === 2 ? { url, version, capabilities } : { url, version, capabilities, advertised: { commits, head } };
}

async function command(
  remote: HttpRemote,
  call: HttpCall,
  name: string,
  body: readonly string[],
): Promise<AsyncIterable<Uint8Array>> {
  const format = remote.capabilities.get('object-format');
  const answer = await request(`${remote.url}/git-upload-pack`, {
    dispatcher: call.dispatcher,
    method: 'POST',
    headers: {
      ...headersFor(call),
      'content-type': 'application/x-git-upload-pack-request',
      accept: 'application/x-git-upload-pack-result',
    },
    body: encodePackets([
      `command=${name}`,
      ...(format === undefined ? [] : [`object-format=${format}`]),
      'delimiter',
      ...body,
      'flush',
    ]),
    signal: call.signal,
  });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    throw new HttpRefusal(answer.statusCode);
  }
  return bounded(answer.body, call.answerBytes);
}

/** Lists the refs whose full names begin with one of `prefixes` (gitprotocol-v2, `ls-refs`). Throws as `discover` does. */
export async function listRefs(remote: HttpRemote, call: HttpCall, prefixes: readonly string[]): Promise<Refs> {
  const commits = new Map<string, string>();
  let head: string | undefined;
  const unborn = (remote.capabilities.get('ls-refs') ?? '').split(' ').includes('unborn');
  const asked = ['peel', 'symrefs', ...(unborn ? ['unborn'] : []), ...prefixes.map((prefix) => `ref-prefix ${prefix}`)];
  for await (const packet of readPackets(await command(remote, call, 'ls-refs', asked))) {
    // Read to its end, so that the connection serves the next request.
    if (typeof packet === 'string') continue;
    const [id = '', name = '', ...attributes] = lineOf(packet).split(' ');
    if (id === 'ERR') throw complaint(call, [name, ...attributes].join(' '));
    const value = (key: string): string | undefined =>
      attributes.find((attribute) => attribute.startsWith(key))?.slice(key.length);
    if (name === 'HEAD') head = value('symref-target:') ?? head;
    if (id !== 'unborn') commits.set(name, value('peeled:') ?? id);
    if (commits.size > call.refsCount) throw new TooManyRefs(call.refsCount);
  }
  return { commits, head };
}

/** A pack on its way, and the commits whose parents are not in it. */
export interface PackAnswer {
  readonly shallow: readonly string[];
  readonly pack: AsyncIterable<Uint8Array>;
}

/** Whether `fetchPack` can be asked of this server. */
export function fetchesShallow(remote: HttpRemote): boolean {
  return remote.version === 2 && (remote.capabilities.get('fetch') ?? '').split(' ').includes('shallow');
}

/**
 * Asks for one commit without its history (gitprotocol-v2, `fetch`), as what it differs in from the commits in `have`, which have no history either.
 * Throws as `discover` does; the pack throws while it is read.
 */
export async function fetchPack(
  remote: HttpRemote,
  call: HttpCall,
  commit: string,
  have: readonly string[],
): Promise<PackAnswer> {
  const body = await command(remote, call, 'fetch', [
    'thin-pack',
    'ofs-delta',
    'no-progress',
    `want ${commit}`,
    ...have.map((id) => `shallow ${id}`),
    'deepen 1',
    ...have.map((id) => `have ${id}`),
    'done',
  ]);
  const packets = readPackets(body);
  const shallow: string[] = [];
  let section = '';
  for (;;) {
    const { value: packet, done } = await packets.next();
    if (done === true) throw new MalformedAnswer('the server sent no pack');
    if (typeof packet === 'string') {
      section = '';
      continue;
    }
    const line = lineOf(packet);
    if (line.startsWith('ERR ')) throw complaint(call, line.slice('ERR '.length));
    if (section === '') {
      section = line;
      if (section === 'packfile') break;
    } else if (section === 'shallow-info' && line.startsWith('shallow ')) shallow.push(line.slice('shallow '.length));
  }
  return { shallow, pack: readPack(packets, call) };
}

async function* readPack(packets: AsyncGenerator<Buffer | string>, call: HttpCall): AsyncGenerator<Uint8Array> {
  let complete = false;
  for await (const packet of packets) {
    if (typeof packet === 'string') {
      complete ||= packet === 'flush';
      continue;
    }
    const band = packet[0];
    if (band === 1) yield packet.subarray(1);
    else if (band === 3) throw complaint(call, lineOf(packet.subarray(1)));
  }
  if (!complete) throw new MalformedAnswer('the pack ends early');
}
