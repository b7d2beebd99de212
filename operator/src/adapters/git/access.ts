import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../model/fault.ts';
import { authorizationValues } from '../../model/mask.ts';
import type { RepositoryAddress } from '../../model/repository-url.ts';
import type { RepositoryAccess } from '../../world/git.ts';
import { HostRefused, type Network, proxyOf } from './network.ts';

/**
 * The access to an address, with the user and password that are written into it. Throws `Fault` `repository-refused` where there are others beside them:
 * whoever writes the address must not choose what those are used with.
 */
export function withUserInformation(access: RepositoryAccess, address: RepositoryAddress): RepositoryAccess {
  const { url } = address;
  if (address.username === undefined && address.password === undefined) return { ...access, url };
  const has = [access.username, access.password, access.bearerToken].some(
    (value) => value !== undefined && value !== '',
  );
  if (has) {
    throw new Fault(
      'repository-refused',
      `${url} has credentials in a Secret, and repoURL holds a user or password besides; take those out of repoURL`,
      { repository: url },
    );
  }
  return {
    ...access,
    url,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
  };
}

/** The value of the HTTP header `Authorization`; undefined where there are no credentials. */
export function authorizationOf(access: RepositoryAccess): string | undefined {
  const { bearerToken = '', username = '', password = '' } = access;
  if (bearerToken !== '') return `Bearer ${bearerToken}`;
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

/** Everything of an access that no text may repeat, keys line by line. */
export function credentialsOf(access: RepositoryAccess): string[] {
  const { username = '', password = '', bearerToken = '', sshPrivateKey = '', tlsClientCertKey = '' } = access;
  const proxy = URL.parse(access.proxy ?? '');
  // Some hosts take a token as the name of the user, with nothing or a fixed word as password.
  const isToken = password === '' || password === 'x-oauth-basic';
  const values = [
    ...[password, bearerToken, isToken ? username : ''],
    ...authorizationValues(authorizationOf(access)),
    ...(proxy === null ? [] : [proxy.password, proxy.username === '' ? '' : `${proxy.username}:${proxy.password}`]),
    ...[sshPrivateKey, tlsClientCertKey].flatMap((key) => [key, ...key.split(/\r?\n/)]),
  ];
  return values.filter((value) => value !== '' && !/^-+(?:BEGIN|END) /.test(value));
}

const fingerprintKey = randomBytes(32);

/** Tells sets of credentials apart, for the life of this process and in its memory only. */
export function fingerprintOf(access: RepositoryAccess): string {
  const { url, ...credentials } = access;
  const fields = Object.entries(credentials).filter(([, value]) => value !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', fingerprintKey)
    .update(JSON.stringify([url, fields]))
    .digest('base64url');
}

/** The environment that every git process starts from. Nothing of the user's or the machine's Git settings is read. */
export function baseEnvironment(
  directory: string,
  inherited: Readonly<Record<string, string | undefined>>,
  objectBytes: number,
): Record<string, string> {
  const environment: Record<string, string> = {
    HOME: directory,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(directory, 'gitconfig'),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    // Beyond it git ends by itself: whoever pushes chooses what an object unpacks to.
    GIT_ALLOC_LIMIT: String(objectBytes),
  };
  for (const name of ['PATH', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR']) {
    const value = inherited[name];
    if (value !== undefined) environment[name] = value;
  }
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
    const value = inherited[name] ?? inherited[name.toUpperCase()];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** Settings of every git process: no hook, no filter, no submodule, no background work, no check-out, no transport but HTTP. */
export function gitConfig(): string {
  return [
    '[core]',
    '\thooksPath = /dev/null',
    '\tattributesFile = /dev/null',
    '\tfsync = none',
    '\taskPass =',
    // Larger files pass through in pieces, and what deltas are made from is read again rather than kept.
    '\tbigFileThreshold = 32m',
    '\tdeltaBaseCacheLimit = 32m',
    '[protocol]',
    '\tversion = 2',
    '\tallow = never',
    ...['http', 'https'].flatMap((transport) => [`[protocol "${transport}"]`, '\tallow = always']),
    '[http]',
    '\tfollowRedirects = false',
    '\tlowSpeedLimit = 1000',
    '\tlowSpeedTime = 30',
    '[credential]',
    '\thelper =',
    '[submodule]',
    '\trecurse = false',
    '[fetch]',
    '\trecurseSubmodules = false',
    '\twriteCommitGraph = false',
    '\tfsckObjects = true',
    '[transfer]',
    '\tunpackLimit = 1',
    '\tbundleURI = false',
    ...harmlessFindings.flatMap((finding, index) => [
      ...(index === 0 ? ['[fetch "fsck"]'] : []),
      `\t${finding} = ignore`,
    ]),
    '[gc]',
    '\tauto = 0',
    '[maintenance]',
    '\tauto = false',
    '[pack]',
    '\tthreads = 1',
    '\twindowMemory = 64m',
    '\tdeltaCacheSize = 16m',
    '[advice]',
    '\tdetachedHead = false',
    '',
  ].join('\n');
}

/** Findings of `git fsck` that old and honest repositories have, and that nothing here can be harmed by. */
const harmlessFindings: readonly string[] = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badFilemode',
  'badName',
  'badTagName',
  'badTimezone',
  'extraHeaderEntry',
  'missingAuthor',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingTaggerEntry',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
];

/** What access to every repository begins with. */
export interface AccessSetting {
  /** Where files of keys are made. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly network: Network;
  readonly knownHosts: string | undefined;
}

/** The environment of git processes that reach one repository, and the end of the files made for it. */
export interface AccessEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  dispose(): Promise<void>;
}

/**
 * Hands credentials to git without putting them into its arguments: HTTP headers as settings in the environment and for this one address only, keys as files that only this user can read.
 * Over SSH, and to folders of this machine, git talks through git-remote-ext(1) rather than by transports of its own: it runs the very same programs, but by no shell, which an image
 * need not have. Programs connect to the addresses that were looked at here. Throws `HostRefused`, and what a look-up and writing a file throw.
 */
export async function openAccess(
  { directory, environment: base, network, knownHosts }: AccessSetting,
  access: RepositoryAccess,
  address: RepositoryAddress,
): Promise<AccessEnvironment> {
  const environment: Record<string, string> = { ...base };
  const settings: [string, string][] = [];
  const folder = join(directory, 'keys', randomBytes(12).toString('hex'));
  let made = false;
  const keep = async (name: string, content: string): Promise<string> => {
    if (!made) await mkdir(folder, { recursive: true, mode: 0o700 });
    made = true;
    const path = join(folder, name);
    await writeFile(path, content.endsWith('\n') ? content : `${content}\n`, { mode: 0o600 });
    return path;
  };
  const { transport } = address;
  if (transport === 'ssh' || transport === 'file') {
    const words =
      transport === 'file' ? localWords(address) : await sshWords(address, access, network, knownHosts, keep);
    settings.push(
      [`url.ext::${words.map(extWord).join(' ')}.insteadOf`, address.url],
      ['protocol.ext.allow', 'always'],
    );
    environment['GIT_PROTOCOL'] = 'version=2';
  }
  if (transport === 'http' || transport === 'https') {
    for (const entry of await pinnedNames(address, access, network)) settings.push(['http.curloptResolve', entry]);
    const section = `http.${new URL('/', address.url).href}`;
    const authorization = authorizationOf(access);
    if (authorization !== undefined) settings.push([`${section}.extraHeader`, `Authorization: ${authorization}`]);
    if (access.insecure === true) settings.push([`${section}.sslVerify`, 'false']);
    if (access.ca !== undefined) settings.push([`${section}.sslCAInfo`, await keep('authority', access.ca)]);
    if (access.proxy !== undefined && access.proxy !== '') settings.push([`${section}.proxy`, access.proxy]);
    if (access.tlsClientCertData !== undefined && access.tlsClientCertKey !== undefined) {
      settings.push([`${section}.sslCert`, await keep('certificate', access.tlsClientCertData)]);
      settings.push([`${section}.sslKey`, await keep('key', access.tlsClientCertKey)]);
    }
  }
  environment['GIT_CONFIG_COUNT'] = String(settings.length);
  for (const [index, [key, value]] of settings.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return {
    environment,
    async dispose() {
      if (made) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** How another git on this machine is asked; `%s` becomes what it is asked for. */
function localWords({ path }: RepositoryAddress): string[] {
  return ['git', '%s', path.replaceAll('%', '%%')];
}

/** How a git on another machine is asked, as git itself would by its own transport. */
async function sshWords(
  { user, host, port, path }: RepositoryAddress,
  access: RepositoryAccess,
  network: Network,
  knownHosts: string | undefined,
  keep: (name: string, content: string) => Promise<string>,
): Promise<string[]> {
  const words = ['ssh', '-F', '/dev/null', '-oBatchMode=yes', '-oLogLevel=ERROR', '-oConnectTimeout=30'];
  words.push('-oForwardAgent=no', '-oSendEnv=GIT_PROTOCOL');
  if (access.sshPrivateKey !== undefined && access.sshPrivateKey !== '') {
    // OpenSSH takes no key with the line ends of Windows, which a Secret easily has.
    const key = await keep('key', access.sshPrivateKey.replaceAll('\r\n', '\n'));
    words.push('-oIdentitiesOnly=yes', `-oIdentityFile=${quotePath(key)}`);
  }
  if (access.insecure === true) words.push('-oStrictHostKeyChecking=no', '-oUserKnownHostsFile=/dev/null');
  else {
    words.push('-oStrictHostKeyChecking=yes');
    const file = access.knownHosts === undefined ? knownHosts : await keep('known_hosts', access.knownHosts);
    if (file !== undefined) words.push(`-oUserKnownHostsFile=${quotePath(file)}`, '-oGlobalKnownHostsFile=/dev/null');
  }
  const pinned = await network.pin(host);
  // The server is known by its name all the same, as ssh writes it into the file of known hosts.
  if (pinned !== undefined)
    words.push(`-oHostName=${pinned}`, `-oHostKeyAlias=${port === undefined ? host : `[${host}]:${port}`}`);
  if (port !== undefined) words.push('-p', port);
  const name = host.replace(/^\[|\]$/g, '');
  return [...words, user === undefined ? name : `${user}@${name}`]
    .map((word) => word.replaceAll('%', '%%'))
    .concat(`%S ${quoteForShell(path).replaceAll('%', '%%')}`);
}

/** What libcurl is told of names, so that it looks none up: those of the repository's server, and of the proxy where it has one of its own. */
async function pinnedNames(
  { host, port }: RepositoryAddress,
  { proxy = '' }: RepositoryAccess,
  network: Network,
): Promise<string[]> {
  const entries = async (name: string, ports: readonly string[]): Promise<string[]> => {
    const address = await network.pin(name);
    if (address === undefined) return [];
    return ports.map((one) => `${name}:${one}:${address.includes(':') ? `[${address}]` : address}`);
  };
  // A server may have sent us on from HTTP to HTTPS.
  const own = await entries(host, [...new Set([port ?? '80', '443'])]).catch((error: unknown) => {
    if (proxy === '' || error instanceof HostRefused) throw error;
    return [];
  });
  const through = proxyOf(proxy);
  return through === undefined ? own : [...own, ...(await entries(through.host, [through.port]))];
}

/** A word as the shell on the other machine reads it. */
function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A word of a command as git-remote-ext(1) reads it, in which percent signs already mean what they do there. */
function extWord(word: string): string {
  return word.replaceAll(' ', '% ');
}

/** A path as an option of ssh_config(5) reads it: unquoted, a space would part two files and a percent sign begin a token. */
function quotePath(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
}

/** `harmlessFindings` as `git index-pack --strict=` takes them. */
export const fsckFindings: string = harmlessFindings.map((finding) => `${finding}=ignore`).join(',');
