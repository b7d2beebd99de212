import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Log } from '../../world/telemetry.ts';

/** What a route is told. Header names are lower case. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

/** One address of the server. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Longest body taken, in bytes. */
  readonly bodyBytes: number;
  answer(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Bytes of bodies that are kept at once, over all requests: who sends them has shown no secret yet. */
export const bodiesBytes: number = 32 * 1024 * 1024;
/** Connections at once, and those of one address: who holds all of its own leaves room for others. */
const connectionsAtMost = 1_024;
export const connectionsPerAddress: number = 256;
/** Milliseconds that a request under way may take to end when the server closes. */
const closeMs = 1_000;

/**
 * Serves routes over HTTP/1.1. A connection beyond what one address may have is closed at once. A body that is too long is refused with 413 before it is kept, one too many at a time with 503, and a slow one after 10 s.
 */
export async function serve(
  routes: readonly Route[],
  address: { host: string; port: number },
  log: Log,
): Promise<HttpServer> {
  const held = { bytes: 0 };
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 },
    (request, response) => {
      handle(routes, held, request, response).catch((thrown: unknown) => {
        log.error(
          { path: request.url, error: thrown instanceof Error ? (thrown.stack ?? '') : String(thrown) },
          'a request failed',
        );
        if (!response.headersSent) response.writeHead(500).end('internal error\n');
      });
    },
  );
  server.maxConnections = connectionsAtMost;
  limitByAddress(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cancel = setTimeout(() => server.closeAllConnections(), closeMs);
        server.close(() => {
          clearTimeout(cancel);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** Closes what is beyond `connectionsPerAddress`. */
function limitByAddress(server: Server): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address = '' } = socket;
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
    if (count > connectionsPerAddress) socket.destroy();
  });
}

/** Bytes of bodies that are kept just now. */
interface Held {
  bytes: number;
}

async function handle(
  routes: readonly Route[],
  held: Held,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', ...query] = (request.url ?? '/').split('?');
  const here = routes.filter((route) => route.path === path);
  const route = here.find(({ method }) => method === request.method);
  if (route === undefined) {
    response
      .writeHead(here.length > 0 ? 405 : 404, { 'content-type': 'text/plain' })
      .end(`${here.length > 0 ? 'method not allowed' : 'not found'}\n`);
    return;
  }
  const mine: Held = { bytes: 0 };
  try {
    const body = await readBody(request, route.bodyBytes, held, mine);
    if (body === 'too long') {
      response.writeHead(413, refusal).end(`the body is longer than ${route.bodyBytes} bytes\n`);
      return;
    }
    if (body === 'too many') {
      response.writeHead(503, { ...refusal, 'retry-after': '1' }).end('too many requests at once\n');
      return;
    }
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const answer = await route.answer({
      method: request.method ?? '',
      path,
      query: new URLSearchParams(query.join('?')),
      headers,
      body,
    });
    response.writeHead(answer.status, { 'content-type': answer.contentType ?? 'text/plain' }).end(answer.body);
  } finally {
    held.bytes -= mine.bytes;
  }
}

/** What is left of the body is not read: the connection ends with the answer. */
const refusal = { 'content-type': 'text/plain', connection: 'close' };

async function readBody(
  request: IncomingMessage,
  bytes: number,
  held: Held,
  mine: Held,
): Promise<Uint8Array | 'too long' | 'too many'> {
  if (Number(request.headers['content-length'] ?? 0) > bytes) return 'too long';
  const chunks: Uint8Array[] = [];
  // Destroyed here, the request would take the connection along, and nobody would read why.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    mine.bytes += chunk.length;
    held.bytes += chunk.length;
    if (mine.bytes > bytes) return 'too long';
    if (held.bytes > bodiesBytes) return 'too many';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
