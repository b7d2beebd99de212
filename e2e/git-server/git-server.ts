import { execFile } from 'node:child_process';
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gitEnvironment } from './git-command.ts';
import { type GitRepository, openRepository } from './git-repository.ts';
import { answerWithGit, HttpError } from './http-backend.ts';

const MAX_BODY_BYTES = 256 * 1024 * 1024;
const MAX_RUNNING = 16;
const MAX_WAITING = 1024;
const REQUEST_TIMEOUT_MS = 120_000;

/** User to password. */
export type Users = Record<string, string>;

export type GitServerOptions = {
  /** Where the bare repositories are. Default: a temporary folder, removed by close. */
  root?: string;
  /** Default: a free one. */
  port?: number;
  /** Default: 127.0.0.1. An address that is not loopback needs users. */
  host?: string;
  /** Who may read and write the repositories that name no users of their own. Default: everybody. */
  users?: Users;
  /** A longer request body is refused. Default: 256 MiB. */
  maxBodyBytes?: number;
  /** Called once per request that got a connection, just before its answer ends. */
  onRequest?: (request: AnsweredRequest) => void;
};

export type AnsweredRequest = {
  /** The client's `X-Request-Id` where it sent a plain one; sent back in the answer. */
  id: string;
  method: string;
  /** Without the query. */
  path: string;
  service: GitService | undefined;
  user: string | undefined;
  status: number;
  ms: number;
  /** What went wrong, if something did. */
  error: string | undefined;
};

export type GitService = 'git-upload-pack' | 'git-receive-pack';

/** What the server does wrong to every request, for as long as it is set. */
export type GitFault =
  /** Connections are refused, open ones are reset. */
  | { kind: 'down' }
  /** Connections are accepted and reset when a request comes. */
  | { kind: 'reset' }
  /** Requests are answered with this HTTP status. */
  | { kind: 'status'; status: number }
  /** Requests are answered with 401, whatever credentials they carry. */
  | { kind: 'unauthorized' }
  /** Requests are answered correctly, this much later. */
  | { kind: 'slow'; delayMs: number };

export type GitServer = {
  /** Without a slash at the end. */
  url: string;
  /** Where the bare repositories are. */
  root: string;
  /**
   * Makes the repository `<url>/<name>.git`, or opens the one that is there. A name has up to four parts of letters,
   * digits, dot, dash and underscore, as in `team/shop`. `users` replaces the server's users; `{}` lets everybody in.
   */
  createRepository(name: string, options?: { users?: Users; defaultBranch?: string }): Promise<GitRepository>;
  /** Sets the fault, or ends it; takes effect before it answers. */
  setFault(fault: GitFault | undefined): Promise<void>;
  /** Ends every connection and process, and removes a temporary root. */
  close(): Promise<void>;
};

/**
 * Serves Git repositories over smart HTTP (Git's http-protocol document): fetch and push, protocol 0 to 2, Basic
 * authentication. Made for demos and tests on one machine: it listens on loopback, without TLS.
 */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const { host = '127.0.0.1', maxBodyBytes = MAX_BODY_BYTES } = options;
  const serverUsers = options.users ?? {};
  if (!['127.0.0.1', '::1', 'localhost'].includes(host) && Object.keys(serverUsers).length === 0) {
    throw new Error(`a Git server on ${host} needs users: anybody who reaches it could push`);
  }
  if (options.root !== undefined) await mkdir(options.root, { recursive: true });
  const root = await realpath(options.root ?? (await mkdtemp(join(tmpdir(), 'mooring-git-'))));
  const program = join((await promisify(execFile)('git', ['--exec-path'])).stdout.trim(), 'git-http-backend');

  const repositories = new Map<string, { repository: Promise<GitRepository>; users: Users }>();
  const running = new Set<Promise<void>>();
  const enter = createGate(MAX_RUNNING, MAX_WAITING);
  let stop = new AbortController();
  let fault: GitFault | undefined;

  const server = createServer((request, response) => {
    const done = handle(request, response).finally(() => running.delete(done));
    running.add(done);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  const unlisten = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    stop.abort();
    server.closeAllConnections();
    await closed;
    await Promise.all(running);
    stop = new AbortController();
  };
  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now();
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const target = parseTarget(request.method ?? '', path, query);
    const id = requestId(request);
    let user: string | undefined;
    let failure: Error | undefined;
    let ending = '';
    response.setHeader('x-request-id', id);
    try {
      if (fault) await applyFault(fault, request, stop.signal);
      if (!target) throw new HttpError(404, 'there is nothing here but Git repositories over smart HTTP');
      const found = repositories.get(target.repository);
      if (!found) throw new HttpError(404, `there is no repository ${target.repository}`);
      user = authenticate(request, found.users);
      await found.repository;
      const leave = await enter();
      try {
        const gone = new AbortController();
        response.once('close', () => response.writableFinished || gone.abort());
        await answerWithGit({
          program,
          env: cgiEnvironment(root, request, path, query, user),
          request,
          response,
          maxBodyBytes,
          signal: AbortSignal.any([gone.signal, stop.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
        });
      } finally {
        leave();
      }
    } catch (error) {
      failure = error as Error;
      ending = refuse(response, failure, id);
    }
    options.onRequest?.({
      id,
      method: request.method ?? '',
      path,
      service: target?.service,
      user,
      status: response.statusCode,
      ms: performance.now() - start,
      error: failure?.message,
    });
    response.end(ending);
  }

  return {
    url,
    root,
    async createRepository(name, { users = serverUsers, defaultBranch } = {}) {
      if (!isRepositoryName(name)) {
        throw new Error(`${JSON.stringify(name)} is no name for a repository: use parts of letters, digits and ._-`);
      }
      const settings = { name, url: `${url}/${name}.git`, path: join(root, `${name}.git`) };
      const repository = openRepository(defaultBranch === undefined ? settings : { ...settings, defaultBranch });
      repositories.set(name, { repository, users });
      return repository.catch((error: Error) => {
        repositories.delete(name);
        throw error;
      });
    },
    async setFault(next) {
      fault = next;
      if (next?.kind === 'down') await unlisten();
      else if (!server.listening) await listen(port);
    },
    async close() {
      await unlisten();
      if (options.root === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

function isRepositoryName(name: string): boolean {
  const parts = name.split('/');
  return (
    parts.length <= 4 &&
    parts.every((part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(part) && !/\.(git|lock)$/.test(part))
  );
}

type Target = { repository: string; service: GitService };

/** The repository and service a request is for; undefined for anything but the three requests of smart HTTP. */
function parseTarget(method: string, path: string, query: string): Target | undefined {
  const match = /^\/([A-Za-z0-9._/-]{1,410})\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(path);
  const [, repository = '', action] = match ?? [];
  if (!isRepositoryName(repository)) return undefined;
  const service = action === 'info/refs' ? new URLSearchParams(query).get('service') : action;
  if (service !== 'git-upload-pack' && service !== 'git-receive-pack') return undefined;
  return method === (action === 'info/refs' ? 'GET' : 'POST') ? { repository, service } : undefined;
}

function requestId(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(sent) ? sent : randomUUID();
}

async function applyFault(fault: GitFault, request: IncomingMessage, signal: AbortSignal): Promise<void> {
  if (fault.kind === 'slow') await sleep(fault.delayMs, undefined, { signal });
  else if (fault.kind === 'status') throw new HttpError(fault.status, 'the server was told to fail');
  else if (fault.kind === 'unauthorized') throw new HttpError(401, 'the server was told to refuse every credential');
  else {
    request.socket.resetAndDestroy();
    throw new Error('the server was told to reset connections');
  }
}

/** The user of the request, undefined where everybody is let in. */
function authenticate(request: IncomingMessage, users: Users): string | undefined {
  if (Object.keys(users).length === 0) return undefined;
  const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=]{1,1024})$/i.exec(request.headers.authorization ?? '') ?? [];
  const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  const expected = Object.hasOwn(users, user) ? users[user] : undefined;
  if (expected === undefined || !timingSafeEqual(digest(rest.join(':')), digest(expected))) {
    throw new HttpError(401, 'this repository needs a user and a password');
  }
  return user;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function cgiEnvironment(
  root: string,
  request: IncomingMessage,
  path: string,
  query: string,
  user: string | undefined,
): Record<string, string> {
  const { headers, socket, method } = request;
  const env: Record<string, string> = {
    ...gitEnvironment(root),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: method ?? '',
    PATH_INFO: path,
    QUERY_STRING: query,
    REMOTE_ADDR: socket.remoteAddress ?? '',
    REMOTE_USER: user ?? '',
    CONTENT_TYPE: headers['content-type'] ?? '',
    CONTENT_LENGTH: headers['content-length'] ?? '',
    HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
  };
  const protocol = headers['git-protocol'];
  if (typeof protocol === 'string' && /^[a-z0-9=:]{1,100}$/.test(protocol)) env['GIT_PROTOCOL'] = protocol;
  return env;
}

/** Sends the head of a refusal and answers with its text; an answer already begun is cut off. */
function refuse(response: ServerResponse, error: Error, id: string): string {
  if (response.headersSent) {
    response.destroy();
    return '';
  }
  const status = error instanceof HttpError ? error.status : 500;
  if (status === 401) response.setHeader('www-authenticate', 'Basic realm="git"');
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  return `${error.message} (request ${id})\n`;
}

/** Lets `limit` in at a time and `maxWaiting` wait, first come first served; what it answers with lets the next in. */
function createGate(limit: number, maxWaiting: number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else inside -= 1;
  };
  return async () => {
    if (inside < limit) inside += 1;
    else if (waiting.length < maxWaiting) await new Promise<void>((resolve) => waiting.push(resolve));
    else throw new HttpError(503, `${maxWaiting} requests are waiting already`);
    return leave;
  };
}
